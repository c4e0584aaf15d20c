"""Standings of training jobs, the rule that stops them, completion details of tuning jobs.

Going back loses all three; standings are needed only while their tuning job runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goes forward."""
    op.add_column("tuning_jobs", sa.Column("completion_details", sa.Text(), nullable=True))
    op.add_column("training_jobs", sa.Column("stopping_rule", sa.String(length=32), server_default="", nullable=False))
    op.create_table(
        "standings",
        sa.Column("tuning_job_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tuning_job_id", "number"],
            ["training_jobs.tuning_job_id", "training_jobs.number"],
            name=op.f("fk_standings_tuning_job_id_training_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tuning_job_id", "number", "level", name=op.f("pk_standings")),
    )
    op.create_index("ix_standings_score", "standings", ["tuning_job_id", "pool", "level", "score", "number"])


def downgrade() -> None:
    """Goes back."""
    op.drop_table("standings")
    # No batch: dropping a table for a copy without the column would empty the tables that refer to it.
    op.drop_column("training_jobs", "stopping_rule")
    op.drop_column("tuning_jobs", "completion_details")
