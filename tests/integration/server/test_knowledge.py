"""Knowledge changes under a running server: new answers come, deleted ones are never said again."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from pathlib import Path

from tests.contract.webchat.page import Page
from tests.integration.server.process import Server, ask, kefu

QUESTION, ANSWER = "Do you sell squirrel umbrellas?", "Yes, squirrel umbrellas cost 47 yuan."
OTHER = "Are the umbrellas waterproof to ten metres?"
SOON = 60.0
"""Seconds; a few where the machine is not busy."""


def row(key: str, question: str, answer: str) -> str:
    return json.dumps({"id": key, "question": question, "answer": answer}) + "\n"


def ingest(server: Server, *words: str | Path) -> None:
    done = kefu("ingest", *words, "--bot", server.folder, "--home", server.home)
    assert done.returncode == 0, done.stderr


async def until_told(page: Page, question: str, so: Callable[[str], bool]) -> str:
    """Ask until the answer is so, and return it."""
    async with asyncio.timeout(SOON):
        while not so(answer := await ask(page, question, ref=secrets.token_hex(8))):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    return answer


async def test_new_knowledge_is_answered_and_deleted_knowledge_never(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "umbrellas.jsonl"
    file.write_text(row("a", QUESTION, ANSWER) + row("b", OTHER, "They are, to ten metres."))
    async with server.page() as page:
        assert "47 yuan" not in await ask(page, QUESTION, ref="m1")
        await asyncio.to_thread(ingest, server, file)
        assert await until_told(page, QUESTION, lambda said: "47 yuan" in said) == f"{ANSWER} [1]"

        file.write_text(row("b", OTHER, "They are, to ten metres."))
        await asyncio.to_thread(ingest, server, file, "--prune")
        await until_told(page, QUESTION, lambda said: "47 yuan" not in said)
        for number in range(3):
            assert "47 yuan" not in await ask(page, QUESTION, ref=f"n{number}")
        assert "ten metres" in await ask(page, OTHER, ref="m2")
        sources = [c for seen in page.seen[-2:] for c in seen.get("citations", ())]
        assert [c["title"] for c in sources] == [OTHER]
