"""Run by Alembic for each command, on the connection it was given (`migrations.config`)."""

from __future__ import annotations

from alembic import context

from bot.store.tables import MESSAGE

_connection = context.config.attributes["connection"]
context.configure(
    connection=_connection,
    target_metadata=MESSAGE.metadata,
    # Both databases take a table's creation back; Alembic would not ask SQLite to.
    transactional_ddl=True,
    render_as_batch=_connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
