"""Trace contexts: of the request that created a tuning job, and of the tasks that wait to be published.

Going back loses them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goes forward."""
    op.add_column("tuning_jobs", sa.Column("trace", sa.String(length=64), nullable=True))
    op.add_column("outbox", sa.Column("trace", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Goes back."""
    op.drop_column("outbox", "trace")
    op.drop_column("tuning_jobs", "trace")
