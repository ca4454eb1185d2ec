"""The database: SQLite beside the process, or PostgreSQL, behind `db.Database`.

`db.write(unit)` runs a unit of work in a transaction and returns after its commit; `db.read()` opens a session for
reading, `db.look(unit)` runs a short read. The units themselves are plain functions of a session, one module a group
of tables: `ledger`, `escalations`, `knowledge`. Statements are Core statements on `tables`, built once at import.
"""
