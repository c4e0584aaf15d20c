"""Quotas of a project, counted in the transaction that creates a tuning job."""

from __future__ import annotations

from hrnn_tuner.domain.errors import LimitExceeded
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Transaction


def check_room(tx: Transaction, job: TuningJob, settings: Settings) -> None:
    """Refuses a tuning job that would bring its project over a quota.

    Raises:
        LimitExceeded: Names limit and use.
    """
    use = tx.tuning_jobs.use_of(job.project)
    limit = settings.max_tuning_jobs_in_progress
    if use.tuning_jobs >= limit:
        text = f"{use.tuning_jobs} tuning jobs are in progress; allowed: {limit} (max_tuning_jobs_in_progress)"
        raise LimitExceeded(text, metadata={"limit": str(limit), "used": str(use.tuning_jobs)})
    limit, wanted = settings.max_parallel_training_jobs_in_progress, job.spec.limits.max_parallel
    if use.parallel_training_jobs + wanted > limit:
        text = (
            f"the tuning jobs in progress may run {use.parallel_training_jobs} training jobs at a time, "
            f"and this one {wanted}; allowed together: {limit} (max_parallel_training_jobs_in_progress)"
        )
        raise LimitExceeded(text, metadata={"limit": str(limit), "used": str(use.parallel_training_jobs)})
