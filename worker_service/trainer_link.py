"""The supervisor's side of one trainer process: starts it, talks to it, notices its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from worker_service.messages import PipeMessage, RunJob, Setup, StopJob, decode, encode

#: A killed process is gone within milliseconds, unless a driver call holds it in the kernel.
_END_TIMEOUT_S = 10.0


def _describe(code: int | None) -> str:
    """Says how a process ended."""
    if code is None:
        return "the trainer process does not end"
    if code >= 0:
        return f"the trainer process exited with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; the host may have run out of memory" if name == "SIGKILL" else ""
    return f"the trainer process was killed by {name}{hint}"


class TrainerLink:
    """One trainer process.

    Must be constructed on a thread that outlives the process: the kernel ends the process with the *thread* that
    started it. The handlers are called on this link's own reading thread.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        on_message: Callable[[TrainerLink, PipeMessage], None],
        on_end: Callable[[TrainerLink, str], None],
    ) -> None:
        """Starts the process.

        Args:
            setup: What it warms up.
            on_message: Called with each message.
            on_end: Called once, after the last message, with a description of how the process ended.
        """
        self._on_message = on_message
        self._on_end = on_end
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker_service.trainer_process", str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                env=_child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard output belongs to the embedding command
                start_new_session=True,  # the terminal's Ctrl-C is for the supervisor; also one group to kill
            )
        self._pipe = Connection(ours.detach())
        self._send_lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name=f"trainer-link-{setup.slot}", daemon=True)
        self._reader.start()
        self._send(setup)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def run(self, job: RunJob) -> None:
        """Orders a job."""
        self._send(job)

    def stop(self, job: int) -> None:
        """Asks a job to stop."""
        self._send(StopJob(job))

    def kill(self) -> None:
        """Ends the process and its own children at once. Idempotent."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()  # not yet in a group of its own, or gone: `kill` knows

    def close(self) -> None:
        """Ends the process and waits for it."""
        self.kill()
        self._reader.join(_END_TIMEOUT_S)

    def _send(self, message: PipeMessage) -> None:
        """Sends, or does nothing when the process is gone: the reading thread tells that."""
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
            self.kill()  # the pipe ended; so must the process, should it only have closed the pipe
        finally:
            self._on_end(self, self._wait())
            with self._send_lock:
                self._pipe.close()

    def _wait(self) -> str:
        try:
            code: int | None = self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        return _describe(code)


def _child_environment() -> dict[str, str]:
    """The environment with this process's import path, so that the child finds the same algorithms."""
    paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100 - pathlib resolves links, which breaks venvs
    return os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
