"""What a unit of work is given, whichever database is behind it: Core statements, in a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Dialect, Executable, Result

from bot.store.prepared import prepared

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Session(Protocol):
    """`sqlalchemy.ext.asyncio.AsyncConnection` is one. Results hold all their rows: read them when you like."""

    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> Result[Any]:
        """Several mappings run the statement once for each."""
        ...


Unit = Callable[[Session], Awaitable[T]]
"""May be run more than once: database work only, and the same result from the same rows. It neither commits nor
rolls back, and waits for nothing but its session."""


class DirectSession:
    """A session of the thread that it is used on: it never lets go of its caller."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> Result[Any]:
        if isinstance(parameters, dict) and (kept := prepared(statement, self._connection, parameters)):
            return kept.run(self._connection, parameters)
        return self._connection.execute(statement, parameters)


def run_here(unit: Unit[T], connection: Connection) -> T:
    """Run the unit to its end on this thread, without an event loop. It may wait for nothing but its session."""
    steps = unit(DirectSession(connection)).__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    steps.close()
    raise RuntimeError("A unit waits for nothing but its session.")
