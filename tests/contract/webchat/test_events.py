"""What only plain HTTP has: statuses, headers, ids of events, other sites' pages, messages without an id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import Overloaded
from connectors.testing import MemoryGateway
from connectors.webchat import Tokens
from tests.contract.webchat.page import BASE, KEY, EventPage, Site, eventually, open_site, sockets

EVENTS, MESSAGES = f"{BASE}/events", f"{BASE}/messages"
SAY = {"type": "message", "id": "a", "text": "hello"}
SHOP = "https://shop.example"


@pytest.fixture(autouse=True)
def without_sockets() -> Iterator[None]:
    token = sockets.set(False)
    yield
    sockets.reset(token)


async def listening(site: Site, **hello: Any) -> EventPage:
    page = await site.page(**hello)
    assert isinstance(page, EventPage)
    return page


def bearer(page: EventPage) -> dict[str, str]:
    return {"Authorization": f"Bearer {page.token}"}


async def post(site: Site, frame: object, **headers: str) -> tuple[int, dict[str, Any]]:
    async with site.client.post(MESSAGES, json=frame, headers=headers) as response:
        return response.status, await response.json() if response.content_length else {}


async def test_events_are_numbered_by_the_messages_they_carry_and_by_nothing_else() -> None:
    async with open_site(MemoryGateway(reply=lambda inbound: f"You said {inbound.text}")) as site:
        page = await listening(site)
        await page.send("message", id="a", text="hello")
        await page.until("final", seq=2)
        assert {"welcome", "accepted", "read", "delta", "final"} <= set(page.kinds())
        assert page.ids == ["1", "2"]


async def test_a_stream_is_for_this_client_alone_and_sets_no_cookie() -> None:
    async with open_site() as site, site.client.get(EVENTS) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert not response.cookies
        lines = [(await response.content.readline()).decode().strip() for _ in range(2)]
        assert lines[0].startswith('data: {"type":"welcome"')
        assert lines[1] == "retry: 2000"


async def test_a_silent_stream_shows_that_it_lives() -> None:
    async with open_site(heartbeat=0.05) as site, site.client.get(EVENTS) as response:
        async with asyncio.timeout(5):
            while not (await response.content.readline()).startswith(b":"):
                pass


async def test_a_browsers_own_event_source_may_put_token_and_number_into_the_address() -> None:
    async with open_site() as site:
        first = await listening(site)
        for number in range(3):
            site.gateway.say(first.conversation, f"message {number}")
        await first.until("final", seq=3)
        page = EventPage(site.client, site.gateway, headers={})
        query = {"token": first.token, "last_seq": "1"}
        page._events = await site.client.get(EVENTS, params=query)
        page.welcome = await page.until("welcome")
        await page.until("final", seq=3)
        assert (page.conversation, page.finals) == (first.conversation, [2, 3])
        page._events = await site.client.get(EVENTS, params=query, headers={"Last-Event-ID": "2"})
        page.seen.clear()
        await page.until("final", seq=3)
        assert page.finals == [3]


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9007199254740992", "9" * 40, "²"])
async def test_a_number_that_is_none_is_refused(last: str) -> None:
    async with open_site() as site, site.client.get(EVENTS, params={"last_seq": last}) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "bad_frame"


async def test_forged_and_old_tokens_are_refused_and_a_missing_one_cannot_send() -> None:
    now = [1_800_000_000.0]
    tokens = Tokens([KEY], clock=lambda: now[0])
    foreign, _ = Tokens(["another-key-of-more-than-32-characters"]).issue(tokens.begin(), instance="web")
    async with open_site(tokens=tokens) as site:
        old = (await listening(site)).token
        now[0] += 40 * 86_400
        elsewhere, _ = tokens.issue(tokens.begin(), instance="other-shop")
        for token, code in (
            (old, "session_expired"),
            ("x", "session_invalid"),
            (elsewhere, "session_invalid"),
            (foreign, "session_invalid"),
            ("", "session_invalid"),
        ):
            headers = {"Authorization": f"Bearer {token}"}
            async with site.client.get(EVENTS, headers=headers) as response:
                assert response.status == 401
                body = await response.json()
            assert (body["type"], body["error"]["code"]) == ("error", code)
            assert (await post(site, SAY, **headers))[0] == 401
        status, body = await post(site, SAY)
        assert (status, body["error"]["code"]) == (401, "session_invalid")
        assert site.gateway.inbound == []


async def test_one_sessions_token_reaches_no_other_conversation() -> None:
    async with open_site() as site:
        mine, theirs = await listening(site), await listening(site)
        await mine.send("message", id="a", text="mine")
        await mine.until("final", seq=1)
        assert await theirs.settled() == []
        assert [inbound.conversation for inbound in site.gateway.inbound] == [mine.conversation]


@pytest.mark.parametrize(
    ("origins", "origin", "admitted"),
    [
        ((SHOP,), SHOP, True),
        ((SHOP,), "http://shop.example", False),
        ((SHOP,), "null", False),
        ((), SHOP, False),
        (("*",), "https://any.example", True),
    ],
)
async def test_other_sites_pages(origins: tuple[str, ...], origin: str, admitted: bool) -> None:
    async with open_site(origins=origins, allow_missing_origin=False) as site:
        headers = {"Origin": origin}
        async with site.client.options(MESSAGES, headers=headers) as asked:
            assert asked.status == (204 if admitted else 403)
            allowed = asked.headers.get("Access-Control-Allow-Headers", "")
            assert ("Authorization" in allowed and "Idempotency-Key" in allowed) is admitted
        async with site.client.get(EVENTS, headers=headers) as stream:
            assert stream.status == (200 if admitted else 403)
        async with site.client.post(MESSAGES, json=SAY, headers=headers) as sent:
            assert sent.status == (401 if admitted else 403)
        for response in (asked, stream, sent):
            assert response.headers.get("Access-Control-Allow-Origin") == (origin if admitted else None)
            assert "Access-Control-Allow-Credentials" not in response.headers


async def test_the_servers_own_pages_name_no_origin_when_they_read() -> None:
    async with open_site(allow_missing_origin=False) as site:
        page = await listening(site)
        own = str(site.client.make_url("/")).rstrip("/")
        assert (await post(site, SAY, **bearer(page)))[0] == 403
        assert (await post(site, SAY, Origin=own, **bearer(page)))[0] == 200
        async with site.client.get(EVENTS, headers={"Sec-Fetch-Site": "cross-site"}) as response:
            assert response.status == 403


async def test_a_message_without_an_id_gets_one_or_takes_the_header() -> None:
    async with open_site() as site:
        page = await listening(site)
        frame = {"type": "message", "text": "hello"}
        ids = [(await post(site, frame, **bearer(page)))[1]["id"] for _ in range(2)]
        assert len(set(ids)) == 2
        keys = ["order-17", "order-17", "a key, with blanks", "a key, with blanks"]
        answers = [(await post(site, frame, **{"Idempotency-Key": key}, **bearer(page)))[1] for key in keys]
        assert [answer["duplicate"] for answer in answers] == [False, True, False, True]
        assert answers[0]["id"] == "order-17"
        assert len(site.gateway.inbound) == 4
        status, body = await post(site, frame, **{"Idempotency-Key": "k" * 256}, **bearer(page))
        assert (status, body["error"]["code"]) == (400, "bad_key")


async def test_statuses_say_what_to_do() -> None:
    async with open_site(per_minute=60, burst=2) as site:
        page = await listening(site)
        head = bearer(page)
        assert (await post(site, {"type": "hello", "v": 1}, **head))[0] == 400
        assert (await post(site, {"type": "message", "id": "a", "text": "x" * 5_000}, **head))[0] == 413
        async with site.client.post(MESSAGES, data=b"x" * 200_000, headers=head) as response:
            assert response.status == 413
        assert (await post(site, {"type": "feedback", "of": 1, "vote": "up"}, **head))[0] == 404
        site.gateway.fail("receive", Overloaded("overloaded", "Busy.", retry_after=1.2))
        async with site.client.post(MESSAGES, json=SAY, headers=head) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "2")
        async with site.client.post(MESSAGES, json=SAY, headers=head) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "1"
            assert (await response.json())["error"]["ref"] == "a"
        assert site.gateway.inbound == []


async def test_an_acknowledgement_is_told_at_once_and_never_beyond_what_there_is() -> None:
    async with open_site() as site:
        page = await listening(site)
        site.gateway.say(page.conversation, "one")
        assert await post(site, {"type": "ack", "seq": 10**9}, **bearer(page)) == (204, {})
        assert site.gateway.delivered_calls == [(page.conversation, 1)]


async def test_no_room_for_another_stream() -> None:
    async with open_site(max_sockets=1) as site:
        first = await listening(site)
        async with site.client.get(EVENTS) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
        await first.leave()
        await eventually(lambda: site.channel.open_sockets == 0)
        await listening(site)


async def test_a_server_that_stops_tells_every_stream_and_takes_no_new_one() -> None:
    async with open_site(MemoryGateway(reply=lambda _: "answer")) as site:
        pages = [await listening(site) for _ in range(5)]
        await pages[0].send("message", id="a", text="last words")
        await pages[0].until("accepted")
        site.gateway.say(pages[1].conversation, "just now")
        closed = [asyncio.create_task(page.closed()) for page in pages]
        await site.channel.close()
        assert await asyncio.gather(*closed) == [1001] * 5
        assert pages[1].finals == [1]
        assert site.channel.open_sockets == 0
        async with site.client.get(EVENTS) as response:
            assert response.status == 503
