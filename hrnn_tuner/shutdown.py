"""Waits for the signal that ends a service."""

from __future__ import annotations

import asyncio
import signal
import threading

#: The kernel may hand a signal to any thread, and Python runs handlers on the main thread, which a signal to another
#: thread does not wake from a wait without a time-out: so it wakes by itself this often.
_WAKE_INTERVAL_S = 0.5


class StopSignal:
    """Takes over SIGTERM and SIGINT until the process ends; made on the main thread, before anything else is started.

    An event loop's own handlers go when it closes: a second signal would then end the process with a failure.
    """

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

    async def waited(self) -> None:
        """Like `wait`, on an event loop of the main thread."""
        while not self._received.is_set():
            await asyncio.sleep(_WAKE_INTERVAL_S)
