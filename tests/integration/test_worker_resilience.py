"""One warm worker that takes whatever comes: failures, garbage, duplicates, one task after another."""

from __future__ import annotations

import itertools
import statistics
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hrnn_tuner.broker.contract import Message
from hrnn_tuner.v1 import queue_pb2 as pb
from hrnn_tuner.v1.training_job_pb2 import FailureCause, SecondaryState
from hrnn_tuner.v1.tuning_job_pb2 import DataChannel
from tests.support.worker_harness import TIMEOUT_S, Rig, in_memory, worker_settings
from worker_service.attempt import Attempt
from worker_service.composition import build_worker
from worker_service.reports import Reporter
from worker_service.slot import Slot

Outcome = pb.AttemptEnded
shared_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One worker for all tests that leave it as it was; each takes new numbers."""
    folder = tmp_path_factory.mktemp("shared")
    with in_memory() as (hub, scheduler), hub.connect("worker") as broker:
        worker = build_worker(worker_settings(folder), broker)
        worker.start()
        rig = Rig(scheduler, worker, folder)
        rig.wait_warm()
        yield rig
        worker.stop()


@pytest.mark.parametrize(
    ("changes", "cause", "reason"),
    [
        ({"fail": "error"}, "ALGORITHM_ERROR", "synthetic error"),
        ({"fail": "bug"}, "ALGORITHM_ERROR", "RuntimeError: synthetic bug"),
        ({"fail": "oom"}, "OUT_OF_MEMORY", "MemoryError: synthetic shortage"),
        ({"fail": "nan"}, "INVALID_OBJECTIVE", "NaN"),
        ({"objective_metric": "other"}, "INVALID_OBJECTIVE", "never reported"),
    ],
)
def test_a_failure_is_reported_with_its_cause(shared: Rig, changes: dict[str, Any], cause: str, reason: str) -> None:
    shared.scheduler.enqueue(shared.assignment(next(shared_numbers), **changes))
    while not (report := shared.scheduler.next_report()[1]).HasField("ended"):
        pass
    assert report.ended.outcome == Outcome.OUTCOME_FAILED
    assert FailureCause.Name(report.ended.failure_cause) == f"FAILURE_CAUSE_{cause}"
    assert reason in report.ended.failure_reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"algorithm": "unknown"}, "'unknown' is not installed"),
        ({"data_channels": [DataChannel(name="interactions", uri="/etc/passwd")]}, "'/etc/passwd' is not below"),
        ({"artifact_uri": "/elsewhere/x"}, "'/elsewhere/x' is not below"),
    ],
)
def test_what_this_worker_cannot_do_though_the_api_let_it_pass_is_left_to_another(
    shared: Rig, changes: dict[str, Any], reason: str
) -> None:
    shared.scheduler.enqueue(shared.assignment(next(shared_numbers), **changes))
    while not (report := shared.scheduler.next_report()[1]).HasField("ended"):
        pass
    assert report.ended.outcome == Outcome.OUTCOME_LOST
    assert reason in report.ended.failure_reason


@pytest.mark.parametrize(
    "message",
    [
        Message(type="hrnn_tuner.v1.Task", body=b"\xff\xff garbage", message_id="garbage"),
        Message(type="something.Else", body=b"", message_id="type"),
        Message(type="hrnn_tuner.v1.Task", body=b"", message_id="empty"),
    ],
    ids=lambda message: str(message.message_id),
)
def test_what_is_no_task_goes_to_the_dead_letters_and_the_next_task_runs(shared: Rig, message: Message) -> None:
    shared.scheduler.enqueue_raw(message)
    assert shared.scheduler.dead.get(timeout=TIMEOUT_S).message_id == message.message_id
    number = next(shared_numbers)
    shared.scheduler.enqueue(shared.assignment(number))
    assert shared.scheduler.ended(number).outcome == Outcome.OUTCOME_COMPLETED


@pytest.mark.parametrize("unconfirmed", [False, True])
def test_a_task_that_comes_twice_runs_once_and_its_end_is_said_again(
    shared: Rig, unconfirmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, report_again, came_again = Reporter._publish, Slot._report_again, threading.Event()

    def publish_late(reporter: Reporter, message: Message, timeout_s: float = TIMEOUT_S) -> None:
        if unconfirmed and pb.Report.FromString(message.body).attempt.HasField("ended"):
            assert came_again.wait(TIMEOUT_S)
        publish(reporter, message, timeout_s)

    def noted(slot: Slot, attempt: Attempt) -> None:
        report_again(slot, attempt)
        came_again.set()

    monkeypatch.setattr(Reporter, "_publish", publish_late)
    monkeypatch.setattr(Slot, "_report_again", noted)
    first, second = next(shared_numbers), next(shared_numbers)
    shared.scheduler.enqueue(shared.assignment(first))
    shared.scheduler.enqueue(shared.assignment(first))
    shared.scheduler.enqueue(shared.assignment(second))
    reports = [r for r in shared.scheduler.until("ended", second) if r.ref.number == first]
    assert [r.WhichOneof("event") for r in reports].count("started") == 1
    ends = [r for r in reports if r.HasField("ended")]
    assert len(ends) == 2, "the scheduler may not know the first: the broker may have lost it"
    assert ends[0] == ends[1]


def test_a_warm_slot_starts_within_100_ms_of_the_task_and_the_next_follows_at_once(shared: Rig) -> None:
    delays, gaps = [], []
    ended_at: float | None = None
    for _ in range(20):
        number = next(shared_numbers)
        published_at = shared.scheduler.enqueue(shared.assignment(number))
        while True:
            at, report = shared.scheduler.next_report()
            if report.progressed.secondary_state == SecondaryState.SECONDARY_STATE_TRAINING:
                delays.append(at - published_at)
                if ended_at is not None:
                    gaps.append(at - ended_at)
            if report.HasField("ended"):
                ended_at = at
                break
    print(f"task to training: median {statistics.median(delays) * 1e3:.1f} ms, max {max(delays) * 1e3:.1f} ms")
    print(f"end to next training: median {statistics.median(gaps) * 1e3:.1f} ms, max {max(gaps) * 1e3:.1f} ms")
    assert statistics.median(delays) < 0.1
    assert statistics.median(gaps) < 0.1
