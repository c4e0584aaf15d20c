"""Which training job a decision is about, with an index: an explanation no longer reads the whole event log.

Going back loses nothing: the number is in the event, too.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PAGE = 1000


def upgrade() -> None:
    """Goes forward."""
    op.add_column("events", sa.Column("about", sa.Integer(), nullable=True))
    _fill()
    condition = sa.text("about IS NOT NULL")
    op.create_index(
        "ix_events_about",
        "events",
        ["tuning_job_id", "about", "revision"],
        postgresql_where=condition,
        sqlite_where=condition,
    )


def downgrade() -> None:
    """Goes back."""
    op.drop_index("ix_events_about", "events")
    op.drop_column("events", "about")


def _fill() -> None:
    """The number is in the body; not every database can read it there, as NaN is no JSON."""
    events = sa.table("events", *(sa.column(name) for name in ("tuning_job_id", "revision", "kind", "body", "about")))
    connection = op.get_bind()
    key = (events.c.tuning_job_id, events.c.revision)
    decisions = sa.select(*key, events.c.body).where(events.c.kind == "DECISION").order_by(*key).limit(_PAGE)
    change = (
        sa.update(events)
        .where(events.c.tuning_job_id == sa.bindparam("job"), events.c.revision == sa.bindparam("at"))
        .values(about=sa.bindparam("number"))
    )
    rows = connection.execute(decisions).all()
    while rows:
        bodies = [(row.tuning_job_id, row.revision, json.loads(row.body)) for row in rows]
        found = [
            {"job": job, "at": at, "number": body["number"]} for job, at, body in bodies if body["kind"] != "PROPOSED"
        ]
        if found:
            connection.execute(change, found)
        last = rows[-1]
        behind = sa.tuple_(*key) > sa.tuple_(last.tuning_job_id, last.revision)
        rows = connection.execute(decisions.where(behind)).all()
