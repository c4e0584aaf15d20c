"""Fixtures of RabbitMQ.

`amqp_url` (one broker per session), `amqp_vhost_url` (an empty virtual host per test), `rabbitmq_node` (the node
itself, to kill and start; always a private one), `private_vhost` (a virtual host on it).
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pika  # type: ignore[import-untyped]  # pika ships no py.typed marker
import pytest

from hrnn_tuner.broker.topology import build_topology
from tests.support.rabbitmq_container import RabbitMqContainer
from tests.support.rabbitmq_node import RabbitMqNode

URL_VARIABLE = "HRNN_TUNER_TEST_AMQP_URL"
IMAGE_VARIABLE = "HRNN_TUNER_TEST_RABBITMQ_IMAGE"
#: The resource classes that tests use; with a broker from outside, their queues are removed before each test.
_RESOURCE_CLASSES = ("gpu", "cpu", "bounded")
_vhost_numbers = itertools.count(1)


def _remove_objects(url: str) -> None:
    """Deletes what the project's topologies declare, on a broker that other tests have used."""
    topology = build_topology(_RESOURCE_CLASSES)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        for queue in topology.queues:
            channel.queue_delete(queue.name)
        for exchange in topology.exchanges:
            channel.exchange_delete(exchange.name)
    finally:
        connection.close()


def new_node(folder: Path) -> RabbitMqNode:
    """A node with its data in a folder; the machine's RabbitMQ, or that of ``HRNN_TUNER_TEST_RABBITMQ_IMAGE``."""
    image = os.environ.get(IMAGE_VARIABLE)
    return RabbitMqContainer(folder, image) if image else RabbitMqNode(folder)


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitMqNode]:
    """A private node. A test that kills it starts it again before it ends."""
    with tempfile.TemporaryDirectory(prefix="hrnn-rabbitmq-", ignore_cleanup_errors=True) as folder:
        node = new_node(Path(folder))
        try:
            node.start()
            yield node
        finally:
            node.stop()


@pytest.fixture(scope="session")
def amqp_url(request: pytest.FixtureRequest) -> str:
    """URL of the session's broker: the one in ``HRNN_TUNER_TEST_AMQP_URL``, else a private node."""
    outside = os.environ.get(URL_VARIABLE)
    if outside:
        return outside
    node: RabbitMqNode = request.getfixturevalue("rabbitmq_node")
    return node.url()


@pytest.fixture
def amqp_vhost_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a virtual host in which nothing has been declared."""
    outside = os.environ.get(URL_VARIABLE)
    if outside:
        _remove_objects(outside)
        yield outside
        return
    node: RabbitMqNode = request.getfixturevalue("rabbitmq_node")
    name = f"test-{next(_vhost_numbers)}"
    yield node.add_vhost(name)
    node.remove_vhost(name)


@pytest.fixture
def private_vhost(rabbitmq_node: RabbitMqNode) -> Iterator[str]:
    """Name of a virtual host on the private node, for tests that hurt it."""
    name = f"private-{next(_vhost_numbers)}"
    rabbitmq_node.add_vhost(name)
    yield name
    rabbitmq_node.remove_vhost(name)
