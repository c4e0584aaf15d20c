"""Opens the broker that an URL names."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from hrnn_tuner.broker.contract import Broker
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology


def open_broker(url: str, *, name: str, resource_classes: Sequence[str], hub: InMemoryHub | None = None) -> Broker:
    """Opens one process's link to its broker.

    Args:
        url: ``amqp://`` or ``amqps://`` with user, host, port and virtual host; or ``memory://``.
        name: The service and its instance, as threads, logs and RabbitMQ's connection list show it.
        resource_classes: Those that have a tasks queue.
        hub: What the links of this process share; needed by ``memory://``, and by nothing else.

    Raises:
        ValueError: When the URL names no broker that is known here, or ``memory://`` comes without a hub.
        TopologyMismatch: When RabbitMQ has one of the queues or exchanges with other properties.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        if hub is None:
            raise ValueError("memory:// needs the hub that the links of this process share")
        return hub.connect(name)
    if scheme in ("amqp", "amqps"):
        # pika is no dependency of the embedded mode's clients
        from hrnn_tuner.broker.rabbitmq import RabbitMqBroker

        return RabbitMqBroker(url, name, build_topology(resource_classes))
    raise ValueError(f"broker URL with scheme {scheme!r}; allowed are amqp://, amqps:// and memory://")
