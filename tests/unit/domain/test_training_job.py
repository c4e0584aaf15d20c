from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.states import (
    SECONDARY_TRANSITIONS,
    FailureCause,
    IllegalTransition,
    ObjectiveStatus,
    SecondaryState,
    TrainingJobState,
    state_of,
)
from hrnn_tuner.domain.training_job import MAX_RUNTIME_RULE, Proposal, TrainingJob
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


def test_an_early_stop_ends_with_a_model_and_an_objective_value() -> None:
    stopping = waiting().started("w", START).stopped_early("MEDIAN", "worse", LATER)
    assert (stopping.state, stopping.objective_status) == (TrainingJobState.STOPPING, ObjectiveStatus.PENDING)
    ended = stopping.kept(0.5, {"score": 0.5}, "/a", LATER)
    assert (ended.state, ended.secondary) == (TrainingJobState.STOPPED, SecondaryState.EARLY_STOPPED)
    assert (ended.objective_status, ended.final_objective) == (ObjectiveStatus.SUCCEEDED, 0.5)
    assert (ended.artifact_uri, ended.ended_at) == ("/a", LATER)


def keeping(rule: str = "MEDIAN", *, step: int = 0) -> TrainingJob:
    """A training job whose worker keeps its model, with a checkpoint after a step or none."""
    job = waiting().started("w", START)
    if step:
        job = job.checkpointed(Checkpoint(step, "/c", "sha256:0"))
    return job.stopped_early(rule, "worse", START)


def test_a_worker_lost_while_it_keeps_the_model_is_followed_by_another_attempt_that_knows_the_rule() -> None:
    job = keeping().lost(FailureCause.WORKER_LOST, "gone", max_attempts=2, token="t2", now=LATER)
    assert (job.secondary, job.attempt, job.stopping_rule) == (SecondaryState.RESTARTING, 2, "MEDIAN")
    assert job.failures == (FailureCause.WORKER_LOST,)
    assert job.judged_anew().stopping_rule == ""
    assert job.started("w2", LATER).stopped_early(MAX_RUNTIME_RULE, "r", LATER).judged_anew().stopping_rule


def test_without_another_attempt_a_model_that_was_not_kept_is_no_failure_but_has_no_value() -> None:
    job = keeping().lost(FailureCause.WORKER_LOST, "gone", max_attempts=1, token="t2", now=LATER)
    assert (job.secondary, job.objective_status) == (SecondaryState.EARLY_STOPPED, ObjectiveStatus.FAILED)
    assert job.transitions[-1].message == "gone (attempt 1 of 1)"


def test_a_stop_that_was_asked_for_overrides_the_rule_of_an_attempt_that_only_keeps_the_model() -> None:
    again = keeping().handed_back("leaves", token="t2", now=LATER)
    assert again.stop_requested("r", LATER).secondary is SecondaryState.STOPPED
    stopping = again.started("w2", LATER).stop_requested("r", LATER)
    assert (stopping.secondary, stopping.stopping_rule) == (SecondaryState.STOPPING, "")


def test_when_time_is_over_only_a_checkpoint_can_still_become_a_model() -> None:
    for step, following in ((0, SecondaryState.MAX_RUNTIME_EXCEEDED), (3, SecondaryState.RESTARTING)):
        job = keeping(MAX_RUNTIME_RULE, step=step)
        lost = job.lost(FailureCause.WORKER_LOST, "gone", max_attempts=3, token="t2", now=LATER)
        assert lost.secondary is following
        assert job.handed_back("leaves", token="t2", now=LATER).secondary is following


def test_an_early_stop_without_a_model_has_no_objective_value() -> None:
    ended = waiting().started("w", START).stopped_early("MEDIAN", "worse", LATER).stopped(LATER)
    assert (ended.secondary, ended.objective_status) == (SecondaryState.EARLY_STOPPED, ObjectiveStatus.FAILED)


def test_an_early_stop_of_a_waiting_or_stopping_job_changes_nothing() -> None:
    assert waiting().stopped_early("MEDIAN", "worse", LATER) == waiting()
    stopping = waiting().started("w", START).stop_requested("r", LATER)
    assert stopping.stopped_early("MEDIAN", "worse", LATER) is stopping


def test_a_stop_that_was_asked_for_overrides_an_early_one() -> None:
    asked = waiting().started("w", START).stopped_early("MEDIAN", "worse", START).stop_requested("r", LATER)
    assert asked.stopped(LATER).secondary is SecondaryState.STOPPED


def test_a_job_that_completes_in_spite_of_an_early_stop_is_completed() -> None:
    job = waiting().started("w", START).stopped_early("MEDIAN", "worse", START).completed(1.0, {}, "/a", LATER)
    assert (job.state, job.stopping_rule) == (TrainingJobState.COMPLETED, "")


def test_nothing_follows_an_end() -> None:
    for state, following in SECONDARY_TRANSITIONS.items():
        assert state_of(state).terminal == (not following)
    done = waiting().started("w", START).completed(1.0, {}, "/a", LATER)
    with pytest.raises(IllegalTransition):
        done.failed(FailureCause.ALGORITHM_ERROR, "late", LATER)


def test_a_reason_is_cut_to_what_the_contract_allows() -> None:
    job = waiting().started("w", START).failed(FailureCause.ALGORITHM_ERROR, "x" * 5000, LATER)
    assert len(job.failure_reason) == 1024


def failed_with(*causes: FailureCause, max_attempts: int = 5) -> TrainingJob:
    """A training job whose attempts fail one after another."""
    job = waiting()
    for cause in causes:
        job = job.started("w", START).lost(cause, "why", max_attempts=max_attempts, token="t", now=LATER)
    return job


@pytest.mark.parametrize("cause", [FailureCause.ALGORITHM_ERROR, FailureCause.INVALID_OBJECTIVE])
def test_what_the_algorithm_would_do_again_is_never_retried(cause: FailureCause) -> None:
    job = failed_with(cause)
    assert (job.state, job.failure_cause, job.failure_reason) == (TrainingJobState.FAILED, cause, "why")


def test_a_shortage_of_memory_is_retried_once() -> None:
    memory, lost = FailureCause.OUT_OF_MEMORY, FailureCause.WORKER_LOST
    assert failed_with(memory).active
    assert failed_with(memory, lost).active
    again = failed_with(memory, lost, memory)
    assert (again.state, again.failure_cause) == (TrainingJobState.FAILED, memory)


def test_an_attempt_that_is_handed_back_counts_neither_as_a_failure_nor_against_the_limit() -> None:
    job = waiting()
    for _ in range(4):
        job = job.started("w", START).handed_back("leaves", token="t", now=LATER)
    assert (job.attempt, job.failures, job.failure_cause) == (5, (), None)
    job = job.started("w", START).lost(FailureCause.WORKER_LOST, "gone", max_attempts=2, token="t", now=LATER)
    assert (job.active, job.failures) == (True, (FailureCause.WORKER_LOST,))


def test_a_stop_wins_over_a_hand_back() -> None:
    job = waiting().started("w", START).stop_requested("r", START)
    assert job.handed_back("leaves", token="t", now=LATER).secondary is SecondaryState.STOPPED


def test_the_next_attempt_goes_on_from_the_latest_checkpoint() -> None:
    job = waiting().started("w", START)
    for step in (1, 3, 2):
        job = job.checkpointed(Checkpoint(step, f"/c/{step}", "sha256:0"))
    job = job.lost(FailureCause.WORKER_LOST, "gone", max_attempts=2, token="t", now=LATER)
    assert job.checkpoint == Checkpoint(3, "/c/3", "sha256:0")


def test_the_runtime_of_all_attempts_shares_one_limit_and_silence_does_not_count() -> None:
    job = waiting().started("w", START, 60)
    assert job.deadline_at == START + timedelta(seconds=60)
    heard = replace(job, seen_at=START + timedelta(seconds=20))
    gone = START + timedelta(seconds=50)
    job = heard.lost(FailureCause.WORKER_LOST, "gone", max_attempts=3, token="t", now=gone)
    assert (job.runtime_s, job.deadline_at) == (20.0, None)
    assert job.started("w", gone, 60).deadline_at == gone + timedelta(seconds=40)


def test_a_stopped_job_with_a_model_has_an_objective_value_and_one_without_has_none() -> None:
    job = waiting().started("w", START).stopped_early(MAX_RUNTIME_RULE, "r", START)
    kept = job.kept(0.5, {"score": 0.5}, "/a", LATER)
    assert (kept.secondary, kept.objective_status) == (
        SecondaryState.MAX_RUNTIME_EXCEEDED,
        ObjectiveStatus.SUCCEEDED,
    )
    assert (kept.final_objective, kept.artifact_uri) == (0.5, "/a")
    bare = job.stopped(LATER)
    assert (bare.objective_status, bare.artifact_uri) == (ObjectiveStatus.FAILED, "")
