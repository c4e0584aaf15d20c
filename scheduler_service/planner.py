"""Launches training jobs within the limits, in the transaction that made room for them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from hrnn_tuner.domain.fair_share import Demand, shares
from hrnn_tuner.domain.states import CompletionReason, FailureCause, SecondaryState, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob, Transition
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import JobChange, Transaction
from scheduler_service import convert
from scheduler_service.checkpoint_removal import order_removal
from scheduler_service.proposing import Launch, NextProposals, Proposer


def new_token() -> str:
    """A fencing token: 128 random bits."""
    return secrets.token_hex(16)


def training_job_name(tuning_job: TuningJob, number: int) -> str:
    """``<tuning job>-<number>-<8 hex digits>``; the digits keep names unique when a tuning job's name is reused."""
    digest = hashlib.sha256(f"{tuning_job.id}/{number}".encode()).hexdigest()
    return f"{tuning_job.spec.name}-{number:03d}-{digest[:8]}"


class Planned(NamedTuple):
    """How many training jobs were launched, and whether other tuning jobs have room to launch some, too."""

    launched: int
    room_for_others: bool


class Planner:
    """Decides what to launch. Thread-safe; keeps nothing between calls but what the proposer prepared."""

    def __init__(self, *, worker_ttl: timedelta, proposer: Proposer, tokens: Callable[[], str] = new_token) -> None:
        """Takes the silence after which a worker's slots no longer count, and the source of fencing tokens."""
        self._worker_ttl = worker_ttl
        self._next = NextProposals(proposer)
        self._tokens = tokens

    def launchable(self, tx: Transaction, now: datetime, current: TuningJob | None = None) -> dict[str, int]:
        """How many training jobs each tuning job may launch now.

        Args:
            tx: The transaction.
            now: The time.
            current: A locked tuning job whose unwritten changes count instead of its row.
        """
        demands, slots = tx.tuning_jobs.demands(seen_after=now - self._worker_ttl)
        if current is not None:
            own = Demand(
                current.id,
                current.spec.definitions[0].resource_class,
                current.spec.weight,
                current.counters.in_progress,
                current.wanted,
            )
            demands = [own if demand.tuning_job_id == current.id else demand for demand in demands]
        return shares(demands, slots)

    def plan(self, tx: Transaction, change: JobChange) -> Planned:
        """Launches what limits and fair share allow for one tuning job."""
        launched = 0
        room = self.launchable(tx, change.now, change.job)
        count = min(change.job.wanted, room.pop(change.job.id, 0))
        if count > 0:
            found = self._next.find(tx, change, count)
            for number, launch in enumerate(found.launches, start=change.job.counters.launched + 1):
                self._launch(tx, change, number, launch)
            if found.exhausted:
                change.job = replace(change.job, completion_reason=CompletionReason.SPACE_EXHAUSTED)
                change.decide("SPACE_EXHAUSTED", 0, "every point of the search space was tried")
            launched = len(found.launches)
        return Planned(launched, bool(room) or launched < count)

    def _launch(self, tx: Transaction, change: JobChange, number: int, launch: Launch) -> None:
        """Adds one training job and its task."""
        job = change.job
        definition, proposal = launch
        before = change.training_job(proposal.continues) if proposal.continues else None
        training_job = TrainingJob(
            tuning_job_id=job.id,
            number=number,
            name=training_job_name(job, number),
            definition_name=definition.name,
            proposal=proposal,
            hyperparameters=definition.resolve(proposal.hyperparameters),
            secondary=SecondaryState.PENDING,
            attempt=1,
            token=self._tokens(),
            created_at=change.now,
            transitions=(Transition(SecondaryState.PENDING, change.now, 1),),
            tags=dict(job.tags),
            checkpoint=None if before is None else before.checkpoint,
        )
        explanation = f"{proposal.strategy}, seed {proposal.seed}: {proposal.explanation}"
        change.decide("PROPOSED", number, explanation, proposal.figures)
        change.launch(training_job)
        tx.outbox.add(convert.task(job, training_job), change.now)

    def retry(
        self, tx: Transaction, change: JobChange, job: TrainingJob, cause: FailureCause, reason: str
    ) -> TrainingJob:
        """Ends a failed attempt and enqueues the next, if its cause, the retry strategy and stops allow."""
        limit = change.job.spec.definition(job.definition_name).max_attempts
        after = job.lost(cause, reason, max_attempts=limit, token=self._tokens(), now=change.now)
        change.put(job, after)
        self._restart(tx, change, after, "RETRIED", reason)
        return after

    def hand_on(self, tx: Transaction, change: JobChange, job: TrainingJob, reason: str) -> TrainingJob:
        """Takes an attempt back from a worker that cannot go on, and enqueues the next one; nothing has failed."""
        after = job.handed_back(reason, token=self._tokens(), now=change.now)
        change.put(job, after)
        self._restart(tx, change, after, "HANDED_ON", reason)
        return after

    def rewind(self, tx: Transaction, change: JobChange, job: TrainingJob, step: int) -> None:
        """What a training job reached beyond a step does not count any more: it is trained and judged again from there.

        A stop that was decided at or before that step stands.
        """
        change.rewind(job, step)
        judged_beyond = tx.standings.drop_beyond(job.tuning_job_id, job.number, step)
        if judged_beyond or step == 0:
            change.put(job, job.judged_anew())

    def _restart(self, tx: Transaction, change: JobChange, job: TrainingJob, kind: str, reason: str) -> None:
        """Enqueues the next attempt, if there is to be one, behind the last checkpoint."""
        if job.secondary is not SecondaryState.RESTARTING:
            return
        step = 0 if job.checkpoint is None else job.checkpoint.step
        where = f"after step {step}" if step else "from the beginning"
        change.decide(kind, job.number, f"attempt {job.attempt} follows {where}: {reason}")
        self.rewind(tx, change, job, step)
        tx.outbox.add(convert.task(change.job, job), change.now)

    def end(self, tx: Transaction, change: JobChange) -> bool:
        """Does what a stop, a deletion or the maximum runtime asks for; returns whether the job was deleted."""
        job = change.job
        if job.state is TuningJobState.DELETING:
            order_removal(tx, change, tx.training_jobs.with_leftovers(job.id))
            tx.tuning_jobs.delete(job.id)
            return True
        if job.state is TuningJobState.IN_PROGRESS:
            limit = job.spec.limits.max_runtime_s
            if limit is None or change.now < job.created_at + timedelta(seconds=limit):
                return False
            if job.completion_reason is None:
                change.job = replace(job, completion_reason=CompletionReason.MAX_RUNTIME)
                figures = {"max_runtime_in_seconds": float(limit)}
                change.decide("MAX_RUNTIME", 0, "the maximum runtime is reached", figures)
        for training_job in change.active():
            change.put(training_job, training_job.stop_requested("the tuning job ends", change.now))
        return False
