"""The ordered, confirmed sender."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hrnn_tuner.broker.contract import Broker, BrokerUnavailable, DeliveryHandler, Message, MessageRefused, Subscription
from hrnn_tuner.v1 import queue_pb2 as pb
from worker_service import convert
from worker_service.assignment import Assignment, AttemptKey
from worker_service.attempt import Attempt
from worker_service.reports import Reporter

TIMEOUT_S = 10.0


class _FlakyBroker(Broker):
    """Publishes, or raises while `failure` is set."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.published: list[pb.AttemptReport] = []
        self.tries = 0
        self.changed = threading.Condition()

    def publish(
        self, exchange: str, routing_key: str, message: Message, *, mandatory: bool = True, timeout_s: float = 10.0
    ) -> None:
        with self.changed:
            self.tries += 1
            self.changed.notify_all()
            if self.failure is not None:
                raise self.failure
            self.published.append(pb.Report.FromString(message.body).attempt)

    def wait_for(self, *, tries: int = 0, published: int = 0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.tries >= tries and len(self.published) >= published, TIMEOUT_S)

    def subscribe(
        self, queue: str, handler: DeliveryHandler, *, prefetch: int, limit: int | None = None
    ) -> Subscription:
        raise NotImplementedError

    def subscribe_exclusive(self, exchange: str, routing_keys: object, handler: DeliveryHandler) -> Subscription:
        raise NotImplementedError

    def depth(self, queue: str) -> int:
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        return self.failure is None

    def close(self) -> None:
        pass


def _attempt() -> Attempt:
    assignment = Assignment(AttemptKey("job", 1, 1, "t"), "n", "a", {}, {}, "m", True, 0, 0, "/a", {})
    return Attempt(assignment, {}, lambda: None)


@pytest.fixture
def broker() -> _FlakyBroker:
    return _FlakyBroker()


@pytest.fixture
def reporter(broker: _FlakyBroker) -> Iterator[Reporter]:
    reporter = Reporter(broker, "worker", max_points=3)
    reporter.start()
    yield reporter
    reporter.stop(0.0)


def test_reports_arrive_in_order(broker: _FlakyBroker, reporter: Reporter) -> None:
    attempt = _attempt()
    reporter.publish_started(attempt)
    for step in range(1, 20):
        reporter.submit(attempt, convert.metrics([("m", step, 0.0)]), points=0)
    reporter.submit(attempt, convert.stopped())
    reporter.stop(TIMEOUT_S)
    kinds = [report.WhichOneof("event") for report in broker.published]
    assert kinds == ["started", *["metrics"] * 19, "ended"]
    assert [report.metrics.points[0].step for report in broker.published[1:-1]] == list(range(1, 20))


@pytest.mark.parametrize("failure", [BrokerUnavailable("away"), MessageRefused("full"), RuntimeError("a defect")])
def test_a_report_is_repeated_until_it_is_confirmed(
    broker: _FlakyBroker, reporter: Reporter, failure: Exception
) -> None:
    confirmed = threading.Event()
    broker.failure = failure
    reporter.submit(_attempt(), convert.stopped(), on_confirmed=confirmed.set)
    broker.wait_for(tries=2)
    assert not confirmed.is_set()
    broker.failure = None
    assert confirmed.wait(TIMEOUT_S)
    assert len(broker.published) == 1


def test_a_report_that_no_broker_can_carry_does_not_hold_up_the_next(broker: _FlakyBroker, reporter: Reporter) -> None:
    dropped = threading.Event()
    broker.failure = ValueError("too large")
    reporter.submit(_attempt(), convert.stopped(), on_confirmed=dropped.set)
    assert dropped.wait(TIMEOUT_S)
    broker.failure = None
    reporter.submit(_attempt(), convert.stopped())
    broker.wait_for(published=1)


def test_a_start_that_is_not_confirmed_is_the_callers_business(broker: _FlakyBroker, reporter: Reporter) -> None:
    broker.failure = BrokerUnavailable("away")
    with pytest.raises(BrokerUnavailable):
        reporter.publish_started(_attempt())


def test_while_the_broker_is_away_the_oldest_metrics_go_and_no_outcome(
    broker: _FlakyBroker, reporter: Reporter
) -> None:
    attempt = _attempt()
    broker.failure = BrokerUnavailable("away")
    reporter.submit(attempt, convert.progressed("TRAINING"))
    for step in range(1, 7):
        reporter.submit(attempt, convert.metrics([("m", step, 0.0)]), points=1)
    reporter.submit(attempt, convert.stopped())
    broker.failure = None
    broker.wait_for(published=5)
    kept = [report.WhichOneof("event") for report in broker.published]
    assert kept == ["progressed", "metrics", "metrics", "metrics", "ended"]
    assert [report.metrics.points[0].step for report in broker.published[1:4]] == [4, 5, 6]


def test_a_stop_gives_up_when_the_broker_stays_away(broker: _FlakyBroker, reporter: Reporter) -> None:
    broker.failure = BrokerUnavailable("away")
    reporter.submit(_attempt(), convert.stopped())
    broker.wait_for(tries=1)
    reporter.stop(0.1)
    assert not any(thread.name == "reports" and thread.is_alive() for thread in threading.enumerate())
    assert broker.published == []
