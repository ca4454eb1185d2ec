"""From the HTTP request to the welcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta

import pytest
from aiohttp import WSServerHandshakeError

from connectors.webchat import Tokens
from tests.contract.webchat.page import KEY, PATH, Page, open_site


async def test_a_new_session_is_welcomed() -> None:
    async with open_site() as site:
        page = await site.page(locale="zh")
        assert page.socket.protocol == "kefu.v1"
        assert page.socket.compress == 0
        welcome = page.welcome
        assert welcome["v"] == 1
        assert welcome["seq"] == 0
        assert welcome["status"] == "bot"
        assert len(welcome["conversation"]) >= 22
        assert welcome["bot"]["welcome"]["zh"] == "请问有什么可以帮您？"
        assert welcome["bot"]["languages"] == ["zh", "en"]
        assert welcome["limits"] == {"text": 4000, "per_minute": 0}
        assert datetime.fromisoformat(welcome["expires_at"]).utcoffset() == timedelta(0)


async def test_two_new_sessions_share_nothing() -> None:
    async with open_site() as site:
        one, other = await site.page(), await site.page()
        assert one.conversation != other.conversation
        assert one.token != other.token


async def test_a_token_leads_back_to_its_conversation_and_is_renewed() -> None:
    now = [1_800_000_000.0]
    async with open_site(tokens=Tokens([KEY], clock=lambda: now[0])) as site:
        first = await site.page()
        now[0] += 20 * 86_400
        second = await site.page(token=first.token)
        now[0] += 20 * 86_400
        third = await site.page(token=second.token)
        assert first.conversation == second.conversation == third.conversation
        stale = await site.socket()
        await stale.send("hello", v=1, token=first.token)
        assert (await stale.error())["code"] == "session_expired"
        assert await stale.closed() == 4401


async def test_a_valid_token_of_which_the_server_knows_nothing_begins_at_nought() -> None:
    tokens = Tokens([KEY])
    session = tokens.begin()
    token, _ = tokens.issue(session, instance="web")
    async with open_site() as site:
        site.gateway.say("somebody-else", "secret")
        page = await site.page(token=token, last_seq=17)
        assert (page.conversation, page.welcome["seq"]) == (session.conversation, 0)
        site.gateway.say(session.conversation, "first")
        assert (await page.until("final"))["seq"] == 1


def swapped(token: str) -> str:
    """With another first character of the signature."""
    body, _, signature = token.rpartition(".")
    return f"{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


async def test_forged_tokens_are_refused() -> None:
    tokens = Tokens([KEY])
    good, _ = tokens.issue(tokens.begin(), instance="web")
    elsewhere, _ = tokens.issue(tokens.begin(), instance="other-shop")
    foreign, _ = Tokens(["another-key-of-more-than-32-characters"]).issue(tokens.begin(), instance="web")
    async with open_site() as site:
        for forged in ("", "x", swapped(good), good + "x", elsewhere, foreign):
            page = await site.socket()
            await page.send("hello", v=1, token=forged)
            assert (await page.error())["code"] == "session_invalid"
            assert await page.closed() == 4401


@pytest.mark.parametrize(
    ("origins", "origin", "admitted"),
    [
        (("https://shop.example",), "https://shop.example", True),
        (("https://shop.example/",), "https://SHOP.example:443", True),
        (("https://shop.example",), "http://shop.example", False),
        (("https://shop.example",), "https://shop.example.evil.example", False),
        (("https://shop.example",), "https://evil.example", False),
        (("https://shop.example",), "null", False),
        ((), "https://shop.example", False),
        (("*",), "https://evil.example", True),
        (("*",), "null", True),
    ],
)
async def test_origins(origins: tuple[str, ...], origin: str, admitted: bool) -> None:
    async with open_site(origins=origins, allow_missing_origin=False) as site:
        await expect_admitted(admitted, site.socket(Origin=origin))


async def test_the_servers_own_pages_are_admitted_and_a_missing_origin_is_not_by_itself() -> None:
    async with open_site(allow_missing_origin=False) as site:
        own = str(site.client.make_url("/")).rstrip("/")
        await expect_admitted(True, site.socket(Origin=own))
        await expect_admitted(False, site.socket())


async def expect_admitted(admitted: bool, connecting: Awaitable[Page]) -> None:
    if admitted:
        page = await connecting
        await page.hello()
        return
    with pytest.raises(WSServerHandshakeError) as refused:
        await connecting
    assert refused.value.status == 403


async def test_refusals_over_http_have_the_one_shape_of_errors() -> None:
    async with open_site() as site:
        async with site.client.get(PATH, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
            assert (await response.json())["error"]["code"] == "origin_refused"
        async with site.client.get(PATH) as response:
            assert response.status == 400
            assert (await response.json())["error"]["code"] == "bad_handshake"


async def test_something_else_than_hello_ends_the_connection() -> None:
    async with open_site() as site:
        page = await site.socket()
        await page.send("message", id="a", text="Hello?")
        assert (await page.error())["code"] == "no_hello"
        assert await page.closed() == 4400
        assert site.gateway.inbound == []


async def test_silence_instead_of_hello_ends_the_connection() -> None:
    async with open_site(hello_within=0.05) as site:
        page = await site.socket()
        assert (await page.error())["code"] == "no_hello"
        assert await page.closed() == 4400


async def test_a_client_that_never_gets_its_hello_right_is_let_go() -> None:
    async with open_site() as site:
        page = await site.socket()
        for _ in range(5):
            await page.send("hello", v=2)
        assert await page.closed() == 4400
        codes = [frame["error"]["code"] for frame in page.seen]
        assert codes == ["bad_frame"] * 5 + ["no_hello"]


async def test_many_pages_of_one_address_connect_at_once() -> None:
    async with open_site() as site:
        pages = await asyncio.gather(*(site.page() for _ in range(250)))
        assert len({page.conversation for page in pages}) == 250


async def test_a_bad_hello_may_be_followed_by_a_good_one() -> None:
    async with open_site() as site:
        page = await site.socket()
        await page.raw("{")
        assert (await page.error())["code"] == "bad_json"
        await page.send("hello", v=2)
        assert (await page.error())["code"] == "bad_frame"
        await page.hello()
        await page.send("hello", v=1)
        assert (await page.error())["code"] == "bad_frame"
        assert await page.settled() == []


async def test_more_sockets_than_there_is_room_for_are_told_to_come_back() -> None:
    async with open_site(max_sockets=2) as site:
        first, _ = await site.page(), await site.page()
        third = await site.socket()
        body = await third.error()
        assert body["code"] == "overloaded"
        assert body["retry_after"] > 0
        assert await third.closed() == 1013
        await first.leave()
        await site.at_most(1)
        await site.page()
