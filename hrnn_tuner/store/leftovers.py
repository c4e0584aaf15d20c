"""What ended tuning jobs leave behind, found and removed a little at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, or_, select

from hrnn_tuner.domain.retention import Belongings, is_pinned
from hrnn_tuner.store.schema import events, log_lines, metric_points, training_jobs, tuning_jobs

_ENDED = ("COMPLETED", "FAILED", "STOPPED")


class LeftoverRepository:
    """Finds and removes; removing needs the tuning job's row lock."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def owners(self, what: Belongings, *, ended_before: datetime, after: str, limit: int) -> tuple[list[str], str]:
        """Tuning jobs that ended before a time, are not pinned and have some of it.

        Args:
            what: What is looked for.
            ended_before: The time.
            after: Id behind which to look; empty for the beginning.
            limit: Most tuning jobs that are looked at.

        Returns:
            Their ids, and the id behind which to look the next time; empty at the end.
        """
        table = tuning_jobs.c
        query = (
            select(table.id, table.tags)
            .where(table.state.in_(_ENDED), table.ended_at < ended_before, table.id > after, _has(what))
            .order_by(table.id)
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        return [row.id for row in rows if not is_pinned(row.tags)], rows[-1].id if len(rows) == limit else ""

    def remove_metrics(self, tuning_job_id: str) -> int:
        """Removes the metric points of the first training job that has any; returns how many."""
        return self._remove_first(metric_points, tuning_job_id)

    def remove_logs(self, tuning_job_id: str) -> int:
        """Removes the log of the first training job that has one; returns how many lines."""
        return self._remove_first(log_lines, tuning_job_id)

    def remove_events(self, tuning_job_id: str, *, limit: int) -> int | None:
        """Removes the oldest events; returns the revision of the last of them, None when there are none."""
        oldest = (
            select(events.c.revision)
            .where(events.c.tuning_job_id == tuning_job_id)
            .order_by(events.c.revision)
            .limit(limit)
            .subquery()
        )
        last: int | None = self._connection.execute(select(func.max(oldest.c.revision))).scalar_one()
        if last is not None:
            old = and_(events.c.tuning_job_id == tuning_job_id, events.c.revision <= last)
            self._connection.execute(delete(events).where(old))
        return last

    def with_artifacts(self, tuning_job_id: str, *, limit: int) -> list[int]:
        """Numbers of the first training jobs that have a model and are not the best."""
        query = (
            select(training_jobs.c.number)
            .join(tuning_jobs, tuning_jobs.c.id == training_jobs.c.tuning_job_id)
            .where(tuning_jobs.c.id == tuning_job_id, _dispensable())
            .order_by(training_jobs.c.number)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def _remove_first(self, table: Table, tuning_job_id: str) -> int:
        own = table.c.tuning_job_id == tuning_job_id
        first = select(func.min(table.c.number)).where(own).scalar_subquery()
        return self._connection.execute(delete(table).where(own, table.c.number == first)).rowcount


def _has(what: Belongings) -> ColumnElement[bool]:
    """Whether a tuning job has some of it."""
    key = tuning_jobs.c.id
    match what:
        case Belongings.EVENTS:
            return tuning_jobs.c.log_starts_after < tuning_jobs.c.revision
        case Belongings.METRICS:
            return exists().where(metric_points.c.tuning_job_id == key)
        case Belongings.LOGS:
            return exists().where(log_lines.c.tuning_job_id == key)
        case Belongings.ARTIFACTS:
            return exists().where(training_jobs.c.tuning_job_id == key, _dispensable())


def _dispensable() -> ColumnElement[bool]:
    """Whether a training job has a model that is not its tuning job's best."""
    best = tuning_jobs.c.best_number
    return and_(training_jobs.c.artifact_uri != "", or_(best.is_(None), training_jobs.c.number != best))
