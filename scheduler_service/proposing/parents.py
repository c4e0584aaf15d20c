"""What a strategy may look at of warm-start parents, read from the database."""

from __future__ import annotations

from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Transaction
from scheduler_service.strategies.parents import ParentTrials, parent_trials


def read_parents(tx: Transaction, job: TuningJob) -> tuple[ParentTrials, ...]:
    """What the warm-start parents of a tuning job found out, as copied at its creation."""
    warm_start = job.spec.warm_start
    if warm_start is None:
        return ()
    definition, results = job.spec.definitions[0], tx.parents.results(job.id)
    return tuple(
        parent_trials(definition, warm_start.type, parent.name, found)
        for parent, found in zip(warm_start.parents, results, strict=True)
    )
