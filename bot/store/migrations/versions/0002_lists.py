"""Conversations are listed by the time they began, a page at a time; a topic is found whatever its source."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_conversation_created_at_id", "conversation", ["created_at", "id"])
    op.create_index("ix_knowledge_key_lang", "knowledge", ["key", "lang"])


def downgrade() -> None:
    op.drop_index("ix_knowledge_key_lang", "knowledge")
    op.drop_index("ix_conversation_created_at_id", "conversation")
