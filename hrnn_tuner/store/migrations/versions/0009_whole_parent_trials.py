"""Whether what a parent found out about a hyperparameter set is the result of a whole training.

Earlier versions copied everything as if it were; those copies stay as they are. Going back loses which ones are not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goes forward."""
    op.add_column("parent_trials", sa.Column("whole", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    """Goes back."""
    op.drop_column("parent_trials", "whole")
