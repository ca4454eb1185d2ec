"""Messages, choices, votes and acknowledgements over the wire."""

from __future__ import annotations

import asyncio
import logging

import pytest

from connectors.errors import Overloaded, Refused
from connectors.port import MAX_TEXT, Citation, Frame, Message, QuickReply
from connectors.testing import MemoryGateway
from tests.contract.webchat.page import open_site

pytestmark = pytest.mark.usefixtures("either_way")


REPLIES = (QuickReply("Yes", "/yes"), QuickReply("No", "/no"))


async def test_a_message_is_accepted_after_it_is_stored_and_answered() -> None:
    async with open_site(MemoryGateway(reply=lambda inbound: f"You said {inbound.text}")) as site:
        page = await site.page(locale="zh-CN")
        await page.send("message", id="m-1", text="营业时间 😀")
        accepted = await page.until("accepted")
        assert (accepted["id"], accepted["seq"], accepted["duplicate"]) == ("m-1", 1, False)
        await page.settled()
        own, answer = (frame for frame in page.seen if frame["type"] == "final")
        assert (own["seq"], own["role"], own["id"], own["text"]) == (1, "customer", "m-1", "营业时间 😀")
        assert own["at"] == accepted["at"]
        assert (answer["seq"], answer["role"], answer["rateable"]) == (2, "bot", True)
        assert "id" not in answer
        deltas = [frame for frame in page.seen if frame["type"] == "delta"]
        assert "".join(d["text"] for d in deltas).strip() == answer["text"]
        assert {(d["turn"], d["attempt"]) for d in deltas} == {(answer["turn"], answer["attempt"])}
        received = site.gateway.inbound[0]
        assert (received.channel, received.conversation) == ("web", page.conversation)
        assert (received.external_id, received.locale) == ("m-1", "zh")
        assert received.scope not in ("", page.conversation)


async def test_a_language_the_bot_does_not_speak_counts_as_none() -> None:
    async with open_site() as site:
        page = await site.page(locale="fr-FR")
        await page.send("message", id="a", text="Bonjour")
        await page.until("accepted")
        assert site.gateway.inbound[0].locale is None


async def test_the_same_id_again_is_the_same_message_on_another_socket_too() -> None:
    async with open_site() as site:
        page = await site.page()
        for text in ("first", "second"):
            await page.send("message", id="same", text=text)
        first, second = await page.until("accepted"), await page.until("accepted")
        assert (first["duplicate"], second["duplicate"]) == (False, True)
        later = await site.page(token=page.token, last_seq=1)
        await later.send("message", id="same", text="third")
        third = await later.until("accepted")
        assert third == second
        assert [inbound.text for inbound in site.gateway.inbound] == ["first"]


async def test_the_same_id_of_another_session_is_another_message() -> None:
    async with open_site() as site:
        for _ in range(2):
            page = await site.page()
            await page.send("message", id="same", text="hello")
            assert not (await page.until("accepted"))["duplicate"]
        assert len(site.gateway.inbound) == 2


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("👍🏽", "👍🏽"),
        ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"),
        ("a\x00b\x1bc\x7fd\x85e", "abcde"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("  spaces stay  ", "  spaces stay  "),
        ("字" * MAX_TEXT, "字" * MAX_TEXT),
        ("😀" * MAX_TEXT, "😀" * MAX_TEXT),
        ("\x00" * 50 + "x" * MAX_TEXT, "x" * MAX_TEXT),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
async def test_texts_are_stored_as_they_came_but_for_control_characters(text: str, stored: str) -> None:
    async with open_site() as site:
        page = await site.page()
        await page.send("message", id="a", text=text)
        await page.until("final", text=stored)
        assert site.gateway.inbound[0].text == stored


@pytest.mark.parametrize(
    ("frame", "code", "ref"),
    [
        ("", "bad_json", None),
        ("nonsense", "bad_json", None),
        ('{"type":"ping"', "bad_json", None),
        ("[" * 16_000, "bad_json", None),
        ('{"type":"ack","seq":NaN}', "bad_json", None),
        ('{"type":"ack","seq":' + "9" * 5_000 + "}", "bad_json", None),
        ("[]", "bad_frame", None),
        ('"ping"', "bad_frame", None),
        ("{}", "bad_frame", None),
        ('{"type":["ping"]}', "bad_frame", None),
        ('{"type":"ping","type":"pong"}', "bad_frame", None),
        ('{"type":"launch"}', "unknown_type", None),
        ('{"type":"ack","seq":true}', "bad_frame", None),
        ('{"type":"ack","seq":1.0}', "bad_frame", None),
        ('{"type":"ack","seq":-1}', "bad_frame", None),
        ('{"type":"ack","seq":9007199254740992}', "bad_frame", None),
        ('{"type":"message","id":"a b","text":"x"}', "bad_frame", None),
        ('{"type":"message","id":"a\\n","text":"x"}', "bad_frame", None),
        ('{"type":"message","id":7,"text":"x"}', "bad_frame", None),
        ('{"type":"message","id":"a"}', "bad_frame", "a"),
        ('{"type":"message","id":"a","text":["x"]}', "bad_frame", "a"),
        ('{"type":"message","id":"a","text":"\\ud83d"}', "bad_frame", "a"),
        ('{"type":"message","id":"a","text":""}', "empty_text", "a"),
        ('{"type":"message","id":"a","text":" \\u3000\\n\\u0000\\u200b"}', "empty_text", "a"),
        ('{"type":"message","id":"a","text":"' + "x" * 4_001 + '"}', "too_large", "a"),
        ('{"type":"feedback","of":1,"vote":"sideways"}', "bad_frame", 1),
        ('{"type":"feedback","of":1}', "bad_frame", 1),
        ('{"type":"feedback","of":1,"vote":"up"}', "no_such_message", 1),
        ('{"type":"choice","id":"a","of":1,"value":"/yes"}', "no_such_message", "a"),
        ('{"type":"choice","id":"a","of":0,"value":"/yes"}', "no_such_message", "a"),
        ('{"type":"choice","id":"a","of":1,"value":""}', "bad_frame", "a"),
    ],
)
async def test_what_is_wrong_gets_an_error_and_the_connection_stays(
    frame: str, code: str, ref: object
) -> None:
    async with open_site() as site:
        page = await site.page()
        await page.raw(frame)
        body = await page.error()
        assert (body["code"], body.get("ref")) == (code, ref)
        assert body["message"]
        await page.send("message", id="after", text="still here")
        assert (await page.until("accepted"))["seq"] == 1


async def test_bytes_that_are_not_utf8_are_dropped() -> None:
    async with open_site() as site:
        page = await site.page()
        await page.raw(b"\xff\xfe{}")
        assert (await page.error())["code"] == "bad_json"
        assert await page.settled() == []


async def test_a_frame_of_just_the_largest_size_is_read() -> None:
    async with open_site() as site:
        page = await site.page()
        await page.raw('{"type":"ping"}'.ljust(16 * 1024))
        await page.until("pong")


async def test_a_choice_is_stored_with_the_label_the_server_showed() -> None:
    async with open_site() as site:
        page = await site.page()
        site.gateway.say(page.conversation, "Sure?", quick_replies=REPLIES)
        shown = await page.until("final")
        assert shown["quick_replies"] == [{"label": "Yes", "value": "/yes"}, {"label": "No", "value": "/no"}]
        await page.send("choice", id="c", of=1, value="/no", label="Yes, delete it")
        await page.until("accepted", id="c")
        received = site.gateway.inbound[0]
        assert (received.text, received.choice) == ("No", "/no")
        await page.send("choice", id="d", of=1, value="/admin", label="No")
        assert (await page.error())["code"] == "no_such_message"
        await page.send("choice", id="e", of=2, value="/no", label="No")
        assert (await page.error())["code"] == "no_such_message"
        assert len(site.gateway.inbound) == 1


async def test_votes_reach_every_tab_and_can_be_taken_back() -> None:
    async with open_site() as site:
        page = await site.page()
        tab = await site.page(token=page.token)
        site.gateway.say(page.conversation, "An answer")
        for vote in ("up", "down", None):
            await page.send("feedback", of=1, vote=vote)
            for each in (page, tab):
                assert await each.until("feedback") == {"type": "feedback", "of": 1, "vote": vote}
        await page.send("feedback", of=1, vote="up")
        await page.until("feedback")
        later = await site.page(token=page.token)
        assert (await later.until("final"))["vote"] == "up"


async def test_everything_a_message_can_carry_arrives() -> None:
    async with open_site() as site:
        page = await site.page()
        site.gateway.hand_over(page.conversation, "waiting")
        assert await page.until("status") == {"type": "status", "status": "waiting"}
        stored = site.gateway.say(page.conversation, "Hi, this is Ann", role="agent")
        told = Message(
            2,
            "bot",
            "Open 9 to 5 [1]",
            stored.at,
            citations=(Citation(1, "Hours", "9 to 5", "https://x.example"), Citation(2, "More", "...")),
        )
        site.gateway.publish(Frame("final", page.conversation, seq=2, message=told))
        assert (await page.until("final", seq=1))["role"] == "agent"
        final = await page.until("final", seq=2)
        assert final["citations"] == [
            {"mark": 1, "title": "Hours", "snippet": "9 to 5", "url": "https://x.example"},
            {"mark": 2, "title": "More", "snippet": "..."},
        ]


async def test_errors_of_the_engine_are_told_and_the_connection_stays() -> None:
    async with open_site() as site:
        page = await site.page()
        for problem, code in (
            (Overloaded("overloaded", "Busy.", retry_after=1.234), "overloaded"),
            (Refused("no_such_message", "No."), "no_such_message"),
        ):
            site.gateway.fail("receive", problem)
            await page.send("message", id="a", text="hello")
            body = await page.error()
            assert (body["code"], body["ref"]) == (code, "a")
        await page.send("message", id="a", text="hello")
        assert not (await page.until("accepted"))["duplicate"]


async def test_an_unforeseen_error_says_nothing_of_the_customers_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_site() as site:
        page = await site.page()
        site.gateway.fail("receive", RuntimeError("INSERT failed: 'my card is 6222 0000'"))
        site.gateway.fail("feedback", KeyError("6222 0000"))
        await page.send("message", id="a", text="my card is 6222 0000")
        assert (await page.error())["code"] == "internal"
        await page.send("feedback", of=1, vote="up")
        body = await page.error()
        assert (body["code"], body["ref"]) == ("internal", 1)
        assert "6222" not in str(page.seen)
        await page.send("message", id="a", text="my card is 6222 0000")
        await page.until("accepted")
    assert "RuntimeError" in caplog.text
    assert "6222" not in caplog.text


async def test_a_session_that_says_too_much_waits_and_its_messages_are_not_stored() -> None:
    async with open_site(per_minute=600, burst=3) as site:
        page = await site.page()
        for number in range(4):
            await page.send("message", id=f"m{number}", text="hello")
        body = await page.error()
        assert (body["code"], body["ref"]) == ("rate_limited", "m3")
        assert 0 < body["retry_after"] <= 0.1
        assert len(site.gateway.inbound) == 3
        await asyncio.sleep(body["retry_after"])
        await page.send("message", id="m3", text="hello")
        assert (await page.until("accepted", id="m3"))["duplicate"] is False
        assert (await site.page()).welcome["limits"]["per_minute"] == 600


async def test_new_sessions_do_not_get_round_the_limit_of_an_address() -> None:
    async with open_site(peer_per_minute=1, peer_burst=3, trusted_proxies=("127.0.0.1",)) as site:
        codes = []
        for _ in range(4):
            page = await site.page()
            await page.send("message", id="a", text="hello")
            codes.append((await page.next())["type"])
            await page.settled()
        assert "error" in page.kinds()
        assert len(site.gateway.inbound) == 3
        elsewhere = await site.socket(**{"X-Forwarded-For": "203.0.113.7"})
        await elsewhere.hello()
        await elsewhere.send("message", id="a", text="hello")
        await elsewhere.until("accepted")
