"""Completion criteria in the transaction in which training jobs end, on each database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.completion import CompletionCriteria
from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.states import CompletionReason, SecondaryState, TrainingJobState, TuningJobState
from hrnn_tuner.domain.training_job import PAUSED, Proposal
from hrnn_tuner.domain.tuning_job import StrategyName, TuningJob
from hrnn_tuner.store import EventKind, Store
from hrnn_tuner.v1 import queue_pb2
from scheduler_service.completion import Completion
from scheduler_service.planner import Planner
from scheduler_service.proposing import Proposer
from scheduler_service.wakeup import Wakeup
from tests.support.ending import completed, end_training_jobs, kept
from tests.support.invariants import check_invariants, read_events, read_training_jobs
from tests.support.scheduling import current, running, wait_for_end
from tests.support.tuning import create_job, make_spec
from tests.support.tuning_life import launch, start

COMPLETION = Completion(0.01)
TARGET = CompletionCriteria(target_value=0.9)
QUIET = CompletionCriteria(max_not_improving=3)
CONVERGED = CompletionCriteria(on_convergence=True)


@pytest.fixture
def hub() -> InMemoryHub:
    return InMemoryHub(build_topology(["default"]))


def running_job(store: Store, completion: CompletionCriteria, count: int, **spec: Any) -> TuningJob:
    """A tuning job for a hundred training jobs, some of which workers have."""
    fields = {"max_training_jobs": 100, "max_parallel": count} | spec
    job = create_job(store, make_spec(completion=completion, **fields), now=utc_now())
    launch(store, job.id, count)
    for number in range(1, count + 1):
        start(store, job.id, number)
    return job


def complete(store: Store, job: TuningJob, values: list[float], *, first: int = 1) -> TuningJob:
    """Training jobs complete, each in a batch of its own."""
    for number, value in enumerate(values, start=first):
        end_training_jobs(store, job.id, COMPLETION, [completed(number, value)])
    return check_invariants(store, job)


def figures_of(store: Store, job: TuningJob, kind: str) -> dict[str, float]:
    """The figures of a decision."""
    bodies = [event.body for event in read_events(store, job.id) if event.kind is EventKind.DECISION]
    (figures,) = [body["figures"] for body in bodies if body["kind"] == kind]
    return dict(figures)


def test_at_the_target_no_training_job_is_launched_and_those_that_run_are_stopped(store: Store) -> None:
    job = running_job(store, TARGET, 4)
    assert complete(store, job, [0.5]).completion_reason is None
    ended = complete(store, job, [0.9], first=2)
    assert (ended.state, ended.completion_reason) == (TuningJobState.IN_PROGRESS, CompletionReason.TARGET_REACHED)
    assert ended.wanted == 0
    states = [row.state for row in read_training_jobs(store, job.id)[2:]]
    assert states == [TrainingJobState.STOPPING, TrainingJobState.STOPPING]
    assert figures_of(store, job, "TARGET_REACHED") == {"value": 0.9, "target": 0.9}


def test_training_jobs_that_complete_in_the_same_batch_as_the_target_count(store: Store) -> None:
    job = running_job(store, TARGET, 3)
    end_training_jobs(store, job.id, COMPLETION, [completed(1, 0.95), completed(2, 0.99), completed(3, 0.1)])
    ended = check_invariants(store, job)
    assert (ended.state, ended.best_number, ended.counters.completed) == (TuningJobState.COMPLETED, 2, 3)


def test_a_waiting_training_job_is_stopped_at_once_when_the_target_is_reached(store: Store) -> None:
    job = running_job(store, TARGET, 2, max_parallel=3)
    launch(store, job.id, 1)
    complete(store, job, [1.0])
    assert [row.secondary for row in read_training_jobs(store, job.id)] == [
        SecondaryState.COMPLETED,
        SecondaryState.STOPPING,
        SecondaryState.STOPPED,
    ]


def test_without_improvement_training_jobs_that_run_go_on_and_may_still_be_the_best(store: Store) -> None:
    job = running_job(store, QUIET, 5)
    assert complete(store, job, [0.5, 0.4, 0.504]).completion_reason is None
    ended = complete(store, job, [0.3], first=4)
    assert (ended.state, ended.completion_reason) == (TuningJobState.IN_PROGRESS, CompletionReason.NO_IMPROVEMENT)
    assert ended.wanted == 0
    assert ended.completion_details.not_improving == 3
    figures = figures_of(store, job, "NO_IMPROVEMENT")
    assert figures == {"training_jobs": 3.0, "min_relative_improvement": 0.01, "last_improvement": 0.5}
    assert read_training_jobs(store, job.id)[4].state is TrainingJobState.IN_PROGRESS
    ended = complete(store, job, [0.7], first=5)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.NO_IMPROVEMENT)
    assert (ended.best_number, ended.completion_details.not_improving) == (5, 0)


def test_training_jobs_without_a_value_say_nothing_about_improvement(store: Store) -> None:
    job = running_job(store, QUIET, 6)
    complete(store, job, [0.5, float("nan"), float("nan"), 0.4, 0.4])
    ended = check_invariants(store, job)
    assert (ended.completion_reason, ended.completion_details.not_improving) == (None, 2)
    assert complete(store, job, [0.4], first=6).state is TuningJobState.COMPLETED


def test_a_search_that_converged_ends_if_that_was_asked_for(store: Store) -> None:
    values = [0.9 + 0.0001 * number for number in range(12)]
    job = running_job(store, CONVERGED, 12)
    assert complete(store, job, values[:10]).completion_details.converged_at is None
    ended = complete(store, job, values[10:11], first=11)
    assert (ended.state, ended.completion_reason) == (TuningJobState.IN_PROGRESS, CompletionReason.CONVERGED)
    assert ended.completion_details.converged_at is not None
    figures = figures_of(store, job, "CONVERGED")
    assert figures["best"] == 0.901
    assert figures["best_5"] == pytest.approx(0.9006)
    assert figures["left_to_find"] <= 0.01 * 0.901
    ended = complete(store, job, values[11:], first=12)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.CONVERGED)


def test_convergence_is_told_and_otherwise_without_effect_when_nobody_asked_for_it(store: Store) -> None:
    job = running_job(store, CompletionCriteria(), 12)
    ended = complete(store, job, [0.9] * 12)
    assert (ended.state, ended.completion_reason) == (TuningJobState.IN_PROGRESS, None)
    assert ended.completion_details.converged_at is not None
    assert figures_of(store, job, "CONVERGENCE_DETECTED")["left_to_find"] == 0.0


def test_a_training_job_that_paused_is_none_that_did_not_improve_but_may_reach_the_target(store: Store) -> None:
    levels: dict[str, Any] = {
        "strategy": StrategyName.ASHA,
        "hyperband": HyperbandConfig(1, 9),
        "static": {"epochs": 30},
    }
    criteria = CompletionCriteria(target_value=0.9, max_not_improving=3, on_convergence=True)
    job = create_job(store, make_spec(completion=criteria, max_training_jobs=100, max_parallel=40, **levels))
    for number in range(1, 31):
        pause(store, job, number, 0.5, until=1)
    details = check_invariants(store, job).completion_details
    assert (details.not_improving, details.best_values, details.converged_at) == (0, (), None)
    for number in (31, 32, 33):
        pause(store, job, number, 0.6, until=9)
        assert check_invariants(store, job).completion_reason is None
    pause(store, job, 34, 0.6, until=9)
    assert check_invariants(store, job).completion_reason is CompletionReason.NO_IMPROVEMENT

    other = create_job(store, make_spec("other", completion=criteria, max_training_jobs=100, max_parallel=4, **levels))
    pause(store, other, 1, 0.95, until=1)
    assert check_invariants(store, other).completion_reason is CompletionReason.TARGET_REACHED


def pause(store: Store, job: TuningJob, number: int, value: float, *, until: int) -> None:
    """A training job is launched, taken by a worker, and paused with a value."""
    launch(store, job.id, 1, proposal=Proposal({"x": number / 100}, "ASHA", 1, until_epoch=until))
    start(store, job.id, number)
    with store.write() as tx:
        change = tx.change(job.id, utc_now())
        assert change is not None
        before = change.training_job(number)
        assert before is not None
        change.put(before, before.stopped_early(PAUSED, "it has come to its level", change.now))
        change.decide("EARLY_STOPPED", number, "it has come to its level", {"epoch": float(until)})
        change.write()
    end_training_jobs(store, job.id, COMPLETION, [kept(number, value)])


def test_the_first_reason_stays(store: Store) -> None:
    job = running_job(store, CompletionCriteria(0.9, 3, True), 8)
    complete(store, job, [0.5, 0.4, 0.4, 0.4])
    ended = complete(store, job, [0.95, 0.1, 0.1, 0.1], first=5)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.NO_IMPROVEMENT)


def test_the_maximum_runtime_also_stops_what_runs_after_a_criterion_was_met(store: Store) -> None:
    job = running_job(store, QUIET, 5, max_runtime_s=120)
    complete(store, job, [0.5, 0.4, 0.4, 0.4])
    later = utc_now() + timedelta(seconds=121)
    with store.write() as tx:
        assert tx.tuning_jobs.due(utc_now()) == []
        assert tx.tuning_jobs.due(later) == [job.id]
        change = tx.change(job.id, later)
        assert change is not None
        planner = Planner(worker_ttl=timedelta(seconds=60), proposer=Proposer(store, Wakeup()))
        assert not planner.end(tx, change)
        change.write()
    assert read_training_jobs(store, job.id)[4].state is TrainingJobState.STOPPING
    assert check_invariants(store, job).completion_reason is CompletionReason.NO_IMPROVEMENT


def test_a_running_tuning_job_ends_at_its_target_within_two_seconds(store: Store, hub: InMemoryHub) -> None:
    spec = make_spec(max_training_jobs=50, max_parallel=2, completion=CompletionCriteria(target_value=0.7))

    def value_of(assignment: queue_pb2.TrainingAssignment) -> float:
        return 0.5 + 0.1 * assignment.ref.number

    job = create_job(store, spec, now=utc_now())
    with running(store, hub, train_s=0.4, objective=value_of):
        ended = wait_for_end(store, job)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.TARGET_REACHED)
    assert ended.best_value is not None
    assert ended.best_value >= 0.7
    assert ended.counters.launched < 50
    reached = next(row for row in read_training_jobs(store, job.id) if (row.final_objective or 0.0) >= 0.7)
    assert ended.ended_at is not None
    assert reached.ended_at is not None
    assert (ended.ended_at - reached.ended_at).total_seconds() < 2


def test_a_running_tuning_job_ends_without_improvement(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=50, max_parallel=3, completion=QUIET), now=utc_now())
    with running(store, hub, slots=3, objective=lambda _: 0.5):
        ended = wait_for_end(store, job)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.NO_IMPROVEMENT)
    assert 4 <= ended.counters.launched <= 6
    assert ended.counters.completed == ended.counters.launched
    row = current(store, job)
    assert row is not None
    assert row.completion_details.not_improving == ended.counters.completed - 1
