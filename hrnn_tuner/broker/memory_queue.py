"""A queue of the in-memory broker: plain state without locks or threads; the hub's lock guards it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass

from hrnn_tuner.broker.contract import Message


@dataclass(eq=False)
class StoredMessage:
    """A message in a queue.

    Attributes:
        message: What was published.
        routing_key: The key it was published with; dead-lettering keeps it.
        sequence: Place in the queue; a message that is given back returns to it.
        returns: How often it was delivered and given back.
    """

    message: Message
    routing_key: str
    sequence: int
    returns: int = 0


class Consumer(ABC):
    """A subscription as the queue sees it.

    Args:
        prefetch: Most messages it may hold at a time.
        limit: Number of messages after which it wants no more; None for no limit.
    """

    def __init__(self, prefetch: int, limit: int | None) -> None:
        self.held: dict[int, StoredMessage] = {}  #: by delivery number
        self._prefetch = prefetch
        self._remaining = limit

    @property
    def wants_more(self) -> bool:
        """Whether the next message may go to it."""
        return len(self.held) < self._prefetch and self._remaining != 0

    def take(self, stored: StoredMessage) -> None:
        """Accepts a message from the queue."""
        if self._remaining is not None:
            self._remaining -= 1
        self.hold(stored)

    @abstractmethod
    def hold(self, stored: StoredMessage) -> None:
        """Keeps the message in `held` and has the handler called."""


class MemoryQueue:
    """Ready messages and consumers of one queue, with RabbitMQ's rules for quorum queues.

    Args:
        name: The queue's name.
        arguments: RabbitMQ's ``x-`` arguments; those that bear on behaviour are obeyed.
    """

    def __init__(self, name: str, arguments: Mapping[str, str | int | bool]) -> None:
        self.name = name
        self.consumers: list[Consumer] = []
        self.ready: list[StoredMessage] = []
        limit, length = arguments.get("x-delivery-limit"), arguments.get("x-max-length")
        self._delivery_limit = None if limit is None else int(limit)
        self._max_length = None if length is None else int(length)
        self._refuses = arguments.get("x-overflow") == "reject-publish"
        self._single_active = bool(arguments.get("x-single-active-consumer", False))
        exchange = arguments.get("x-dead-letter-exchange")
        self.dead_letter_exchange = None if exchange is None else str(exchange)
        self._next_sequence = 0

    def has_room(self) -> bool:
        """Whether a publish is accepted; a full queue that drops its oldest message always accepts."""
        return self._max_length is None or not self._refuses or len(self.ready) < self._max_length

    def put(self, message: Message, routing_key: str) -> None:
        """Appends a message; a full queue drops its oldest."""
        self.ready.append(StoredMessage(message, routing_key, self._next_sequence))
        self._next_sequence += 1
        if self._max_length is not None and len(self.ready) > self._max_length:
            del self.ready[0]

    def assign(self) -> tuple[Consumer, StoredMessage] | None:
        """Takes the oldest message for the next consumer in turn; None when nothing or nobody is ready."""
        if not self.ready:
            return None
        for consumer in self.consumers[:1] if self._single_active else self.consumers:
            if consumer.wants_more:
                if not self._single_active:  # the others come first next time
                    self.consumers.remove(consumer)
                    self.consumers.append(consumer)
                return consumer, self.ready.pop(0)
        return None

    def give_back(self, stored: StoredMessage) -> bool:
        """Returns a message to its place; False when its delivery limit is exceeded and it has to leave."""
        stored.returns += 1
        if self._delivery_limit is not None and stored.returns > self._delivery_limit:
            return False
        insort(self.ready, stored, key=lambda entry: entry.sequence)
        return True
