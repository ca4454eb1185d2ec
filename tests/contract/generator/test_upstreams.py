"""Several servers, retries, limits: what is asked of whom, and when. Time is moved by events, not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import pytest
from aiohttp import web

from bot.errors import GeneratorError
from bot.inference.breaker import FAILURES
from bot.inference.faulty import Behaviour, FaultyServer, chunk, hang, hang_first, refusing, saying, sending
from bot.inference.openai import OpenAIGenerator
from bot.inference.upstream import Bounds, Upstream
from bot.observer import Generation, Unobserved
from tests.contract.generator.prompts import ENGLISH

PATIENCE_S = 30.0


class Notes(Unobserved):
    def __init__(self) -> None:
        self.generations: list[Generation] = []
        self.resting: list[bool] = []

    def generated(self, generation: Generation) -> None:
        self.generations.append(generation)

    def rests(self, server: str, model: str, resting: bool) -> None:
        self.resting.append(resting)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def second() -> AsyncIterator[FaultyServer]:
    async with FaultyServer() as server:
        server.behaviour = saying("The ", "second.")
        yield server


async def say(generator: OpenAIGenerator, *, deadline: float = PATIENCE_S) -> str:
    return "".join([piece async for piece in generator.stream(ENGLISH, deadline=deadline)])


def over(*servers: FaultyServer, notes: Notes | None = None, bounds: Bounds | None = None) -> OpenAIGenerator:
    upstreams = [Upstream(server.url, f"m{n}", key=f"key-{n}") for n, server in enumerate(servers, 1)]
    return OpenAIGenerator(upstreams, bounds, observer=notes or Notes())


@pytest.mark.parametrize("behaviour", [refusing(500), refusing(401), refusing(429), sending("5"), saying()])
async def test_the_next_server_answers_where_one_fails(
    faulty: FaultyServer, second: FaultyServer, notes: Notes, behaviour: Behaviour
) -> None:
    faulty.behaviour = behaviour
    generator = over(faulty, second, notes=notes)
    assert await say(generator) == "The second."
    await generator.close()
    assert [len(faulty.requests), len(second.requests)] == [1, 1]
    assert (second.requests[0]["model"], second.keys) == ("m2", ["Bearer key-2"]), "its own key, and no other"
    assert [(g.model, g.end == "done") for g in notes.generations] == [("m1", False), ("m2", True)]


async def test_a_server_that_does_not_begin_is_left_for_the_next(
    faulty: FaultyServer, second: FaultyServer
) -> None:
    faulty.behaviour = hang_first
    generator = over(faulty, second, bounds=Bounds(first_token_s=0.2))
    await generator.open()
    assert await say(generator) == "The second."
    await generator.close()


async def test_silence_in_the_middle_ends_the_answer_and_nobody_else_is_asked(
    faulty: FaultyServer, second: FaultyServer
) -> None:
    faulty.behaviour = sending(chunk("Half an"), then=hang)
    generator = over(faulty, second, bounds=Bounds(between_tokens_s=0.2))
    with pytest.raises(GeneratorError, match=r"nothing more for 0\.2 s"):
        await say(generator)
    await generator.close()
    assert not second.requests


async def test_a_passing_failure_is_over_at_the_second_try(faulty: FaultyServer) -> None:
    faulty.behaviour = once(refusing(503), then=saying("Well ", "again."))
    generator = over(faulty)
    assert await say(generator) == "Well again."
    await generator.close()
    assert len(faulty.requests) == 2


async def test_a_server_that_asks_for_rest_gets_it(faulty: FaultyServer, second: FaultyServer) -> None:
    headers = {"Retry-After": "120"}
    faulty.behaviour = refusing(429, **headers)
    generator = over(faulty, second)
    assert [await say(generator) for _ in range(3)] == ["The second."] * 3
    assert len(faulty.requests) == 1
    await generator.close()


async def test_a_rest_longer_than_the_answer_may_take_is_not_waited_for(faulty: FaultyServer) -> None:
    headers = {"Retry-After": "120"}
    faulty.behaviour = refusing(429, **headers)
    generator = over(faulty)
    async with asyncio.timeout(PATIENCE_S / 2):
        with pytest.raises(GeneratorError, match="status 429"):
            await say(generator)
    await generator.close()
    assert len(faulty.requests) == 1


async def test_who_fails_again_and_again_is_left_alone(faulty: FaultyServer, notes: Notes) -> None:
    faulty.behaviour = sending("5")
    generator = over(faulty, notes=notes)
    for _ in range(FAILURES + 3):
        with pytest.raises(GeneratorError):
            await say(generator)
    await generator.close()
    assert len(faulty.requests) == FAILURES
    assert notes.resting == [True]


async def test_answers_that_break_off_count_although_they_began(faulty: FaultyServer) -> None:
    faulty.behaviour = sending(chunk("Half an"))
    generator = over(faulty)
    for _ in range(FAILURES + 3):
        with pytest.raises(GeneratorError):
            await say(generator)
    await generator.close()
    assert len(faulty.requests) == FAILURES


async def test_one_more_than_may_wait_is_refused_at_once(faulty: FaultyServer) -> None:
    faulty.behaviour = sending(chunk("Half an"), then=hang)
    bounds = Bounds(in_flight=1, waiting=1, between_tokens_s=PATIENCE_S)
    generator = over(faulty, bounds=bounds)
    async with aclosing(generator.stream(ENGLISH, deadline=PATIENCE_S)) as first:
        assert await anext(first) == "Half an"
        waiting = asyncio.ensure_future(say(generator))
        await asyncio.sleep(0)
        with pytest.raises(GeneratorError, match="Too many"):
            await say(generator)
        assert len(faulty.requests) == 1, "no more than one at once"
        faulty.behaviour = saying("At last.")
    assert await waiting == "At last."
    await generator.close()


async def test_who_waits_for_too_long_has_no_time_left_to_answer_in(faulty: FaultyServer) -> None:
    faulty.behaviour = sending(chunk("Half an"), then=hang)
    generator = over(faulty, bounds=Bounds(in_flight=1, between_tokens_s=PATIENCE_S))
    async with aclosing(generator.stream(ENGLISH, deadline=PATIENCE_S)) as first:
        assert await anext(first) == "Half an"
        with pytest.raises(GeneratorError, match="kept the generator server busy"):
            await say(generator, deadline=0.2)
    await generator.close()


async def test_tokens_are_counted_as_the_server_counts_or_by_pieces(
    faulty: FaultyServer, notes: Notes
) -> None:
    generator = over(faulty, notes=notes)
    faulty.behaviour = saying("Well ", "counted.")
    await say(generator)
    faulty.behaviour = sending(chunk("Half "), chunk("an "), chunk("answer"))
    with suppress(GeneratorError):
        await say(generator)
    await generator.close()
    told = [(g.end, g.prompt_tokens, g.completion_tokens) for g in notes.generations]
    assert told == [("done", 7, 2), ("broken_off", 0, 3)]
    assert all(g.first_s is not None for g in notes.generations)


async def test_a_whole_answer_does_not_wait_for_a_server_that_will_not_hang_up(faulty: FaultyServer) -> None:
    faulty.behaviour = sending(chunk("Whole."), chunk(finish="stop"), then=hang)
    generator = over(faulty)
    assert await say(generator) == "Whole."
    await generator.close()


def once(first: Behaviour, *, then: Behaviour) -> Behaviour:
    behaviours = [first]

    async def behave(server: FaultyServer, request: web.Request) -> web.StreamResponse:
        return await (behaviours.pop() if behaviours else then)(server, request)

    return behave
