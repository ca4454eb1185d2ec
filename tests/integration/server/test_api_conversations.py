"""Talking to the bot over HTTP, and reading along: exactly once, whoever sends how often."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest

from tests.integration.server.api import Api
from tests.integration.server.process import Server, ask


@pytest.fixture
async def conversation(api: Api) -> str:
    return str((await api.data("POST", "/conversations", json={"locale": "en-GB"}, status=201))["id"])


async def say(api: Api, conversation: str, text: str, *, key: str | None = None, wait: int = 30) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    path = f"/conversations/{conversation}/messages"
    return await api.data("POST", path, json={"text": text}, params={"wait": str(wait)}, headers=headers)


async def test_a_message_is_answered(api: Api, conversation: str) -> None:
    said = await say(api, conversation, "How much is delivery?")
    assert (said["seq"], said["duplicate"], said["answered"]) == (1, False, True)
    [reply] = said["replies"]
    assert (reply["seq"], reply["role"]) == (2, "bot")
    assert reply["citations"]
    history = await api.all(f"/conversations/{conversation}/messages", limit=1)
    assert [(m["seq"], m["role"]) for m in history] == [(1, "customer"), (2, "bot")]
    shown = await api.data("GET", f"/conversations/{conversation}")
    assert (shown["channel"], shown["last_seq"], shown["lang"]) == ("api", 2, "en")
    [trace] = await api.all(f"/conversations/{conversation}/traces", limit=1)
    assert trace["seq"] == 1
    assert trace["trace"]["hits"]
    assert trace["trace"]["cost"] is None
    took = await api.data("GET", f"/conversations/{conversation}/spending")
    assert took == {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost": "0"}
    assert await api.all("/spending", limit=1) == []


@pytest.mark.parametrize(("text", "start"), [("Is delivery free from 99 yuan?", 22), ("🙂满99元包邮吗？", 2)])
async def test_what_a_message_names_stands_in_its_trace(
    api: Api, conversation: str, text: str, start: int
) -> None:
    await say(api, conversation, text)
    [trace] = await api.all(f"/conversations/{conversation}/traces", limit=1)
    end = text.index("yuan") + 4 if "yuan" in text else text.index("元") + 1
    assert trace["trace"]["entities"] == [{"kind": "price", "start": start, "end": end, "source": "amount"}]


async def test_the_same_key_is_the_same_message_however_many_send_it_at_once(
    api: Api, conversation: str
) -> None:
    answers = await asyncio.gather(*(say(api, conversation, "运费是多少？", key="a key") for _ in range(8)))
    assert {answer["seq"] for answer in answers} == {1}
    assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 7
    assert len({answer["replies"][0]["text"] for answer in answers}) == 1
    history = await api.all(f"/conversations/{conversation}/messages", limit=200)
    assert [m["role"] for m in history] == ["customer", "bot"]


async def test_a_key_used_for_another_message_is_refused(api: Api, conversation: str) -> None:
    await say(api, conversation, "How much is delivery?", key="k")
    path, headers = f"/conversations/{conversation}/messages", {"Idempotency-Key": "k"}
    assert await api.refused("POST", path, 422, json={"text": "Hello"}, headers=headers) == "key_reused"


async def test_a_reply_is_polled_for(api: Api, conversation: str) -> None:
    path = f"/conversations/{conversation}/messages"
    waiting = asyncio.create_task(api.ask("GET", path, params={"after": "1", "wait": "30"}))
    said = await say(api, conversation, "How much is delivery?", wait=0)
    assert said["seq"] == 1
    page = await waiting
    assert [m["role"] for m in page["data"]] == ["bot"]
    assert (await say(api, conversation, "How much is delivery?", wait=30))["answered"]


async def test_a_button_is_pressed_as_it_was_stored(api: Api, conversation: str) -> None:
    said = await say(api, conversation, "zebra quantum sonata")
    reply = said["replies"][-1]
    button = reply["quick_replies"][-1]
    path = f"/conversations/{conversation}/messages"
    choice = {"choice": {"of": reply["seq"], "value": button["value"]}}
    pressed = await api.data("POST", path, json=choice, params={"wait": "30"})
    assert pressed["answered"]
    history = await api.all(path, limit=200)
    assert history[2]["text"] == button["label"]
    invented = {"choice": {"of": reply["seq"], "value": "entry:nothing"}}
    assert await api.refused("POST", path, 404, json=invented) == "no_such_message"


async def test_a_customer_of_a_channel_is_read_and_not_spoken_for(api: Api, server: Server) -> None:
    async with server.page() as page:
        await ask(page, "How much is delivery?", ref="m1")
        path = f"/conversations/{page.conversation}/messages"
        history = await api.all(path, limit=200)
        assert [m["role"] for m in history] == ["customer", "bot"]
        assert await api.refused("POST", path, 409, json={"text": "Hello"}) == "not_begun_here"
        listed = await api.all("/conversations", limit=200, channel="web")
        assert page.conversation in {c["id"] for c in listed}
        assert {c["channel"] for c in listed} == {"web"}


async def test_conversations_are_listed_newest_first_each_once(api: Api) -> None:
    begun = [await api.data("POST", "/conversations", json={}, status=201) for _ in range(5)]
    listed = await api.all("/conversations", limit=2)
    ids = [c["id"] for c in listed]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if i in {c["id"] for c in begun}] == [c["id"] for c in reversed(begun)]
    assert [c["created_at"] for c in listed] == sorted((c["created_at"] for c in listed), reverse=True)


async def test_who_waits_is_listed_and_given_back(api: Api, server: Server) -> None:
    async with server.page() as page:
        await ask(page, "I want to talk to a person", ref="m1")
        cases = await api.all("/escalations", limit=1)
        [case] = [c for c in cases if c["conversation"] == page.conversation]
        assert case["last_text"] == "I want to talk to a person"
        closed = await api.data("POST", f"/escalations/{case['id']}/close")
        assert closed["conversation"] == page.conversation
        while (await page.until("status"))["status"] != "bot":  # the page is told at once
            pass
        assert await api.refused("POST", f"/escalations/{case['id']}/close", 409) == "escalation"
    assert case["id"] not in {c["id"] for c in await api.all("/escalations", limit=200)}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": ""}, 422, "invalid"),
        ({"text": "\u200b \n"}, 400, "empty_text"),
        ({"text": "x" * 4_001}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"text": "a", "choice": {"of": 1, "value": "b"}}, 422, "invalid"),
        ({"text": "a", "role": "bot"}, 422, "invalid"),
        ({"choice": {"of": 10**30, "value": "b"}}, 422, "invalid"),
        ({"choice": {"of": 1, "value": "b"}}, 404, "no_such_message"),
    ],
)
async def test_what_is_no_message_is_refused_and_not_stored(
    api: Api, conversation: str, body: object, status: int, code: str
) -> None:
    path = f"/conversations/{conversation}/messages"
    assert await api.refused("POST", path, status, json=body) == code
    assert await api.all(path, limit=200) == []


async def test_nobody_speaks_where_nothing_was_begun(api: Api) -> None:
    path = f"/conversations/{secrets.token_urlsafe(16)}/messages"
    assert await api.refused("POST", path, 404, json={"text": "Hello"}) == "not_found"
    assert await api.refused("GET", path, 404) == "not_found"
