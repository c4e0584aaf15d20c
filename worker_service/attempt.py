"""The attempts that a worker holds, and what the scheduler said about each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

from hrnn_tuner.v1.queue_pb2 import AttemptReport
from worker_service.assignment import Assignment, AttemptKey

#: Ended attempts that are remembered, so that a second delivery of a task does not run it again.
_REMEMBERED = 4096


class Attempt:
    """One attempt, from the moment its task was taken until its end is confirmed.

    The flags are set by the control subscription's thread and read by the slot's; each only ever changes to True,
    and ``recorded_step`` only rises.

    Attributes:
        assignment: What to do.
        headers: Trace context of the task.
        go: The scheduler accepted the start.
        stop: The scheduler wants it stopped.
        stop_and_keep: The scheduler wants it stopped, and the model of its best epoch so far.
        superseded: It does not count any more.
        recorded_step: Step of its last checkpoint that the scheduler recorded, 0 before.
        ending: The report that says how it ended, from when it waits to be sent; None before.
    """

    def __init__(self, assignment: Assignment, headers: Mapping[str, str], wake: Callable[[], None]) -> None:
        """Takes a function that makes the slot look at the flags."""
        self.assignment = assignment
        self.headers = headers
        self.go = False
        self.stop = False
        self.stop_and_keep = False
        self.superseded = False
        self.recorded_step = 0
        self.ending: AttemptReport | None = None
        self.wake = wake

    @property
    def key(self) -> AttemptKey:
        """Its identity."""
        return self.assignment.key


class Attempts:
    """Every attempt of this worker by its identity. Thread-safe."""

    def __init__(self) -> None:
        """Starts empty."""
        self._lock = threading.Lock()
        self._open: dict[AttemptKey, Attempt] = {}
        self._closed: OrderedDict[AttemptKey, AttemptReport | None] = OrderedDict()

    def open(self, attempt: Attempt) -> bool:
        """Adds an attempt; False when this worker runs it or ran it already (its task was delivered again)."""
        with self._lock:
            if attempt.key in self._open or attempt.key in self._closed:
                return False
            self._open[attempt.key] = attempt
            return True

    def find(self, key: AttemptKey) -> Attempt | None:
        """Finds an open attempt."""
        with self._lock:
            return self._open.get(key)

    def forget(self, key: AttemptKey) -> None:
        """Removes an attempt that was given back unstarted; its task may come again."""
        with self._lock:
            self._open.pop(key, None)

    def close(self, key: AttemptKey) -> None:
        """Removes an attempt that is over."""
        with self._lock:
            attempt = self._open.pop(key, None)
            if attempt is None:
                return
            self._closed[key] = attempt.ending
            while len(self._closed) > _REMEMBERED:
                self._closed.popitem(last=False)

    def ending(self, key: AttemptKey) -> AttemptReport | None:
        """The report that ended an attempt, sent or not; None for one that is not over, superseded or forgotten."""
        with self._lock:
            attempt = self._open.get(key)
            return self._closed.get(key) if attempt is None else attempt.ending

    def running(self) -> list[AttemptKey]:
        """The open attempts, oldest first: those whose lease a heartbeat extends."""
        with self._lock:
            return list(self._open)
