"""Hints cost the API nothing: not when the broker is away, not when it is slow, not when there are many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from api_service.hints import JobHints
from hrnn_tuner.broker import Broker, BrokerUnavailable, DeliveryHandler, Message, Subscription
from hrnn_tuner.v1 import queue_pb2
from tests.support.waiting import wait_until


class FakeBroker(Broker):
    """Notes what is published, after a gate has opened."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.up = True
        self.error: Exception | None = None
        self.published: list[str] = []

    def publish(
        self, exchange: str, routing_key: str, message: Message, *, mandatory: bool = True, timeout_s: float = 10.0
    ) -> None:
        self.published.append(queue_pb2.JobHint.FromString(message.body).tuning_job_id)
        self.gate.wait(10)
        if self.error is not None:
            raise self.error

    def subscribe(
        self, queue: str, handler: DeliveryHandler, *, prefetch: int, limit: int | None = None
    ) -> Subscription:
        raise NotImplementedError

    def subscribe_exclusive(self, exchange: str, routing_keys: Sequence[str], handler: DeliveryHandler) -> Subscription:
        raise NotImplementedError

    def depth(self, queue: str) -> int:
        return 0

    @property
    def connected(self) -> bool:
        return self.up

    def close(self) -> None:
        self.gate.set()


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    with FakeBroker() as made:
        yield made


@pytest.fixture
def hints(broker: FakeBroker) -> Iterator[JobHints]:
    with ThreadPoolExecutor(1) as executor:
        yield JobHints(broker, executor)


def published(broker: FakeBroker, *ids: str) -> Callable[[], bool]:
    return lambda: broker.published == list(ids)


def test_a_change_is_told_to_the_scheduler(broker: FakeBroker, hints: JobHints) -> None:
    hints.changed("a")
    wait_until(published(broker, "a"), message="one hint")


def test_a_broker_that_is_away_is_not_waited_for(broker: FakeBroker, hints: JobHints) -> None:
    broker.up = False
    for index in range(100):
        hints.changed(str(index))
    broker.up = True
    hints.changed("later")
    wait_until(lambda: "later" in broker.published, message="the hint after the broker came back")


def test_a_hint_that_fails_does_not_keep_the_next_from_being_sent(broker: FakeBroker, hints: JobHints) -> None:
    broker.error = BrokerUnavailable("gone")
    hints.changed("a")
    wait_until(published(broker, "a"), message="the failing hint")
    broker.error = None
    hints.changed("b")
    wait_until(published(broker, "a", "b"), message="the next hint")


def test_changes_while_one_is_sent_become_one_more_hint(broker: FakeBroker, hints: JobHints) -> None:
    broker.gate.clear()
    hints.changed("a")
    wait_until(published(broker, "a"), message="the first hint on its way")
    for _ in range(50):
        hints.changed("a")
    broker.gate.set()
    wait_until(published(broker, "a", "a"), message="one hint for all later changes")
    hints.changed("b")
    wait_until(published(broker, "a", "a", "b"), message="nothing else in between")
