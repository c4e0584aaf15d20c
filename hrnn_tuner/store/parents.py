"""What a tuning job with a warm start learns from: copies of its parents' results, made when it was created."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, func, insert, literal, not_, or_, select

from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import PAUSED, TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.domain.warm_start import Parent, ParentResult
from hrnn_tuner.store import codec
from hrnn_tuner.store.schema import parent_trials, parents, training_jobs

#: Ends that, without a value, say nothing about hyperparameters: somebody or something else decided on them.
_SAYS_NOTHING = (SecondaryState.STOPPED.value, SecondaryState.EARLY_STOPPED.value)


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
            self._copy_results(tuning_job_id, position, parent.id)

    def _copy_results(self, tuning_job_id: str, position: int, parent_id: str) -> None:
        """Copies what the training jobs of a parent say about their hyperparameters.

        One that was stopped before it had a value says nothing, and one that paused says nothing that the one that
        went on from it does not say better: that has the same hyperparameters.
        """
        table, later = training_jobs.c, training_jobs.alias().c
        paused = table.stopping_rule == PAUSED
        went_on = exists().where(
            later.tuning_job_id == table.tuning_job_id,
            later.number > table.number,
            later.hyperparameters == table.hyperparameters,
            later.final_objective.is_not(None),
        )
        source = select(
            literal(tuning_job_id),
            literal(position),
            table.number,
            table.hyperparameters,
            table.final_objective,
            not_(paused),
        ).where(
            table.tuning_job_id == parent_id,
            or_(table.final_objective.is_not(None), table.secondary.not_in(_SAYS_NOTHING)),
            not_(and_(paused, went_on)),
        )
        columns = ["tuning_job_id", "position", "number", "hyperparameters", "final_objective", "whole"]
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
            select(table.position, table.number, table.hyperparameters, table.final_objective, table.whole)
            .where(table.tuning_job_id == tuning_job_id)
            .order_by(table.position, table.number)
        )
        count = select(func.count()).where(parents.c.tuning_job_id == tuning_job_id)
        results: list[list[ParentResult]] = [[] for _ in range(self._connection.execute(count).scalar_one())]
        for row in self._connection.execute(query):
            found = ParentResult(row.number, row.hyperparameters, row.final_objective, row.whole)
            results[row.position].append(found)
        return results
