"""Whatever a generator server does, the bot gets a GeneratorError that repeats neither key nor customer."""

from __future__ import annotations

import asyncio
import json
import socket
import traceback
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.errors import GeneratorError
from bot.inference.faulty import (
    TOLD,
    Behaviour,
    FaultyServer,
    break_off,
    chunk,
    endless,
    hang,
    hang_first,
    page,
    raw,
    refusing,
    saying,
    sending,
)
from bot.inference.generator import Bill, Exchange, FollowUp, Prompt
from bot.inference.openai import OpenAIGenerator
from bot.inference.servers import ROUNDS
from bot.inference.upstream import Price, Upstream
from tests.contract.generator.prompts import CHINESE, ENGLISH

KEY = "sk-zxq-key"
ASKED = replace(ENGLISH, question="zxq-question")
SAID = chunk("Half an")
ERROR = json.dumps({"error": {"message": TOLD, "code": 500}})
PATIENCE_S = 30.0
DEADLINE_S = 1.0
"""Short, and long enough for a busy machine to let the first words through."""

FAULTS: dict[str, tuple[Behaviour, str, str]] = {
    "400": (refusing(400), "", "status 400"),
    "401": (refusing(401), "", "status 401"),
    "403": (refusing(403), "", "status 403"),
    "404": (refusing(404), "", "status 404"),
    "another address": (refusing(307, Location=f"http://127.0.0.1/{TOLD}"), "", "status 307"),
    "an error in the middle": (sending(SAID, ERROR), "Half an", "failed"),
    "broken off in the middle": (sending(SAID, then=break_off), "Half an", "connection"),
    "ended in the middle": (sending(SAID), "Half an", "broke off"),
    "ended in the middle as if done": (sending(SAID, "[DONE]"), "Half an", "broke off"),
    "not JSON at once": (sending(TOLD), "", "not JSON"),
    "not JSON in the middle": (sending(SAID, f"<html>{TOLD}"), "Half an", "not JSON"),
    "a page": (page, "", "a page"),
    "a number": (sending("5"), "", "no part of an answer"),
    "no choices": (sending('{"choices": 5}'), "", "no part of an answer"),
    "words that are a number": (sending('{"choices": [{"delta": {"content": 5}}]}'), "", "no part"),
    "an end that is a number": (sending('{"choices": [{"delta": {}, "finish_reason": 5}]}'), "", "no part"),
    "nothing": (saying(), "", "said nothing"),
    "blanks": (saying(" ", "\n"), "", "said nothing"),
    "cut at its length": (saying("Half an", finish="length"), "Half an", "did not come to an end"),
    "withheld": (saying("Half an", finish="content_filter"), "Half an", "withheld"),
    "a tool call": (sending(chunk(tool_calls=[{"index": 0, "function": {"name": TOLD}}])), "", "call a tool"),
    "a call as the end": (saying("Half an", finish="tool_calls"), "Half an", "call a tool"),
    "bytes that are no text": (raw(b"data: \xff\xfe\n\n"), "", "no text"),
    "half a character": (sending(chunk("\ud83d")), "", "characters that are none"),
    "a null character": (saying("Half an", "\0"), "Half an", "characters that are none"),
    "100 k characters": (saying("x" * 100_000), "", "more than any answer"),
    "100 k characters in the middle": (saying("Half an", "x" * 100_000), "Half an", "more than any answer"),
    "a line without an end": (endless, "", "more than any answer"),
    "packed": (raw(b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}), "", "no text"),
    "deep JSON": (sending('{"choices":' + "[" * 100_000), "", ""),
}
"""Behaviour, what is heard of it, words of the error. None is asked for again."""

PASSING: dict[str, tuple[Behaviour, str]] = {
    "429": (refusing(429), "status 429"),
    "500": (refusing(500), "status 500"),
    "503": (refusing(503), "status 503"),
    "an error at once": (sending(ERROR), "failed"),
    "broken off before the first word": (sending(then=break_off), "connection"),
    "ended before the first word": (sending(), "broke off"),
    "no choices at all": (sending('{"choices": []}'), "broke off"),
    "a choice without words": (sending('{"choices": [{"index": 0}]}'), "broke off"),
}
"""Before the first word, and of a kind that may be over in a moment."""


async def hear(
    url: str, *, prompt: Prompt = ASKED, deadline: float = PATIENCE_S
) -> tuple[str, Exception | None]:
    """What was said, and what went wrong then."""
    generator = OpenAIGenerator([Upstream(url, "m", key=KEY)])
    said = ""
    try:
        async for piece in generator.stream(prompt, deadline=deadline):
            said += piece
    except GeneratorError as error:
        return said, error
    finally:
        await generator.close()
    return said, None


def assert_silent(error: Exception | None) -> None:
    assert isinstance(error, GeneratorError)
    told = "".join(traceback.format_exception(error))
    behind = error.__cause__ or error.__context__
    while behind is not None:
        told += repr(behind)
        behind = behind.__cause__ or behind.__context__
    for secret in (KEY, ASKED.question, TOLD):
        assert secret not in told


async def test_every_request_stands_on_the_bill(faulty: FaultyServer) -> None:
    """What failed before the one that answered, too; what a server does not count, by its pieces."""
    price = Price(Decimal("1.5"), Decimal(4))
    down = Upstream("http://127.0.0.1:9/v1", "down", price=price)
    faulty.behaviour = saying("Delivery ", "takes ", "3 days. [1]")
    generator = OpenAIGenerator([down, Upstream(faulty.url, "m", price=price)])
    bill: Bill = []
    async for _ in generator.stream(ENGLISH, deadline=PATIENCE_S, bill=bill):
        pass
    await generator.close()
    assert [(one.model, one.end) for one in bill] == [("down", "connection"), ("m", "done")]
    assert [one.cost for one in bill] == [0, price.of(bill[1].prompt_tokens, bill[1].completion_tokens)]
    assert bill[1].completion_tokens > 0 < bill[1].cost


def test_a_price_is_of_a_million_and_rounds_up() -> None:
    assert Price(Decimal("0.15"), Decimal("0.60")).of(1_000_000, 500_000) == 450_000
    assert Price(Decimal("0.15"), Decimal(0)).of(1, 0) == 1
    assert Price().of(10**9, 10**9) == 0


async def test_a_good_stream_is_said_piece_by_piece(faulty: FaultyServer) -> None:
    faulty.behaviour = saying("Delivery ", "takes ", "3 days. [1]")
    generator = OpenAIGenerator([Upstream(faulty.url, "m", key=KEY)])
    pieces = [piece async for piece in generator.stream(ENGLISH, deadline=PATIENCE_S)]
    await generator.close()
    assert pieces == ["Delivery ", "takes ", "3 days. [1]"]


@pytest.mark.parametrize("prompt", [ENGLISH, CHINESE], ids=("en", "zh"))
async def test_the_server_is_told_rules_passages_history_and_question(
    faulty: FaultyServer, prompt: Prompt
) -> None:
    faulty.behaviour = saying("Yes.")
    await hear(faulty.url, prompt=prompt)
    (request,) = faulty.requests
    messages = request["messages"]
    assert isinstance(messages, list)
    system, *turns = messages
    assert all(f"[{p.mark}] {p.title}: {p.text}" in system["content"] for p in prompt.passages)
    told = [turn["content"] for turn in turns]
    assert told == [*(t for e in prompt.history for t in (e.question, e.answer)), prompt.question]
    assert (request["stream"], request["temperature"]) == (True, 0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_one_plain_error(faulty: FaultyServer, fault: str) -> None:
    faulty.behaviour, said, words = FAULTS[fault]
    heard, error = await hear(faulty.url)
    assert heard == said
    assert_silent(error)
    assert words in str(error)
    assert len(faulty.requests) == 1, "a failed answer is not asked for again"


@pytest.mark.parametrize("fault", PASSING)
async def test_what_may_pass_is_asked_for_again_and_told_if_it_stays(
    faulty: FaultyServer, fault: str
) -> None:
    faulty.behaviour, words = PASSING[fault]
    heard, error = await hear(faulty.url)
    assert heard == ""
    assert_silent(error)
    assert words in str(error)
    assert len(faulty.requests) == ROUNDS


async def test_nobody_listens_at_the_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, error = await hear(f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert_silent(error)
    assert "connection" in str(error)


@pytest.mark.parametrize("url", ["not an address", "http://", "ftp://127.0.0.1/v1", "http://[::1/v1"])
async def test_an_address_that_is_none(url: str) -> None:
    _, error = await hear(url)
    assert_silent(error)


async def test_opening_tells_of_an_address_that_can_never_work() -> None:
    generator = OpenAIGenerator([Upstream("http://[::1/v1", "m", key=KEY)])
    with pytest.raises(GeneratorError):
        await generator.open()
    await generator.close()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [(hang_first, ""), (sending(then=hang), ""), (sending(SAID, then=hang), "Half an")],
    ids=["before headers", "before the first word", "in the middle"],
)
async def test_a_server_that_hangs_is_left_at_the_deadline(
    faulty: FaultyServer, behaviour: Behaviour, said: str
) -> None:
    await hear(faulty.url)  # the library is loaded, so the short deadline meets the server
    faulty.behaviour = behaviour
    heard, error = await hear(faulty.url, deadline=DEADLINE_S)
    assert heard == said
    assert_silent(error)
    assert f"took longer than {DEADLINE_S} s" in str(error)
    async with asyncio.timeout(PATIENCE_S):
        await faulty.dropped.wait()


async def test_closing_early_hangs_up(faulty: FaultyServer) -> None:
    faulty.behaviour = sending(SAID, then=hang)
    generator = OpenAIGenerator([Upstream(faulty.url, "m")])
    async with aclosing(generator.stream(ENGLISH, deadline=PATIENCE_S)) as stream:
        assert await anext(stream) == "Half an"
    async with asyncio.timeout(PATIENCE_S):
        await faulty.dropped.wait()
    await generator.close()


async def test_closing_the_generator_ends_a_stream_and_every_later_one(faulty: FaultyServer) -> None:
    faulty.behaviour = sending(SAID, then=hang)
    generator = OpenAIGenerator([Upstream(faulty.url, "m")])
    async with aclosing(generator.stream(ENGLISH, deadline=PATIENCE_S)) as stream:
        assert await anext(stream) == "Half an"
        await generator.close()
        with pytest.raises(GeneratorError):
            await anext(stream)
    with pytest.raises(GeneratorError, match="closed"):
        await anext(generator.stream(ENGLISH, deadline=PATIENCE_S))


async def test_a_text_no_server_can_be_sent_is_an_error_too(faulty: FaultyServer) -> None:
    _, error = await hear(faulty.url, prompt=replace(ENGLISH, question="half a character \ud83d"))
    assert_silent(error)
    assert not faulty.requests


async def test_a_follow_up_is_said_anew_from_what_was_said_before(faulty: FaultyServer) -> None:
    faulty.behaviour = saying("How long does ", "delivery take abroad?")
    generator = OpenAIGenerator([Upstream(faulty.url, "m", key=KEY)])
    bill: Bill = []
    asked = FollowUp("and abroad?", "en", (Exchange("how long does delivery take", "3 days. [1]"),))
    assert await generator.rewrite(asked, deadline=PATIENCE_S, bill=bill) == (
        "How long does delivery take abroad?"
    )
    await generator.close()
    (request,) = faulty.requests
    messages = request["messages"]
    assert isinstance(messages, list)
    assert [turn["role"] for turn in messages] == ["system", "user", "assistant", "user"]
    assert [turn["content"] for turn in messages[1:]] == [
        "how long does delivery take", "3 days. [1]", "and abroad?",
    ]  # fmt: skip
    assert [one.end for one in bill] == ["done"]


async def test_what_cannot_be_said_anew_is_an_error_as_any(faulty: FaultyServer) -> None:
    faulty.behaviour = refusing(400)
    generator = OpenAIGenerator([Upstream(faulty.url, "m", key=KEY)])
    with pytest.raises(GeneratorError) as caught:
        await generator.rewrite(FollowUp("?", "en", ()), deadline=PATIENCE_S)
    assert_silent(caught.value)
    await generator.close()
