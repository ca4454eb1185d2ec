"""Servers end, kindly or not; conversations go on. What was accepted is answered, once, whatever happened."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.contract.webchat.page import Page
from tests.integration.server.process import Server, ask

INVOICE = "Can I get an invoice?"
LATE = [f"late{number}" for number in range(3)]
MANY = [f"m{number}" for number in range(24)]


async def say(page: Page, refs: list[str], *, text: str = "Where is my order?") -> None:
    for ref in refs:
        await page.send("message", id=ref, text=text)


async def until_answered(page: Page, questions: int) -> list[dict[str, Any]]:
    """The conversation's messages once the bot has answered so many."""
    while sum(seen["type"] == "final" and seen["role"] == "bot" for seen in page.seen) < questions:
        await page.next()
    await page.settled()
    return [seen for seen in page.seen if seen["type"] == "final"]


def answered_once(messages: list[dict[str, Any]], refs: list[str]) -> bool:
    """Whether each of `refs` stands there once, with one answer, and no number is lacking.

    Where the machine is busy, customers may be told besides that an answer takes longer ("system")."""
    own = [message["id"] for message in messages if message["role"] == "customer"]
    answers = [message for message in messages if message["role"] == "bot"]
    gapless = [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    return gapless and own == refs and len(answers) == len(refs)


def without(file: Path, key: str) -> None:
    """Take a row out of a knowledge file."""
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in rows if json.loads(line)["id"] != key), encoding="utf-8")


async def test_a_stop_is_kind_and_the_conversation_goes_on_afterwards(server: Server) -> None:
    async with server.page() as page:
        before = await ask(page, INVOICE, ref="m1")
        token, last = page.token, page.seen[-1]["seq"]
        await say(page, LATE)
        server.tell(signal.SIGTERM)
        assert await page.closed() == 1001
    assert server.wait() == 0
    assert not server.said("Traceback"), server.words

    without(server.folder / "knowledge" / "faq.en.jsonl", "payment-invoice")
    server.start()
    async with server.page(token=token) as again:
        assert again.welcome["conversation"] == page.conversation
        await say(again, LATE)  # as a page does with what it has no `accepted` for
        messages = await until_answered(again, 1 + len(LATE))
        assert answered_once(messages, ["m1", *LATE]), messages
        assert await ask(again, INVOICE, ref="m2") != before
    async with server.page(token=token, last_seq=last) as third:
        assert third.welcome["seq"] == len(messages) + 2
        await third.until("final", seq=third.welcome["seq"])
        assert third.finals == list(range(last + 1, third.welcome["seq"] + 1))


async def test_what_was_accepted_before_a_kill_is_answered_after_it(server: Server) -> None:
    async with server.page() as page:
        await say(page, MANY, text="How much is delivery?")
        await page.until("accepted", id=MANY[-1])
        server.tell(signal.SIGKILL)
        await page.closed()
    assert server.wait() == -signal.SIGKILL
    assert sum(seen.get("role") == "bot" for seen in page.seen) < len(MANY)
    damage(server.home / "bundles")

    server.start()
    async with server.page(token=page.token) as again:
        messages = await until_answered(again, len(MANY))
        assert answered_once(messages, MANY), messages
        answers = {m["text"] for m in messages if m["role"] == "bot"}
        # The damaged index would have said 9: it was made again from the database.
        assert answers == {
            "Standard delivery costs 8 yuan and is free from 99 yuan. Express delivery costs 20 yuan. [1]"
        }


def damage(bundles: Path) -> None:
    """One byte, in the answer that is asked for."""
    [file] = bundles.glob("*/entries.jsonl")
    text = file.read_bytes()
    assert text.count(b"costs 8 yuan") == 1
    file.write_bytes(text.replace(b"costs 8 yuan", b"costs 9 yuan"))
