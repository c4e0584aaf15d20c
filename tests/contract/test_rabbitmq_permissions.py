"""Each service works with a RabbitMQ user that may do nothing else."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from hrnn_tuner.broker import Broker, Message
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    EVENTS_EXCHANGE,
    JOBS_EXCHANGE,
    JOBS_KEY,
    JOBS_QUEUE,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    TASKS_EXCHANGE,
    build_topology,
    job_key,
    reports_queue,
    tasks_queue,
    worker_key,
)
from tests.support.inbox import Inbox
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.waiting import wait_until

COMPOSE_SECRETS = Path(__file__).parents[2] / "deploy" / "compose_secrets.py"


@pytest.fixture
def urls(rabbitmq_node: RabbitMqNode, private_vhost: str) -> Mapping[str, str]:
    """A URL for each service, with the permissions that the Compose stack gives."""
    spec = importlib.util.spec_from_file_location("compose_secrets", COMPOSE_SECRETS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {
        service: rabbitmq_node.add_user(service, private_vhost, permissions)
        for service, permissions in module.PERMISSIONS.items()
    }


@pytest.fixture
def brokers(urls: Mapping[str, str]) -> Iterator[Mapping[str, Broker]]:
    """Each service's broker; the scheduler comes last, so that the others have to wait for its declarations."""
    with ExitStack() as stack:
        opened = {
            service: stack.enter_context(open_broker(urls[service], name=service, resource_classes=["gpu"]))
            for service in ("api", "worker", "scheduler")
        }
        for service, broker in opened.items():
            wait_until(lambda broker=broker: broker.connected, 30.0, f"{service} is connected")  # type: ignore[misc]
        yield opened


def test_a_job_passes_through_all_three_services(brokers: Mapping[str, Broker]) -> None:
    api, scheduler, worker = brokers["api"], brokers["scheduler"], brokers["worker"]
    hints, tasks, control, reports, events = (Inbox() for _ in range(5))
    scheduler.subscribe(JOBS_QUEUE, hints, prefetch=1)
    scheduler.subscribe(reports_queue(), reports, prefetch=1)
    worker.subscribe(tasks_queue("gpu"), tasks, prefetch=1)
    worker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key("w")], control)
    api.subscribe_exclusive(EVENTS_EXCHANGE, [job_key("j")], events)
    api.publish(JOBS_EXCHANGE, JOBS_KEY, Message("t", b"hint"))
    scheduler.publish(TASKS_EXCHANGE, "gpu", Message("t", b"task"))
    scheduler.publish(CONTROL_EXCHANGE, worker_key("w"), Message("t", b"go"))
    worker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("t", b"report"))
    scheduler.publish(EVENTS_EXCHANGE, job_key("j"), Message("t", b"event"), mandatory=False)
    for inbox, body in ((hints, b"hint"), (tasks, b"task"), (control, b"go"), (reports, b"report"), (events, b"event")):
        (delivery,) = inbox.wait(1)
        assert delivery.message.body == body
        delivery.ack()


@pytest.mark.parametrize("service", ["api", "worker"])
def test_what_is_of_no_concern_to_a_service_is_refused(
    brokers: Mapping[str, Broker], urls: Mapping[str, str], service: str
) -> None:
    assert brokers["scheduler"].connected
    foreign = {"api": [tasks_queue("gpu"), reports_queue()], "worker": [reports_queue(), JOBS_QUEUE]}[service]
    connection = pika.BlockingConnection(pika.URLParameters(urls[service]))
    try:
        for queue in foreign:
            with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
                connection.channel().basic_get(queue)
        for each in build_topology(["gpu"]).queues:
            with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
                connection.channel().queue_delete(each.name)
        exchange = {"api": TASKS_EXCHANGE, "worker": CONTROL_EXCHANGE}[service]
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            channel.basic_publish(exchange, "any", b"forged")
    finally:
        connection.close()
