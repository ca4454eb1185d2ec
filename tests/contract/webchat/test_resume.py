"""Connections break: nothing missing, nothing twice, nothing out of order, no half sentence."""

from __future__ import annotations

import pytest

from connectors.port import Frame
from connectors.testing import MemoryGateway
from tests.contract.webchat.page import Page, Site, open_site

pytestmark = pytest.mark.usefixtures("either_way")


def delta(page: Page, text: str, *, turn: str = "t1", attempt: int = 1) -> Frame:
    return Frame("delta", page.conversation, turn=turn, attempt=attempt, text=text)


def begin(site: Site, page: Page) -> None:
    site.gateway.publish(Frame("read", page.conversation, seq=1))
    site.gateway.publish(Frame("typing", page.conversation))


async def test_history_comes_in_pages_after_last_seq() -> None:
    async with open_site(page=10) as site:
        first = await site.page()
        for number in range(57):
            site.gateway.say(first.conversation, f"message {number}")
        await first.until("final", seq=57)
        for last_seq in (0, 1, 10, 56, 57):
            page = await site.page(token=first.token, last_seq=last_seq)
            await page.settled()
            assert page.welcome["seq"] == 57
            assert page.finals == list(range(last_seq + 1, 58))
            assert page.kinds()[0] == "welcome"


async def test_a_page_that_knows_more_than_the_server_begins_anew() -> None:
    async with open_site() as site:
        first = await site.page()
        site.gateway.say(first.conversation, "only this")
        page = await site.page(token=first.token, last_seq=9)
        await page.settled()
        assert page.welcome["seq"] == 1
        assert page.finals == [1]


async def test_reconnecting_in_the_middle_of_an_answer() -> None:
    async with open_site() as site:
        first = await site.page()
        await first.send("message", id="q", text="question")
        await first.until("accepted")
        begin(site, first)
        site.gateway.publish(delta(first, "You must "))
        await first.until("delta")
        await first.leave()
        site.gateway.publish(delta(first, "not "))

        page = await site.page(token=first.token, last_seq=1)
        site.gateway.publish(delta(page, "pay this."))
        site.gateway.say(page.conversation, "You must not pay this.", turn="t1", attempt=1)
        site.gateway.publish(delta(page, "late"))
        begin(site, page)
        site.gateway.publish(delta(page, "Next", turn="t2"))
        await page.until("delta")
        await page.settled()
        assert page.finals == [2]
        texts = [frame["text"] for frame in page.seen if frame["type"] == "delta"]
        assert texts == ["Next"]


async def test_what_is_committed_while_the_history_is_read_comes_once() -> None:
    class Busy(MemoryGateway):
        async def last_seq(self, conversation: str) -> int:
            self.say(conversation, "before")
            seq = await super().last_seq(conversation)
            self.say(conversation, "after")
            return seq

    async with open_site(Busy()) as site:
        page = await site.page()
        await page.until("final", seq=2)
        assert page.welcome["seq"] == 1
        await page.settled()
        assert page.finals == [1, 2]


async def test_a_lost_wake_up_is_made_good_by_the_next_message() -> None:
    async with open_site() as site:
        page = await site.page()
        for number in range(6):
            site.gateway.say(page.conversation, f"message {number}", publish=number == 5)
        await page.until("final", seq=6)
        await page.settled()
        assert page.finals == [1, 2, 3, 4, 5, 6]


async def test_finals_that_come_out_of_order_are_put_in_order() -> None:
    async with open_site() as site:
        page = await site.page()
        messages = [site.gateway.say(page.conversation, str(n), publish=False) for n in range(3)]
        for message in reversed(messages):
            site.gateway.publish(Frame("final", page.conversation, seq=message.seq, message=message))
        await page.settled()
        assert page.finals == [1, 2, 3]


async def test_an_ended_subscription_is_opened_again_and_the_half_answer_taken_back() -> None:
    async with open_site() as site:
        page = await site.page()
        begin(site, page)
        site.gateway.publish(delta(page, "Half an"))
        await page.until("delta")
        site.gateway.end_subscriptions(page.conversation)
        site.gateway.hand_over(page.conversation, "waiting")
        site.gateway.say(page.conversation, "A whole answer", turn="t1", attempt=1)
        await page.until("final", seq=1)
        kinds = page.kinds()[-4:]
        assert kinds == ["withdraw", "typing", "status", "final"]
        assert page.seen[-4:-1] == [
            {"type": "withdraw", "turn": "t1", "attempt": 1},
            {"type": "typing", "on": False},
            {"type": "status", "status": "waiting"},
        ]
        site.gateway.say(page.conversation, "And live again")
        await page.until("final", seq=2)
        assert site.gateway.subscribers(page.conversation) == 1


async def test_a_burst_larger_than_the_subscription_arrives_whole() -> None:
    async with open_site(MemoryGateway(backlog=20), queue=4, page=25) as site:
        page = await site.page()
        for number in range(300):
            site.gateway.say(page.conversation, f"message {number}")
        await page.until("final", seq=300)
        assert page.finals == list(range(1, 301))


async def test_trouble_while_following_is_overcome() -> None:
    async with open_site() as site:
        page = await site.page()
        site.gateway.fail("subscribe", RuntimeError("1"), RuntimeError("2"))
        site.gateway.fail("history_after", RuntimeError("3"))
        site.gateway.end_subscriptions(page.conversation)
        site.gateway.say(page.conversation, "hello")
        await page.until("final", seq=1)
        assert site.gateway.subscribers(page.conversation) == 1


async def test_lasting_trouble_asks_the_page_to_come_back_later() -> None:
    async with open_site() as site:
        page = await site.page()
        site.gateway.fail("subscribe", *[RuntimeError("down")] * 5)
        site.gateway.end_subscriptions(page.conversation)
        assert (await page.error())["code"] == "internal"
        assert await page.closed() == 1013
        await site.page(token=page.token)


@pytest.mark.parametrize("method", ["subscribe", "last_seq", "status", "history_after"])
async def test_trouble_at_the_beginning_asks_the_page_to_come_back_later(method: str) -> None:
    async with open_site() as site:
        page = await site.page()
        site.gateway.say(page.conversation, "there is a history")
        await page.until("final")
        site.gateway.fail(method, RuntimeError("down"))
        again = await site.socket()
        await again.send("hello", v=1, token=page.token)
        if method == "history_after":  # welcomed by then: the feed helps itself
            await again.until("final", seq=1)
        else:
            assert (await again.error())["code"] == "internal"
            assert await again.closed() == 1013


async def test_two_tabs_see_the_same() -> None:
    async with open_site(MemoryGateway(reply=lambda inbound: f"You said {inbound.text}")) as site:
        one = await site.page()
        two = await site.page(token=one.token)
        await one.send("message", id="from-one", text="Hello from one")
        await two.until("final", seq=2)
        await two.send("message", id="from-two", text="Hello from two")
        await one.until("final", seq=4)
        await two.until("final", seq=4)
        assert one.finals == two.finals == [1, 2, 3, 4]
        seen_by_two = [frame for frame in two.seen if frame["type"] == "final"]
        assert (seen_by_two[0]["role"], seen_by_two[0]["id"]) == ("customer", "from-one")
        shared = [
            [frame for frame in page.seen if frame["type"] not in ("welcome", "accepted")]
            for page in (one, two)
        ]
        assert shared[0] == shared[1]


async def test_withdrawn_attempts_are_followed_by_the_next() -> None:
    async with open_site() as site:
        page = await site.page()
        begin(site, page)
        site.gateway.publish(delta(page, "Wrong"))
        site.gateway.publish(Frame("withdraw", page.conversation, turn="t1", attempt=1))
        site.gateway.publish(delta(page, "Right", attempt=2))
        site.gateway.say(page.conversation, "Right", turn="t1", attempt=2)
        await page.until("final")
        assert page.kinds()[-4:] == ["delta", "withdraw", "delta", "final"]
