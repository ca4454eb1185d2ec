"""Slow clients, vanished clients, and a server that stops."""

from __future__ import annotations

import asyncio

import pytest

from connectors.port import Inbound, Receipt
from connectors.testing import MemoryGateway
from tests.contract.webchat.page import PATIENCE, eventually, open_site

pytestmark = pytest.mark.usefixtures("either_way")


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
        sending = asyncio.create_task(page.send("message", id="a", text="just in time"))
        await gateway.entered.wait()
        closing = asyncio.create_task(site.channel.close())
        await eventually(lambda: not gateway.subscribers(page.conversation))
        gateway.go_on.set()
        assert await page.closed() == 1001
        await asyncio.gather(closing, sending)
        assert await gateway.last_seq(page.conversation) == 1
