"""The RabbitMQ broker lives through its server's deaths, and says what is wrong where it cannot."""

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import pika  # type: ignore[import-untyped]  # pika ships no py.typed marker
import pytest

from hrnn_tuner.broker import Broker, BrokerUnavailable, Message
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
from tests.contract.broker_cases import GPU, Connect, contract_topology, send
from tests.contract.rabbitmq_links import open_links
from tests.support.inbox import Inbox, acknowledge
from tests.support.rabbitmq_node import QUEUES_ON_DISK_S, RabbitMqNode
from tests.support.waiting import wait_until

RECONNECT_TIMEOUT_S = 40.0  # back-off, and a server that still gathers its queues
SHORT_TIMEOUT_S = 0.5  # for a connection that will not come


@pytest.fixture
def connect(rabbitmq_node: RabbitMqNode, private_vhost: str) -> Iterator[Connect]:
    yield from open_links(rabbitmq_node.url(private_vhost))


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
    time.sleep(QUEUES_ON_DISK_S)
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
    assert again.current
    held.ack()  # its tag may mean another delivery by now
    assert len(tasks) == 2
    again.ack()
    tasks.wait(3)[2].ack()
    tasks.wait(4)[3].ack()
    # A queue that recovers may hand on the next message before it takes back what the dead connection had.
    assert sorted(tasks.bodies[1:]) == [b"0", b"1", b"2"]
    assert next(item for item in tasks.wait(4)[1:] if item.message.body == b"0").redelivered
    reconnected(broker)
    reconnected(late)
    for key, inbox in (("a", control), ("late", late_inbox)):
        broker.publish(CONTROL_EXCHANGE, worker_key(key), Message("t", b"GO", persistent=False))
        inbox.wait(1)


def test_publishing_through_kills_of_the_connections_loses_nothing(
    rabbitmq_node: RabbitMqNode, private_vhost: str, connect: Connect
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

    def published(least: int) -> bool:
        return len(confirmed) > least

    threads = [threading.Thread(target=publish, name=f"publisher-{number}") for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        done = len(confirmed)
        # the management API learns of a connection some seconds late
        wait_until(lambda: rabbitmq_node.close_connections(private_vhost) > 0, message="connections to close")
        wait_until(partial(published, done + 50), RECONNECT_TIMEOUT_S, "publishing goes on")
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
    rabbitmq_node: RabbitMqNode, private_vhost: str, connect: Connect
) -> None:
    broker = connect("first")
    inbox = Inbox(acknowledge)
    broker.subscribe(GPU, inbox, prefetch=1)
    status, _ = rabbitmq_node.request("DELETE", f"/api/queues/{private_vhost}/{quote(GPU)}")
    assert status == 204

    def arrived() -> bool:
        if broker.connected and not len(inbox):
            broker.publish(TASKS_EXCHANGE, "gpu", Message("t", b"after"), mandatory=False)
        return len(inbox) > 0

    wait_until(arrived, RECONNECT_TIMEOUT_S, "a delivery from the new queue")


def test_a_queue_with_other_arguments_fails_loudly(rabbitmq_node: RabbitMqNode, private_vhost: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_node.url(private_vhost)))
    connection.channel().queue_declare(GPU, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 9})
    connection.close()
    with pytest.raises(TopologyMismatch, match="406 PRECONDITION_FAILED - inequivalent arg"):
        open_broker(rabbitmq_node.url(private_vhost), name="mismatched", resource_classes=["gpu"])
    assert not [thread for thread in threading.enumerate() if "mismatched" in thread.name]


def test_a_mismatch_that_appears_later_is_named_to_publishers_and_heals(
    rabbitmq_node: RabbitMqNode, private_vhost: str, connect: Connect
) -> None:
    broker = connect("first")
    path = f"/api/queues/{private_vhost}/{quote(GPU)}"
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_node.url(private_vhost)))
    channel = connection.channel()
    channel.queue_delete(GPU)
    channel.queue_declare(GPU, durable=True)
    # closes this connection too
    wait_until(lambda: rabbitmq_node.close_connections(private_vhost) > 0, message="connections to close")

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
