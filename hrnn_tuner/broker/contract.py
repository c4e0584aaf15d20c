"""The broker's contract. RabbitMQ and the in-memory broker pass the same test cases for it.

Ownership and threads: a `Broker` is one process's link; every method may be called from any thread. Handlers run on the
link's own consuming thread, one at a time, and must return within milliseconds: they hand work over, never do it.

Guarantees: `publish` returns after the broker has confirmed the message (persistent messages survive its restart).
Delivery is at least once, in order per queue and subscription. A subscription outlives a lost connection: the link
reconnects with jittered back-off, declares the topology anew and subscribes again; a delivery of an older connection
can no longer be acknowledged (its `ack` does nothing and the broker delivers the message again).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


class PublishError(Exception):
    """A message was not confirmed; one of the following."""


class BrokerUnavailable(PublishError):
    """The broker could not be reached in time; the message may or may not have arrived."""


class MessageUnroutable(PublishError):
    """No queue is bound for this exchange and routing key: the receiver is gone, or the topology is wrong."""


class MessageRefused(PublishError):
    """The broker refused the message: a queue is full, or cannot store it now."""


@dataclass(frozen=True)
class Message:
    """A message with the properties that receivers rely on.

    Attributes:
        type: Full name of the protobuf message in ``body``.
        body: The serialized message.
        message_id: Identity for people and logs; deduplication is the receiver's business.
        correlation_id: The tuning job's id, or empty.
        headers: Trace context.
        persistent: Whether it must survive a broker restart.
    """

    type: str
    body: bytes
    message_id: str = ""
    correlation_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    persistent: bool = True


@dataclass(frozen=True)
class Letter:
    """A message with its address; ``mandatory`` as in `Broker.publish`."""

    exchange: str
    routing_key: str
    message: Message
    mandatory: bool = True


class Delivery(ABC):
    """One received message. Exactly one of `ack` and `reject` is called, from any thread, unless auto-acknowledged."""

    message: Message
    redelivered: bool

    @property
    @abstractmethod
    def current(self) -> bool:
        """False once the connection that delivered it is gone: the broker will deliver it again."""

    @abstractmethod
    def ack(self) -> None:
        """Takes the message off the queue. Does nothing when not `current`. Returns without waiting."""

    @abstractmethod
    def reject(self, *, requeue: bool) -> None:
        """Gives the message back: to the queue (counts towards its delivery limit), or to the dead letters."""


DeliveryHandler = Callable[[Delivery], None]


class Subscription(ABC):
    """A standing order for messages."""

    @abstractmethod
    def cancel(self, *, give_back: bool = False, timeout_s: float = 10.0) -> None:
        """Ends it. When it returns no further delivery reaches the handler; unacknowledged ones stay acknowledgeable.

        A message that was on its way to the handler is given back to the queue. May be called on the handler's thread.

        Args:
            give_back: All unacknowledged deliveries go back to the queue in the same step, and acknowledging them does
                nothing any more. So whoever consumes next gets them first: otherwise it may get later messages before
                these. It may cost the link its connection, which is made anew for its other subscriptions.
            timeout_s: How long to wait for the end.
        """


class Broker(ABC):
    """One process's link to the broker."""

    @abstractmethod
    def publish(
        self, exchange: str, routing_key: str, message: Message, *, mandatory: bool = True, timeout_s: float = 10.0
    ) -> None:
        """Publishes and waits for the broker's confirmation.

        Raises:
            MessageUnroutable: With ``mandatory``, when no queue takes it.
            MessageRefused: When a queue is full.
            BrokerUnavailable: When no confirmation came within ``timeout_s``.
        """

    def publish_all(self, letters: Sequence[Letter], *, timeout_s: float = 10.0) -> list[PublishError | None]:
        """Publishes messages in their order, and waits for the confirmations of all of them together.

        Where a confirmation takes a while, a hundred messages take hardly longer than one.

        Returns:
            For each message what `publish` would have raised, or None.
        """
        outcomes: list[PublishError | None] = []
        give_up_at = time.monotonic() + timeout_s
        for letter in letters:
            left = max(0.0, give_up_at - time.monotonic())
            try:
                self.publish(
                    letter.exchange, letter.routing_key, letter.message, mandatory=letter.mandatory, timeout_s=left
                )
            except PublishError as error:
                outcomes.append(error)
            else:
                outcomes.append(None)
        return outcomes

    @abstractmethod
    def subscribe(
        self, queue: str, handler: DeliveryHandler, *, prefetch: int, limit: int | None = None
    ) -> Subscription:
        """Consumes a queue of the topology; deliveries must be acknowledged.

        Args:
            queue: Name of the queue.
            handler: Called with each delivery.
            prefetch: Most unacknowledged deliveries of this subscription at a time.
            limit: Number of deliveries after which the subscription cancels itself *before* the handler sees the last
                one, so that a busy receiver holds nothing; None for no limit.
        """

    @abstractmethod
    def subscribe_exclusive(self, exchange: str, routing_keys: Sequence[str], handler: DeliveryHandler) -> Subscription:
        """Consumes a queue of this link's own, bound by these keys, which dies with the connection.

        Deliveries are acknowledged automatically. Returns once the binding stands (or the broker is unavailable, in
        which case it is made at the next connection).
        """

    @abstractmethod
    def depth(self, queue: str) -> int:
        """Number of ready messages in a queue.

        Raises:
            BrokerUnavailable: When the broker cannot be reached.
        """

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether both publishing and consuming have a live connection right now."""

    @abstractmethod
    def close(self) -> None:
        """Ends all subscriptions and connections; joins the link's threads. Idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
