"""A real server under random frames, and pages that come and go at random."""

from __future__ import annotations

import asyncio
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.port import Inbound
from connectors.testing import MemoryGateway
from tests.contract.webchat.page import Page, Site, open_site
from tests.property.webchat.test_wire import NEARLY, VALUES

RANDOM_FRAMES = (
    st.binary(max_size=60)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | NEARLY.map(lambda value: json.dumps(value).encode())
)


@settings(max_examples=60, deadline=None)
@given(st.lists(RANDOM_FRAMES, max_size=30), st.data())
async def test_random_frames_leave_the_server_up_and_answering(
    frames: list[bytes], data: st.DataObject
) -> None:
    async with open_site(MemoryGateway(reply=lambda inbound: inbound.text)) as site:
        page = await site.page()
        for frame in frames:
            await page.raw(frame if data.draw(st.booleans()) else frame.decode("utf-8", "replace"))
        await page.settled()
        errors = [frame["error"]["code"] for frame in page.seen if frame["type"] == "error"]
        assert "internal" not in errors
        other = await site.page()
        await other.send("message", id="after", text="still here?")
        await other.until("final", role="bot")


STEPS = st.sampled_from(
    [
        "say",
        "say",
        "burst",
        "lost wake-up",
        "customer",
        "customer again",
        "drop",
        "vanish",
        "interrupt",
        "other tab",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40), st.integers(0, 2**32))
async def test_pages_that_come_and_go_see_everything_once_in_order(steps: list[str], seed: int) -> None:
    gateway = MemoryGateway(reply=answer, backlog=12)
    async with open_site(gateway, page=5, queue=4) as site:
        tabs = [Tab(site, await site.page())]
        tabs.append(Tab(site, await site.page(token=tabs[0].page.token)))
        chance = random.Random(seed)
        for number, step in enumerate(steps):
            await take(step, chance.choice(tabs), site=site, number=number)
        last = gateway.say(tabs[0].page.conversation, "the end").seq
        for tab in tabs:
            assert await tab.shown(last) == list(range(1, last + 1))
        texts = [inbound.external_id for inbound in gateway.inbound]
        assert len(texts) == len(set(texts))


def answer(inbound: Inbound) -> str | None:
    return "An answer of several words" if inbound.external_id.endswith(("0", "2", "4")) else None


class Tab:
    def __init__(self, site: Site, page: Page) -> None:
        self._site = site
        self.page = page
        self._before: list[int] = []
        self.said: list[str] = []

    async def say(self, ref: str) -> None:
        await self.page.send("message", id=ref, text=f"text of {ref}")
        await self.page.until("accepted", id=ref)
        self.said.append(ref)

    async def leave(self, *, politely: bool) -> None:
        old = self.page
        if politely:
            await old.leave()
        else:
            old.vanish()
        self._before += old.finals
        last_seq = self._before[-1] if self._before else 0
        self.page = await self._site.page(token=old.token, last_seq=last_seq)

    async def shown(self, last: int) -> list[int]:
        if last not in self.page.finals:
            await self.page.until("final", seq=last)
        return self._before + self.page.finals


async def take(step: str, tab: Tab, *, site: Site, number: int) -> None:
    gateway, conversation = site.gateway, tab.page.conversation
    match step:
        case "say":
            gateway.say(conversation, "something")
        case "burst":
            for _ in range(30):
                gateway.say(conversation, "much")
        case "lost wake-up":
            gateway.say(conversation, "unannounced", publish=False)
        case "customer":
            await tab.say(f"m{number}")
        case "customer again" if tab.said:
            await tab.say(tab.said[-1])
        case "drop" | "vanish":
            await tab.leave(politely=step == "drop")
        case "interrupt":
            gateway.end_subscriptions(conversation)
        case _:
            await asyncio.sleep(0)
