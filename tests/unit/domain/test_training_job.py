from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from hrnn_tuner.domain.states import (
    SECONDARY_TRANSITIONS,
    FailureCause,
    IllegalTransition,
    ObjectiveStatus,
    SecondaryState,
    TrainingJobState,
    state_of,
)
from hrnn_tuner.domain.training_job import Proposal, TrainingJob
from tests.support.tuning import START

LATER = START + timedelta(seconds=5)


def waiting() -> TrainingJob:
    return TrainingJob(
        "id", 1, "job-001-abc", "", Proposal({}, "RANDOM", 1), {}, SecondaryState.PENDING, 1, "t1", START
    )


def test_a_started_job_knows_its_worker_and_when_it_began() -> None:
    job = waiting().started("w1", LATER)
    assert (job.worker_id, job.started_at, job.seen_at) == ("w1", LATER, LATER)
    assert job.secondary is SecondaryState.STARTING


def test_a_late_broker_confirmation_does_not_take_a_started_job_back_to_queued() -> None:
    started = waiting().started("w1", LATER)
    assert started.queued(LATER) is started


def test_a_completed_job_keeps_its_objective_and_artifact() -> None:
    job = waiting().started("w", START).completed(0.5, {"score": 0.5}, "/a", LATER)
    assert (job.state, job.objective_status) == (TrainingJobState.COMPLETED, ObjectiveStatus.SUCCEEDED)
    assert (job.final_objective, job.artifact_uri, job.ended_at) == (0.5, "/a", LATER)


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_completed_job_without_a_finite_objective_is_a_failure(value: float | None) -> None:
    job = waiting().started("w", START).completed(value, {}, "/a", LATER)
    assert (job.state, job.failure_cause) == (TrainingJobState.FAILED, FailureCause.INVALID_OBJECTIVE)
    assert job.artifact_uri == ""


def test_a_lost_attempt_is_followed_by_another_with_a_new_token() -> None:
    job = waiting().started("w", START).lost(FailureCause.WORKER_LOST, "gone", max_attempts=2, token="t2", now=LATER)
    assert (job.attempt, job.token, job.worker_id, job.seen_at) == (2, "t2", "", None)
    assert (job.secondary, job.active) == (SecondaryState.RESTARTING, True)


def test_the_last_lost_attempt_fails_the_job() -> None:
    job = replace(waiting(), attempt=2, failures=(FailureCause.DISPATCH_LIMIT,)).started("w", START)
    job = job.lost(FailureCause.WORKER_LOST, "gone", max_attempts=2, token="t3", now=LATER)
    assert (job.state, job.failure_cause) == (TrainingJobState.FAILED, FailureCause.WORKER_LOST)
    assert "attempt 2 of 2" in job.failure_reason


def test_a_stop_ends_a_waiting_job_at_once_and_a_running_one_with_its_worker() -> None:
    assert waiting().stop_requested("r", LATER).state is TrainingJobState.STOPPED
    running = waiting().started("w", START).stop_requested("r", LATER)
    assert running.state is TrainingJobState.STOPPING
    assert running.stopped(LATER).state is TrainingJobState.STOPPED


def test_a_stop_of_a_stopping_or_ended_job_changes_nothing() -> None:
    stopping = waiting().started("w", START).stop_requested("r", LATER)
    assert stopping.stop_requested("again", LATER) is stopping
    ended = stopping.stopped(LATER)
    assert ended.stop_requested("again", LATER) is ended


def test_a_worker_lost_while_stopping_stops_the_job() -> None:
    job = waiting().started("w", START).stop_requested("r", START)
    job = job.lost(FailureCause.WORKER_LOST, "gone", max_attempts=3, token="t2", now=LATER)
    assert job.state is TrainingJobState.STOPPED


def test_nothing_follows_an_end() -> None:
    for state, following in SECONDARY_TRANSITIONS.items():
        assert state_of(state).terminal == (not following)
    done = waiting().started("w", START).completed(1.0, {}, "/a", LATER)
    with pytest.raises(IllegalTransition):
        done.failed(FailureCause.ALGORITHM_ERROR, "late", LATER)


def test_a_reason_is_cut_to_what_the_contract_allows() -> None:
    job = waiting().started("w", START).failed(FailureCause.ALGORITHM_ERROR, "x" * 5000, LATER)
    assert len(job.failure_reason) == 1024
