"""When a worker leaves: at once, or when what it runs had some time to save a checkpoint."""

from __future__ import annotations

import threading
import time


class Departure:
    """Set once, by the thread that stops the worker; looked at by a slot's thread."""

    def __init__(self) -> None:
        """Starts without a departure."""
        self._requested = threading.Event()
        self._deadline = float("inf")

    @property
    def requested(self) -> bool:
        """Whether no new work may begin."""
        return self._requested.is_set()

    @property
    def deadline(self) -> float | None:
        """When running work must be broken off, by `time.monotonic`; None while no departure is requested."""
        return self._deadline if self._requested.is_set() else None

    @property
    def due(self) -> bool:
        """Whether running work must be broken off now."""
        return self._requested.is_set() and time.monotonic() >= self._deadline

    def request(self, grace_s: float) -> None:
        """Asks for it; running work has this long for a checkpoint."""
        self._deadline = time.monotonic() + grace_s
        self._requested.set()

    def wait(self, timeout_s: float) -> bool:
        """Waits for the request; False when it has not come in time."""
        return self._requested.wait(timeout_s)
