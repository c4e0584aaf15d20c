"""The trainer process: imports torch and each algorithm once, then runs training jobs one after another.

Started by `worker_service.trainer_link` as ``python -m worker_service.trainer_process FD PARENT_PID``; FD is one end of
a socket pair. It dies with its supervisor, even with one that was killed: the kernel is asked to, and the end of the
pipe says the same where the kernel cannot.
"""

from __future__ import annotations

import ctypes
import gc
import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from hrnn_tuner import failpoints
from hrnn_tuner.algorithms import load_algorithms
from hrnn_tuner.telemetry import configure_logging
from worker_service.job_runner import JobRunner
from worker_service.messages import JobEnded, PipeMessage, Ready, RunJob, Setup, StopJob, decode, encode
from worker_service.trainers import Trainers
from worker_service.training_context import StopFlag

_PR_SET_PDEATHSIG = 1
_log = structlog.get_logger(__name__)


def _die_with(parent_pid: int) -> None:
    """Asks the kernel to kill this process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # it ended before the request
            os._exit(0)


def _ignore_signals() -> None:
    """Leaves it to the supervisor when to end: both signals also reach it when a whole process group gets them.

    Handlers that do nothing, not SIG_IGN, which a trainer's own children would inherit.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


def _device(setup: Setup) -> str:
    """The torch device of this slot."""
    if setup.devices:
        return setup.devices[setup.slot % len(setup.devices)]
    try:
        import torch
    except ImportError:
        return "cpu"
    return f"cuda:{setup.slot % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu"


def _release_memory(ended: JobEnded) -> None:
    """Gives the device memory of the last job back, so that other slots of the device can have it."""
    if ended.outcome != "COMPLETED":
        gc.collect()  # an exception's frames hold tensors in cycles; after a success it would only delay the next job
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _flush_output() -> None:
    """Hands everything that was printed to the supervisor, which takes what it has got by the job's end for all."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


class TrainerProcess:
    """Reads orders on a thread of its own and runs them on the main thread."""

    def __init__(self, pipe: Connection) -> None:
        """Takes this process's end of the pipe."""
        self._pipe = pipe
        self._send_lock = threading.Lock()
        self._stop = StopFlag()
        self._orders: queue.SimpleQueue[RunJob] = queue.SimpleQueue()

    def run(self) -> None:
        """Warms up, then runs jobs until the supervisor ends this process or a job spoils it."""
        setup = decode(self._pipe.recv_bytes())
        if not isinstance(setup, Setup):
            raise TypeError(f"expected Setup, got {type(setup).__name__}")
        configure_logging(service=f"trainer-{setup.slot}", log_format=setup.log_format, level=setup.log_level)
        # Daemon: ends with the process. It must not be joined, because the end of the pipe ends the process at once.
        threading.Thread(target=self._read, name="trainer-pipe", daemon=True).start()
        runner = self._warm_up(setup)
        while True:
            job = self._orders.get()
            ended = runner.run(job)
            _flush_output()
            self._send(ended)
            if ended.retiring:
                return
            _release_memory(ended)

    def _warm_up(self, setup: Setup) -> JobRunner:
        device = _device(setup)
        trainers = Trainers(load_algorithms(setup.algorithms), device)
        if setup.warm_up:
            trainers.warm_up()
        cache_dir = Path(setup.cache_dir)
        cache_dir.mkdir(parents=True, exist_ok=True)
        gc.freeze()  # what the imports made is never garbage: collections during training need not look at it
        self._send(Ready(os.getpid(), device, list(trainers)))
        return JobRunner(trainers, device=device, cache_dir=cache_dir, stop=self._stop, send=self._send)

    def _send(self, message: PipeMessage) -> None:
        data = encode(message)
        with self._send_lock:
            self._pipe.send_bytes(data)

    def _read(self) -> None:
        """Takes orders until the pipe ends, and the process with it."""
        try:
            while True:
                message = decode(self._pipe.recv_bytes())
                if isinstance(message, StopJob):
                    self._stop.keep = message.keep
                    self._stop.job = message.job
                elif isinstance(message, RunJob):
                    self._orders.put(message)
        except (EOFError, OSError):
            os._exit(0)  # not sys.exit: the training thread may never come back to Python


def main() -> None:
    """Runs the process."""
    descriptor, parent_pid = int(sys.argv[1]), int(sys.argv[2])
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream of the interpreter's own
    failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))  # of the supervisor, which has checked it
    _die_with(parent_pid)
    _ignore_signals()
    TrainerProcess(Connection(descriptor)).run()


if __name__ == "__main__":
    main()
