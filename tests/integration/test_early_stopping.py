"""Early stopping from the report of an epoch to the end of the training job, on each database."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from typing import Any

import pytest

from hrnn_tuner.broker import Message
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import CONTROL_EXCHANGE, REPORTS_EXCHANGE, REPORTS_SHARD, build_topology, worker_key
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.states import (
    CompletionReason,
    FailureCause,
    ObjectiveStatus,
    SecondaryState,
    TrainingJobState,
    TuningJobState,
)
from hrnn_tuner.domain.tuning_job import StrategyName, TuningJob
from hrnn_tuner.store import EventKind, Store
from hrnn_tuner.v1 import queue_pb2
from scheduler_service.completion import Completion
from scheduler_service.early_stopping import Judge, MedianActivation
from scheduler_service.early_stopping.hyperband import HyperbandRule
from tests.support.ending import completed, end_training_jobs, kept, report_points
from tests.support.invariants import check_invariants, read_events, read_training_jobs
from tests.support.scheduling import SETTINGS, running, wait_for_end
from tests.support.simulated_worker import Faults
from tests.support.tuning import create_job, make_spec
from tests.support.tuning_life import launch, start
from tests.support.waiting import wait_until

JUDGE = Judge(MedianActivation(min_epoch=2, min_training_jobs=2))
AUTO = EarlyStoppingType.AUTO
CURVES = {1: [0.2, 0.4, 0.6], 2: [0.3, 0.6, 0.9], 3: [0.1, 0.5, 0.9]}


@pytest.fixture
def hub() -> InMemoryHub:
    return InMemoryHub(build_topology(["default"]))


def value_of(assignment: queue_pb2.TrainingAssignment) -> float:
    """An objective that differs widely between training jobs."""
    return assignment.hyperparameters["x"].double_value


def started_job(store: Store, count: int, name: str = "job", **spec: object) -> TuningJob:
    """A tuning job with training jobs that workers have."""
    fields: dict[str, object] = {"max_training_jobs": count, "max_parallel": count, "early_stopping": AUTO} | spec
    job = create_job(store, make_spec(name, **fields), now=utc_now())  # type: ignore[arg-type]
    launch(store, job.id, count)
    for number in range(1, count + 1):
        start(store, job.id, number)
    return job


def job_with_a_stopped_one(store: Store, *, max_attempts: int = 3) -> TuningJob:
    """A tuning job whose third training job was just stopped early: its worker is to keep the model."""
    job = started_job(store, 3, max_attempts=max_attempts)
    report_points(store, job.id, JUDGE, [(n, e, 0.5) for n in (1, 2) for e in (1, 2)])
    assert report_points(store, job.id, JUDGE, [(3, 1, 0.1), (3, 2, 0.1)]) == [3]
    return job


def decisions(store: Store, job: TuningJob) -> list[dict[str, Any]]:
    """What was decided about early stopping."""
    bodies = [event.body for event in read_events(store, job.id) if event.kind is EventKind.DECISION]
    return [body for body in bodies if body["kind"] == "EARLY_STOPPED"]


def test_a_training_job_below_the_median_of_the_means_is_asked_to_stop_and_the_log_says_why(store: Store) -> None:
    job = started_job(store, 4)
    others = [(number, epoch, value) for number, curve in CURVES.items() for epoch, value in enumerate(curve, 1)]
    assert report_points(store, job.id, JUDGE, others) == []
    # Means up to epoch 2: 0.3, 0.45, 0.3.
    assert report_points(store, job.id, JUDGE, [(4, 1, 0.0)]) == []
    assert report_points(store, job.id, JUDGE, [(4, 2, 0.29)]) == [4]
    (decision,) = decisions(store, job)
    assert decision["number"] == 4
    assert decision["figures"] == {"epoch": 2.0, "value": 0.29, "median": pytest.approx(0.3), "training_jobs": 3.0}
    row = read_training_jobs(store, job.id)[3]
    assert (row.state, row.stopping_rule) == (TrainingJobState.STOPPING, "MEDIAN")
    assert row.transitions[-1].message == f"{decision['explanation']}"
    check_invariants(store, job)


def test_a_repeated_report_is_judged_once(store: Store) -> None:
    job = started_job(store, 3)
    report_points(store, job.id, JUDGE, [(1, 1, 0.5), (1, 2, 0.5), (2, 1, 0.5), (2, 2, 0.5), (3, 1, 0.1)])
    assert report_points(store, job.id, JUDGE, [(3, 2, 0.1)]) == [3]
    assert report_points(store, job.id, JUDGE, [(3, 2, 0.1), (3, 3, 0.1)]) == []
    assert len(decisions(store, job)) == 1


def test_values_that_are_no_numbers_are_neither_judged_nor_compared(store: Store) -> None:
    job = started_job(store, 4)
    report_points(store, job.id, JUDGE, [(n, e, 0.5) for n in (1, 2) for e in (1, 2)])
    assert report_points(store, job.id, JUDGE, [(3, 1, 0.1), (3, 2, float("nan"))]) == []
    assert report_points(store, job.id, JUDGE, [(4, 1, 0.5), (4, 2, float("-inf"))]) == []
    assert decisions(store, job) == []


def test_the_last_planned_epoch_is_not_judged_because_nothing_is_left_to_save(store: Store) -> None:
    points = [(n, e, 0.5) for n in (1, 2) for e in (1, 2)] + [(3, 1, 0.1), (3, 2, 0.1)]
    for epochs, stopped in ((2, []), (3, [3])):
        spec = make_spec(f"of-{epochs}-epochs", max_training_jobs=3, max_parallel=3, early_stopping=AUTO)
        job = create_job(store, spec)
        launch(store, job.id, 3, epochs=epochs)
        for number in (1, 2, 3):
            start(store, job.id, number)
        assert report_points(store, job.id, JUDGE, points) == stopped


@pytest.mark.parametrize("seed", range(6))
def test_the_order_in_which_others_report_does_not_matter(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    curves = {number: [rng.random() for _ in range(rng.randint(1, 4))] for number in range(1, 7)}
    last = [rng.random() for _ in range(4)]
    outcomes = []
    for name in ("one", "other"):
        job = started_job(store, 7, name)
        waiting = {number: list(enumerate(curve, 1)) for number, curve in curves.items()}
        while waiting:
            number = rng.choice(sorted(waiting))
            epoch, value = waiting[number].pop(0)
            report_points(store, job.id, JUDGE, [(number, epoch, value)])
            if not waiting[number]:
                del waiting[number]
        report_points(store, job.id, JUDGE, [(7, epoch, value) for epoch, value in enumerate(last, 1)])
        outcomes.append([body["figures"] for body in decisions(store, job) if body["number"] == 7])
    assert outcomes[0] == outcomes[1]
    assert [figures["epoch"] for figures in outcomes[0]] == first_stop(curves, last)


def first_stop(curves: dict[int, list[float]], last: list[float]) -> list[float]:
    """The published rule, written out."""
    for epoch in (2, 3, 4):
        means = [statistics.fmean(curve[:epoch]) for curve in curves.values() if len(curve) >= epoch]
        if len(means) >= 2 and last[epoch - 1] < statistics.median(means):
            return [float(epoch)]
    return []


def test_another_attempt_is_compared_from_where_the_one_before_came_to(store: Store) -> None:
    job = started_job(store, 3)
    report_points(store, job.id, JUDGE, [(n, e, 0.5) for n in (1, 2) for e in (1, 2, 3)])
    report_points(store, job.id, JUDGE, [(3, 1, 0.5), (3, 2, 0.5)])
    with store.write() as tx:
        change = tx.change(job.id, utc_now())
        assert change is not None
        row = change.training_job(3)
        assert row is not None
        lost = row.lost(FailureCause.WORKER_LOST, "gone", max_attempts=3, token="t2", now=change.now)
        change.put(row, lost.started("worker-2", change.now))
        change.write()
    assert report_points(store, job.id, JUDGE, [(3, 1, 0.1), (3, 2, 0.1)]) == [], "judged there already"
    assert report_points(store, job.id, JUDGE, [(3, 3, 0.1)]) == [3]


def test_an_early_stopped_training_job_can_be_the_best(store: Store) -> None:
    job = started_job(store, 3)
    report_points(store, job.id, JUDGE, [(n, e, 0.5) for n in (1, 2) for e in (1, 2)])
    assert report_points(store, job.id, JUDGE, [(3, 1, 0.9), (3, 2, 0.1)]) == [3]
    end_training_jobs(store, job.id, Completion(0.01), [completed(1, 0.5), kept(3, 0.9), completed(2, 0.5)])
    ended = check_invariants(store, job)
    row = read_training_jobs(store, job.id)[2]
    assert (row.state, row.secondary) == (TrainingJobState.STOPPED, SecondaryState.EARLY_STOPPED)
    assert (row.objective_status, row.final_objective) == (ObjectiveStatus.SUCCEEDED, 0.9)
    assert (ended.best_number, ended.best_value) == (3, 0.9)
    assert (ended.counters.stopped, ended.counters.completed, ended.counters.objective_succeeded) == (1, 2, 3)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.MAX_JOBS)


def test_a_training_job_that_completes_while_it_is_stopped_counts_as_completed(store: Store) -> None:
    job = started_job(store, 3)
    report_points(store, job.id, JUDGE, [(n, e, 0.5) for n in (1, 2) for e in (1, 2)])
    assert report_points(store, job.id, JUDGE, [(3, 1, 0.1), (3, 2, 0.1)]) == [3]
    end_training_jobs(store, job.id, Completion(0.01), [completed(3, 0.2)])
    assert check_invariants(store, job).counters.completed == 1


def test_a_stop_by_hand_takes_precedence_over_an_early_stop(store: Store) -> None:
    job = started_job(store, 3)
    report_points(store, job.id, JUDGE, [(n, e, 0.5) for n in (1, 2) for e in (1, 2)])
    report_points(store, job.id, JUDGE, [(3, 1, 0.1), (3, 2, 0.1)])
    with store.write() as tx:
        change = tx.change(job.id, utc_now())
        assert change is not None
        row = change.training_job(3)
        assert row is not None
        asked = row.stop_requested("a client asked for it", change.now)
        change.put(row, asked)
        change.put(asked, asked.stopped(change.now))
        change.write()
    check_invariants(store, job)
    row = read_training_jobs(store, job.id)[2]
    assert (row.secondary, row.final_objective) == (SecondaryState.STOPPED, None)


def test_the_median_rule_stops_the_worse_training_jobs_of_a_running_tuning_job(store: Store, hub: InMemoryHub) -> None:
    spec = make_spec(max_training_jobs=16, max_parallel=4, early_stopping=AUTO, static={"epochs": 10})
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, workers=2, epochs=10, train_s=0.6, objective=value_of):
        ended = wait_for_end(store, job)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.MAX_JOBS)
    rows = read_training_jobs(store, job.id)
    early = [row for row in rows if row.secondary is SecondaryState.EARLY_STOPPED]
    assert early
    assert len(early) == ended.counters.stopped
    assert ended.counters.objective_succeeded == ended.counters.launched == 16
    for body in decisions(store, job):
        figures = body["figures"]
        assert figures["epoch"] >= SETTINGS.early_stopping_min_epoch
        assert figures["training_jobs"] >= SETTINGS.early_stopping_min_training_jobs
        assert figures["value"] < figures["median"]
    left = [float(row.hyperparameters["x"]) - (row.final_objective or 0.0) for row in early]
    assert max(left) > 0.0, "the value of the best epoch so far, and not that of the last one"
    assert min(left) >= 0.0, "on a busy machine a stop may come with the last epoch"
    assert all(row.artifact_uri.endswith(f"/{row.name}/attempt-1") for row in early)


def test_hyperband_stops_most_training_jobs_at_levels_of_their_brackets_and_none_before(
    store: Store, hub: InMemoryHub
) -> None:
    config = HyperbandConfig(2, 18)
    spec = make_spec(
        max_training_jobs=24, max_parallel=4, strategy=StrategyName.HYPERBAND, hyperband=config, static={"epochs": 30}
    )
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, schedulers=2, workers=2, epochs=30, train_s=0.9, objective=value_of):
        ended = wait_for_end(store, job)
    assert (ended.state, ended.counters.launched) == (TuningJobState.COMPLETED, 24)
    rule = HyperbandRule(config, spec.seed)
    stopped_at = {body["number"]: body["figures"] for body in decisions(store, job)}
    assert any(figures["epoch"] < 18 for figures in stopped_at.values())
    assert any(figures["epoch"] == 18 for figures in stopped_at.values())
    for number, figures in stopped_at.items():
        assert figures["epoch"] in {2.0, 6.0, 18.0}
        assert figures["epoch"] >= min(2.0 * 3 ** rule.pool(number), 18.0)
    assert all(row.proposal.strategy == "HYPERBAND" for row in read_training_jobs(store, job.id))


def test_training_jobs_pause_at_their_level_and_the_best_are_continued_by_others(
    store: Store, hub: InMemoryHub
) -> None:
    config, asha = HyperbandConfig(1, 9), StrategyName.ASHA
    spec = make_spec(max_training_jobs=24, max_parallel=4, strategy=asha, hyperband=config, static={"epochs": 30})
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, schedulers=2, workers=2, epochs=30, train_s=0.9, objective=value_of):
        ended = wait_for_end(store, job)
    assert (ended.state, ended.counters.launched) == (TuningJobState.COMPLETED, 24)
    rows = {row.number: row for row in read_training_jobs(store, job.id)}
    for body in decisions(store, job):
        assert body["figures"]["until_epoch"] == rows[body["number"]].proposal.until_epoch
    promoted = [row for row in rows.values() if row.proposal.continues]
    # Only on an idle machine does a decision to pause always come before the training job's own end.
    assert 3 in {row.proposal.until_epoch for row in promoted}
    assert {row.proposal.until_epoch for row in promoted} <= {3, 9}
    for row in promoted:
        before = rows[row.proposal.continues]
        assert (before.secondary, before.stopping_rule) == (SecondaryState.EARLY_STOPPED, "PAUSED")
        assert before.hyperparameters == row.hyperparameters
        assert row.proposal.origin == (before.proposal.origin or before.number)


def test_a_model_decides_what_goes_on_also_where_the_highest_level_is_below_the_training_jobs_own_epochs(
    store: Store, hub: InMemoryHub
) -> None:
    spec = make_spec(
        max_training_jobs=20,
        max_parallel=3,
        strategy=StrategyName.BAYESIAN_ASHA,
        hyperband=HyperbandConfig(1, 3),
        static={"epochs": 30},
    )
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, slots=3, epochs=30, train_s=6.0, objective=value_of):
        ended = wait_for_end(store, job, timeout_s=110)
    assert (ended.state, ended.counters.launched) == (TuningJobState.COMPLETED, 20)
    rows = read_training_jobs(store, job.id)
    assert not [row.proposal.explanation for row in rows if " failed (" in row.proposal.explanation]
    assert {row.proposal.until_epoch for row in rows} == {1, 3}
    whole = [row.number for row in rows if row.proposal.until_epoch == 3 and row.final_objective is not None]
    assert whole
    assert any(row.proposal.continues or "acquisition_value" in row.proposal.figures for row in rows[whole[0] :])


def test_limits_and_counters_hold_with_early_stopping_and_faulty_workers(store: Store, hub: InMemoryHub) -> None:
    faults = Faults(vanish=0.05, lose=0.1, fail=0.1, repeat=0.3)
    spec = make_spec(max_training_jobs=16, max_parallel=5, early_stopping=AUTO, static={"epochs": 8})
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, schedulers=2, workers=3, epochs=8, train_s=0.3, objective=value_of, faults=faults):
        ended = wait_for_end(store, job)
    assert ended.counters.launched == 16


def test_a_worker_lost_while_it_keeps_the_model_leaves_no_objective_value(store: Store, hub: InMemoryHub) -> None:
    job = job_with_a_stopped_one(store, max_attempts=1)
    with running(store, hub, workers=0):
        wait_for_end(store, job)
    row = read_training_jobs(store, job.id)[2]
    assert (row.secondary, row.objective_status) == (SecondaryState.EARLY_STOPPED, ObjectiveStatus.FAILED)
    assert "was not heard of" in row.transitions[-1].message


def test_a_worker_lost_before_a_checkpoint_reached_the_stop_is_followed_by_an_attempt_that_is_judged_anew(
    store: Store, hub: InMemoryHub
) -> None:
    job = job_with_a_stopped_one(store, max_attempts=2)
    with running(store, hub, epochs=2):
        wait_for_end(store, job)
    row = read_training_jobs(store, job.id)[2]
    assert (row.state, row.attempt, row.stopping_rule) == (TrainingJobState.COMPLETED, 2, "")
    assert row.failures == (FailureCause.WORKER_LOST,)
    with store.read() as tx:
        ended = tx.tuning_jobs.get(job.id)
    assert ended is not None
    assert (ended.counters.completed, ended.counters.stopped) == (3, 0)


def test_a_late_end_of_an_early_stopped_attempt_changes_nothing(store: Store, hub: InMemoryHub) -> None:
    spec = make_spec(max_training_jobs=12, max_parallel=2, early_stopping=AUTO, static={"epochs": 10})
    job = create_job(store, spec, now=utc_now())
    caught: dict[int, tuple[str, queue_pb2.TrainingAssignment]] = {}
    with running(
        store,
        hub,
        epochs=10,
        train_s=1.0,
        objective=value_of,
        on_start=lambda worker, assignment: caught.update({assignment.ref.number: (worker, assignment)}),
    ):
        ended = wait_for_end(store, job)
        early = next(row for row in read_training_jobs(store, job.id) if row.stopping_rule)
        worker, assignment = caught[early.number]
        late = queue_pb2.AttemptReport(ref=assignment.ref, worker_id=worker)
        late.ended.outcome = queue_pb2.AttemptEnded.OUTCOME_COMPLETED
        late.ended.final_metrics["score"] = 99.0
        body = queue_pb2.Report(attempt=late).SerializeToString()
        link = hub.connect("zombie")
        link.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message(queue_pb2.Report.DESCRIPTOR.full_name, body))
        wait_until(lambda: link.depth("hrnn.reports.v1.0") == 0, 10, "the report to be taken")
        link.close()
    assert replace(check_invariants(store, job), revision=0) == replace(ended, revision=0)


def test_a_worker_that_does_not_hear_the_command_is_told_again(store: Store, hub: InMemoryHub) -> None:
    job_with_a_stopped_one(store)
    link = hub.connect("worker")
    heard: list[int] = []
    with running(store, hub, workers=0, settings=SETTINGS.model_copy(update={"lease_ttl_s": 60.0})):
        link.subscribe_exclusive(
            CONTROL_EXCHANGE,
            [worker_key("worker")],
            lambda delivery: heard.append(queue_pb2.Control.FromString(delivery.message.body).command),
        )
        wait_until(lambda: len(heard) >= 3, 10, "the command again and again")
    assert set(heard) == {queue_pb2.Control.COMMAND_STOP_AND_KEEP}
    link.close()
