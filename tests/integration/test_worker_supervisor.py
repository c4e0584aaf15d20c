"""A whole worker on the in-memory broker, driven through its queues."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.v1 import queue_pb2 as pb
from tests.support.synthetic_algorithm import NOTE_VARIABLE, score
from tests.support.waiting import wait_until
from tests.support.worker_harness import (
    GO,
    STOP,
    STOP_AND_KEEP,
    SUPERSEDED,
    TIMEOUT_S,
    Rig,
    alive,
    in_memory,
    names,
    worker_settings,
)
from worker_service.composition import build_worker
from worker_service.supervisor import Supervisor

Outcome = pb.AttemptEnded


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Starts a worker with changed settings; all of them end with the test."""
    running: list[Supervisor] = []
    with in_memory() as (hub, scheduler), hub.connect("worker") as broker:

        def build(**changes: Any) -> Rig:
            worker = build_worker(worker_settings(tmp_path, **changes), broker)
            worker.start()
            running.append(worker)
            return Rig(scheduler, worker, tmp_path)

        yield build
        for worker in running:
            worker.stop()


@pytest.fixture
def rig(start: Callable[..., Rig]) -> Rig:
    return start()


def wait_for_pid(rig: Rig) -> int:
    """Id of a trainer that may not be warm."""
    wait_until(lambda: rig.worker.trainer_pids != [None], TIMEOUT_S, "a trainer")
    return rig.pid()


def test_a_training_job_is_reported_from_start_to_end_in_order(rig: Rig) -> None:
    wanted = rig.assignment(x=0.3, environment={NOTE_VARIABLE: "hello"})
    rig.scheduler.enqueue(wanted)
    reports = rig.scheduler.until("ended")
    kinds = names(reports)
    assert kinds[:3] == ["started", "DOWNLOADING", "TRAINING"]
    assert kinds[-2:] == ["UPLOADING", "ended"]
    assert set(kinds[3:-2]) == {"metrics"}
    points = [(p.metric_name, p.step, p.value) for report in reports for p in report.metrics.points]
    assert points == [("score", epoch, score(x=0.3, epoch=epoch)) for epoch in (1, 2, 3)]
    ended = reports[-1].ended
    assert (ended.outcome, ended.artifact_uri) == (Outcome.OUTCOME_COMPLETED, wanted.artifact_uri)
    assert dict(ended.final_metrics) == {"score": score(x=0.3, epoch=3)}
    assert {report.worker_id for report in reports} == {rig.worker.worker_id}
    assert all(report.ref == wanted.ref for report in reports)
    assert rig.manifest()["note"] == "hello"


def test_one_warm_process_runs_one_training_job_after_another_and_restores_its_environment(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(1, environment={NOTE_VARIABLE: "first"}))
    rig.scheduler.enqueue(rig.assignment(2))
    rig.scheduler.until("ended", 2)
    first, second = rig.manifest(1), rig.manifest(2)
    assert first["pid"] == second["pid"] == rig.pid()
    assert (first["note"], second["note"]) == ("first", "")


@pytest.mark.parametrize("warm_up", [True, False])
def test_a_trainer_imports_torch_before_its_first_task_only_when_it_is_to_warm_up(
    start: Callable[..., Rig], warm_up: bool
) -> None:
    rig = start(worker_warm_up=warm_up)
    rig.wait_warm()
    assert ("libtorch" in Path(f"/proc/{rig.pid()}/maps").read_text()) == warm_up
    rig.scheduler.enqueue(rig.assignment())
    assert rig.scheduler.ended().outcome == Outcome.OUTCOME_COMPLETED


def test_a_minimized_objective_keeps_the_lowest_epoch(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(x=0.3, maximize=False))
    assert dict(rig.scheduler.ended().final_metrics) == {"score": score(x=0.3, epoch=1)}


def test_a_task_with_several_training_jobs_reports_each_and_heartbeats_list_all(rig: Rig) -> None:
    rig.wait_warm()
    rig.scheduler.enqueue(rig.assignment(1, epochs=1, epoch_seconds=60.0), rig.assignment(2))
    rig.scheduler.heartbeat(lambda beat: [ref.number for ref in beat.running] == [1, 2])
    rig.command(rig.assignment(1).ref, STOP)
    reports = rig.scheduler.until("ended", 2)
    assert [(r.ref.number, r.WhichOneof("event")) for r in reports[:2]] == [(1, "started"), (2, "started")]
    ends = {r.ref.number: r.ended.outcome for r in reports if r.HasField("ended")}
    assert ends == {1: Outcome.OUTCOME_STOPPED, 2: Outcome.OUTCOME_COMPLETED}


def test_the_first_heartbeat_comes_at_once_and_the_last_says_good_bye(rig: Rig) -> None:
    first = rig.scheduler.heartbeats.get(timeout=1.0)
    assert (first.worker_id, first.slots, first.resource_class) == (rig.worker.worker_id, 1, "default")
    assert not first.leaving
    rig.worker.stop()
    rig.scheduler.heartbeat(lambda beat: beat.leaving)
    assert rig.scheduler.heartbeats.empty()


def test_a_worker_waits_for_consent_and_starts_with_it(start: Callable[..., Rig]) -> None:
    rig = start(worker_go_wait_s=TIMEOUT_S)
    rig.scheduler.enqueue(rig.assignment())
    assert names(rig.scheduler.until("started")) == ["started"]
    assert rig.scheduler.reports.empty()
    rig.command(rig.assignment().ref, GO)
    assert rig.scheduler.ended().outcome == Outcome.OUTCOME_COMPLETED


def test_a_stop_in_place_of_consent_ends_the_attempt_before_it_trains(start: Callable[..., Rig]) -> None:
    rig = start(worker_go_wait_s=TIMEOUT_S)
    rig.scheduler.enqueue(rig.assignment())
    rig.scheduler.until("started")
    rig.command(rig.assignment().ref, STOP)
    reports = rig.scheduler.until("ended")
    assert names(reports) == ["ended"]
    assert reports[0].ended.outcome == Outcome.OUTCOME_STOPPED


def test_a_stop_ends_a_running_training_job_and_keeps_the_process(rig: Rig) -> None:
    rig.wait_warm()
    pid = rig.pid()
    rig.scheduler.enqueue(rig.assignment(epochs=1000, epoch_seconds=0.05))
    rig.scheduler.until("metrics")
    rig.command(rig.assignment().ref, STOP)
    assert rig.scheduler.ended().outcome == Outcome.OUTCOME_STOPPED
    assert not (rig.folder / "job-1" / "attempt-1").exists()
    assert rig.pid() == pid


def test_a_stop_that_keeps_the_model_publishes_the_best_epoch_and_frees_the_slot(rig: Rig) -> None:
    rig.wait_warm()
    wanted = rig.assignment(x=0.3, epochs=1000, epoch_seconds=0.05)
    rig.scheduler.enqueue(wanted)
    rig.scheduler.until("metrics")
    rig.command(wanted.ref, STOP_AND_KEEP)
    ended = rig.scheduler.ended()
    assert (ended.outcome, ended.artifact_uri) == (Outcome.OUTCOME_STOPPED, wanted.artifact_uri)
    epochs = rig.manifest()["epochs"]
    assert 1 <= epochs < 1000
    assert dict(ended.final_metrics) == {"score": score(x=0.3, epoch=epochs)}
    rig.scheduler.enqueue(rig.assignment(2))
    assert rig.scheduler.ended(2).outcome == Outcome.OUTCOME_COMPLETED


def test_a_stop_overrides_one_that_keeps_the_model(start: Callable[..., Rig]) -> None:
    rig = start(worker_stop_grace_s=0.2, worker_early_stop_grace_s=TIMEOUT_S)
    rig.scheduler.enqueue(rig.assignment(fail="hang"))
    rig.scheduler.until("metrics")
    rig.command(rig.assignment().ref, STOP_AND_KEEP)
    rig.command(rig.assignment().ref, STOP)
    ended = rig.scheduler.ended()
    assert (ended.outcome, ended.artifact_uri) == (Outcome.OUTCOME_STOPPED, "")


def test_a_trainer_that_does_not_keep_its_model_in_time_is_killed(start: Callable[..., Rig]) -> None:
    rig = start(worker_early_stop_grace_s=0.2)
    rig.scheduler.enqueue(rig.assignment(fail="hang"))
    rig.scheduler.until("metrics")
    rig.command(rig.assignment().ref, STOP_AND_KEEP)
    ended = rig.scheduler.ended()
    assert (ended.outcome, ended.artifact_uri) == (Outcome.OUTCOME_STOPPED, "")


def test_a_trainer_that_does_not_stop_is_killed_and_the_slot_recovers(start: Callable[..., Rig]) -> None:
    rig = start(worker_stop_grace_s=0.2)
    rig.scheduler.enqueue(rig.assignment(1, fail="hang"))
    rig.scheduler.until("metrics")
    pid = rig.pid()
    rig.command(rig.assignment(1).ref, STOP)
    assert rig.scheduler.ended(1).outcome == Outcome.OUTCOME_STOPPED
    assert not alive(pid)
    rig.scheduler.enqueue(rig.assignment(2))
    assert rig.scheduler.ended(2).outcome == Outcome.OUTCOME_COMPLETED


def test_a_superseded_attempt_ends_without_a_word_or_a_model(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(1, epochs=1000, epoch_seconds=0.05))
    rig.scheduler.until("metrics")
    rig.command(rig.assignment(1).ref, SUPERSEDED)
    rig.scheduler.heartbeat(lambda beat: not beat.running)
    rig.scheduler.enqueue(rig.assignment(2))
    later = rig.scheduler.until("ended", 2)
    assert "ended" not in [r.WhichOneof("event") for r in later if r.ref.number == 1]
    assert not (rig.folder / "job-1").exists()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV])
def test_a_trainer_that_is_killed_is_a_lost_attempt_and_the_slot_recovers(rig: Rig, sign: signal.Signals) -> None:
    rig.scheduler.enqueue(rig.assignment(1, epochs=1000, epoch_seconds=0.05))
    rig.scheduler.until("metrics")
    os.kill(rig.pid(), sign)
    ended = rig.scheduler.ended(1)
    assert ended.outcome == Outcome.OUTCOME_LOST
    assert sign.name in ended.failure_reason
    rig.scheduler.enqueue(rig.assignment(2))
    assert rig.scheduler.ended(2).outcome == Outcome.OUTCOME_COMPLETED


def test_a_trainer_that_crashes_reports_its_metrics_and_then_its_exit_status(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(1, fail="crash"))
    reports = rig.scheduler.until("ended")
    assert names(reports)[-2:] == ["metrics", "ended"]
    assert reports[-1].ended.outcome == Outcome.OUTCOME_LOST
    assert "status 3" in reports[-1].ended.failure_reason


def test_an_idle_trainer_that_dies_is_replaced_before_a_task_is_taken(rig: Rig) -> None:
    rig.wait_warm()
    pid = rig.pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: rig.worker.warm_slots == 1 and rig.pid() != pid, TIMEOUT_S, "no new trainer")
    rig.scheduler.enqueue(rig.assignment())
    assert rig.scheduler.ended().outcome == Outcome.OUTCOME_COMPLETED


def test_a_shutdown_hands_running_attempts_back_and_ends_the_trainer(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(epochs=1000, epoch_seconds=0.05))
    rig.scheduler.until("metrics")
    pid = rig.pid()
    rig.worker.stop()
    ended = rig.scheduler.ended()
    assert (ended.outcome, ended.failure_reason) == (Outcome.OUTCOME_HANDED_BACK, "worker shut down")
    rig.scheduler.heartbeat(lambda beat: beat.leaving)
    assert not alive(pid)
    left = {thread.name for thread in threading.enumerate()}
    assert not left & {"slot-0", "reports", "heartbeat", "trainer-read-0", "trainer-wait-0"}


def test_a_worker_that_stopped_takes_no_more_tasks(rig: Rig) -> None:
    rig.wait_warm()
    rig.worker.stop()
    rig.scheduler.enqueue(rig.assignment())
    assert rig.scheduler.broker.depth("hrnn.tasks.v1.default") == 1


def test_a_trainer_that_cannot_warm_up_is_tried_again_and_no_task_is_taken(start: Callable[..., Rig]) -> None:
    rig = start(algorithms=("tests.support.no_such_module:ALGORITHM",))
    rig.scheduler.enqueue(rig.assignment())
    first = wait_for_pid(rig)
    wait_until(lambda: rig.worker.trainer_pids not in ([first], [None]), TIMEOUT_S, "a second trainer")
    assert rig.scheduler.reports.empty()
    assert rig.scheduler.broker.depth("hrnn.tasks.v1.default") == 1
    rig.worker.stop()


def test_every_slot_has_a_trainer_of_its_own(start: Callable[..., Rig]) -> None:
    rig = start(worker_slots=2)
    for number in (1, 2):
        rig.scheduler.enqueue(rig.assignment(number, epochs=1, epoch_seconds=60.0))
    rig.scheduler.heartbeat(lambda beat: beat.slots == 2 and len(beat.running) == 2)
    assert len(set(rig.worker.trainer_pids)) == 2
    for number in (1, 2):
        rig.command(rig.assignment(number).ref, STOP)
    ends: dict[int, int] = {}
    while len(ends) < 2:
        _, report = rig.scheduler.next_report()
        if report.HasField("ended"):
            ends[report.ref.number] = report.ended.outcome
    assert ends == {1: Outcome.OUTCOME_STOPPED, 2: Outcome.OUTCOME_STOPPED}


def test_the_supervisor_does_not_import_torch() -> None:
    code = "import sys, worker_service.__main__, worker_service.composition; sys.exit('torch' in sys.modules)"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0
