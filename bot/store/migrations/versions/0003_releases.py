"""Which release is live, and how it came to that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "release_alias",
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("alias", name="pk_release_alias"),
    )
    op.create_table(
        "release_change",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("verdict", JSON, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_release_change"),
    )
    # There from now on, so that it can be locked before it is changed.
    op.execute("INSERT INTO meta (key, value) VALUES ('release_revision', '0')")


def downgrade() -> None:
    op.execute("DELETE FROM meta WHERE key = 'release_revision'")
    op.drop_table("release_change")
    op.drop_table("release_alias")
