"""Lines of training jobs' logs.

A line's key is its position in the log of its attempt, in bytes, counted by the worker over everything that the trainer
wrote. So a line that is delivered twice is stored once, what an attempt may keep is a range of positions, and a gap
between two lines says how much was dropped there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from hrnn_tuner.store.paging import Cursor, Page, keyset
from hrnn_tuner.store.schema import log_lines


@dataclass(frozen=True)
class LogLine:
    """One line.

    Attributes:
        attempt: The attempt that wrote it.
        position: Bytes of the attempt's log before it.
        at: When the worker read it, by the worker's clock.
        source: ``STDOUT``, ``STDERR`` or ``WORKER``.
        text: The line without its end and without NUL.
    """

    attempt: int
    position: int
    at: datetime
    source: str
    text: str

    @property
    def end(self) -> int:
        """The position behind it, its line end counted."""
        return self.position + len(self.text.encode()) + 1


class LogRepository:
    """Reads and writes log lines."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add(self, tuning_job_id: str, number: int, lines: Sequence[LogLine], *, keep_bytes: int) -> None:
        """Stores lines of one attempt, in order; repeats add nothing.

        Args:
            tuning_job_id: The tuning job.
            number: The training job.
            lines: At least one, all of one attempt.
            keep_bytes: How much of the attempt's log stays; what is older goes.
        """
        dialect_insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        rows = [
            {
                "tuning_job_id": tuning_job_id,
                "number": number,
                "attempt": line.attempt,
                "position": line.position,
                "at": line.at,
                "source": line.source,
                "text": line.text,
            }
            for line in lines
        ]
        self._connection.execute(dialect_insert(log_lines).on_conflict_do_nothing(), rows)
        table, last = log_lines.c, lines[-1]
        self._connection.execute(
            delete(log_lines).where(
                table.tuning_job_id == tuning_job_id,
                table.number == number,
                table.attempt == last.attempt,
                table.position < last.end - keep_bytes,
            )
        )

    def page(
        self, tuning_job_id: str, number: int, *, attempt: int | None, after: Cursor | None, limit: int
    ) -> Page[LogLine]:
        """One page of a training job's log, by attempt and position; of one attempt, or of all with None."""
        table = log_lines.c
        statement = select(log_lines).where(table.tuning_job_id == tuning_job_id, table.number == number)
        if attempt is not None:
            statement = statement.where(table.attempt == attempt)
        keys = [table.attempt, table.position]
        rows = self._connection.execute(keyset(statement, keys, after, descending=False, limit=limit)).all()
        lines = tuple(LogLine(row.attempt, int(row.position), row.at, row.source, row.text) for row in rows[:limit])
        return Page(lines, (lines[-1].attempt, lines[-1].position) if len(rows) > limit else None)
