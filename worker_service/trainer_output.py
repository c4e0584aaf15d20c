"""What a trainer process prints: passed on to this process's standard error, and line by line to the running attempt.

Two pipes and one thread. The thread is not the only one that reads: whoever starts or ends a job first reads what is in
the pipes, so that every line belongs to the job during which it was written.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from worker_service.log_lines import LineSplitter, Mask, Source

Listener: TypeAlias = Callable[[Source, str], None]

_CHUNK_BYTES = 64 * 1024
#: A pipe holds 64 KiB: so many reads see everything that was written before the first of them.
_READS = 2
_STDERR = 2
_JOIN_TIMEOUT_S = 5.0


class TrainerOutput:
    """The output of one process. Thread-safe.

    Attributes:
        stdout: Descriptor for the process's standard output, until `start`.
        stderr: The same for its standard error.
    """

    def __init__(self, slot: int) -> None:
        """Opens the pipes."""
        out, self.stdout = os.pipe()
        err, self.stderr = os.pipe()
        self._awake, self._awaken = os.pipe()
        self._pipes = {out: Source.STDOUT, err: Source.STDERR}
        for pipe in self._pipes:
            os.set_blocking(pipe, False)
        self._splitters: dict[int, LineSplitter] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"trainer-output-{slot}", daemon=True)

    def start(self) -> None:
        """Starts reading; the process has its own ends now."""
        os.close(self.stdout)
        os.close(self.stderr)
        self._thread.start()

    def listen(self, listener: Listener, mask: Mask) -> None:
        """Passes every line from now on to a listener, called on any thread."""
        with self._lock:
            self._read()
            self._splitters = {
                pipe: LineSplitter(partial(listener, source), mask) for pipe, source in self._pipes.items()
            }

    def end_listening(self) -> None:
        """Passes on what was written so far, and nothing from now on."""
        with self._lock:
            self._read()
            self._release()

    def close(self) -> None:
        """Passes on what an ended process has left, and closes the pipes."""
        os.write(self._awaken, b"\0")
        self._thread.join(_JOIN_TIMEOUT_S)
        with self._lock:
            self._read()
            self._release()
            for pipe in (*self._pipes, self._awake, self._awaken):
                os.close(pipe)
            self._pipes = {}

    def _release(self) -> None:
        for splitter in self._splitters.values():
            splitter.finish()
        self._splitters = {}

    def _run(self) -> None:
        """Reads until told to end."""
        poll = select.poll()
        for pipe in (*self._pipes, self._awake):
            poll.register(pipe, select.POLLIN)
        open_pipes = len(self._pipes)
        while open_pipes:
            ready = poll.poll()
            if any(pipe == self._awake for pipe, _ in ready):
                return
            with self._lock:
                self._read()
            for pipe, happened in ready:
                if not happened & select.POLLIN:  # nobody can write to it any more
                    poll.unregister(pipe)
                    open_pipes -= 1

    def _read(self) -> None:
        """Takes what is in the pipes. Under the lock."""
        for pipe in self._pipes:
            for _ in range(_READS):
                try:
                    data = os.read(pipe, _CHUNK_BYTES)
                except BlockingIOError:
                    break
                if not data:
                    break
                _pass_on(data)
                splitter = self._splitters.get(pipe)
                if splitter is not None:
                    splitter.feed(data)


def _pass_on(data: bytes) -> None:
    """Writes to this process's standard error: standard output belongs to the embedding command."""
    with contextlib.suppress(OSError):  # nobody reads it any more
        while data:
            data = data[os.write(_STDERR, data) :]
