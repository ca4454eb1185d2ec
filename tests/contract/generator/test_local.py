"""The small model in process: beside the loop, one answer at a time, gone when it is closed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import GeneratorError
from bot.inference import local_model
from bot.inference.instructions import as_chat, as_completion
from bot.inference.llama import Chat, Hear
from bot.inference.local import LocalGenerator
from bot.inference.local_model import MAX_WAITING, LocalModel
from tests.conftest import ROOT
from tests.contract.generator.prompts import ENGLISH
from tests.tiny_generator import tiny_gguf

PATIENCE_S = 60.0


@pytest.fixture
async def own(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalGenerator]:
    """A generator that a test may close; whatever it writes for a while, it writes under `tmp_path`."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    generator = LocalGenerator(LocalModel(cache))
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
    generator = LocalGenerator(LocalModel(tmp_path, rubbish))
    with pytest.raises(GeneratorError, match="cannot be loaded"):
        await generator.open()
    with pytest.raises(GeneratorError, match="cannot be loaded"):
        await told("anything", generator)
    await generator.close()


async def test_another_model_goes_by_its_own_name(cache: Path) -> None:
    assert LocalGenerator(LocalModel(cache, Path("/models/other-1b.gguf"))).name == "local:other-1b"
    assert LocalGenerator(LocalModel(cache, "qwen-1.5b")).name == "local:qwen2.5-coder-1.5b-instruct-q4_k_m"


@pytest.mark.parametrize("chats", [True, False])
async def test_who_was_taught_to_answer_is_sent_messages_and_a_base_model_a_text(
    chats: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    class Told:
        def __init__(self, _: Path, *, adapter: Path | None, threads: int) -> None:
            self.chats = chats

        def answer(self, chat: Chat, hear: Hear, *, max_tokens: int) -> None:
            asked.extend(chat)
            hear("yes")

        def complete(self, text: str, hear: Hear, *, max_tokens: int) -> None:
            asked.append(text)
            hear("yes")

        def close(self) -> None:
            return None

    monkeypatch.setattr(local_model, "Llama", Told)
    generator = LocalGenerator(LocalModel(tmp_path, tmp_path / "any.gguf"))
    assert await told("how long", generator) == ["yes"]
    await generator.close()
    prompt = replace(ENGLISH, question="how long")
    assert asked == (as_chat(prompt) if chats else [as_completion(prompt, facts=1_200, question=300)])


def test_a_model_that_is_closed_as_soon_as_it_is_loaded_ends(tmp_path: Path) -> None:
    """In a process of its own: where llama.cpp waited for a thread without end, no timeout here would strike. Beside
    others that want the same core its threads begin late.
    """
    model = tiny_gguf(tmp_path / "tiny.gguf", chat=True)
    code = "import sys; from pathlib import Path; from bot.inference.llama import Llama\n"
    code += "for _ in range(25): Llama(Path(sys.argv[1])).close()"
    with ExitStack() as busy:
        for _ in range(2 * (os.cpu_count() or 1)):
            one = busy.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            busy.callback(one.kill)
        done = subprocess.run([sys.executable, "-c", code, str(model)], cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0
