"""Run by Alembic for each of its commands, on the connection given in `migrations.config`."""

from __future__ import annotations

from alembic import context

from bot.store.migrations import options

context.configure(**options(context.config.attributes["connection"]))
with context.begin_transaction():
    context.run_migrations()
