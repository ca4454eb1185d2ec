"""How sure the bot had to be, beside how sure it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trace", sa.Column("bound", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("trace", "bound")
