"""What a tuning job with a warm start learns from: copies of its parents' results, made when it was created."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, literal, select

from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.domain.warm_start import Parent, ParentResult
from hrnn_tuner.store import codec
from hrnn_tuner.store.schema import parent_trials, parents, training_jobs


@dataclass(frozen=True)
class StoredParent:
    """A parent as it was when it was copied.

    Attributes:
        parent: Its id, and the name that it had.
        best: Its best training job, without a fencing token; None without one.
    """

    parent: Parent
    best: TrainingJob | None


class ParentRepository:
    """Copies parents and reads the copies; nothing ever changes them."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def copy(self, tuning_job_id: str, ended: list[tuple[TuningJob, TrainingJob | None]]) -> None:
        """Copies the results of ended tuning jobs, each with its best training job, in this order.

        The caller holds their row locks, or else they may be deleted in between.
        """
        for position, (parent, best) in enumerate(ended):
            self._connection.execute(
                insert(parents).values(
                    tuning_job_id=tuning_job_id,
                    position=position,
                    parent_id=parent.id,
                    name=parent.spec.name,
                    best=None if best is None else codec.training_job_to_json(best),
                )
            )
            table = training_jobs.c
            source = select(
                literal(tuning_job_id), literal(position), table.number, table.hyperparameters, table.final_objective
            ).where(table.tuning_job_id == parent.id)
            columns = ["tuning_job_id", "position", "number", "hyperparameters", "final_objective"]
            self._connection.execute(insert(parent_trials).from_select(columns, source))

    def of(self, tuning_job_id: str) -> list[StoredParent]:
        """The parents of a tuning job, in the order given."""
        table = parents.c
        query = select(parents).where(table.tuning_job_id == tuning_job_id).order_by(table.position)
        return [
            StoredParent(
                Parent(row.parent_id, row.name),
                None if row.best is None else codec.training_job_from_json(row.parent_id, row.best),
            )
            for row in self._connection.execute(query)
        ]

    def results(self, tuning_job_id: str) -> list[list[ParentResult]]:
        """What each parent found out, in the order of `of`, by number."""
        table = parent_trials.c
        query = (
            select(table.position, table.number, table.hyperparameters, table.final_objective)
            .where(table.tuning_job_id == tuning_job_id)
            .order_by(table.position, table.number)
        )
        count = select(func.count()).where(parents.c.tuning_job_id == tuning_job_id)
        results: list[list[ParentResult]] = [[] for _ in range(self._connection.execute(count).scalar_one())]
        for row in self._connection.execute(query):
            results[row.position].append(ParentResult(row.number, row.hyperparameters, row.final_objective))
        return results
