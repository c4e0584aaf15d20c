"""One link of the in-memory broker: its consuming thread, its subscriptions and their deliveries."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING

import structlog

from hrnn_tuner.broker.contract import Delivery, DeliveryHandler, Subscription
from hrnn_tuner.broker.memory_queue import Consumer, MemoryQueue, StoredMessage

if TYPE_CHECKING:
    from hrnn_tuner.broker.memory import InMemoryHub

_log = structlog.get_logger(__name__)

CLOSE_TIMEOUT_S = 10.0


class MemoryLink:
    """Owns the thread on which the handlers of one link run, one at a time.

    Args:
        lock: The hub's lock; it guards this object too.
        name: For the thread and for logs.
    """

    def __init__(self, lock: threading.RLock, name: str) -> None:
        self.name = name
        self.closed = False
        self.subscriptions: set[MemorySubscription] = set()
        self._changed = threading.Condition(lock)
        self._inbox: deque[MemoryDelivery] = deque()
        self._running: MemorySubscription | None = None
        self._thread = threading.Thread(target=self._run, name=f"broker-{name}-consume", daemon=True)
        self._thread.start()

    def enqueue(self, delivery: MemoryDelivery) -> None:
        """Has the delivery's handler called on the link's thread."""
        with self._changed:
            self._inbox.append(delivery)
            self._changed.notify_all()

    def withdraw(self, subscription: MemorySubscription) -> list[MemoryDelivery]:
        """Takes back the deliveries that have not reached the subscription's handler."""
        with self._changed:
            withdrawn = [delivery for delivery in self._inbox if delivery.subscription is subscription]
            self._inbox = deque(delivery for delivery in self._inbox if delivery.subscription is not subscription)
            return withdrawn

    def wait_idle(self, subscription: MemorySubscription, timeout_s: float) -> None:
        """Waits until the subscription's handler is not running; returns at once on the handler's own thread."""
        if threading.current_thread() is self._thread:
            return
        with self._changed:
            if not self._changed.wait_for(lambda: self._running is not subscription, timeout_s):
                _log.warning("handler still running after cancel", link=self.name, queue=subscription.queue.name)

    def close(self) -> None:
        """Gives all that is unacknowledged back to its queues and joins the thread."""
        with self._changed:
            if not self.closed:
                self.closed = True
                self._inbox.clear()
                for subscription in list(self.subscriptions):
                    subscription.abandon()
                self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_TIMEOUT_S)
            if self._thread.is_alive():
                _log.error("handler outlived its link", link=self.name)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.closed or bool(self._inbox))
                if self.closed:
                    return
                delivery = self._inbox.popleft()
                self._running = delivery.subscription
            try:
                delivery.subscription.handle(delivery)
            finally:
                with self._changed:
                    self._running = None
                    self._changed.notify_all()


class MemorySubscription(Consumer, Subscription):
    """A consumer of one queue on one link."""

    def __init__(
        self,
        hub: InMemoryHub,
        link: MemoryLink,
        queue: MemoryQueue,
        handler: DeliveryHandler,
        *,
        prefetch: int,
        limit: int | None,
        exclusive: bool,
    ) -> None:
        super().__init__(prefetch, limit)
        self.queue = queue
        self._hub = hub
        self._link = link
        self._handler = handler
        self._exclusive = exclusive
        self._numbers = itertools.count(1)
        #: Whether what was unacknowledged has gone back to the queue.
        self.abandoned = False

    def start(self) -> None:
        """Joins the queue's consumers."""
        with self._hub.lock:
            self._link.subscriptions.add(self)
            self.queue.consumers.append(self)
            self._hub.dispatch(self.queue)

    def hold(self, stored: StoredMessage) -> None:
        """Called by the hub, under its lock, with the next message."""
        number = next(self._numbers)
        self.held[number] = stored
        if self._remaining == 0:
            self._leave()
        self._link.enqueue(MemoryDelivery(self, number, stored))

    def handle(self, delivery: MemoryDelivery) -> None:
        """Calls the handler on the link's thread; its errors end the delivery, not the link."""
        try:
            self._handler(delivery)
        except Exception:  # noqa: BLE001 - one bad message must not end the link for all others
            _log.exception("handler failed", link=self._link.name, queue=self.queue.name, type=delivery.message.type)
            delivery.reject(requeue=False)
        if self._exclusive:
            self.settle(delivery.number)

    def settle(self, number: int, *, requeue: bool = False, dead_letter: bool = False) -> None:
        """Ends a delivery; does nothing when it has been settled or given back before."""
        with self._hub.lock:
            stored = self.held.pop(number, None)
            if stored is None:
                return
            if not self.held and self not in self.queue.consumers:
                self._link.subscriptions.discard(self)
            if dead_letter or (requeue and not self.queue.give_back(stored)):
                self._hub.dead_letter(self.queue, stored.routing_key, stored.message)
            self._hub.dispatch(self.queue)

    def reject(self, number: int, *, requeue: bool) -> None:
        """Gives a delivery back to the queue or to the dead letters; an exclusive one is simply over."""
        if not self._exclusive:
            self.settle(number, requeue=requeue, dead_letter=not requeue)

    def acknowledge(self, number: int) -> None:
        """Takes a delivery off the queue."""
        if not self._exclusive:
            self.settle(number)

    def cancel(self, *, give_back: bool = False, timeout_s: float = 10.0) -> None:
        """See `Subscription.cancel`."""
        with self._hub.lock:
            if give_back:
                self.abandon()
            self._leave()
            for delivery in self._link.withdraw(self):
                self.settle(delivery.number, requeue=not self._exclusive)
            if not self.held:
                self._link.subscriptions.discard(self)
        self._link.wait_idle(self, timeout_s)

    def abandon(self) -> None:
        """Ends with the link, or before: everything unacknowledged goes back to the queue."""
        with self._hub.lock:
            self.abandoned = True
            self._link.withdraw(self)
            held, self.held = self.held, {}
            for stored in [] if self._exclusive else held.values():
                if not self.queue.give_back(stored):
                    self._hub.dead_letter(self.queue, stored.routing_key, stored.message)
            self._leave()  # after that: its successor must find them
            self._link.subscriptions.discard(self)

    def _leave(self) -> None:
        if self in self.queue.consumers:
            self.queue.consumers.remove(self)
            if self._exclusive:
                self._hub.delete(self.queue)
            else:
                self._hub.dispatch(self.queue)  # a single active consumer has a successor


class MemoryDelivery(Delivery):
    """A message on its way to, or held by, one subscription."""

    def __init__(self, subscription: MemorySubscription, number: int, stored: StoredMessage) -> None:
        self.message = stored.message
        self.redelivered = stored.returns > 0
        self.subscription = subscription
        self.number = number

    @property
    def current(self) -> bool:
        """See `Delivery.current`."""
        return not self.subscription.abandoned

    def ack(self) -> None:
        """See `Delivery.ack`."""
        self.subscription.acknowledge(self.number)

    def reject(self, *, requeue: bool) -> None:
        """See `Delivery.reject`."""
        self.subscription.reject(self.number, requeue=requeue)
