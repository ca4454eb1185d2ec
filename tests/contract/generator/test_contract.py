"""What holds for every generator. Time is never waited for: deadlines are met by work that cannot end earlier."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.errors import GeneratorError
from bot.inference.generator import Generator, Prompt
from bot.testing import ScriptedGenerator
from tests.contract.generator.prompts import CHINESE, ENGLISH

PATIENCE_S = 60.0
both = pytest.mark.parametrize("prompt", [ENGLISH, CHINESE], ids=["en", "zh"])
heard = pytest.mark.parametrize("subject", ["extractive", "scripted", "local"], indirect=True)
slow = pytest.mark.parametrize("subject", ["openai", "local", "chatting"], indirect=True)


async def say(generator: Generator, prompt: Prompt, *, deadline: float = PATIENCE_S) -> list[str]:
    return [piece async for piece in generator.stream(prompt, deadline=deadline)]


async def begin(generator: Generator, prompt: Prompt) -> str:
    """The first piece of an answer that nobody wants to hear further."""
    async with aclosing(generator.stream(prompt, deadline=PATIENCE_S)) as stream:
        return await anext(stream)


async def settled(before: set[asyncio.Task[object]]) -> None:
    """Returns once every task begun since has ended; fails if one never does."""
    async with asyncio.timeout(PATIENCE_S):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


@both
async def test_an_answer_comes_as_text_in_pieces(subject: Generator, prompt: Prompt) -> None:
    pieces = await say(subject, prompt)
    assert all(isinstance(piece, str) and piece for piece in pieces)
    assert "".join(pieces).strip()


@heard
@both
async def test_what_is_said_stands_in_the_passages_in_that_order_and_is_marked(
    subject: Generator, prompt: Prompt
) -> None:
    text = "".join(await say(subject, prompt))
    sentences = [s for s in re.split(r"(?<=[.。])\s*", re.sub(r"\s*\[\d+\]", "", text)) if s]
    source = " ".join(passage.text for passage in prompt.passages)
    places = [source.find(sentence) for sentence in sentences]
    assert -1 not in places
    assert places == sorted(places)
    marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", text)}
    assert marks
    assert marks <= {passage.mark for passage in prompt.passages}


async def test_opening_ahead_is_allowed_again_and_again(subject: Generator) -> None:
    await subject.open()
    await subject.open()
    assert await begin(subject, ENGLISH)


async def test_without_a_passage_nothing_is_said(subject: Generator) -> None:
    with pytest.raises(GeneratorError, match="no passage"):
        await say(subject, replace(ENGLISH, passages=()))


async def test_without_time_nothing_is_said(subject: Generator) -> None:
    with pytest.raises(GeneratorError, match="no time"):
        await say(subject, ENGLISH, deadline=0)


@slow
async def test_a_deadline_too_short_for_a_model_is_kept_and_does_no_harm(subject: Generator) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(GeneratorError, match="took longer than"):
        await say(subject, replace(ENGLISH, question="a question never asked before"), deadline=0.002)
    await settled(before)
    assert await begin(subject, ENGLISH)


async def test_a_deadline_strikes_in_the_middle_too() -> None:
    generator = ScriptedGenerator("Half an", hangs=True)
    stream = generator.stream(ENGLISH, deadline=0.01)
    assert await anext(stream) == "Half an"
    with pytest.raises(GeneratorError, match="took longer than"):
        await anext(stream)
    assert generator.abandoned == 1


async def test_closing_early_ends_the_work_and_leaves_the_generator_usable(subject: Generator) -> None:
    before = asyncio.all_tasks()
    assert await begin(subject, ENGLISH)
    await settled(before)
    assert await begin(subject, ENGLISH)


async def test_cancelling_leaves_no_task(subject: Generator) -> None:
    before = asyncio.all_tasks()
    begun = asyncio.Event()

    async def listen() -> None:
        async with aclosing(subject.stream(ENGLISH, deadline=PATIENCE_S)) as stream:
            async for _ in stream:
                begun.set()
                await asyncio.Event().wait()

    listener = asyncio.create_task(listen())
    await begun.wait()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    await settled(before)


@slow
async def test_cancelling_before_the_first_word_leaves_no_task(subject: Generator) -> None:
    before = asyncio.all_tasks()
    listener = asyncio.create_task(say(subject, ENGLISH))
    await asyncio.sleep(0)
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    await settled(before)


async def test_two_at_once_do_not_mix(subject: Generator) -> None:
    alone = [await begin(subject, ENGLISH), await begin(subject, CHINESE)]
    together = await asyncio.gather(begin(subject, ENGLISH), begin(subject, CHINESE))
    # A busy server cuts its text into other pieces, and a model that computes both in one batch rounds otherwise, may
    # begin otherwise: but never as the other one's answer does.
    for own, other, now in zip(alone, alone[::-1], together, strict=True):
        assert _goes_on(now, own) or not _goes_on(now, other)


def _goes_on(text: str, other: str) -> bool:
    return text.startswith(other) or other.startswith(text)


@pytest.mark.parametrize("subject", ["extractive", "scripted", "openai"], indirect=True)
async def test_closing_twice_is_closing_once(subject: Generator) -> None:
    await begin(subject, ENGLISH)
    await subject.close()
    await subject.close()


async def test_the_name_is_for_traces(subject: Generator) -> None:
    assert re.fullmatch(r"[a-z0-9:._-]+", subject.name)
