"""What a message may be, checked by every broker before it leaves the process.

RabbitMQ answers a breach of these by closing the channel or the connection, which would take the messages of every
other publisher with it; and a caller that retries would do so for ever. So they are programming errors here.
"""

from __future__ import annotations

from hrnn_tuner.broker.contract import Message
from hrnn_tuner.broker.topology import CONTROL_EXCHANGE, Queue, Topology

#: The lowest default of ``max_message_size`` among the supported versions (RabbitMQ 4.x).
MAX_BODY_BYTES = 16 * 1024 * 1024
#: AMQP's short strings: names, keys, ids.
MAX_SHORT_STRING_BYTES = 255
#: Properties must fit into one frame (131072 bytes by default), whatever else is in it.
MAX_HEADERS_BYTES = 64 * 1024

#: An exclusive queue of a receiver that hangs drops its oldest message beyond this.
CONTROL_QUEUE_LENGTH = 100
HINTS_QUEUE_LENGTH = 10_000
#: An instruction or hint that waited this long is repeated by its sender.
EXCLUSIVE_MESSAGE_TTL_MS = 60_000


def check_message(routing_key: str, message: Message) -> None:
    """Checks that any supported broker can carry the message.

    Raises:
        ValueError: When it cannot; the text names the field, its size and the limit.
    """
    if len(message.body) > MAX_BODY_BYTES:
        raise ValueError(f"body has {len(message.body)} bytes; the limit is {MAX_BODY_BYTES}")
    short_strings = {
        "routing_key": routing_key,
        "type": message.type,
        "message_id": message.message_id,
        "correlation_id": message.correlation_id,
    } | {f"headers[{key[:40]!r}] name": key for key in message.headers}
    for name, value in short_strings.items():
        size = len(value.encode())
        if size > MAX_SHORT_STRING_BYTES:
            raise ValueError(f"{name} has {size} bytes; the limit is {MAX_SHORT_STRING_BYTES}")
    headers_bytes = sum(len(key.encode()) + len(value.encode()) for key, value in message.headers.items())
    if headers_bytes > MAX_HEADERS_BYTES:
        raise ValueError(f"headers have {headers_bytes} bytes; the limit is {MAX_HEADERS_BYTES}")


def check_exchange(topology: Topology, name: str) -> None:
    """Checks that the topology has the exchange.

    Raises:
        ValueError: When it has not.
    """
    if all(exchange.name != name for exchange in topology.exchanges):
        raise ValueError(f"no exchange {name!r} in the topology")


def find_queue(topology: Topology, name: str) -> Queue:
    """The queue of this name.

    Raises:
        ValueError: When the topology has none.
    """
    for queue in topology.queues:
        if queue.name == name:
            return queue
    raise ValueError(f"no queue {name!r} in the topology")


def exclusive_queue_arguments(exchange: str) -> dict[str, str | int | bool]:
    """Arguments of a link's own queue on this exchange; it is declared per connection, so they may change freely."""
    length = CONTROL_QUEUE_LENGTH if exchange == CONTROL_EXCHANGE else HINTS_QUEUE_LENGTH
    return {"x-message-ttl": EXCLUSIVE_MESSAGE_TTL_MS, "x-max-length": length, "x-overflow": "drop-head"}
