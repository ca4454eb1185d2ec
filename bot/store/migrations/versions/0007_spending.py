"""What generators take: with every answer, and by day and model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None

TAKEN = ("requests", "prompt_tokens", "completion_tokens", "cost")
WITH_TRACE = {"prompt_tokens": sa.Integer(), "completion_tokens": sa.Integer(), "cost": sa.BigInteger()}


def upgrade() -> None:
    for name, kind in WITH_TRACE.items():
        op.add_column("trace", sa.Column(name, kind, nullable=True))
    op.create_table(
        "spending",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in TAKEN),
        sa.PrimaryKeyConstraint("day", "model", name="pk_spending"),
    )


def downgrade() -> None:
    op.drop_table("spending")
    for name in WITH_TRACE:
        op.drop_column("trace", name)
