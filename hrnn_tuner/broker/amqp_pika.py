"""The part of pika that the broker uses, with types: pika ships none that mypy accepts.

Everything else in this package sees pika through these protocols and functions.
"""

# ruff: noqa: D102 - the protocols restate methods of pika, which documents them

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, cast

import pika  # type: ignore[import-untyped]  # pika ships no py.typed marker
import pika.exceptions  # type: ignore[import-untyped]

from hrnn_tuner.broker.contract import Message

HEARTBEAT_S = 20
SOCKET_TIMEOUT_S = 5.0
STACK_TIMEOUT_S = 10.0
BLOCKED_TIMEOUT_S = 30.0

AMQPError: type[Exception] = pika.exceptions.AMQPError
ChannelClosedByBroker: type[Exception] = pika.exceptions.ChannelClosedByBroker


class NoAnswer(pika.exceptions.AMQPError):  # type: ignore[misc]  # see the import of pika
    """The broker lives, by its heartbeats, and does not answer."""


#: Header with a message's number on its channel, by which a returned message is told from others; an integer, so that
#: `to_message` leaves it out.
PUBLISH_NUMBER_HEADER = "hrnn-publish-number"

#: String headers that RabbitMQ adds to dead letters; the sender did not write them.
_BROKER_HEADERS = ("x-first-death-", "x-last-death-")

CONTENT_TYPE = "application/x-protobuf"
APP_ID = "hrnn-tuner"

# pika logs a traceback for every refused connection; the link reports each failure once, with its next attempt.
logging.getLogger("pika.adapters").setLevel(logging.CRITICAL)


class RawChannel(Protocol):
    """The asynchronous channel, which lies under each blocking one.

    Confirms arrive by callback, and what is sent goes out with whatever else the connection has to send: a blocking
    channel hands each acknowledgement to the kernel alone, which costs several times as much as making it.
    """

    def confirm_delivery(self, ack_nack_callback: Callable[[Any], None]) -> None: ...
    def add_on_return_callback(self, callback: Callable[[Any, Any, Any, bytes], None]) -> None: ...
    def basic_publish(
        self, exchange: str, routing_key: str, body: bytes, properties: object, mandatory: bool
    ) -> None: ...
    def basic_ack(self, delivery_tag: int) -> None: ...
    def basic_reject(self, delivery_tag: int, requeue: bool) -> None: ...


class Channel(Protocol):
    """A blocking channel."""

    @property
    def is_open(self) -> bool: ...
    def close(self) -> None: ...
    def add_on_cancel_callback(self, callback: Callable[[Any], None]) -> None: ...
    def basic_qos(self, *, prefetch_count: int) -> None: ...
    def basic_consume(
        self,
        queue: str,
        on_message_callback: Callable[[Any, Any, Any, bytes], None],
        *,
        auto_ack: bool,
        exclusive: bool,
    ) -> str: ...
    def basic_cancel(self, consumer_tag: str) -> object: ...
    def basic_reject(self, delivery_tag: int, *, requeue: bool) -> None: ...
    def exchange_declare(
        self, exchange: str, exchange_type: str, *, passive: bool = False, durable: bool = False
    ) -> object: ...
    def queue_declare(
        self,
        queue: str,
        *,
        passive: bool = False,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, str | int | bool] | None = None,
    ) -> Any: ...
    def queue_bind(self, queue: str, exchange: str, routing_key: str) -> object: ...


class Connection(Protocol):
    """A blocking connection; only `add_callback_threadsafe` may be called off its thread."""

    @property
    def is_open(self) -> bool: ...
    def channel(self) -> Channel: ...
    def process_data_events(self, time_limit: float) -> None: ...
    def add_callback_threadsafe(self, callback: Callable[[], None]) -> None: ...
    def close(self) -> None: ...


def parse_url(url: str, connection_name: str) -> object:
    """Parameters of pika for the URL, with this project's time-outs.

    Raises:
        ValueError: When the URL makes no sense.
    """
    try:
        parameters = pika.URLParameters(url)
    except (TypeError, AttributeError, OSError) as error:  # what pika raises for bad ports, options and TLS files
        raise ValueError(f"broker URL is not usable: {error}") from error
    parameters.heartbeat = HEARTBEAT_S
    parameters.socket_timeout = SOCKET_TIMEOUT_S
    parameters.stack_timeout = STACK_TIMEOUT_S
    parameters.blocked_connection_timeout = BLOCKED_TIMEOUT_S
    parameters.connection_attempts = 1  # the link has its own loop
    parameters.client_properties = {"connection_name": connection_name}
    return parameters


def open_connection(parameters: object) -> Connection:
    """Connects; blocks for at most about ten seconds, but for name resolution.

    Raises:
        AMQPError: When the broker refuses.
        OSError: When it cannot be reached.
    """
    return cast(Connection, pika.BlockingConnection(parameters))


def server_version(connection: Connection) -> str:
    """The broker's version, as it says when a connection begins."""
    properties = connection._impl.server_properties  # type: ignore[attr-defined]  # see `raw_channel`
    return _text(properties.get("version"))


def sever(connection: Connection) -> None:
    """Breaks a connection without a word to the broker, which then takes back what it had delivered, in order."""
    connection._impl._transport._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]  # see `raw_channel`


@contextmanager
def answered_within(connection: Connection, limit_s: float) -> Iterator[None]:
    """Severs the connection when the block takes longer. On the connection's thread.

    pika waits for ever for the answer to a request on a channel, as long as the broker's heartbeats come: a queue that
    has lost its leader does not let a consumer in and does not refuse it, either.

    Raises:
        NoAnswer: When that was necessary.
    """
    over = False

    def give_up() -> None:
        nonlocal over
        if connection.is_open:
            over = True
            sever(connection)

    loop = connection._impl  # type: ignore[attr-defined]  # see `raw_channel`; its timers run while a request waits
    timer = loop._adapter_call_later(limit_s, give_up)
    try:
        yield
    except AMQPError as error:
        if over:
            raise NoAnswer(f"RabbitMQ did not answer within {limit_s:g} s") from error
        raise
    finally:
        loop._adapter_remove_timeout(timer)


def raw_channel(channel: Channel) -> RawChannel:
    """The asynchronous channel under a blocking one.

    pika's blocking channel waits for the confirm of each message, which bounds all publishers of a process together to
    one message per round trip and disk flush, and it flushes the socket for each acknowledgement. It has no public way
    to the channel below; this is the one place that knows the private one (the same name since pika 0.10).
    """
    return cast(RawChannel, channel._impl)  # type: ignore[attr-defined]


def reply_of(error: Exception) -> tuple[int, str]:
    """Reply code and text of a `ChannelClosedByBroker`."""
    return int(getattr(error, "reply_code", 0)), str(getattr(error, "reply_text", error))


def to_properties(message: Message, publish_number: int) -> object:
    """The AMQP properties of a message."""
    return pika.BasicProperties(
        type=message.type or None,
        message_id=message.message_id or None,
        correlation_id=message.correlation_id or None,
        headers={**message.headers, PUBLISH_NUMBER_HEADER: publish_number},
        delivery_mode=2 if message.persistent else 1,
        content_type=CONTENT_TYPE,
        app_id=APP_ID,
    )


def publish_number(properties: Any) -> int | None:
    """The number that `to_properties` put in; None for a message from elsewhere."""
    number = (properties.headers or {}).get(PUBLISH_NUMBER_HEADER)
    return int(number) if isinstance(number, int) else None


def to_message(properties: Any, body: bytes | None) -> Message:
    """A received message. Fields of foreign types (any program may publish) become empty; they are never an error."""
    headers = {
        key: value
        for key, value in (properties.headers or {}).items()
        if isinstance(key, str) and isinstance(value, str) and not key.startswith(_BROKER_HEADERS)
    }
    return Message(
        type=_text(properties.type),
        body=bytes(body or b""),
        message_id=_text(properties.message_id),
        correlation_id=_text(properties.correlation_id),
        headers=headers,
        persistent=properties.delivery_mode == 2,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
