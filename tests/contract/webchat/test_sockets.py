"""What only a WebSocket has: frames that are too large, close codes, signs of life, one line for acknowledgements."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import WSMsgType

from connectors.testing import MemoryGateway
from tests.contract.webchat.page import PATIENCE, eventually, open_site


@pytest.mark.parametrize("size", [16 * 1024 + 1, 1_000_000])
async def test_a_frame_that_is_too_large_closes_the_connection_and_no_other(size: int) -> None:
    async with open_site() as site:
        page, other = await site.page(), await site.page()
        await page.raw("x" * size)
        assert await page.closed() == 1009
        assert await other.settled() == []
        assert site.gateway.inbound == []


async def test_a_message_needs_an_id() -> None:
    async with open_site() as site:
        page = await site.page()
        await page.send("message", text="no id")
        assert (await page.error())["code"] == "bad_frame"


async def test_acknowledgements_are_told_seldom_rising_and_once_more_at_the_end() -> None:
    async with open_site(ack_every=0.05) as site:
        page = await site.page()
        calls = site.gateway.delivered_calls
        for _ in range(5):
            site.gateway.say(page.conversation, "one more")
        await page.until("final", seq=5)
        for seq in (1, 2, 3, 2, 1):
            await page.send("ack", seq=seq)
        await eventually(lambda: bool(calls))
        assert calls == [(page.conversation, 3)]
        for seq in (3, 4, 10**9):
            await page.send("ack", seq=seq)
        await page.settled()
        await page.leave()
        await site.at_most(0)
        assert calls == [(page.conversation, 3), (page.conversation, 5)]


async def test_the_same_acknowledgement_again_is_not_told_again() -> None:
    async with open_site(ack_every=0.01) as site:
        page = await site.page()
        site.gateway.say(page.conversation, "one")
        await page.until("final")
        await page.send("ack", seq=1)
        await eventually(lambda: bool(site.gateway.delivered_calls))
        await page.send("ack", seq=1)
        await page.settled()
    assert site.gateway.delivered_calls == [(page.conversation, 1)]


async def test_a_failed_acknowledgement_is_told_again() -> None:
    async with open_site(ack_every=30.0) as site:
        page = await site.page()
        site.gateway.say(page.conversation, "one")
        await page.until("final")
        await page.send("ack", seq=1)
        await page.settled()
        site.gateway.fail("delivered", RuntimeError("database is gone"))
        await page.leave()
        await site.at_most(0)
        again = await site.page(token=page.token, last_seq=1)
        await again.send("ack", seq=1)
        await again.settled()
    assert site.gateway.delivered_calls == [(page.conversation, 1)]


async def test_a_client_that_says_goodbye_is_let_go() -> None:
    async with open_site() as site:
        page = await site.page()
        assert await page.socket.close(code=1000)
        await site.at_most(0)
        assert page.socket.close_code == 1000
        assert site.gateway.subscribers(page.conversation) == 0


async def test_a_client_that_is_silent_is_asked_for_a_sign_of_life() -> None:
    async with open_site(heartbeat=0.1) as site:
        alive = await site.page()
        dead = await site.client.ws_connect("/channels/web/ws", autoping=False, autoclose=False)
        await dead.send_json({"type": "hello", "v": 1})
        while (await dead.receive(PATIENCE)).type is not WSMsgType.PING:
            pass
        answering = asyncio.create_task(alive.next())
        await site.at_most(1)
        site.gateway.say(alive.conversation, "still there")
        assert (await answering)["seq"] == 1


async def test_a_server_that_stops_tells_every_page_and_keeps_the_order() -> None:
    async with open_site(MemoryGateway(reply=lambda _: "answer")) as site:
        pages = [await site.page() for _ in range(5)]
        silent = await site.socket()
        await pages[0].send("message", id="a", text="last words")
        await pages[0].until("accepted")
        site.gateway.say(pages[1].conversation, "just now")
        closed = [asyncio.create_task(page.closed()) for page in [*pages, silent]]
        await site.channel.close()
        assert await asyncio.gather(*closed) == [1001] * 6
        assert site.channel.open_sockets == 0
        late = await site.socket()
        assert await late.closed() == 1001
        await site.channel.close()
