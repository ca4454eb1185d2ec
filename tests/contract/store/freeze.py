"""Writes down every statement that today's store sends, for the store of tomorrow (test_old_code.py):

    python -m tests.contract.store.freeze 0.1.0

once for each release, into `frozen/VERSION.DIALECT.json`: SQL as it goes to the driver, its parameters, how many rows
each returned or changed, and what stood in the tables afterwards. Such a file is never changed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, event

from bot.store import alerts, escalations, knowledge, ledger, promises, releases, spending
from bot.store.columns import Row
from bot.store.db import Database
from bot.store.engines import parse_url, postgres_engine, sqlite_engine
from bot.store.entries import KnowledgeRow
from bot.store.migrations import migrate
from tests.contract.store.samples import accept, answer, commit, context, history, inbound, later, pending
from tests.postgres import database, private_server

T = TypeVar("T")
Statement = tuple[str, list[Any]]
FROZEN = Path(__file__).with_name("frozen")


async def everything(db: Database) -> None:
    """Each function of the store at least once, each of its branches where they send other statements."""
    for ref in ("m1", "m2", "m3", "m1"):
        await accept(db, replace(inbound(ref), locale="en"))
    await accept(db, replace(inbound("m9", conversation="c2"), choice="entry:fee"), at=later(1))
    await pending(db)
    await commit(db, replace(answer(1), late=True, trace=None))
    await commit(db, answer(1), at=later(2))
    await commit(db, replace(answer(2), escalate="asked"), at=later(3))
    await db.write(lambda session: ledger.vote(session, "c1", 5, vote="up", now=later(4)))
    await db.write(lambda session: ledger.vote(session, "c1", 5, vote="down", now=later(4)))
    await db.write(lambda session: ledger.vote(session, "c1", 6, vote="up", now=later(4)))
    await db.write(lambda session: ledger.vote(session, "c1", 6, vote=None, now=later(4)))
    await db.write(lambda session: ledger.delivered(session, "c1", 5, now=later(5)))
    await _cases(db)
    await _reads(db)
    await _answers(db)
    await _releases(db)
    await _promises(db)
    await _spending(db)


async def _cases(db: Database) -> None:
    async with db.read() as session:
        [case] = await escalations.list_open(session, later(6))
    await db.write(lambda session: escalations.take(session, case.id, later(6)))
    await db.write(lambda session: escalations.close(session, case.id, later(7)))
    await db.write(lambda session: ledger.hold(session, "c2", "closed", later(8)))
    await accept(db, inbound("m10", conversation="c2"), at=later(9))


async def _reads(db: Database) -> None:
    await context(db)
    await history(db)
    async with db.read() as session:
        await ledger.last_seq(session, "c1")
        await ledger.status(session, "c1")
        await ledger.fence(session, "c1")
        await ledger.trace(session, "c1", 1)


async def _answers(db: Database) -> None:
    one = KnowledgeRow("fee", "en", "What does it cost?", "10 yuan.", alternatives=("Price?",))
    two = KnowledgeRow("fee", "zh", "多少钱？", "十元。", intent="fees", valid_to=date(2027, 1, 1))
    for rows in ((one, two), (replace(one, answer="12 yuan."),)):
        told: dict[str, Any] = {"source": "a.csv", "entries": rows, "now": later(9), "prune": True}
        await db.write(partial(knowledge.sync, **told))
    async with db.read() as session:
        await knowledge.sources(session)
        await knowledge.active(session)
        await knowledge.revision(session)


async def _releases(db: Database) -> None:
    note = releases.Note("ada", "better", {"passed": True})
    await db.write(partial(releases.offer, name="r2", now=later(10)))
    for name, instead in (("r1", "base"), ("r2", "r1")):
        await db.write(partial(releases.promote, name=name, now=later(10), instead=instead, note=note))
    await db.write(partial(releases.roll_back, now=later(11), note=note))
    await db.write(partial(releases.withdraw, name="r2"))
    async with db.read() as session:
        await releases.aliases(session)
        await releases.revision(session)
        await releases.history(session)


async def _promises(db: Database) -> None:
    place = await db.write(partial(promises.place, now=later(-1)))
    async with db.read() as session:
        told: dict[str, Any] = {"after": place, "before": later(20), "limit": 9}
        found = await promises.outcomes(session, "r1", **told)
    await db.write(lambda session: promises.count(session, "r1", found, later(20), after=place))
    await db.write(
        lambda session: alerts.open_alert(session, "promise", "r1 en", {"wrong": 1}, now=later(20))
    )
    async with db.read() as session:
        await promises.counts(session, "r1")
        await alerts.alerts(session, "promise")


async def _spending(db: Database) -> None:
    spent = [spending.Spent(1, 90, 10, 100, "m1")]
    await db.write(lambda session: spending.add(session, later(20).date(), spent))
    async with db.read() as session:
        await spending.of_day(session, later(20).date())
        await spending.days(session, after=None, limit=9)
        await spending.of_conversation(session, "c1")


def on_connection(url: URL, work: Callable[[Connection], T]) -> T:
    """In a transaction. Called off the loop: Alembic reads files."""
    if url.get_backend_name() == "sqlite":
        with sqlite_engine(url, busy=1).begin() as connection:
            return work(connection)
    return asyncio.run(_on_postgres(url, work))


async def _on_postgres(url: URL, work: Callable[[Connection], T]) -> T:
    engine = postgres_engine(url)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def replay(connection: Connection, statements: list[Statement]) -> list[int]:
    """Rows that each returned or changed."""
    counts = []
    for sql, parameters in statements:
        result = connection.exec_driver_sql(sql, tuple(map(thawed, parameters)))
        counts.append(len(result.all()) if result.returns_rows else result.rowcount)
    return counts


def contents(connection: Connection, columns: dict[str, list[str]]) -> dict[str, list[list[str]]]:
    """What stands in these columns, by table."""
    found = {}
    for table, names in columns.items():
        rows = connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table}")
        found[table] = sorted([str(value) for value in row] for row in rows)
    return found


def thawed(value: Any) -> Any:
    """JSON has no times."""
    if not isinstance(value, dict):
        return value
    [(kind, text)] = value.items()
    return datetime.fromisoformat(text) if kind == "datetime" else date.fromisoformat(text)


def _frozen(value: Any) -> Any:
    return {type(value).__name__: value.isoformat()} if isinstance(value, date) else value


@contextmanager
def _recorded() -> Iterator[list[Statement]]:
    statements: list[Statement] = []

    def note(_c: object, _cursor: object, sql: str, parameters: Any, _context: object, many: bool) -> None:
        if not sql.startswith("BEGIN"):
            statements.extend((sql, [*map(_frozen, p)]) for p in (parameters if many else [parameters]))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


async def _record(url: str) -> list[Statement]:
    db = Database(url, echo=True)  # so that every statement is told to listeners
    await db.open()
    with _recorded() as statements:
        await everything(db)
    await db.close()
    return statements


def _write(version: str, statements: list[Statement], fresh: str) -> None:
    """`fresh`: an empty database on which the statements are tried once more, for their counts."""
    url = parse_url(fresh)
    migrate(url)
    columns = {table.name: [column.name for column in table.columns] for table in Row.metadata.sorted_tables}
    columns = {name: [f'"{column}"' for column in names] for name, names in columns.items()}
    counts = on_connection(url, lambda connection: replay(connection, statements))
    tables = on_connection(url, lambda connection: contents(connection, columns))
    frozen = {
        "statements": [[sql, values, n] for (sql, values), n in zip(statements, counts, strict=True)],
        "columns": columns,
        "contents": tables,
    }
    FROZEN.mkdir(exist_ok=True)
    file = FROZEN / f"{version}.{url.get_backend_name()}.json"
    file.write_text(json.dumps(frozen, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _write(version, asyncio.run(_record(f"sqlite:///{folder}/kefu.db")), f"sqlite:///{folder}/fresh.db")
    with private_server() as server:
        asyncio.run(_freeze_postgres(version, server))


async def _freeze_postgres(version: str, server: str) -> None:
    async with database(server) as url, database(server) as fresh:
        statements = await _record(url)
        await asyncio.to_thread(_write, version, statements, fresh)


if __name__ == "__main__":
    main(sys.argv[1])
