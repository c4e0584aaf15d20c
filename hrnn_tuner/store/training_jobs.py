"""Rows of training jobs and their metric points."""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from hrnn_tuner.domain.states import SecondaryState, TrainingJobState, TuningJobState
from hrnn_tuner.domain.training_job import PAUSED, TrainingJob
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.store import codec
from hrnn_tuner.store.paging import Cursor, Page, keyset
from hrnn_tuner.store.schema import metric_points, training_jobs, tuning_jobs
from hrnn_tuner.store.training_job_rows import CHANGING, changing, fixed, to_job

_ACTIVE = ("IN_PROGRESS", "STOPPING")
#: Training jobs whose durations stand for all.
_TYPICAL_OF = 50


class TrainingJobOrder(enum.Enum):
    """Sort orders of a list."""

    NUMBER = "NUMBER"
    STATE = "STATE"
    FINAL_OBJECTIVE_VALUE = "FINAL_OBJECTIVE_VALUE"


@dataclass(frozen=True)
class TrainingJobQuery:
    """A filtered, ordered list of the training jobs of one tuning job."""

    tuning_job_id: str
    order: TrainingJobOrder = TrainingJobOrder.NUMBER
    descending: bool = False
    state: TrainingJobState | None = None


@dataclass(frozen=True)
class MetricPoint:
    """One value of one metric at one step, and the attempt that reported it."""

    metric: str
    step: int
    value: float
    attempt: int
    at: datetime


class TrainingJobRepository:
    """Reads and writes training jobs; writing needs the tuning job's row lock."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add(self, jobs: Sequence[TrainingJob]) -> None:
        """Inserts new training jobs."""
        if jobs:
            self._connection.execute(_ADD, [fixed(job) | changing(job) for job in jobs])

    def save(self, jobs: Sequence[TrainingJob]) -> None:
        """Writes what can change."""
        if jobs:
            rows = [
                {"key_job": job.tuning_job_id, "key_number": job.number}
                | {f"new_{name}": value for name, value in changing(job).items()}
                for job in jobs
            ]
            self._connection.execute(_SAVE, rows)

    def numbered(self, tuning_job_id: str, numbers: Collection[int]) -> list[TrainingJob]:
        """Reads several of a tuning job's by number."""
        if not numbers:
            return []
        rows = self._connection.execute(_NUMBERED, {"key_job": tuning_job_id, "key_numbers": sorted(set(numbers))})
        return [to_job(row) for row in rows]

    def get(self, tuning_job_id: str, number: int) -> TrainingJob | None:
        """Reads by number."""
        table = training_jobs.c
        return self._one(and_(table.tuning_job_id == tuning_job_id, table.number == number))

    def by_name(self, project: str, name: str) -> TrainingJob | None:
        """Reads by name, without regard to case, in a project."""
        of_project = select(tuning_jobs.c.id).where(tuning_jobs.c.project == project)
        named = training_jobs.c.name_key == name.lower()
        return self._one(and_(named, training_jobs.c.tuning_job_id.in_(of_project)))

    def active(self, tuning_job_id: str) -> list[TrainingJob]:
        """The training jobs of a tuning job that hold a place, by number."""
        return self._many(and_(training_jobs.c.tuning_job_id == tuning_job_id, training_jobs.c.state.in_(_ACTIVE)))

    def silent_since(self, time: datetime) -> list[TrainingJob]:
        """Training jobs whose worker was last heard of before a time."""
        return self._many(and_(training_jobs.c.state.in_(_ACTIVE), training_jobs.c.seen_at < time))

    def waiting(self) -> list[TrainingJob]:
        """Training jobs that no worker has."""
        return self._many(and_(training_jobs.c.state == "IN_PROGRESS", training_jobs.c.worker_id == ""))

    def dispatched(self) -> list[TrainingJob]:
        """Training jobs that a worker has."""
        return self._many(and_(training_jobs.c.state.in_(_ACTIVE), training_jobs.c.worker_id != ""))

    def stopping(self) -> list[TrainingJob]:
        """Training jobs that were asked to stop and have not ended."""
        return self._many(training_jobs.c.state == "STOPPING")

    def overdue(self, now: datetime) -> list[TrainingJob]:
        """Training jobs whose runtime is used up."""
        return self._many(and_(training_jobs.c.state == "IN_PROGRESS", training_jobs.c.deadline_at <= now))

    def with_leftovers(self, tuning_job_id: str | None = None) -> list[TrainingJob]:
        """Training jobs that have ended and may have left checkpoints; of one tuning job or of all.

        Those that paused at a level are not among them while their tuning job may still continue them.
        """
        table = training_jobs.c
        going_on = select(tuning_jobs.c.id).where(tuning_jobs.c.state == TuningJobState.IN_PROGRESS.value)
        needed = and_(table.stopping_rule == PAUSED, table.tuning_job_id.in_(going_on))
        condition = and_(table.leaves_checkpoints.is_(True), table.state.not_in(_ACTIVE), not_(needed))
        return self._many(condition if tuning_job_id is None else and_(condition, table.tuning_job_id == tuning_job_id))

    def renew_leases(self, holders: Collection[tuple[str, int, int, str]], worker_id: str, now: datetime) -> None:
        """Extends the leases of attempts, given as (tuning job, number, attempt, token), that this worker holds."""
        rows = [
            {
                "key_job": tuning_job_id,
                "key_number": number,
                "key_attempt": attempt,
                "key_token": token,
                "key_worker": worker_id,
                "new_seen_at": now,
            }
            for tuning_job_id, number, attempt, token in sorted(holders)
        ]
        if rows:
            self._connection.execute(_RENEW, rows)

    def trials(self, tuning_job_id: str, *, after: int = 0) -> list[tuple[str, Trial]]:
        """Training jobs behind a number as a strategy sees them, in order; each with its definition's name."""
        table = training_jobs.c
        query = (
            select(table.number, table.definition_name, table.proposal, table.secondary, table.final_objective)
            .where(table.tuning_job_id == tuning_job_id, table.number > after)
            .order_by(table.number)
        )
        return [
            (
                row.definition_name,
                Trial.of(
                    row.number,
                    codec.proposal_from_json(row.proposal),
                    SecondaryState(row.secondary),
                    row.final_objective,
                ),
            )
            for row in self._connection.execute(query)
        ]

    def typical_seconds(self, tuning_job_id: str) -> float | None:
        """Median seconds from start to end of the latest training jobs that ended; None when none has."""
        table = training_jobs.c
        query = (
            select(table.started_at, table.ended_at)
            .where(table.tuning_job_id == tuning_job_id, table.started_at.is_not(None), table.ended_at.is_not(None))
            .order_by(table.number.desc())
            .limit(_TYPICAL_OF)
        )
        seconds = [(ended - started).total_seconds() for started, ended in self._connection.execute(query)]
        return statistics.median(seconds) if seconds else None

    def page(self, query: TrainingJobQuery, *, after: Cursor | None, limit: int) -> Page[TrainingJob]:
        """One page of a list."""
        table = training_jobs.c
        keys: dict[TrainingJobOrder, list[ColumnElement[Any]]] = {
            TrainingJobOrder.NUMBER: [table.number],
            TrainingJobOrder.STATE: [table.state, table.number],
            TrainingJobOrder.FINAL_OBJECTIVE_VALUE: [table.final_objective, table.number],
        }
        statement = select(training_jobs).where(table.tuning_job_id == query.tuning_job_id)
        if query.state is not None:
            statement = statement.where(table.state == query.state.value)
        if query.order is TrainingJobOrder.FINAL_OBJECTIVE_VALUE:
            statement = statement.where(table.final_objective.is_not(None))
        columns = keys[query.order]
        statement = keyset(statement, columns, after, descending=query.descending, limit=limit)
        rows = self._connection.execute(statement).all()
        following = None
        if len(rows) > limit:
            following = tuple(getattr(rows[limit - 1], column.key) for column in columns if column.key is not None)
        return Page(tuple(to_job(row) for row in rows[:limit]), following)

    def _one(self, condition: ColumnElement[bool]) -> TrainingJob | None:
        """Reads one row."""
        row = self._connection.execute(select(training_jobs).where(condition)).first()
        return None if row is None else to_job(row)

    def _many(self, condition: ColumnElement[bool]) -> list[TrainingJob]:
        """Reads rows in order of tuning job and number."""
        query = select(training_jobs).where(condition)
        rows = self._connection.execute(query.order_by(training_jobs.c.tuning_job_id, training_jobs.c.number))
        return [to_job(row) for row in rows]


class MetricRepository:
    """Reads and writes metric points."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add_new(
        self, tuning_job_id: str, points: Sequence[tuple[int, MetricPoint]]
    ) -> dict[tuple[int, int, str], MetricPoint]:
        """Inserts the points that are not stored yet, given with their training job's number; repeats add nothing.

        A repeat is a point at the same step of the same training job, whatever attempt it is of: an attempt that goes
        on behind a checkpoint may report the steps before it once more.

        Returns:
            The points that were inserted, by (number, step, metric).
        """
        if not points:
            return {}
        given: dict[tuple[int, int, str], MetricPoint] = {}
        for number, point in points:
            given.setdefault((number, point.step, point.metric), point)
        rows = [
            {
                "tuning_job_id": tuning_job_id,
                "number": number,
                "attempt": point.attempt,
                "step": step,
                "metric": metric,
                "value": None if math.isnan(point.value) else point.value,
                "at": point.at,
            }
            for (number, step, metric), point in given.items()
        ]
        inserted = self._connection.execute(_ADD_NEW[self._connection.dialect.name], rows)
        return {key: given[key] for key in ((row[0], int(row[1]), row[2]) for row in inserted)}

    def drop_beyond(self, tuning_job_id: str, number: int, step: int) -> int:
        """Deletes a training job's points beyond a step; returns how many there were."""
        table = metric_points.c
        condition = and_(table.tuning_job_id == tuning_job_id, table.number == number, table.step > step)
        return self._connection.execute(delete(metric_points).where(condition)).rowcount

    def page(
        self, tuning_job_id: str, number: int, *, metrics: Collection[str], after: Cursor | None, limit: int
    ) -> Page[MetricPoint]:
        """One page of a training job's points, by step and name."""
        table = metric_points.c
        statement = select(metric_points).where(table.tuning_job_id == tuning_job_id, table.number == number)
        if metrics:
            statement = statement.where(table.metric.in_(list(metrics)))
        keys = [table.step, table.metric]
        rows = self._connection.execute(keyset(statement, keys, after, descending=False, limit=limit)).all()
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = (int(last.step), last.metric)
        points = tuple(
            MetricPoint(
                row.metric, int(row.step), float("nan") if row.value is None else row.value, row.attempt, row.at
            )
            for row in rows[:limit]
        )
        return Page(points, following)


_ADD_NEW = {
    dialect: dialect_insert(metric_points)
    .on_conflict_do_nothing()
    .returning(metric_points.c.number, metric_points.c.step, metric_points.c.metric)
    for dialect, dialect_insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_KEY = (training_jobs.c.tuning_job_id == bindparam("key_job"), training_jobs.c.number == bindparam("key_number"))
# Statements of the ingest path are made once: to make one takes longer than to run it.
_ADD = insert(training_jobs)
_NUMBERED = (
    select(training_jobs)
    .where(_KEY[0], training_jobs.c.number.in_(bindparam("key_numbers", expanding=True)))
    .order_by(training_jobs.c.number)
)
_SAVE = (
    update(training_jobs)
    .where(*_KEY)
    .values({name: bindparam(f"new_{name}", type_=training_jobs.c[name].type) for name in CHANGING})
)
_RENEW = (
    update(training_jobs)
    .where(
        *_KEY,
        training_jobs.c.attempt == bindparam("key_attempt"),
        training_jobs.c.token == bindparam("key_token"),
        training_jobs.c.worker_id == bindparam("key_worker"),
        or_(*(training_jobs.c.state == state for state in _ACTIVE)),  # `in_` does not go with many rows
    )
    .values(seen_at=bindparam("new_seen_at", type_=training_jobs.c.seen_at.type))
)
