"""Opens links to a RabbitMQ server for tests."""

from collections.abc import Iterator

from hrnn_tuner.broker import Broker
from hrnn_tuner.broker.rabbitmq import RabbitMqBroker
from tests.contract.broker_cases import Connect, contract_topology


def open_links(url: str) -> Iterator[Connect]:
    """The `connect` of the contract on RabbitMQ, closing what it opened."""
    opened: list[Broker] = []

    def connect(name: str) -> Broker:
        opened.append(RabbitMqBroker(url, name, contract_topology()))
        return opened[-1]

    yield connect
    for broker in opened:
        broker.close()
