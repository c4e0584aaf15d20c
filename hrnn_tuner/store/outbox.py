"""Messages that a transaction wants published: written with the change, published and deleted by the relay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from hrnn_tuner.store.schema import outbox

_ADD = insert(outbox).returning(outbox.c.id, outbox.c.message_id)


@dataclass(frozen=True)
class OutboxMessage:
    """A task message; ``correlation_id`` is the tuning job's id, ``trace`` its trace context, or empty."""

    exchange: str
    routing_key: str
    type: str
    message_id: str
    correlation_id: str
    body: bytes
    number: int
    attempt: int
    trace: str = ""


class OutboxRepository:
    """Adds, claims and removes messages."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection
        self._waiting: list[tuple[OutboxMessage, datetime]] = []
        #: The messages that this transaction added, with their row ids: for the relay, after the commit.
        self.added: list[tuple[int, OutboxMessage]] = []

    def add(self, message: OutboxMessage, now: datetime) -> None:
        """Adds a message, whose id no other one of this transaction has; `flush` writes it."""
        self._waiting.append((message, now))

    def flush(self) -> None:
        """Writes what was added; who ends the transaction calls it."""
        if not self._waiting:
            return
        rows = [
            {
                "exchange": message.exchange,
                "routing_key": message.routing_key,
                "type": message.type,
                "message_id": message.message_id,
                "correlation_id": message.correlation_id,
                "body": message.body,
                "number": message.number,
                "attempt": message.attempt,
                "created_at": now,
                "trace": message.trace or None,
            }
            for message, now in self._waiting
        ]
        ids = {row.message_id: int(row.id) for row in self._connection.execute(_ADD, rows)}
        self.added += [(ids[message.message_id], message) for message, _ in self._waiting]
        self._waiting.clear()

    def claim(self, *, limit: int, before: datetime) -> list[tuple[int, OutboxMessage]]:
        """The oldest messages from before a time that no other relay holds, locked until the transaction ends."""
        query = select(outbox).where(outbox.c.created_at < before).order_by(outbox.c.id).limit(limit)
        query = query.with_for_update(skip_locked=True)
        return [
            (
                int(row.id),
                OutboxMessage(
                    row.exchange,
                    row.routing_key,
                    row.type,
                    row.message_id,
                    row.correlation_id,
                    bytes(row.body),
                    row.number,
                    row.attempt,
                    row.trace or "",
                ),
            )
            for row in self._connection.execute(query)
        ]

    def remove(self, ids: Sequence[int]) -> None:
        """Removes published messages."""
        if ids:
            self._connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))

    def backlog(self) -> tuple[int, datetime | None]:
        """Number of messages, and when the oldest was added."""
        row = self._connection.execute(select(func.count(), func.min(outbox.c.created_at))).one()
        return int(row[0]), row[1]

    def has_task(self, tuning_job_id: str, number: int, attempt: int) -> bool:
        """Whether the task of an attempt still waits to be published."""
        query = select(outbox.c.id).where(
            outbox.c.correlation_id == tuning_job_id, outbox.c.number == number, outbox.c.attempt == attempt
        )
        return self._connection.execute(query.limit(1)).first() is not None
