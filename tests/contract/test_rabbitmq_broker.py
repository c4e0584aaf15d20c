"""The RabbitMQ broker keeps the contract on a real server, and lives through that server's deaths."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

import pika
import pytest

from hrnn_tuner.broker import Broker, BrokerUnavailable, Delivery, Message
from hrnn_tuner.broker.amqp_link import TopologyMismatch
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.rabbitmq import RabbitMqBroker
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    JOBS_EXCHANGE,
    JOBS_KEY,
    TASKS_EXCHANGE,
    worker_key,
)
from tests.contract.broker_contract import GPU, BrokerContract, contract_topology, send, wait_depth
from tests.support.inbox import Inbox, acknowledge
from tests.support.rabbitmq import RabbitMqNode
from tests.support.waiting import wait_until

RECONNECT_TIMEOUT_S = 40.0  # back-off, and a server that still gathers its queues
SHORT_TIMEOUT_S = 0.5  # for a connection that will not come

Connect = Callable[[str], Broker]


def opener(url: str) -> Iterator[Connect]:
    """The `connect` of the contract, closing what it opened."""
    opened: list[Broker] = []

    def connect(name: str) -> Broker:
        opened.append(RabbitMqBroker(url, name, contract_topology()))
        return opened[-1]

    yield connect
    for broker in opened:
        broker.close()


class TestRabbitMqBroker(BrokerContract):
    @pytest.fixture
    def connect(self, amqp_vhost_url: str) -> Iterator[Connect]:
        yield from opener(amqp_vhost_url)


@pytest.fixture
def vhost(rabbitmq_node: RabbitMqNode) -> Iterator[str]:
    """A virtual host on the private node, which these tests may hurt."""
    name = f"private-{time.monotonic_ns()}"
    rabbitmq_node.add_vhost(name)
    yield name
    rabbitmq_node.remove_vhost(name)


@pytest.fixture
def connect(rabbitmq_node: RabbitMqNode, vhost: str) -> Iterator[Connect]:
    yield from opener(rabbitmq_node.url(vhost))


def reconnected(broker: Broker) -> None:
    wait_until(lambda: broker.connected, RECONNECT_TIMEOUT_S, "the links are back")


def test_a_killed_server_loses_nothing_confirmed_and_subscriptions_resume(
    rabbitmq_node: RabbitMqNode, connect: Connect
) -> None:
    broker = connect("survivor")
    tasks, control = Inbox(), Inbox()
    broker.subscribe(GPU, tasks, prefetch=1)
    broker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key("a")], control)
    send(broker, b"0", b"1", b"2")
    (held,) = tasks.wait(1)
    rabbitmq_node.kill()
    try:
        wait_until(lambda: not broker.connected, message="the links notice")
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b"lost"), timeout_s=0.3)
        assert time.monotonic() - started < 5.0
        assert not held.current
        held.ack()
        late = connect("born during the outage")
        assert not late.connected
        late_inbox = Inbox()
        late.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key("late")], late_inbox)
    finally:
        rabbitmq_node.start()
    again = tasks.wait(2, RECONNECT_TIMEOUT_S)[1]
    assert again.message.body == b"0"
    assert again.redelivered
    assert again.current
    held.ack()  # its tag may mean another delivery by now
    assert len(tasks) == 2
    again.ack()
    tasks.wait(3)[2].ack()
    tasks.wait(4)[3].ack()
    assert tasks.bodies == [b"0", b"0", b"1", b"2"]
    reconnected(broker)
    reconnected(late)
    for key, inbox in (("a", control), ("late", late_inbox)):
        broker.publish(CONTROL_EXCHANGE, worker_key(key), Message("t", b"GO", persistent=False))
        inbox.wait(1)


def test_publishing_through_kills_of_the_connections_loses_nothing(
    rabbitmq_node: RabbitMqNode, vhost: str, connect: Connect
) -> None:
    broker = connect("publisher")
    inbox = Inbox(acknowledge)
    broker.subscribe(GPU, inbox, prefetch=20)
    confirmed: list[bytes] = []
    stop = threading.Event()

    def publish() -> None:
        number = 0
        while not stop.is_set():
            body = b"%s-%d" % (threading.current_thread().name.encode(), number)
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", body), timeout_s=RECONNECT_TIMEOUT_S)
            confirmed.append(body)
            number += 1

    threads = [threading.Thread(target=publish, name=f"publisher-{number}") for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        done = len(confirmed)
        # the management API learns of a connection some seconds late
        wait_until(lambda: rabbitmq_node.close_connections(vhost) > 0, message="connections to close")
        wait_until(lambda done=done: len(confirmed) > done + 50, RECONNECT_TIMEOUT_S, "publishing goes on")
    stop.set()
    for thread in threads:
        thread.join(RECONNECT_TIMEOUT_S)
    wait_until(lambda: set(inbox.bodies) >= set(confirmed), message="every confirmed message arrives")


def test_a_frozen_server_makes_publishing_time_out(rabbitmq_node: RabbitMqNode, connect: Connect) -> None:
    broker = connect("patient")
    rabbitmq_node.freeze()
    try:
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="no confirmation within"):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b""), timeout_s=0.5)
        assert 0.4 < time.monotonic() - started < 5.0
    finally:
        rabbitmq_node.thaw()
    send(broker, b"x")


def test_a_deleted_queue_is_declared_and_consumed_again(
    rabbitmq_node: RabbitMqNode, vhost: str, connect: Connect
) -> None:
    broker = connect("first")
    inbox = Inbox(acknowledge)
    broker.subscribe(GPU, inbox, prefetch=1)
    status, _ = rabbitmq_node.request("DELETE", f"/api/queues/{vhost}/{quote(GPU)}")
    assert status == 204

    def arrived() -> bool:
        if broker.connected and not len(inbox):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b"after"), mandatory=False)
        return len(inbox) > 0

    wait_until(arrived, RECONNECT_TIMEOUT_S, "a delivery from the new queue")


def test_a_foreign_message_is_delivered_with_empty_fields(
    rabbitmq_node: RabbitMqNode, vhost: str, connect: Connect
) -> None:
    broker = connect("first")
    inbox = Inbox(acknowledge)
    broker.subscribe(GPU, inbox, prefetch=1)
    foreign = pika.BlockingConnection(pika.URLParameters(rabbitmq_node.url(vhost)))
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


def test_a_queue_with_other_arguments_fails_loudly(rabbitmq_node: RabbitMqNode, vhost: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_node.url(vhost)))
    connection.channel().queue_declare(GPU, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 9})
    connection.close()
    with pytest.raises(TopologyMismatch, match="406 PRECONDITION_FAILED - inequivalent arg"):
        open_broker(rabbitmq_node.url(vhost), name="mismatched", resource_classes=["gpu"])
    assert not [thread for thread in threading.enumerate() if "mismatched" in thread.name]


def test_a_mismatch_that_appears_later_is_named_to_publishers_and_heals(
    rabbitmq_node: RabbitMqNode, vhost: str, connect: Connect
) -> None:
    broker = connect("first")
    path = f"/api/queues/{vhost}/{quote(GPU)}"
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_node.url(vhost)))
    channel = connection.channel()
    channel.queue_delete(GPU)
    channel.queue_declare(GPU, durable=True)
    # closes this connection too
    wait_until(lambda: rabbitmq_node.close_connections(vhost) > 0, message="connections to close")

    def refused() -> bool:
        try:
            broker.publish(JOBS_EXCHANGE, JOBS_KEY, Message("t", b""), timeout_s=0.05)
        except BrokerUnavailable as error:
            return "PRECONDITION_FAILED" in str(error)
        return False

    wait_until(refused, RECONNECT_TIMEOUT_S, "the reason in the error")
    assert rabbitmq_node.request("DELETE", path)[0] == 204
    reconnected(broker)
    send(broker, b"x")


def test_wrong_credentials_are_named_to_publishers(rabbitmq_node: RabbitMqNode) -> None:
    url = rabbitmq_node.url().replace("guest:guest", "guest:wrong")
    with RabbitMqBroker(url, "intruder", contract_topology(), connect_timeout_s=SHORT_TIMEOUT_S) as broker:
        assert not broker.connected
        with pytest.raises(BrokerUnavailable, match="AuthenticationError"):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b""), timeout_s=0.1)


def test_tls_is_used_and_checked(rabbitmq_node: RabbitMqNode, vhost: str) -> None:
    base = f"amqps://guest:guest@localhost:{rabbitmq_node.tls_port}/{vhost}"
    options = quote(repr({"cafile": str(rabbitmq_node.ca_file)}), safe="")
    with RabbitMqBroker(f"{base}?ssl_options={options}", "tls", contract_topology()) as broker:
        assert broker.connected
        send(broker, b"x")
        wait_depth(broker, GPU, 1)
    with RabbitMqBroker(base, "trusting nobody", contract_topology(), connect_timeout_s=SHORT_TIMEOUT_S) as broker:
        assert not broker.connected
        with pytest.raises(BrokerUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b""), timeout_s=0.1)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256)) * 40])
def test_a_server_that_speaks_something_else_is_unavailable(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return  # the test is over
                with client:
                    client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}/"
        with RabbitMqBroker(url, "lost", contract_topology(), connect_timeout_s=SHORT_TIMEOUT_S) as broker:
            assert not broker.connected
            with pytest.raises(BrokerUnavailable):
                broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b""), timeout_s=0.1)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize("url", ["amqp://guest:guest@localhost:port/", "amqp://localhost/?heartbeat=soon"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        open_broker(url, name="a", resource_classes=["gpu"])


def test_connections_are_named_after_their_service(rabbitmq_node: RabbitMqNode, vhost: str, connect: Connect) -> None:
    connect("worker/7")
    path = f"/api/vhosts/{vhost}/connections"
    for name in (b"worker/7/consume", b"worker/7/publish"):
        wait_until(lambda name=name: name in rabbitmq_node.request("GET", path)[1], message="the connection's name")


def test_channels_of_finished_subscriptions_are_closed(
    rabbitmq_node: RabbitMqNode, vhost: str, connect: Connect
) -> None:
    broker = connect("worker")
    send(broker, *[b"x"] * 30)
    for _ in range(30):
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1, limit=1)
        inbox.wait(1)
    path = f"/api/vhosts/{vhost}/channels"
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
