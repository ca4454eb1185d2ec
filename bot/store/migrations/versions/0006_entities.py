"""What a message names: kinds and places, beside why it was answered so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("trace", sa.Column("entities", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("trace", "entities")
