"""Threads of the scheduler go on after what nobody foresaw."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hrnn_tuner import failpoints
from hrnn_tuner.broker import Broker, Delivery
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import EVENTS_EXCHANGE, TASKS_EXCHANGE, build_topology, tasks_queue
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.store import OutboxMessage, Store
from scheduler_service.outgoing import Outgoing
from scheduler_service.relay import Relay
from tests.support.waiting import wait_until


@pytest.fixture
def broker() -> Iterator[Broker]:
    with InMemoryHub(build_topology(["default"])).connect("scheduler") as link:
        yield link


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_hints_go_out_after_one_that_failed(broker: Broker) -> None:
    arrived: list[Delivery] = []
    broker.subscribe_exclusive(EVENTS_EXCHANGE, ["job.#"], arrived.append)
    outgoing = Outgoing(broker)
    outgoing.start()
    failpoints.arm("outgoing.sending=raise")
    outgoing.changed("lost")
    wait_until(lambda: outgoing._letters.empty(), 5, "the first hint to be taken up")
    failpoints.arm("")
    outgoing.changed("sent")
    wait_until(lambda: arrived, 5, "the second hint")
    outgoing.stop()
    assert [delivery.message.correlation_id for delivery in arrived][-1] == "sent"


def test_hints_about_one_tuning_job_that_wait_together_are_one(broker: Broker) -> None:
    arrived: list[str] = []
    broker.subscribe_exclusive(EVENTS_EXCHANGE, ["job.#"], lambda item: arrived.append(item.message.correlation_id))
    outgoing = Outgoing(broker)
    for tuning_job_id in ("a", "b", "a", "a", "b"):
        outgoing.changed(tuning_job_id)
    outgoing.start()
    wait_until(lambda: len(arrived) == 2, 5, "both hints")
    outgoing.changed("a")
    outgoing.stop()
    wait_until(lambda: len(arrived) == 3, 5, "the hint about a later change")
    assert arrived == ["a", "b", "a"]


@pytest.mark.parametrize("step", ["relay.publishing", "relay.confirmed"])
def test_tasks_go_out_after_one_that_failed(store: Store, broker: Broker, step: str) -> None:
    arrived: list[str] = []
    broker.subscribe(tasks_queue("default"), lambda item: arrived.append(item.message.message_id), prefetch=10)
    outgoing = Outgoing(broker)
    relay = Relay(store=store, broker=broker, outgoing=outgoing, clock=utc_now)
    with store.write() as tx:
        for name in ("first", "second"):
            tx.outbox.add(OutboxMessage(TASKS_EXCHANGE, "default", "t", name, "nobody", b"", 1, 1), utc_now())
    first, second = tx.outbox.added
    failpoints.arm(f"{step}=raise")
    relay.start()
    relay.submit([first])
    wait_until(lambda: relay._committed.empty(), 5, "the first task to be taken up")
    failpoints.arm("")
    relay.submit([second])
    wait_until(lambda: {"first", "second"} <= set(arrived), 15, "both tasks")
    relay.stop()
