"""The in-memory broker: one hub per process, one link per service, the same contract as RabbitMQ.

It serves the embedded mode and the tests. Nothing outlives the process: the scheduler recovers from the database, as it
does when RabbitMQ's disk is lost. ``x-message-ttl`` is not obeyed (a hint that waits in memory harms nobody).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

from hrnn_tuner.broker.contract import (
    Broker,
    BrokerUnavailable,
    DeliveryHandler,
    Message,
    MessageRefused,
    MessageUnroutable,
    Subscription,
)
from hrnn_tuner.broker.limits import check_exchange, check_message, exclusive_queue_arguments, find_queue
from hrnn_tuner.broker.memory_link import MemoryLink, MemorySubscription
from hrnn_tuner.broker.memory_queue import MemoryQueue
from hrnn_tuner.broker.routing import key_matches
from hrnn_tuner.broker.topology import Topology


class InMemoryHub:
    """The exchanges and queues that the links of one process share.

    One lock guards all of it. Handlers never run under the lock.

    Args:
        topology: What exists from the start.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.lock = threading.RLock()
        self._kinds = {exchange.name: exchange.kind for exchange in topology.exchanges}
        self._queues = {queue.name: MemoryQueue(queue.name, queue.arguments) for queue in topology.queues}
        self._bindings: dict[str, list[tuple[str, MemoryQueue]]] = {
            exchange.name: [] for exchange in topology.exchanges
        }
        for queue in topology.queues:
            self._bindings[queue.exchange].append((queue.routing_key, self._queues[queue.name]))
        self._exclusive_numbers = itertools.count(1)

    def connect(self, name: str) -> InMemoryBroker:
        """A new link to this hub; ``name`` is for threads and logs."""
        return InMemoryBroker(self, name)

    def queue(self, name: str) -> MemoryQueue:
        """The topology's queue of this name.

        Raises:
            ValueError: When there is none.
        """
        return self._queues[find_queue(self.topology, name).name]

    def publish(self, exchange: str, routing_key: str, message: Message, *, mandatory: bool) -> None:
        """Puts the message into every queue bound for the key, or into none.

        Raises:
            MessageUnroutable: With ``mandatory``, when no queue is bound.
            MessageRefused: When one of them is full.
        """
        with self.lock:
            queues = self._route(exchange, routing_key)
            if not queues and mandatory:
                raise MessageUnroutable(f"no queue is bound to {exchange!r} for {routing_key!r}")
            full = [queue.name for queue in queues if not queue.has_room()]
            if full:
                raise MessageRefused(f"queue full: {', '.join(full)}")
            for queue in queues:
                queue.put(message, routing_key)
                self.dispatch(queue)

    def declare_exclusive(self, exchange: str, routing_keys: Sequence[str]) -> MemoryQueue:
        """A new queue bound by these keys, for one subscription."""
        with self.lock:
            queue = MemoryQueue(f"exclusive-{next(self._exclusive_numbers)}", exclusive_queue_arguments(exchange))
            self._bindings[exchange].extend((key, queue) for key in routing_keys)
            return queue

    def delete(self, queue: MemoryQueue) -> None:
        """Removes an exclusive queue with its bindings and messages."""
        with self.lock:
            for exchange, bindings in self._bindings.items():
                self._bindings[exchange] = [(key, bound) for key, bound in bindings if bound is not queue]

    def dispatch(self, queue: MemoryQueue) -> None:
        """Hands ready messages to consumers that want them; call it after every change of either."""
        with self.lock:
            while (assigned := queue.assign()) is not None:
                consumer, stored = assigned
                consumer.take(stored)

    def dead_letter(self, queue: MemoryQueue, routing_key: str, message: Message) -> None:
        """Sends a message that left its queue to the dead letters; drops it where the queue has none."""
        if queue.dead_letter_exchange is None:
            return
        with self.lock:
            for target in self._route(queue.dead_letter_exchange, routing_key):
                target.put(message, routing_key)
                self.dispatch(target)

    def _route(self, exchange: str, routing_key: str) -> list[MemoryQueue]:
        kind = self._kinds[exchange]
        matching = (queue for key, queue in self._bindings[exchange] if key_matches(kind, key, routing_key))
        return list(dict.fromkeys(matching))  # two bindings of one queue deliver once


class InMemoryBroker(Broker):
    """One service's link to the hub; made by `InMemoryHub.connect`."""

    def __init__(self, hub: InMemoryHub, name: str) -> None:
        self._hub = hub
        self._link = MemoryLink(hub.lock, name)

    def publish(
        self, exchange: str, routing_key: str, message: Message, *, mandatory: bool = True, timeout_s: float = 10.0
    ) -> None:
        """See `Broker.publish`; ``timeout_s`` bounds the wait for the hub's lock."""
        check_exchange(self._hub.topology, exchange)
        check_message(routing_key, message)
        if not self._hub.lock.acquire(timeout=timeout_s):
            raise BrokerUnavailable(f"the hub was busy for {timeout_s} s")
        try:
            self._check_open()
            self._hub.publish(exchange, routing_key, message, mandatory=mandatory)
        finally:
            self._hub.lock.release()

    def subscribe(
        self, queue: str, handler: DeliveryHandler, *, prefetch: int, limit: int | None = None
    ) -> Subscription:
        """See `Broker.subscribe`."""
        return self._add(
            MemorySubscription(
                self._hub, self._link, self._hub.queue(queue), handler, prefetch=prefetch, limit=limit, exclusive=False
            )
        )

    def subscribe_exclusive(self, exchange: str, routing_keys: Sequence[str], handler: DeliveryHandler) -> Subscription:
        """See `Broker.subscribe_exclusive`."""
        check_exchange(self._hub.topology, exchange)
        queue = self._hub.declare_exclusive(exchange, routing_keys)
        return self._add(
            MemorySubscription(self._hub, self._link, queue, handler, prefetch=1, limit=None, exclusive=True)
        )

    def _add(self, subscription: MemorySubscription) -> Subscription:
        with self._hub.lock:
            self._check_open()
            subscription.start()
        return subscription

    def _check_open(self) -> None:
        if self._link.closed:
            raise BrokerUnavailable(f"link {self._link.name!r} is closed")

    def depth(self, queue: str) -> int:
        """See `Broker.depth`."""
        with self._hub.lock:
            self._check_open()
            return len(self._hub.queue(queue).ready)

    @property
    def connected(self) -> bool:
        """See `Broker.connected`; true until it is closed."""
        return not self._link.closed

    def close(self) -> None:
        """See `Broker.close`."""
        self._link.close()
