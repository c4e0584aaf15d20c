"""The supervisor's side of one trainer process: starts it, talks to it, notices its end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from worker_service.messages import PipeMessage, RunJob, Setup, StopJob, decode, encode
from worker_service.oom_kills import oom_kills
from worker_service.trainer_output import TrainerOutput

#: A killed process is gone within milliseconds, unless a driver call holds it in the kernel.
_END_TIMEOUT_S = 10.0


#: What a process that closed its pipe has left to do.
_EXIT_TIMEOUT_S = 2.0


def _describe(code: int, *, out_of_memory: bool) -> str:
    """Says how a process ended."""
    if code >= 0:
        return f"the trainer process exited with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if out_of_memory:
        return "the trainer process was killed by the kernel: the host or its control group ran out of memory"
    return f"the trainer process was killed by {name}"


class TrainerLink:
    """One trainer process; ``output`` is what it prints.

    Must be constructed on a thread that outlives the process: the kernel ends the process with the *thread* that
    started it. The handlers are called on this link's own reading thread.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        on_message: Callable[[TrainerLink, PipeMessage], None],
        on_end: Callable[[TrainerLink, str, bool], None],
    ) -> None:
        """Starts the process.

        Args:
            setup: What it warms up.
            on_message: Called with each message.
            on_end: Called once, after the last message, with a description of how the process ended and whether that
                was for want of memory, as far as the kernel tells.
        """
        self._on_message = on_message
        self._on_end = on_end
        self.output = TrainerOutput(setup.slot)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker_service.trainer_process", str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                env=_child_environment(setup.threads),
                stdin=subprocess.DEVNULL,
                stdout=self.output.stdout,
                stderr=self.output.stderr,
                start_new_session=True,  # the terminal's Ctrl-C is for the supervisor; also one group to kill
            )
        self.output.start()
        self._socket = ours
        self._pipe = Connection(os.dup(ours.fileno()))
        self._send_lock = threading.Lock()
        self._ended = threading.Event()
        self._killed = False
        self._oom_kills = oom_kills()
        # Both threads end with the process, which `close` sees to; daemon only for a process that the kernel holds.
        self._reader = threading.Thread(target=self._read, name=f"trainer-read-{setup.slot}", daemon=True)
        self._waiter = threading.Thread(target=self._wait, name=f"trainer-wait-{setup.slot}", daemon=True)
        self._reader.start()
        self._waiter.start()
        self._send(setup)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def run(self, job: RunJob) -> None:
        """Orders a job."""
        self._oom_kills = oom_kills()
        self._send(job)

    def stop(self, job: int, *, keep: bool) -> None:
        """Asks a job to stop, and to keep the model of its best epoch or not."""
        self._send(StopJob(job, keep))

    def kill(self) -> None:
        """Ends the process and its own children at once. Idempotent."""
        if not self._ended.is_set():
            self._killed = True
            _kill_group(self._process.pid)

    def close(self) -> None:
        """Ends the process and waits for it; not to be called from a handler."""
        self.kill()
        self._waiter.join(_END_TIMEOUT_S)

    def _send(self, message: PipeMessage) -> None:
        """Sends, or does nothing when the process is gone, which its end reports."""
        try:
            with self._send_lock:
                self._pipe.send_bytes(encode(message))
        except OSError:
            self.kill()  # a process without its pipe is of no use

    def _read(self) -> None:
        try:
            while True:
                self._on_message(self, decode(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            if not self._ended.wait(_EXIT_TIMEOUT_S):
                self.kill()

    def _wait(self) -> None:
        """Waits for the process itself: children that it forked may keep the pipe open after its death."""
        # Without reaping at first, so that the id still is this process's while its group is killed.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        _kill_group(self._process.pid)
        code = self._process.wait()
        out_of_memory = self._ran_out_of_memory(code)
        how = _describe(code, out_of_memory=out_of_memory)
        self._ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)  # the reader still gets what is in the pipe, then the end
        self._reader.join()
        with self._send_lock:
            self._pipe.close()
            self._socket.close()
        self.output.close()  # before the end is known: its last words belong to what it was doing
        self._on_end(self, how, out_of_memory)

    def _ran_out_of_memory(self, code: int) -> bool:
        """Whether the kernel killed the process for want of memory.

        It counts per control group, not per process: of several trainers that are killed while one runs out of memory,
        more than one may seem to have.
        """
        if code != -signal.SIGKILL or self._killed or self._oom_kills is None:
            return False
        kills = oom_kills()
        return kills is not None and kills > self._oom_kills


def _kill_group(pid: int) -> None:
    """Kills a process that leads its group, and the group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _child_environment(threads: int) -> dict[str, str]:
    """The environment with this process's import path, so that the child finds the same algorithms."""
    paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100 - pathlib resolves links, which breaks venvs
    # Slots that each start a thread per core slow each other down; an operator's own number stays.
    share = {"OMP_NUM_THREADS": str(threads)}
    return share | os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
