"""The thread that says that a worker lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hrnn_tuner import failpoints
from hrnn_tuner.broker.memory import InMemoryBroker, InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from tests.support.waiting import wait_until
from tests.support.worker_harness import FakeScheduler
from worker_service.attempt import Attempts
from worker_service.heartbeat import Heartbeat


@pytest.fixture
def hub() -> InMemoryHub:
    return InMemoryHub(build_topology(["default"]))


@pytest.fixture
def scheduler(hub: InMemoryHub) -> Iterator[FakeScheduler]:
    with hub.connect("scheduler") as broker:
        yield FakeScheduler(broker)


@pytest.fixture
def broker(hub: InMemoryHub) -> Iterator[InMemoryBroker]:
    with hub.connect("worker") as broker:
        yield broker


def _heartbeat(broker: InMemoryBroker, interval_s: float) -> Heartbeat:
    return Heartbeat(broker, "worker", "default", slots=2, attempts=Attempts(), interval_s=interval_s)


def test_it_beats_at_once_then_at_intervals_and_says_good_bye(broker: InMemoryBroker, scheduler: FakeScheduler) -> None:
    heartbeat = _heartbeat(broker, 0.01)
    heartbeat.start()
    wait_until(lambda: scheduler.heartbeats.qsize() >= 3, message="three heartbeats")
    heartbeat.stop(good_bye=True)
    assert scheduler.heartbeat(lambda beat: beat.leaving).slots == 2


def test_it_ends_at_once_and_in_silence_when_told_so(broker: InMemoryBroker, scheduler: FakeScheduler) -> None:
    heartbeat = _heartbeat(broker, 3600.0)
    heartbeat.start()
    scheduler.heartbeat(lambda beat: not beat.leaving)
    heartbeat.stop(good_bye=False)
    assert scheduler.heartbeats.empty()


def test_a_broker_that_is_away_does_not_end_it(broker: InMemoryBroker) -> None:
    broker.close()
    heartbeat = _heartbeat(broker, 0.01)
    heartbeat.start()
    wait_until(lambda: heartbeat._failing, message="a beat that failed")
    assert heartbeat._thread.is_alive()
    heartbeat.stop(good_bye=True)
    assert not heartbeat._thread.is_alive()


def test_a_defect_in_one_beat_does_not_end_it(broker: InMemoryBroker, scheduler: FakeScheduler) -> None:
    heartbeat = _heartbeat(broker, 0.01)
    failpoints.arm("heartbeat.publishing=raise")
    try:
        heartbeat.start()
        wait_until(lambda: heartbeat._failing, message="a beat that failed")
    finally:
        failpoints.arm("")
    scheduler.heartbeat(lambda beat: not beat.leaving)
    heartbeat.stop(good_bye=False)
