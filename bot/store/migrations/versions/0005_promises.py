"""What comes of answers under a promise, and alerts. Traces are walked through by the time they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_index("ix_trace_created_at_id", "trace", ["created_at", "id"])
    op.create_table(
        "promise_count",
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("release", "lang", name="pk_promise_count"),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("about", JSON, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("kind", "subject", name="uq_alert_kind_subject"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM meta WHERE key = 'promise_watched_to'")
    op.drop_table("alert")
    op.drop_table("promise_count")
    op.drop_index("ix_trace_created_at_id", "trace")
