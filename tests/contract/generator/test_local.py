"""The small model in process: beside the loop, one answer at a time, gone when it is closed."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import GeneratorError
from bot.inference.local import MAX_WAITING, LocalGenerator
from tests.contract.generator.prompts import ENGLISH

PATIENCE_S = 60.0


@pytest.fixture
async def own(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalGenerator]:
    """A generator that a test may close; whatever it writes for a while, it writes under `tmp_path`."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    generator = LocalGenerator(cache)
    yield generator
    await generator.close()


def told(question: str, generator: LocalGenerator) -> asyncio.Task[list[str]]:
    async def say() -> list[str]:
        return await drained(generator.stream(replace(ENGLISH, question=question), deadline=PATIENCE_S))

    return asyncio.create_task(say())


async def drained(stream: AsyncIterator[str]) -> list[str]:
    return [piece async for piece in stream]


async def test_the_loop_turns_while_the_model_reads_and_writes(local: LocalGenerator) -> None:
    turns = 0
    answer = told("how long does delivery take, and is it free", local)
    while not answer.done():
        turns += 1
        await asyncio.sleep(0.001)
    assert "".join(await answer).strip()
    assert turns > 20


async def test_one_answer_too_many_is_refused_at_once(local: LocalGenerator) -> None:
    waiting = [told(f"question {n}", local) for n in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(GeneratorError, match="Too many"):
        await told("one more", local)
    for task in waiting:
        task.cancel()
    assert all(
        isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*waiting, return_exceptions=True)
    )
    assert "".join(await told("how long does delivery take", local)).strip()


async def test_closing_ends_the_answer_under_way_and_every_later_one(
    own: LocalGenerator, tmp_path: Path
) -> None:
    await own.open()
    async with aclosing(own.stream(ENGLISH, deadline=PATIENCE_S)) as stream:
        assert await anext(stream)
        await own.close()
        with pytest.raises(GeneratorError, match="closed"):
            await drained(stream)
    with pytest.raises(GeneratorError, match="closed"):
        await told("later", own)
    await own.close()
    assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir())), "the socket's folder is gone"


async def test_a_file_that_is_no_model_is_an_error_with_a_hint(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.gguf"
    await asyncio.to_thread(rubbish.write_bytes, b"GGUF, and then rubbish")
    generator = LocalGenerator(tmp_path, model=rubbish)
    with pytest.raises(GeneratorError, match="cannot be loaded"):
        await generator.open()
    with pytest.raises(GeneratorError, match="cannot be loaded"):
        await told("anything", generator)
    await generator.close()


async def test_another_model_goes_by_its_own_name(cache: Path) -> None:
    assert LocalGenerator(cache, model=Path("/models/other-1b.gguf")).name == "local:other-1b"
