"""Checkpoints, failures by cause, runtime limits; one curve of metric points per training job.

Going back loses where checkpoints are, the causes of failures and the runtime limits: a training job that goes on does
so from its beginning. Going forward loses the metric points of attempts before the last, which are no part of a curve.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = ["tuning_job_id", "number", "step", "metric"]


def upgrade() -> None:
    """Goes forward."""
    # No batch for training_jobs: dropping it for a copy would empty the tables that refer to it.
    for column in (
        sa.Column("failures", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("checkpoint", sa.Text(), nullable=True),
        sa.Column("leaves_checkpoints", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("runtime_s", sa.Double(), nullable=False, server_default="0"),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
    ):
        op.add_column("training_jobs", column)
    op.create_index("ix_training_jobs_deadline", "training_jobs", ["state", "deadline_at"])
    op.create_index("ix_training_jobs_leftovers", "training_jobs", ["leaves_checkpoints", "state"])
    _fill_failures()
    # Until now each attempt started from the beginning: what earlier ones reported is no part of the curve.
    op.execute(
        "DELETE FROM metric_points WHERE attempt < (SELECT attempt FROM training_jobs"
        " WHERE training_jobs.tuning_job_id = metric_points.tuning_job_id"
        " AND training_jobs.number = metric_points.number)"
    )
    _replace_key(_KEY)


def downgrade() -> None:
    """Goes back."""
    _replace_key(["tuning_job_id", "number", "attempt", "step", "metric"])
    op.drop_index("ix_training_jobs_leftovers", "training_jobs")
    op.drop_index("ix_training_jobs_deadline", "training_jobs")
    for name in ("deadline_at", "runtime_s", "leaves_checkpoints", "checkpoint", "failures"):
        op.drop_column("training_jobs", name)


def _fill_failures() -> None:
    """Until now every attempt but the last had failed; the causes of all but one are not known."""
    table = sa.table("training_jobs", sa.column("attempt", sa.Integer()), sa.column("failures", sa.Text()))
    connection = op.get_bind()
    attempts = sa.select(table.c.attempt).where(table.c.attempt > 1).distinct()
    for attempt in connection.execute(attempts).scalars().all():
        causes = json.dumps(["WORKER_LOST"] * (attempt - 1))
        connection.execute(sa.update(table).where(table.c.attempt == attempt).values(failures=causes))


def _replace_key(columns: list[str]) -> None:
    """Gives the metric points another primary key; nothing refers to them."""
    with op.batch_alter_table("metric_points") as batch:
        batch.drop_constraint("pk_metric_points", type_="primary")
        batch.create_primary_key("pk_metric_points", columns)
