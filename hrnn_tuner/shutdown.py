"""Waits for the signal that ends a service."""

from __future__ import annotations

import signal
import threading

#: The kernel may hand a signal to any thread, and Python runs handlers on the main thread, which a signal to another
#: thread does not wake from a wait without a time-out: so it wakes by itself this often.
_WAKE_INTERVAL_S = 0.5


class StopSignal:
    """Takes over SIGTERM and SIGINT; made on the main thread, before anything else is started."""

    def __init__(self) -> None:
        """Installs the handlers."""
        self._received = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._received.set())

    def send(self) -> None:
        """Does what a signal does. From any thread."""
        self._received.set()

    def wait(self) -> None:
        """Returns after the first signal."""
        while not self._received.wait(_WAKE_INTERVAL_S):
            pass
