"""A thread that works whenever it is woken, and at the latest after an interval."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from hrnn_tuner.domain.errors import ServiceUnavailable

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 10.0
_FIRST_RETRY_S = 0.5
_LAST_RETRY_S = 5.0


class Wakeup(threading.Event):
    """Set it to make the thread that waits for it work at once."""


class PeriodicThread:
    """Runs a function on a thread of its own: when woken, and at the latest after an interval.

    An error of the database or of the function itself is logged and the function is run again after a back-off; the
    work is always derived from the database, so nothing is lost.
    """

    def __init__(self, name: str, work: Callable[[], None], *, interval_s: float, wakeup: Wakeup | None = None) -> None:
        """Takes the thread's name, the work, the longest pause between two runs, and what shortens it."""
        self._name = name
        self._work = work
        self._interval_s = interval_s
        self._wakeup = wakeup or Wakeup()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread; the first run is at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the current run."""
        self._stopped.set()
        self._wakeup.set()
        self._thread.join(_JOIN_TIMEOUT_S)

    def _run(self) -> None:
        """Works until stopped."""
        retry_s = _FIRST_RETRY_S
        while not self._stopped.is_set():
            self._wakeup.clear()  # before the work: what is set during it is not forgotten
            try:
                self._work()
                retry_s = _FIRST_RETRY_S
                self._wakeup.wait(self._interval_s)
            except ServiceUnavailable as error:
                _LOG.warning("database is away", thread=self._name, error=str(error))
                self._stopped.wait(retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
            except Exception:  # noqa: BLE001 - a thread of a service must outlive any single failure
                _LOG.exception("unexpected error", thread=self._name)
                self._stopped.wait(retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
