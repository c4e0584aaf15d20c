"""Projects: names and request ids of tuning jobs are unique in theirs; tokens.

Going back loses all tokens, and the tuning jobs of other projects than the default one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OF_TUNING_JOBS = ("metric_points", "standings", "training_jobs", "parent_trials", "parents", "events")


def upgrade() -> None:
    """Goes forward; what is there belongs to the project "default"."""
    with op.batch_alter_table("tuning_jobs") as batch:
        batch.add_column(sa.Column("project", sa.String(length=32), nullable=False, server_default="default"))
        batch.drop_constraint("uq_tuning_jobs_name_key", type_="unique")
        batch.drop_constraint("uq_tuning_jobs_request_id", type_="unique")
        batch.create_unique_constraint("uq_tuning_jobs_project_name_key", ["project", "name_key"])
        batch.create_unique_constraint("uq_tuning_jobs_project_request_id", ["project", "request_id"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("project", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )


def downgrade() -> None:
    """Goes back; tuning jobs of other projects are deleted: an older version would show them to everybody."""
    op.drop_table("tokens")
    others = "(SELECT id FROM tuning_jobs WHERE project <> 'default')"
    for table in _OF_TUNING_JOBS:  # SQLite migrates without foreign keys, so nothing else deletes them
        op.execute(f"DELETE FROM {table} WHERE tuning_job_id IN {others}")  # noqa: S608 - constants
    op.execute("DELETE FROM tuning_jobs WHERE project <> 'default'")
    with op.batch_alter_table("tuning_jobs") as batch:
        batch.drop_constraint("uq_tuning_jobs_project_name_key", type_="unique")
        batch.drop_constraint("uq_tuning_jobs_project_request_id", type_="unique")
        batch.create_unique_constraint("uq_tuning_jobs_name_key", ["name_key"])
        batch.create_unique_constraint("uq_tuning_jobs_request_id", ["request_id"])
        batch.drop_column("project")
