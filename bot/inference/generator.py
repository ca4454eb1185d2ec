"""The generator port: from retrieved passages to words, streamed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from bot.errors import GeneratorError


@dataclass(frozen=True, slots=True)
class Passage:
    """What an answer may be made of. `mark` is the number that cites it: [1]."""

    mark: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn: the customer's message and the bot's reply."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a generator is told. Passages come best first; there is at least one."""

    bot: str
    question: str
    lang: str
    passages: tuple[Passage, ...]
    history: tuple[Exchange, ...] = ()


class Generator(Protocol):
    """Contract suite: tests/contract/generator."""

    @property
    def name(self) -> str:
        """For traces: adapter and model, no secrets."""
        ...

    def stream(self, prompt: Prompt, *, deadline: float) -> AsyncIterator[str]:
        """Pieces of the answer's text, with [n] marks where a passage is used.

        `deadline`: seconds allowed for the whole answer. Raises `bot.errors.GeneratorError` (too slow, not
        reachable, broken stream, nothing said). Closing the iterator early ends the work behind it.
        """
        ...

    async def close(self) -> None: ...


async def within(stream: AsyncIterator[str], seconds: float) -> AsyncIterator[str]:
    """The same pieces; raises GeneratorError once `seconds` have passed.

    Each step is timed on its own: a timeout around a `yield` would strike the consumer instead of the stream.
    """
    ends = time.monotonic() + seconds
    try:
        while True:
            yield await asyncio.wait_for(anext(stream), ends - time.monotonic())
    except StopAsyncIteration:
        return
    except TimeoutError as error:
        raise GeneratorError(f"The generator took longer than {seconds:.1f} s.") from error
