"""The workers that were heard of, and the dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from hrnn_tuner.store.schema import dead_messages, workers


@dataclass(frozen=True)
class Worker:
    """A worker as of its last heartbeat."""

    id: str
    resource_class: str
    slots: int
    seen_at: datetime


#: Slots of the workers that were heard of after ``seen_after``, by resource class.
LIVE_SLOTS = (
    select(workers.c.resource_class, func.sum(workers.c.slots).label("slots"))
    .where(workers.c.seen_at >= bindparam("seen_after", type_=workers.c.seen_at.type))
    .group_by(workers.c.resource_class)
)


class WorkerRepository:
    """Reads and writes workers."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def seen(self, worker: Worker) -> bool:
        """Records a heartbeat; returns whether the worker offers slots that it did not offer before."""
        same = (
            workers.c.id == worker.id,
            workers.c.resource_class == worker.resource_class,
            workers.c.slots == worker.slots,
        )
        if self._connection.execute(update(workers).where(*same).values(seen_at=worker.seen_at)).rowcount:
            return False
        values = {"resource_class": worker.resource_class, "slots": worker.slots, "seen_at": worker.seen_at}
        changed = self._connection.execute(update(workers).where(workers.c.id == worker.id).values(**values))
        if changed.rowcount == 0:
            self._connection.execute(insert(workers).values(id=worker.id, **values))
        return True

    def remove(self, worker_id: str) -> None:
        """Forgets a worker that left."""
        self._connection.execute(delete(workers).where(workers.c.id == worker_id))

    def forget_before(self, time: datetime) -> None:
        """Forgets workers that were last seen before a time."""
        self._connection.execute(delete(workers).where(workers.c.seen_at < time))

    def slots(self, *, seen_after: datetime) -> Mapping[str, int]:
        """Slots of live workers by resource class."""
        rows = self._connection.execute(LIVE_SLOTS, {"seen_after": seen_after})
        return {name: int(total) for name, total in rows}


_LONGEST_NAME = 255


class DeadMessageRepository:
    """Keeps messages that nobody could use, for people to look at."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add(self, received_at: datetime, type_: str, message_id: str, body: bytes, reason: str) -> None:
        """Keeps one message; PostgreSQL's texts have no NUL, and anybody may have sent this one."""
        kind, identity = (text[:_LONGEST_NAME].replace("\0", "") for text in (type_, message_id))
        self._connection.execute(
            insert(dead_messages).values(
                received_at=received_at, type=kind, message_id=identity, body=body, reason=reason
            )
        )

    def count(self) -> int:
        """Number of messages kept."""
        return int(self._connection.execute(select(func.count()).select_from(dead_messages)).scalar_one())
