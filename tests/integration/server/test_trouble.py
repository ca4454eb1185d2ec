"""The disk fails, another process holds the database: a page is told in the one shape, nothing is lost, and the
server goes on when it is over."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import pytest
from aiohttp import ClientSession

from tests.contract.webchat.page import Page
from tests.integration.server.process import Server, ask
from tests.integration.server.test_restart import answered_once, say, until_answered

REFS = [f"m{number}" for number in range(4)]


@contextmanager
def failing_disk(server: Server) -> Iterator[None]:
    """Every write of the server's to a file fails (its own limit for the size of files is nought)."""
    process = server.process
    before = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        process.rlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def held_database(server: Server) -> Iterator[None]:
    with closing(sqlite3.connect(server.home / "kefu.db", isolation_level=None)) as outsider:
        outsider.execute("BEGIN IMMEDIATE")
        yield
        outsider.execute("ROLLBACK")


async def refusals(page: Page, refs: list[str]) -> None:
    """Each of these messages gets an error that says to try again, and names the message."""
    for ref in refs:
        error = await page.error()
        assert set(error) == {"code", "message", "ref", "retry_after"}
        assert (error["code"], error["ref"]) == ("overloaded", ref)


@pytest.mark.parametrize("trouble", [failing_disk, held_database])
async def test_a_database_that_cannot_be_written_is_told_and_nothing_is_lost(
    server: Server, trouble: Callable[[Server], AbstractContextManager[None]]
) -> None:
    async with server.page() as page:
        before = await ask(page, "运费是多少？", ref="before")
        with trouble(server):
            await say(page, REFS[:1], text="运费是多少？")
            await refusals(page, REFS[:1])
            async with ClientSession(server.url) as session, session.get("/") as answer:
                assert answer.status == 200
            async with server.page(token=page.token) as other:  # what is stored can be read
                await other.until("final", seq=2)
                assert other.finals == [1, 2]
        await say(page, REFS, text="运费是多少？")
        messages = await until_answered(page, 1 + len(REFS))
        assert answered_once(messages, ["before", *REFS]), messages
        assert {m["text"] for m in messages if m["role"] == "bot"} == {before}
    assert not server.said("Traceback")


async def test_an_answer_that_cannot_be_stored_comes_when_the_database_is_free(server: Server) -> None:
    async with server.page() as page:
        await page.send("message", id="m1", text="How much is delivery?")
        await page.until("accepted", id="m1")
        with held_database(server):
            # The turn may just have got through; as a rule it has not, and its commit is refused.
            await page.send("message", id="m2", text="How much is delivery?")
            await refusals(page, ["m2"])
        messages = await until_answered(page, 1)
        assert answered_once(messages, ["m1"]), messages
        assert "8 yuan" in messages[-1]["text"]
