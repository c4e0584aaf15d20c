"""Rows of tuning jobs."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from hrnn_tuner.domain.errors import AlreadyExists
from hrnn_tuner.domain.fair_share import Demand
from hrnn_tuner.domain.states import CompletionReason, TuningJobState
from hrnn_tuner.domain.tuning_job import Counters, TuningJob, TuningJobSpec
from hrnn_tuner.store import codec
from hrnn_tuner.store.paging import Cursor, Page, keyset
from hrnn_tuner.store.schema import tuning_jobs
from hrnn_tuner.store.workers import LIVE_SLOTS

#: Key of PostgreSQL's advisory lock around creations; another one than that of `hrnn_tuner.store.migrate`.
_CREATION_LOCK = 0x68726E6E


class TuningJobOrder(enum.Enum):
    """Sort orders of a list."""

    NAME = "NAME"
    STATE = "STATE"
    CREATE_TIME = "CREATE_TIME"


@dataclass(frozen=True)
class TuningJobQuery:
    """A filtered, ordered list of the tuning jobs of one project, or of all; None filters nothing."""

    project: str | None
    order: TuningJobOrder = TuningJobOrder.NAME
    descending: bool = False
    name_contains: str | None = None
    state: TuningJobState | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None


@dataclass(frozen=True)
class ProjectUse:
    """What the tuning jobs of a project that have not ended hold together.

    Attributes:
        tuning_jobs: How many there are.
        parallel_training_jobs: How many training jobs they may run at a time.
    """

    tuning_jobs: int
    parallel_training_jobs: int


@dataclass(frozen=True)
class LogBounds:
    """Which part of a tuning job's event log there is.

    Attributes:
        starts_after: Events up to this revision were removed.
        end: Revision of the last event.
        over: Whether no event follows it.
    """

    starts_after: int
    end: int
    over: bool


class TuningJobRepository:
    """Reads and writes tuning jobs."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add(self, job: TuningJob, *, request_id: str | None, request_hash: str | None) -> None:
        """Inserts a new tuning job.

        Raises:
            AlreadyExists: When the name or the request id was taken in its project in the meantime.
        """
        fixed = {
            "id": job.id,
            "name": job.spec.name,
            "name_key": job.spec.name.lower(),
            "request_id": request_id,
            "request_hash": request_hash,
            "spec": json.dumps(codec.spec_to_json(job.spec), separators=(",", ":")),
            "resource_class": job.spec.definitions[0].resource_class,
            "weight": job.spec.weight,
            "max_training_jobs": job.spec.limits.max_training_jobs,
            "max_parallel": job.spec.limits.max_parallel,
            "created_at": job.created_at,
            "deadline_at": _deadline(job),
            "warnings": list(job.warnings),
            "trace": job.trace or None,
            "choices": codec.choices_to_json(job.choices),
            "project": job.project,
        }
        changing = {name: value_of(job) for name, value_of in _CHANGING.items()}
        try:
            self._connection.execute(insert(tuning_jobs).values(**fixed, **changing))
        except IntegrityError as error:
            raise AlreadyExists(f"a tuning job named {job.spec.name!r} already exists") from error

    def save(self, job: TuningJob) -> None:
        """Writes what can change; needs the row lock."""
        values = {f"new_{name}": value_of(job) for name, value_of in _CHANGING.items()}
        self._connection.execute(_SAVE, values | {"key_id": job.id})

    def get(self, job_id: str) -> TuningJob | None:
        """Reads by id."""
        row = self._connection.execute(_GET, {"key_id": job_id}).first()
        return None if row is None else _to_job(row)

    def by_name(self, project: str, name: str) -> TuningJob | None:
        """Reads by name, without regard to case, in a project."""
        return self._one(and_(tuning_jobs.c.project == project, tuning_jobs.c.name_key == name.lower()))

    def by_request(self, project: str, request_id: str) -> tuple[TuningJob, str] | None:
        """The job that a request created in a project, and the hash of that request."""
        sent = and_(tuning_jobs.c.project == project, tuning_jobs.c.request_id == request_id)
        row = self._connection.execute(select(tuning_jobs).where(sent)).first()
        return None if row is None else (_to_job(row), row.request_hash)

    def lock(self, job_id: str) -> TuningJob | None:
        """Reads by id and locks the row until the transaction ends."""
        row = self._connection.execute(_LOCK, {"key_id": job_id}).first()
        return None if row is None else _to_job(row)

    def log_bounds(self, job_id: str) -> LogBounds | None:
        """Where the job's event log begins and ends, cheaply."""
        columns = tuning_jobs.c.log_starts_after, tuning_jobs.c.revision, tuning_jobs.c.state
        row = self._connection.execute(select(*columns).where(tuning_jobs.c.id == job_id)).first()
        if row is None:
            return None
        return LogBounds(int(row.log_starts_after), int(row.revision), TuningJobState(row.state).terminal)

    def delete(self, job_id: str) -> None:
        """Deletes a job with everything that belongs to it."""
        self._connection.execute(delete(tuning_jobs).where(tuning_jobs.c.id == job_id))

    def lock_creation(self) -> None:
        """Lets one creation after the other count and insert, so that together they keep to a quota.

        Only PostgreSQL needs it: SQLite's writers come one after the other anyway.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(select(func.pg_advisory_xact_lock(_CREATION_LOCK)))

    def use_of(self, project: str) -> ProjectUse:
        """What a project holds now."""
        table = tuning_jobs.c
        query = select(func.count(), func.coalesce(func.sum(table.max_parallel), 0)).where(
            and_(table.project == project, table.state.in_(["IN_PROGRESS", "STOPPING"]))
        )
        jobs, parallel = self._connection.execute(query).one()
        return ProjectUse(int(jobs), int(parallel))

    def count_by_state(self) -> dict[TuningJobState, int]:
        """Number of tuning jobs in each state; states without any are there too."""
        query = select(tuning_jobs.c.state, func.count()).group_by(tuning_jobs.c.state)
        found = {row[0]: int(row[1]) for row in self._connection.execute(query)}
        return {state: found.get(state.value, 0) for state in TuningJobState}

    def any_at_work(self) -> bool:
        """Whether any job is in progress, stopping or being deleted: only those have training jobs that may run."""
        return self._connection.execute(_AT_WORK).first() is not None

    def due(self, now: datetime) -> list[str]:
        """Ids of the jobs that are ending, or whose maximum runtime is reached while training jobs may run."""
        table = tuning_jobs.c
        expired = and_(table.state == "IN_PROGRESS", table.deadline_at <= now)
        ending = or_(table.state.in_(["STOPPING", "DELETING"]), expired)
        query = select(table.id).where(ending).order_by(table.id)
        return list(self._connection.execute(query).scalars())

    def demands(self, *, seen_after: datetime) -> tuple[list[Demand], Mapping[str, int]]:
        """What all jobs in progress hold and want, in order of their ids, and what there is for them.

        Args:
            seen_after: Workers that were last seen before do not count.

        Returns:
            The demands, and the slots of live workers in each resource class that is in demand.
        """
        demands, slots = [], {}
        for row in self._connection.execute(_DEMANDS, {"seen_after": seen_after}):
            launching = row.state == TuningJobState.IN_PROGRESS.value and row.completion_reason is None
            room = min(row.max_parallel - row.in_progress, row.max_training_jobs - row.launched)
            wanted = max(0, room) if launching else 0
            demands.append(Demand(row.id, row.resource_class, row.weight, row.in_progress, wanted))
            slots[row.resource_class] = int(row.slots)
        return demands, slots

    def page(self, query: TuningJobQuery, *, after: Cursor | None, limit: int) -> Page[TuningJob]:
        """One page of a list."""
        table = tuning_jobs.c
        keys: dict[TuningJobOrder, list[ColumnElement[Any]]] = {
            TuningJobOrder.NAME: [table.name_key],
            TuningJobOrder.STATE: [table.state, table.name_key],
            TuningJobOrder.CREATE_TIME: [table.created_at, table.id],
        }
        statement = select(tuning_jobs)
        if query.project is not None:
            statement = statement.where(table.project == query.project)
        if query.name_contains:
            statement = statement.where(table.name_key.contains(query.name_contains.lower(), autoescape=True))
        if query.state is not None:
            statement = statement.where(table.state == query.state.value)
        for column, low, high in (
            (table.created_at, query.created_after, query.created_before),
            (table.updated_at, query.updated_after, query.updated_before),
        ):
            if low is not None:
                statement = statement.where(column > low)
            if high is not None:
                statement = statement.where(column < high)
        if after is not None and query.order is TuningJobOrder.CREATE_TIME:
            after = (datetime.fromisoformat(after[0]), after[1])
        columns = keys[query.order]
        statement = keyset(statement, columns, after, descending=query.descending, limit=limit)
        rows = self._connection.execute(statement).all()
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = {
                TuningJobOrder.NAME: (last.name_key,),
                TuningJobOrder.STATE: (last.state, last.name_key),
                TuningJobOrder.CREATE_TIME: (last.created_at.isoformat(), last.id),
            }[query.order]
        return Page(tuple(_to_job(row) for row in rows[:limit]), following)

    def _one(self, condition: ColumnElement[bool]) -> TuningJob | None:
        """Reads one row."""
        row = self._connection.execute(select(tuning_jobs).where(condition)).first()
        return None if row is None else _to_job(row)


# Statements of the ingest path are made once: to make one takes longer than to run it.
_GET = select(tuning_jobs).where(tuning_jobs.c.id == bindparam("key_id"))
_LOCK = _GET.with_for_update()
#: The columns that can change, and their values.
_CHANGING: Mapping[str, Callable[[TuningJob], Any]] = {
    "state": lambda job: job.state.value,
    "completion_reason": lambda job: None if job.completion_reason is None else job.completion_reason.value,
    "failure_reason": lambda job: job.failure_reason,
    "updated_at": lambda job: job.updated_at,
    "ended_at": lambda job: job.ended_at,
    "revision": lambda job: job.revision,
    "log_starts_after": lambda job: job.log_starts_after,
    "counters": lambda job: dict(vars(job.counters)),
    "launched": lambda job: job.counters.launched,
    "in_progress": lambda job: job.counters.in_progress,
    "best_number": lambda job: job.best_number,
    "best_value": lambda job: job.best_value,
    "completion_details": lambda job: codec.details_to_json(job.completion_details),
    "tags": lambda job: dict(job.tags),
}
_SAVE = (
    update(tuning_jobs)
    .where(tuning_jobs.c.id == bindparam("key_id"))
    .values({name: bindparam(f"new_{name}", type_=tuning_jobs.c[name].type) for name in _CHANGING})
)
_AT_WORK = select(tuning_jobs.c.id).where(tuning_jobs.c.state.in_(["IN_PROGRESS", "STOPPING", "DELETING"])).limit(1)
_SLOTS = LIVE_SLOTS.subquery()
_DEMANDS = (
    select(
        tuning_jobs.c.id,
        tuning_jobs.c.state,
        tuning_jobs.c.resource_class,
        tuning_jobs.c.weight,
        tuning_jobs.c.in_progress,
        tuning_jobs.c.launched,
        tuning_jobs.c.max_parallel,
        tuning_jobs.c.max_training_jobs,
        tuning_jobs.c.completion_reason,
        func.coalesce(_SLOTS.c.slots, 0).label("slots"),
    )
    .join_from(tuning_jobs, _SLOTS, tuning_jobs.c.resource_class == _SLOTS.c.resource_class, isouter=True)
    .where(tuning_jobs.c.state.in_(["IN_PROGRESS", "STOPPING"]))
    .order_by(tuning_jobs.c.id)
)


def _deadline(job: TuningJob) -> datetime | None:
    """When the maximum runtime is reached."""
    limit = job.spec.limits.max_runtime_s
    return None if limit is None else job.created_at + timedelta(seconds=limit)


@lru_cache(maxsize=256)
def _spec(text: str) -> TuningJobSpec:
    """A stored specification. It never changes, and every transaction about its tuning job reads it."""
    return codec.spec_from_json(json.loads(text))


def _to_job(row: Row[Any]) -> TuningJob:
    """A row as a value."""
    return TuningJob(
        id=row.id,
        spec=_spec(row.spec),
        state=TuningJobState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=int(row.revision),
        log_starts_after=int(row.log_starts_after),
        counters=Counters(**row.counters),
        completion_reason=None if row.completion_reason is None else CompletionReason(row.completion_reason),
        failure_reason=row.failure_reason,
        ended_at=row.ended_at,
        best_number=row.best_number,
        best_value=row.best_value,
        completion_details=codec.details_from_json(row.completion_details),
        tags=row.tags,
        warnings=tuple(row.warnings),
        choices=codec.choices_from_json(row.choices),
        trace=row.trace or "",
        project=row.project,
    )
