"""A handler that keeps what it receives, for tests of brokers."""

import threading
from collections.abc import Callable

from hrnn_tuner.broker import Delivery
from tests.support.waiting import wait_until


class Inbox:
    """Called with deliveries; by default it leaves them unacknowledged.

    Args:
        then: What to do with each delivery after it is kept, on the handler's thread.
    """

    def __init__(self, then: Callable[[Delivery], None] | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self.threads: set[str] = set()
        self._then = then

    def __call__(self, delivery: Delivery) -> None:
        self.threads.add(threading.current_thread().name)
        self.deliveries.append(delivery)
        if self._then is not None:
            self._then(delivery)

    def __len__(self) -> int:
        return len(self.deliveries)

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.message.body for delivery in list(self.deliveries)]

    def wait(self, count: int, timeout_s: float = 10.0) -> list[Delivery]:
        """Waits until this many deliveries have come in; returns all of them."""
        wait_until(lambda: len(self) >= count, timeout_s, f"{count} deliveries (there are {len(self)})")
        return list(self.deliveries)


def acknowledge(delivery: Delivery) -> None:
    """The simplest thing to do with a delivery."""
    delivery.ack()
