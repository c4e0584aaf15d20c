"""Stops training jobs whose runtime is used up."""

from __future__ import annotations

from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.states import TrainingJobState
from hrnn_tuner.domain.training_job import MAX_RUNTIME_RULE, TrainingJob
from hrnn_tuner.store import Store
from scheduler_service.outgoing import Outgoing


class TimeLimits:
    """Stops training jobs that ran for as long as their stopping condition allows."""

    def __init__(self, *, store: Store, clock: Clock, outgoing: Outgoing) -> None:
        """Takes its collaborators."""
        self._store = store
        self._clock = clock
        self._outgoing = outgoing

    def stop(self, seen: TrainingJob) -> None:
        """Asks a training job to stop whose runtime was seen to be used up, unless it ended or was lost in between.

        The stop command is sent by whoever sends all of them.
        """
        with self._store.write() as tx:
            change = tx.change(seen.tuning_job_id, self._clock())
            job = None if change is None else change.training_job(seen.number)
            if change is None or job is None or job.state is not TrainingJobState.IN_PROGRESS:
                return
            if job.deadline_at is None or job.deadline_at > change.now:
                return
            limit = change.job.spec.definition(job.definition_name).max_runtime_s or 0
            reason = f"the maximum runtime of {limit} s is reached"
            change.decide("MAX_RUNTIME_EXCEEDED", job.number, reason, {"max_runtime_in_seconds": float(limit)})
            change.put(job, job.stopped_early(MAX_RUNTIME_RULE, reason, change.now))
            change.write()
        self._outgoing.changed(seen.tuning_job_id)
