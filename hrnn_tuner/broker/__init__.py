"""Message transport: the contract, the topology, RabbitMQ through pika, and an in-memory broker."""

from hrnn_tuner.broker.contract import (
    Broker,
    BrokerUnavailable,
    Delivery,
    DeliveryHandler,
    Letter,
    Message,
    MessageRefused,
    MessageUnroutable,
    PublishError,
    Subscription,
)

__all__ = [
    "Broker",
    "BrokerUnavailable",
    "Delivery",
    "DeliveryHandler",
    "Letter",
    "Message",
    "MessageRefused",
    "MessageUnroutable",
    "PublishError",
    "Subscription",
]
