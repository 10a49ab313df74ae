"""What a running take was asked to become."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring a database to this version from the one before."""
    op.add_column("take", sa.Column("asked", sa.String(), nullable=True))
