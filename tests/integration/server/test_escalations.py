"""Who asks for a person is seen on the command line of the machine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.integration.server.process import Server, ask, kefu


def listed(server: Server) -> list[dict[str, Any]]:
    done = kefu("escalations", server.folder, "--home", server.home, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_a_conversation_that_waits_is_listed_until_it_is_closed(server: Server) -> None:
    async with server.page() as page:
        await ask(page, "I want to talk to a person", ref="m1")
        assert (await page.until("status"))["status"] == "waiting"
        cases = await asyncio.to_thread(listed, server)
        [case] = [case for case in cases if case["conversation"] == page.conversation]
        assert (case["last_text"], case["reason"], case["lang"]) == (
            "I want to talk to a person",
            "asked",
            "en",
        )
        done = await asyncio.to_thread(
            kefu, "escalations", server.folder, "--home", server.home, "--close", case["id"]
        )
        assert (done.returncode, page.conversation in done.stdout) == (0, True)
        assert (await page.until("status"))["status"] == "bot"
        token = page.token
    async with server.page(token=token) as again:
        assert again.welcome["status"] == "bot"
    assert case["id"] not in {left["id"] for left in await asyncio.to_thread(listed, server)}
