"""Statements that every message needs are compiled once and handed to SQLite's driver as they are.

A small statement takes SQLite 2 to 10 microseconds, and SQLAlchemy's way to it and back 12 more: most of what a message
cost on the writer's thread. What goes in and comes out is converted by SQLAlchemy's types as ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

S = TypeVar("S", bound=Executable)

_KEPT: dict[Executable, Prepared | None] = {}


def keep(statement: S) -> S:
    """The same statement, to be compiled when it is first used. It is always given the same parameters' names, nothing
    of it depends on their values, and no column of it has a default in Python.
    """
    _KEPT[statement] = None
    return statement


def prepared(statement: Executable, connection: Connection, names: Mapping[str, Any]) -> Prepared | None:
    """None where the statement is not kept; and where it is to be seen on its way, by the log or by a listener."""
    if statement not in _KEPT or connection.engine.echo:
        return None
    found = _KEPT[statement]
    if found is None:
        found = _KEPT[statement] = Prepared(statement, connection.dialect, names)
    return found


class Fetched(IteratorResult[Any]):
    """All rows of one statement. `rowcount`: rows that were changed."""

    rowcount: int = -1


class Prepared:
    """One statement as SQLite's driver takes it. For any thread."""

    def __init__(self, statement: Any, dialect: Dialect, names: Mapping[str, Any]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        if compiled.post_compile_params or compiled.insert_prefetch or compiled.update_prefetch:
            raise ValueError("A statement that depends on its parameters cannot be kept.")
        self._sql: str = compiled.string
        self._dialect = dialect
        binds = [(name, compiled.binds[name]) for name in compiled.positiontup]
        self._given = [(name, _impl(bind.type, dialect).bind_processor(dialect)) for name, bind in binds]
        self._own = {name: bind.effective_value for name, bind in binds if name not in names}
        columns = list(statement.exported_columns)
        self._names = SimpleResultMetaData([column.key for column in columns])
        readers = [_impl(column.type, dialect).result_processor(dialect, None) for column in columns]
        self._readers = [(place, read) for place, read in enumerate(readers) if read is not None]

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> Fetched:
        """Raises what `Connection.execute` raises."""
        known = {**self._own, **parameters} if self._own else parameters
        values = [write(known[name]) if write else known[name] for name, write in self._given]
        driver: Any = connection.connection.driver_connection
        try:
            cursor = driver.execute(self._sql, values)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise _wrapped(self._sql, error, self._dialect) from error
        found = Fetched(self._names, iter(self._read(rows)))
        found.rowcount = cursor.rowcount
        return found

    def _read(self, rows: list[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        if not self._readers:
            return rows
        found = [list(row) for row in rows]
        for row in found:
            for place, read in self._readers:
                row[place] = read(row[place])
        return found


def _impl(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    found: TypeEngine[Any] = kind.dialect_impl(dialect)
    return found


def _wrapped(sql: str, error: sqlite3.Error, dialect: Dialect) -> BaseException:
    return DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True, dialect=dialect)
