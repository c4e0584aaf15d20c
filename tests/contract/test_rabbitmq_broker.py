"""The RabbitMQ broker keeps the contract on a real server."""

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, urlsplit

import pika  # type: ignore[import-untyped]  # pika ships no py.typed marker
import pytest

from hrnn_tuner.broker import BrokerUnavailable, Delivery, Message
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.rabbitmq import RabbitMqBroker
from hrnn_tuner.broker.topology import TASKS_EXCHANGE
from tests.contract.broker_cases import GPU, Connect, contract_topology, send, wait_depth
from tests.contract.broker_contract import BrokerContract
from tests.contract.rabbitmq_links import open_links
from tests.support.inbox import Inbox, acknowledge
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.waiting import wait_until

SHORT_TIMEOUT_S = 0.5  # for a connection that will not come


class TestRabbitMqBroker(BrokerContract):
    @pytest.fixture
    def connect(self, amqp_vhost_url: str) -> Iterator[Connect]:
        yield from open_links(amqp_vhost_url)


@pytest.fixture
def connect(rabbitmq_node: RabbitMqNode, private_vhost: str) -> Iterator[Connect]:
    yield from open_links(rabbitmq_node.url(private_vhost))


def test_a_foreign_message_is_delivered_with_empty_fields(
    rabbitmq_node: RabbitMqNode, private_vhost: str, connect: Connect
) -> None:
    broker = connect("first")
    inbox = Inbox(acknowledge)
    broker.subscribe(GPU, inbox, prefetch=1)
    foreign = pika.BlockingConnection(pika.URLParameters(rabbitmq_node.url(private_vhost)))
    channel = foreign.channel()
    headers = {"n": 2**40, "t": {"deep": [1, None, b"\xff", True]}, "s": "kept", "none": None, "ü": "ü"}
    channel.basic_publish(TASKS_EXCHANGE, "gpu", b"\xff\x00garbage", pika.BasicProperties(headers=headers, priority=3))
    channel.basic_publish(TASKS_EXCHANGE, "gpu", b"")
    channel.basic_publish(TASKS_EXCHANGE, "gpu", b"x" * 3_000_000, pika.BasicProperties(type="big", delivery_mode=2))
    foreign.close()
    first, second, third = (delivery.message for delivery in inbox.wait(3))
    assert first == Message("", b"\xff\x00garbage", headers={"s": "kept", "ü": "ü"}, persistent=False)
    assert second == Message("", b"", persistent=False)
    assert third == Message("big", b"x" * 3_000_000)


def test_tls_is_used_and_checked(rabbitmq_node: RabbitMqNode, private_vhost: str) -> None:
    base = f"amqps://guest:guest@127.0.0.1:{rabbitmq_node.tls_port}/{private_vhost}"
    options = quote(repr({"cafile": str(rabbitmq_node.ca_file)}), safe="")
    with RabbitMqBroker(f"{base}?ssl_options={options}", "tls", contract_topology()) as broker:
        assert broker.connected
        send(broker, b"x")
        wait_depth(broker, GPU, 1)
    with RabbitMqBroker(base, "trusting nobody", contract_topology(), connect_timeout_s=SHORT_TIMEOUT_S) as broker:
        assert not broker.connected
        with pytest.raises(BrokerUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b""), timeout_s=0.1)


@pytest.mark.parametrize("url", ["amqp://guest:guest@localhost:port/", "amqp://localhost/?heartbeat=soon"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        open_broker(url, name="a", resource_classes=["gpu"])


def test_connections_are_named_after_their_service(
    rabbitmq_node: RabbitMqNode, private_vhost: str, connect: Connect
) -> None:
    connect("worker/7")
    path = f"/api/vhosts/{private_vhost}/connections"

    def known(name: bytes) -> bool:
        return name in rabbitmq_node.request("GET", path)[1]

    for name in (b"worker/7/consume", b"worker/7/publish"):
        wait_until(partial(known, name), message="the connection's name")


def test_channels_of_finished_subscriptions_are_closed(
    rabbitmq_node: RabbitMqNode, private_vhost: str, connect: Connect
) -> None:
    broker = connect("worker")
    send(broker, *[b"x"] * 30)
    for _ in range(30):
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1, limit=1)
        inbox.wait(1)
    path = f"/api/vhosts/{private_vhost}/channels"
    wait_until(
        lambda: rabbitmq_node.request("GET", path)[1].count(b'"consumer_count":') == 1,
        message="only the publishing channel is left",
    )


def test_a_lone_publish_and_its_delivery_take_no_polling_interval(connect: Connect) -> None:
    broker = connect("quick")
    arrived = threading.Event()

    def note(delivery: Delivery) -> None:
        delivery.ack()
        arrived.set()

    broker.subscribe(GPU, Inbox(note), prefetch=1)
    durations_s = []
    for _ in range(40):
        arrived.clear()
        started = time.monotonic()
        send(broker, b"x")
        assert arrived.wait(5)
        durations_s.append(time.monotonic() - started)
    assert sorted(durations_s)[len(durations_s) // 2] < 0.05


def test_the_url_for_tests_names_a_reachable_broker(amqp_url: str) -> None:
    parts = urlsplit(amqp_url)
    socket.create_connection((parts.hostname, parts.port or 5672), 5).close()
