"""Has the checkpoints of ended training jobs removed: by a worker, because a scheduler knows no object store."""

from __future__ import annotations

from collections.abc import Iterable

from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import JobChange, Store, Transaction
from scheduler_service import convert
from scheduler_service.relay import Relay


def order_removal(tx: Transaction, change: JobChange, ended: Iterable[TrainingJob]) -> None:
    """Enqueues the removal of everything below the checkpoint folders of these training jobs of one tuning job."""
    for job in ended:
        tx.outbox.add(convert.removal(change.job, job), change.now)
        change.checkpoints_removed(job)


class CheckpointRemoval:
    """Clears up after training jobs that have ended and left checkpoints."""

    def __init__(self, *, store: Store, clock: Clock, relay: Relay) -> None:
        """Takes its collaborators."""
        self._store = store
        self._clock = clock
        self._relay = relay

    def order(self, tuning_job_id: str) -> None:
        """Orders the removal of what the ended training jobs of a tuning job left."""
        with self._store.write() as tx:
            change = tx.change(tuning_job_id, self._clock())
            if change is None:
                return
            order_removal(tx, change, tx.training_jobs.with_leftovers(tuning_job_id))
            change.write()
        self._relay.submit(tx.outbox.added)
