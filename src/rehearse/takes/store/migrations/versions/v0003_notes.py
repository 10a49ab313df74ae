"""What a take's run was warned of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring a database to this version from the one before."""
    op.add_column("take", sa.Column("notes", sa.JSON(), nullable=True))
