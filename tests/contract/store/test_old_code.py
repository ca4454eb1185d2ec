"""What an earlier release says to the database still works on today's schema.

An old server goes on serving while a newer command beside it has brought the schema up to date; so a migration may
not take away, rename or demand what an old statement does not know. The statements of each release are frozen
(freeze.py), so that they stay what they were whatever becomes of the code.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.store.db import Database
from bot.store.engines import parse_url
from bot.store.migrations import migrate
from tests.contract.store.freeze import FROZEN, contents, on_connection, replay
from tests.contract.store.samples import context, history, pending

RELEASES = sorted({file.name.rsplit(".", 2)[0] for file in FROZEN.glob("*.json")})


def frozen(release: str, dialect: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FROZEN / f"{release}.{dialect}.json").read_text(encoding="utf-8"))
    return read


def test_releases_are_there() -> None:
    assert "0.1.0" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
async def test_an_old_release_works_on_todays_schema(store_url: str, release: str) -> None:
    url = parse_url(store_url)
    told = await asyncio.to_thread(frozen, release, url.get_backend_name())
    statements = [(sql, values) for sql, values, _ in told["statements"]]

    def use() -> tuple[list[int], dict[str, list[list[str]]]]:
        migrate(url)
        counts = on_connection(url, lambda connection: replay(connection, statements))
        return counts, on_connection(url, lambda connection: contents(connection, told["columns"]))

    counts, found = await asyncio.to_thread(use)
    assert counts == [count for _, _, count in told["statements"]]
    for table, rows in told["contents"].items():
        assert [row for row in rows if row not in found[table]] == [], table


@pytest.mark.parametrize("release", RELEASES)
async def test_todays_code_reads_what_an_old_release_wrote(store_url: str, release: str) -> None:
    url = parse_url(store_url)
    told = await asyncio.to_thread(frozen, release, url.get_backend_name())

    def write() -> None:
        migrate(url, "0001")
        statements = [(sql, values) for sql, values, _ in told["statements"]]
        on_connection(url, lambda connection: replay(connection, statements))

    await asyncio.to_thread(write)
    db = Database(store_url)
    await db.open()
    assert [message.role for message in await history(db)] == ["customer"] * 3 + ["bot"] * 3
    assert (await history(db, after=4))[0].feedback == "down"
    assert [(p.conversation, p.seq) for p in await pending(db)] == [("c1", 3), ("c2", 1), ("c2", 2)]
    assert (await context(db)).lang == "en"
    await db.close()
