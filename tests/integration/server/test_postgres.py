"""A whole server on PostgreSQL: it answers, dies and goes on, with the other commands beside it."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.server.process import Server, ask, kefu
from tests.integration.server.test_knowledge import until_told
from tests.integration.server.test_restart import MANY, answered_once, say, until_answered
from tests.postgres import database

QUESTION, ANSWER = "Do you sell otter kites?", "Yes, otter kites cost 31 yuan."


@pytest.fixture
async def on_postgres(server: Server, postgres_server: str, tmp_path: Path) -> AsyncIterator[Server]:
    """Of the same bot. What was learned is brought along, so that it starts in seconds; the home has no rows."""
    home = tmp_path / "home"
    for part in ("releases", "vectors"):
        await asyncio.to_thread(shutil.copytree, server.home / part, home / part)
    async with database(postgres_server) as url:
        other = Server(server.folder, home, database_url=url)
        await asyncio.to_thread(other.start)
        yield other
        assert await asyncio.to_thread(other.stop) == 0
    assert list(home.glob("*.db*")) == []


def run(server: Server, *words: str | Path) -> str:
    done = kefu(*words, "--home", server.home, database_url=server.settings["database_url"])
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_server_on_postgresql_answers_is_killed_and_goes_on(on_postgres: Server) -> None:
    async with on_postgres.page() as page:
        assert "20" in await ask(page, "运费是多少？", ref="first")
        await say(page, MANY, text="How much is delivery?")
        await page.until("accepted", id=MANY[-1])
        on_postgres.tell(signal.SIGKILL)
        await page.closed()
    assert on_postgres.wait() == -signal.SIGKILL
    await asyncio.to_thread(on_postgres.start)
    async with on_postgres.page(token=page.token) as again:
        messages = await until_answered(again, 1 + len(MANY))
        assert answered_once(messages, ["first", *MANY]), messages
    assert not on_postgres.said("Traceback")


async def test_commands_beside_it_share_its_database(on_postgres: Server, tmp_path: Path) -> None:
    file = tmp_path / "kites.jsonl"
    file.write_text(json.dumps({"id": "kite", "question": QUESTION, "answer": ANSWER}) + "\n")
    async with on_postgres.page() as page:
        assert "31 yuan" not in await ask(page, QUESTION, ref="m1")
        await asyncio.to_thread(run, on_postgres, "ingest", file, "--bot", on_postgres.folder)
        assert await until_told(page, QUESTION, lambda said: "31 yuan" in said) == f"{ANSWER} [1]"
        await ask(page, "I want to talk to a person", ref="m2")
        listed = await asyncio.to_thread(run, on_postgres, "escalations", on_postgres.folder, "--json")
        [case] = [json.loads(line) for line in listed.splitlines()]
        assert (case["conversation"], case["last_text"]) == (page.conversation, "I want to talk to a person")
        closing = ("escalations", on_postgres.folder, "--close", case["id"])
        assert page.conversation in await asyncio.to_thread(run, on_postgres, *closing)
