"""Whatever a client sends, it gets one shape of error, and the server goes on serving others."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.store import ledger
from bot.store.db import Database
from connectors.port import Inbound
from connectors.webchat import Tokens
from connectors.webchat.tokens import LIFETIME, Session
from tests.contract.webchat.page import PATH
from tests.integration.server.process import Server, ask


@pytest.fixture(autouse=True)
async def others_are_served(server: Server) -> AsyncIterator[None]:
    """Somebody else, connected before, is answered afterwards on the same socket."""
    async with server.page() as other:
        yield
        assert await ask(other, "运费是多少？", ref="after")
        assert "error" not in other.kinds()


def shape_of(error: dict[str, Any]) -> set[str]:
    """Its keys, without those that only some errors have."""
    assert all(isinstance(error[key], str) and error[key] for key in ("code", "message")), error
    return set(error) - {"ref", "retry_after"}


def frame(**keys: object) -> str:
    return json.dumps(keys, ensure_ascii=False)


@pytest.mark.parametrize(
    ("data", "code", "ref"),
    [
        ("hello", "bad_json", None),
        ("", "bad_json", None),
        (b"\xff\xfe", "bad_json", None),
        ("[" * 9_000, "bad_json", None),
        ("[]", "bad_frame", None),
        ("null", "bad_frame", None),
        (frame(type=1), "bad_frame", None),
        (frame(type="message"), "bad_frame", None),
        (frame(type="message", id="m 1", text="x"), "bad_frame", None),
        (frame(type="message", id="m1", text=["x"]), "bad_frame", "m1"),
        (frame(type="message", id="m1", text=""), "empty_text", "m1"),
        (frame(type="message", id="m1", text=" \u3000\u200b\n"), "empty_text", "m1"),
        (frame(type="message", id="m1", text="\x00\x07\x1b"), "empty_text", "m1"),
        (frame(type="message", id="m1", text="长" * 4001), "too_large", "m1"),
        ('{"type":"message","id":"m1","text":"\\ud83d"}', "bad_frame", "m1"),
        (frame(type="shout", text="x"), "unknown_type", None),
        (frame(type="hello", v=1), "bad_frame", None),
        (frame(type="feedback", of=1, vote="up"), "no_such_message", 1),
        (frame(type="feedback", of=10**300, vote="up"), "bad_frame", None),
        (frame(type="choice", id="m1", of=7, value="person"), "no_such_message", "m1"),
    ],
)
async def test_a_bad_frame_gets_its_error_and_the_connection_stays(
    server: Server, data: str | bytes, code: str, ref: object
) -> None:
    async with server.page() as page:
        await page.raw(data)
        error = await page.error()
        assert shape_of(error) == {"code", "message"}
        assert (error["code"], error.get("ref")) == (code, ref)
        assert await ask(page, "运费是多少？", ref="m1")


async def test_a_megabyte_closes_the_connection(server: Server) -> None:
    async with server.page() as page:
        with suppress(ConnectionError):  # the server may close before all of it is sent
            await page.send("message", id="m1", text="x" * 1_000_000)
        assert await page.closed() == 1009


async def test_control_characters_go_and_the_words_are_answered(server: Server) -> None:
    async with server.page() as page:
        assert "20" in await ask(page, "运费\x00是\x1b多少\x08？", ref="m1")
        [own] = [seen["text"] for seen in page.seen if seen.get("role") == "customer"]
        assert own == "运费是多少？"


@pytest.mark.parametrize("text", ["👍👍🏽", "❤️", "……", "？！", "​😀​"])
async def test_a_message_without_words_is_asked_for_words(server: Server, text: str) -> None:
    async with server.page() as page:
        assert await ask(page, text, ref="m1")
        assert page.seen[-1].get("rateable") is None
        assert page.seen[-1].get("citations") is None


async def refused(server: Server, token: str) -> tuple[str, int | None]:
    """Error code and close code for a hello with this token."""
    async with server.socket() as page:
        await page.send("hello", v=1, token=token)
        error = await page.error()
        assert shape_of(error) == {"code", "message"}
        return error["code"], await page.closed()


async def test_a_forged_token_is_refused(server: Server) -> None:
    async with server.page() as page:
        forged, _ = Tokens(["k" * 32]).issue(Session(page.conversation, "s"), instance="web")
        for token in (forged, page.token[:-1], "x", "", "💣", "a.b.c"):
            assert await refused(server, token) == ("session_invalid", 4401), token


async def test_an_expired_token_is_refused(server: Server) -> None:
    async with server.page() as page:
        past = Tokens([key(server)], clock=lambda: time.time() - LIFETIME.total_seconds() - 60)
        token, _ = past.issue(Session(page.conversation, "s"), instance="web")
        assert await refused(server, token) == ("session_expired", 4401)


async def test_a_conversation_the_server_does_not_know_begins_empty(server: Server) -> None:
    token, _ = Tokens([key(server)]).issue(Session("never-spoken-in", "s"), instance="web")
    async with server.page(token=token, last_seq=40) as page:
        assert (page.welcome["conversation"], page.welcome["seq"]) == ("never-spoken-in", 0)
        assert await ask(page, "运费是多少？", ref="m1")


async def test_a_conversation_of_another_channel_takes_no_messages_from_this_one(server: Server) -> None:
    store = Database(f"sqlite:///{server.home / 'kefu.db'}")
    await store.open()
    told = Inbound("terminal", "s", "m1", "told-elsewhere", "Where is my order?")
    await store.write(lambda session: ledger.accept(session, told, datetime.now(UTC)))
    await store.close()
    token, _ = Tokens([key(server)]).issue(Session("told-elsewhere", "s"), instance="web")
    async with server.page(token=token) as page:
        await page.send("message", id="m2", text="运费是多少？")
        error = await page.error()
        assert (error["code"], error["ref"]) == ("unknown_conversation", "m2")
        assert shape_of(error) == {"code", "message"}


def key(server: Server) -> str:
    return (server.home / "secret").read_text()


async def test_without_hello_there_is_no_conversation(server: Server) -> None:
    async with server.socket() as page:
        await page.send("message", id="m1", text="x")
        assert (await page.error())["code"] == "no_hello"
        assert await page.closed() == 4400


async def handshake(server: Server, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    async with ClientSession(server.url) as session, session.get(PATH, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_handshake_that_fails_is_told_over_http_in_the_same_shape(server: Server) -> None:
    for headers, status, code in (
        ({}, 403, "origin_refused"),
        ({"Origin": "https://elsewhere.example"}, 403, "origin_refused"),
        ({"Origin": server.url}, 400, "bad_handshake"),
    ):
        seen, body = await handshake(server, headers)
        assert (seen, body["error"]["code"]) == (status, code)
        assert shape_of(body["error"]) == {"code", "message"}
