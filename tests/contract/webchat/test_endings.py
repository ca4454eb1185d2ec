"""Slow clients, vanished clients, and a server that stops."""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType

from connectors.port import Inbound, Receipt
from connectors.testing import MemoryGateway
from tests.contract.webchat.page import PATIENCE, eventually, open_site

LARGE = "字" * 4_000


async def test_a_client_that_does_not_read_is_closed_and_resumes() -> None:
    async with open_site(MemoryGateway(backlog=2_000), patience=0.1, close_within=20.0) as site:
        page = await site.page()
        conversation = page.conversation
        for _ in range(2_000):
            site.gateway.say(conversation, LARGE)
        await eventually(lambda: not site.gateway.subscribers(conversation))
        assert await page.closed() == 1013
        assert page.finals == list(range(1, len(page.finals) + 1))
        assert len(page.finals) < 2_000
        again = await site.page(token=page.token, last_seq=page.finals[-1])
        await again.until("final", seq=2_000)
        assert again.finals == list(range(page.finals[-1] + 1, 2_001))


async def test_a_client_that_never_reads_again_is_cut_off() -> None:
    async with open_site(patience=0.1, close_within=0.1) as site:
        page, other = await site.page(), await site.page()
        for _ in range(2_000):
            site.gateway.say(page.conversation, LARGE)
        await eventually(lambda: site.connections == 1)
        assert await other.settled() == []
        assert site.channel.open_sockets == 1


async def test_a_client_that_vanishes_leaves_nothing_behind() -> None:
    async with open_site() as site:
        page = await site.page()
        page.vanish()
        await site.at_most(0)
        assert site.gateway.subscribers(page.conversation) == 0


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


async def test_a_server_that_stops_does_not_wait_for_those_who_do_not_read() -> None:
    async with open_site(patience=60.0, close_within=0.2) as site:
        page = await site.page()
        for _ in range(2_000):
            site.gateway.say(page.conversation, LARGE)
        async with asyncio.timeout(PATIENCE):
            await site.channel.close()
        assert site.channel.open_sockets == 0


async def test_a_message_that_is_being_stored_when_the_server_stops_is_stored() -> None:
    class Slow(MemoryGateway):
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def receive(self, inbound: Inbound) -> Receipt:
            self.entered.set()
            await self.go_on.wait()
            return await super().receive(inbound)

    gateway = Slow()
    async with open_site(gateway) as site:
        page = await site.page()
        await page.send("message", id="a", text="just in time")
        await gateway.entered.wait()
        closing = asyncio.create_task(site.channel.close())
        await eventually(lambda: not gateway.subscribers(page.conversation))
        gateway.go_on.set()
        assert await page.closed() == 1001
        await closing
        assert await gateway.last_seq(page.conversation) == 1
