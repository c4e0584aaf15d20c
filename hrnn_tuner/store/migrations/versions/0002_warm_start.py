"""Warm start and autotune: copies of parents, and what the service chose.

Going back loses both.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goes forward."""
    op.add_column("tuning_jobs", sa.Column("choices", sa.Text(), nullable=True))
    op.create_table(
        "parents",
        sa.Column("tuning_job_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("best", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tuning_job_id"], ["tuning_jobs.id"], name=op.f("fk_parents_tuning_job_id_tuning_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tuning_job_id", "position", name=op.f("pk_parents")),
    )
    op.create_table(
        "parent_trials",
        sa.Column("tuning_job_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hyperparameters", sa.Text(), nullable=False),
        sa.Column("final_objective", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tuning_job_id", "position"],
            ["parents.tuning_job_id", "parents.position"],
            name=op.f("fk_parent_trials_tuning_job_id_parents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tuning_job_id", "position", "number", name=op.f("pk_parent_trials")),
    )


def downgrade() -> None:
    """Goes back."""
    op.drop_table("parent_trials")
    op.drop_table("parents")
    # No batch: dropping the table for a copy without the column would empty the tables that refer to it.
    op.drop_column("tuning_jobs", "choices")
