"""Logs of training jobs; from where a tuning job's event log is complete.

Going back loses the logs. Where events were removed, it also loses the mark that says so: the version before takes what
is left for the whole log.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goes forward."""
    op.create_table(
        "log_lines",
        sa.Column("tuning_job_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tuning_job_id", "number"],
            ["training_jobs.tuning_job_id", "training_jobs.number"],
            name="fk_log_lines_tuning_job_id_training_jobs",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tuning_job_id", "number", "attempt", "position", name="pk_log_lines"),
    )
    op.add_column("tuning_jobs", sa.Column("log_starts_after", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Goes back."""
    op.drop_column("tuning_jobs", "log_starts_after")
    op.drop_table("log_lines")
