"""The broker on RabbitMQ, over two connections: one that the broker slows down for publishing must not stop acks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from hrnn_tuner.broker.amqp_consumer import Prepare, RabbitMqSubscription
from hrnn_tuner.broker.amqp_link import AmqpLink, TopologyMismatch
from hrnn_tuner.broker.amqp_pika import Channel, ChannelClosedByBroker, Connection, reply_of
from hrnn_tuner.broker.amqp_publisher import ConfirmingChannel
from hrnn_tuner.broker.contract import (
    Broker,
    BrokerUnavailable,
    DeliveryHandler,
    Letter,
    Message,
    PublishError,
    Subscription,
)
from hrnn_tuner.broker.limits import check_exchange, check_message, exclusive_queue_arguments, find_queue
from hrnn_tuner.broker.topology import Exchange, Queue, Topology

#: A broker that is there answers in milliseconds; a service that starts without one has other work to do.
CONNECT_TIMEOUT_S = 2.0
REQUEST_TIMEOUT_S = 10.0
_ACCESS_REFUSED = 403
#: Inequivalent arguments; no retry mends it.
_PRECONDITION_FAILED = 406


class RabbitMqBroker(Broker):
    """One process's two links to RabbitMQ; both declare the topology on every connection.

    A message whose confirm was lost with a connection is published again within the time-out: duplicates are legal.

    Args:
        url: ``amqp://user:password@host:port/vhost`` or ``amqps://``.
        name: The service and its instance, for RabbitMQ's connection list.
        topology: What to declare; only its queues and exchanges can be used.
        connect_timeout_s: How long to wait here for the first connection before that is left to the background.

    Raises:
        ValueError: When the URL makes no sense.
        TopologyMismatch: When the broker has other properties for one of the objects. A broker that cannot be reached
            is no error here: the links keep trying.
    """

    def __init__(
        self, url: str, name: str, topology: Topology, *, connect_timeout_s: float = CONNECT_TIMEOUT_S
    ) -> None:
        self._topology = topology
        self._consumers = _Consumers(topology)
        self._publisher = _Publisher(topology)
        self._consuming = AmqpLink(url, f"{name}/consume", self._consumers)
        self._publishing = AmqpLink(url, f"{name}/publish", self._publisher)
        self._publisher.link = self._publishing
        deadline = time.monotonic() + connect_timeout_s
        for link in (self._publishing, self._consuming):
            link.start()
        for link in (self._publishing, self._consuming):
            link.wait_ready(deadline - time.monotonic())
            if link.fatal is not None:
                mismatch = link.fatal
                self.close()
                raise mismatch

    def publish(
        self, exchange: str, routing_key: str, message: Message, *, mandatory: bool = True, timeout_s: float = 10.0
    ) -> None:
        """See `Broker.publish`."""
        (failure,) = self.publish_all([Letter(exchange, routing_key, message, mandatory)], timeout_s=timeout_s)
        if failure is not None:
            raise failure

    def publish_all(self, letters: Sequence[Letter], *, timeout_s: float = 10.0) -> list[PublishError | None]:
        """See `Broker.publish_all`."""
        for letter in letters:
            check_exchange(self._topology, letter.exchange)
            check_message(letter.routing_key, letter.message)
        deadline = time.monotonic() + timeout_s
        failures: list[PublishError | None] = [None] * len(letters)
        waiting = list(range(len(letters)))  # those whose confirmation has not come, or was lost with a connection
        while waiting:
            if not self._publishing.wait_ready(deadline - time.monotonic()):
                away = BrokerUnavailable(self._publishing.describe())
                return [failure or (away if place in waiting else None) for place, failure in enumerate(failures)]
            outcomes = self._publisher.send([letters[place] for place in waiting])
            for place, outcome in zip(waiting, outcomes, strict=True):
                failures[place] = _awaited(outcome, deadline, timeout_s)
            if time.monotonic() >= deadline:
                break
            waiting = [place for place in waiting if isinstance(failures[place], BrokerUnavailable)]
        return failures

    def subscribe(
        self, queue: str, handler: DeliveryHandler, *, prefetch: int, limit: int | None = None
    ) -> Subscription:
        """See `Broker.subscribe`."""
        name = find_queue(self._topology, queue).name
        return self._subscribe(lambda _: name, handler, prefetch, limit)

    def subscribe_exclusive(self, exchange: str, routing_keys: Sequence[str], handler: DeliveryHandler) -> Subscription:
        """See `Broker.subscribe_exclusive`."""
        check_exchange(self._topology, exchange)
        keys = tuple(routing_keys)

        def prepare(channel: Channel) -> str:
            arguments = exclusive_queue_arguments(exchange)
            queue = str(channel.queue_declare("", exclusive=True, auto_delete=True, arguments=arguments).method.queue)
            for key in keys:
                channel.queue_bind(queue, exchange, key)
            return queue

        return self._subscribe(prepare, handler, None, None)

    def _subscribe(
        self, prepare: Prepare, handler: DeliveryHandler, prefetch: int | None, limit: int | None
    ) -> Subscription:
        if self._consuming.closed:
            raise BrokerUnavailable(self._consuming.describe())
        subscription = RabbitMqSubscription(
            self._consuming, prepare, handler, prefetch=prefetch, limit=limit, on_end=self._consumers.remove
        )
        self._consumers.add(subscription)
        try:
            self._consuming.call(subscription.start).result(REQUEST_TIMEOUT_S)
        except (BrokerUnavailable, FutureTimeoutError):
            return subscription  # it is registered: the next connection starts it
        return subscription

    def depth(self, queue: str) -> int:
        """See `Broker.depth`."""
        name = find_queue(self._topology, queue).name

        def count(connection: Connection) -> int:
            channel = connection.channel()  # its own: a missing queue closes it
            messages = int(channel.queue_declare(name, passive=True).method.message_count)
            channel.close()
            return messages

        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        if not self._publishing.wait_ready(REQUEST_TIMEOUT_S):
            raise BrokerUnavailable(self._publishing.describe())
        try:
            return self._publishing.call(count).result(max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            raise BrokerUnavailable(f"no answer within {REQUEST_TIMEOUT_S} s") from None

    @property
    def connected(self) -> bool:
        """See `Broker.connected`."""
        return self._consuming.ready and self._publishing.ready

    def close(self) -> None:
        """See `Broker.close`. Acknowledgements made before it are still sent."""
        self._consuming.close()
        self._publishing.close()


class _Consumers:
    """The consuming link's user: starts every subscription on every connection."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._subscriptions: list[RabbitMqSubscription] = []
        self._lock = threading.Lock()

    def add(self, subscription: RabbitMqSubscription) -> None:
        with self._lock:
            self._subscriptions.append(subscription)

    def remove(self, subscription: RabbitMqSubscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def on_connected(self, connection: Connection) -> None:
        declare(connection, self._topology)
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.start(connection)

    def on_lost(self) -> None:
        """Nothing to forget: subscriptions know their connection's number."""


class _Publisher:
    """The publishing link's user: one confirming channel per connection."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._channel: ConfirmingChannel | None = None
        self.link: AmqpLink

    def on_connected(self, connection: Connection) -> None:
        declare(connection, self._topology)
        self._channel = ConfirmingChannel(self.link.open_channel(connection))

    def on_lost(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.fail_all(f"{self.link.name}: connection lost before the confirmation")

    def send(self, letters: Sequence[Letter]) -> list[Future[None]]:
        """Has messages published on the link's thread. From any thread; the futures tell what came of each."""
        outcomes: list[Future[None]] = [Future() for _ in letters]
        unsent = deque(zip(letters, outcomes, strict=True))

        def publish(_connection: Connection) -> None:
            assert self._channel is not None
            while unsent:
                self._channel.publish(*unsent[0])
                unsent.popleft()  # from here on its outcome is the channel's business

        self.link.call(publish).add_done_callback(lambda sent: _pass_failure(sent, unsent))
        return outcomes


def _awaited(outcome: Future[None], deadline: float, timeout_s: float) -> PublishError | None:
    """What came of a message; one whose confirmation does not come in time is not published any more if it waits."""
    try:
        outcome.result(max(0.0, deadline - time.monotonic()))
    except PublishError as error:
        return error
    except FutureTimeoutError:
        outcome.cancel()
        return BrokerUnavailable(f"no confirmation within {timeout_s} s")
    return None


def _pass_failure(sent: Future[None], unsent: Iterable[tuple[Letter, Future[None]]]) -> None:
    """Tells those that wait for messages which could not be sent."""
    error = sent.exception()
    if error is None:
        return
    for _, outcome in unsent:
        if outcome.set_running_or_notify_cancel():
            outcome.set_exception(error)


def declare(connection: Connection, topology: Topology) -> None:
    """Declares the topology; what exists with the same properties stays as it is.

    A user that may not declare it (see `hrnn_tuner.broker.definitions`) takes what another service has declared.

    Raises:
        TopologyMismatch: When an object exists with other properties.
        AMQPError: When this user may not declare it and nobody has done so yet: the link tries again later.
    """
    channel = connection.channel()
    name = ""
    try:
        for exchange in topology.exchanges:
            name = exchange.name
            channel.exchange_declare(exchange.name, exchange.kind, durable=True)
        for queue in topology.queues:
            name = queue.name
            channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
            channel.queue_bind(queue.name, queue.exchange, queue.routing_key)
    except ChannelClosedByBroker as error:
        code, text = reply_of(error)
        if code == _ACCESS_REFUSED:
            _require(connection, topology)
            return
        if code == _PRECONDITION_FAILED:
            raise TopologyMismatch(f"declaring {name!r}: {code} {text}") from error
        raise
    channel.close()


def _require(connection: Connection, topology: Topology) -> None:
    """Checks that the topology has been declared, as far as this user may know.

    Raises:
        AMQPError: When something is missing.
    """
    items: tuple[Exchange | Queue, ...] = (*topology.exchanges, *topology.queues)
    for item in items:
        channel = connection.channel()  # its own: a refusal closes it
        try:
            _exists(channel, item)
        except ChannelClosedByBroker as error:
            if reply_of(error)[0] != _ACCESS_REFUSED:
                raise
        else:
            channel.close()


def _exists(channel: Channel, item: Exchange | Queue) -> None:
    """Asks for an exchange or a queue without declaring it."""
    if isinstance(item, Exchange):
        channel.exchange_declare(item.name, item.kind, passive=True)
    else:
        channel.queue_declare(item.name, passive=True)
