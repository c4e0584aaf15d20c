"""The event log of each tuning job: one entry per revision, written in the transaction that made the change."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, insert, select

from hrnn_tuner.store.schema import events


class EventKind(enum.Enum):
    """What an event's body holds."""

    TUNING_JOB = "TUNING_JOB"  #: `codec.status_to_json`
    TRAINING_JOB = "TRAINING_JOB"  #: `codec.training_job_to_json`
    METRICS = "METRICS"  #: name, number, attempt, points as [metric, step, value]; possibly superseded_after
    DECISION = "DECISION"  #: kind, number, explanation, figures


@dataclass(frozen=True)
class Event:
    """One entry of a tuning job's log."""

    tuning_job_id: str
    revision: int
    kind: EventKind
    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """An entry of the decision log.

    Attributes:
        kind: What kind of decision.
        number: The training job it is about; 0 for the tuning job.
        explanation: The rule and its reasons, for people.
        figures: The numbers that were compared.
    """

    kind: str
    number: int
    explanation: str
    figures: Mapping[str, float]


_APPEND = insert(events)
_AFTER = (
    select(events)
    .where(events.c.tuning_job_id == bindparam("key_job"), events.c.revision > bindparam("behind"))
    .order_by(events.c.revision)
    .limit(bindparam("most", type_=Integer))
)
_DECISIONS = (
    select(events.c.body)
    .where(events.c.tuning_job_id == bindparam("key_job"), events.c.about.in_(bindparam("numbers", expanding=True)))
    .where(events.c.about.is_not(None))  # says PostgreSQL that the index has all of them
    .order_by(events.c.revision)
)


class EventRepository:
    """Reads and appends events; appending needs the tuning job's row lock."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def append(self, entries: Sequence[Event]) -> None:
        """Appends entries whose revisions follow the last one."""
        if entries:
            self._connection.execute(
                _APPEND,
                [
                    {
                        "tuning_job_id": entry.tuning_job_id,
                        "revision": entry.revision,
                        "kind": entry.kind.value,
                        "at": entry.at,
                        "body": entry.body,
                        "about": _about(entry),
                    }
                    for entry in entries
                ],
            )

    def after(self, tuning_job_id: str, revision: int, *, limit: int) -> list[Event]:
        """The next entries behind a revision, in order."""
        rows = self._connection.execute(_AFTER, {"key_job": tuning_job_id, "behind": revision, "most": limit})
        return [Event(row.tuning_job_id, int(row.revision), EventKind(row.kind), row.at, row.body) for row in rows]

    def decisions(self, tuning_job_id: str, numbers: Collection[int]) -> list[Decision]:
        """What was decided about training jobs after they were proposed, in order; 0 is the tuning job itself."""
        rows = self._connection.execute(_DECISIONS, {"key_job": tuning_job_id, "numbers": sorted(numbers)})
        return [Decision(**body) for body in rows.scalars()]


def _about(entry: Event) -> int | None:
    """What an explanation finds a decision by; proposals are stored with their training jobs."""
    if entry.kind is not EventKind.DECISION or entry.body["kind"] == "PROPOSED":
        return None
    return int(entry.body["number"])
