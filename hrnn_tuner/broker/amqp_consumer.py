"""Subscriptions and deliveries on RabbitMQ."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import structlog

from hrnn_tuner.broker.amqp_link import AmqpLink, LinkLost
from hrnn_tuner.broker.amqp_pika import Channel, Connection, RawChannel, raw_channel, sever, to_message
from hrnn_tuner.broker.contract import BrokerUnavailable, Delivery, DeliveryHandler, Message, Subscription

_log = structlog.get_logger(__name__)

#: Makes the queue ready on a fresh channel and returns its name.
Prepare = Callable[[Channel], str]


class RabbitMqSubscription(Subscription):
    """A consumer on a channel of its own, made anew on every connection until it is cancelled.

    Its state belongs to the link's thread, except for ``_ended`` and ``_given_back``, which any thread may set.

    Args:
        link: The consuming link.
        prepare: Makes the queue ready.
        handler: Called with each delivery.
        prefetch: Most unacknowledged deliveries; None: the broker takes each message as acknowledged when it is sent.
        limit: Number of deliveries after which it ends itself.
        on_end: Called once it must not be started again.
    """

    def __init__(
        self,
        link: AmqpLink,
        prepare: Prepare,
        handler: DeliveryHandler,
        *,
        prefetch: int | None,
        limit: int | None,
        on_end: Callable[[RabbitMqSubscription], None],
    ) -> None:
        self._link = link
        self._prepare = prepare
        self._handler = handler
        self._prefetch = prefetch if prefetch is None or limit is None else min(prefetch, limit)
        self._remaining = limit
        self._on_end = on_end
        self._ended = False
        self._given_back = False
        self._generation = 0
        self._channel: Channel | None = None
        self._consumer_tag: str | None = None
        self._unsettled: set[int] = set()

    def start(self, connection: Connection) -> None:
        """Consumes on this connection, if it does not already. On the link's thread."""
        if self._ended or self._generation == self._link.generation:
            return
        channel = self._link.open_channel(connection)
        channel.add_on_cancel_callback(_on_cancelled_by_broker)
        queue = self._prepare(channel)
        auto_ack = self._prefetch is None
        if self._prefetch is not None:
            channel.basic_qos(prefetch_count=self._prefetch)
        self._generation = self._link.generation
        self._channel = channel
        self._unsettled = set()
        self._consumer_tag = channel.basic_consume(queue, self._on_message, auto_ack=auto_ack, exclusive=auto_ack)

    def cancel(self, *, give_back: bool = False, timeout_s: float = 10.0) -> None:
        """See `Subscription.cancel`."""
        self._ended = True  # from here on a delivery that comes in is given back
        self._given_back = give_back
        self._on_end(self)
        try:
            # RabbitMQ hands later messages to a successor as soon as a consumer is cancelled, and an orderly end of its
            # channel or connection begins with that. Only when a connection breaks are its deliveries back before.
            self._link.call(sever if give_back else lambda _: self._halt()).result(timeout_s)
        except BrokerUnavailable:
            return  # it ended with its connection and will not be started again
        except FutureTimeoutError:
            _log.warning("cancel is late; deliveries are given back meanwhile", link=self._link.name)

    def settle(self, tag: int, generation: int, action: Callable[[RawChannel], None]) -> None:
        """Has a delivery acknowledged or rejected, if its connection still lives. From any thread."""
        self._link.post(lambda _: self._settle(tag, action), generation)

    def is_current(self, generation: int) -> bool:
        """Whether deliveries of this connection can still be settled."""
        return not self._given_back and self._link.is_current(generation)

    def _settle(self, tag: int, action: Callable[[RawChannel], None]) -> None:
        assert self._channel is not None
        action(raw_channel(self._channel))
        self._unsettled.discard(tag)
        self._close_when_over()

    def _halt(self) -> None:
        if self._channel is None or not self._link.is_current(self._generation):
            return
        tag, self._consumer_tag = self._consumer_tag, None
        if tag is not None:
            self._channel.basic_cancel(tag)  # pika gives back what has not been dispatched
        self._close_when_over()

    def _close_when_over(self) -> None:
        """Closes the channel of an ended subscription with its last delivery: a worker makes one per task."""
        if self._ended and self._consumer_tag is None and not self._unsettled and self._channel is not None:
            # not at once: this may run inside one of the channel's callbacks
            channel, self._channel = self._channel, None
            self._link.post(lambda _: self._link.close_channel(channel), self._generation)

    def _on_message(self, channel: Channel, method: Any, properties: Any, body: bytes) -> None:
        tag = int(method.delivery_tag)
        if self._ended:
            self._halt()
            if self._prefetch is not None and self._channel is not None:
                channel.basic_reject(tag, requeue=True)
            return
        if self._prefetch is not None:
            self._unsettled.add(tag)
        if self._remaining is not None:
            if self._remaining == 1 and self._consumer_tag is not None:
                channel.basic_cancel(self._consumer_tag)
                self._consumer_tag = None
                self._ended = True
                self._on_end(self)
            self._remaining -= 1
        message = to_message(properties, body)
        delivery = RabbitMqDelivery(
            self, message, bool(method.redelivered), tag, self._generation, self._prefetch is None
        )
        try:
            self._handler(delivery)
        except Exception:  # noqa: BLE001 - one bad message must not end the link for all others
            _log.exception("handler failed", link=self._link.name, type=message.type, message_id=message.message_id)
            delivery.reject(requeue=False)


class RabbitMqDelivery(Delivery):
    """A message of one connection; settling it twice does nothing the second time."""

    def __init__(
        self,
        subscription: RabbitMqSubscription,
        message: Message,
        redelivered: bool,
        tag: int,
        generation: int,
        auto_ack: bool,
    ) -> None:
        self.message = message
        self.redelivered = redelivered
        self._subscription = subscription
        self._tag = tag
        self._generation = generation
        self._settled = auto_ack
        self._lock = threading.Lock()

    @property
    def current(self) -> bool:
        """See `Delivery.current`."""
        return self._subscription.is_current(self._generation)

    def ack(self) -> None:
        """See `Delivery.ack`."""
        self._settle(lambda channel: channel.basic_ack(self._tag))

    def reject(self, *, requeue: bool) -> None:
        """See `Delivery.reject`. Not by nack: RabbitMQ 4.3 counts only rejects towards the delivery limit."""
        self._settle(lambda channel: channel.basic_reject(self._tag, requeue=requeue))

    def _settle(self, action: Callable[[RawChannel], None]) -> None:
        with self._lock:
            if self._settled:  # twice would be a protocol error that ends the channel
                return
            self._settled = True
        self._subscription.settle(self._tag, self._generation, action)


def _on_cancelled_by_broker(_frame: Any) -> None:
    raise LinkLost("the broker cancelled a consumer: its queue is gone")
