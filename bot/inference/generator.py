"""The generator port: from retrieved passages to words, streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from bot.errors import GeneratorError
from bot.observer import Generation

MAX_SENTENCES = 4
"""More is not said: a generator that goes on is rambling."""
T = TypeVar("T")
Bill = list[Generation]
"""What one answer took: every request that was made for it, in the order in which they ended, those that failed too."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What an answer may be made of. `mark` is the number that cites it: [1]."""

    mark: int
    title: str
    text: str
    whole: str = ""
    """The text with what stands around it in its document, where there is more: what a language model reads."""

    @property
    def read(self) -> str:
        return self.whole or self.text


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
    sentences: int = MAX_SENTENCES
    """At most; of a stored answer that is said whole, all."""
    persona: str = ""
    """How the bot speaks, as its folder has it; a language model is told it ahead of the rules."""
    each: bool = False
    """Every passage answers a question of its own: none adds to another one's answer."""
    withheld: list[str] = field(default_factory=list, compare=False)
    """Filled as the answer comes: why each sentence that was not said was not (`grounding.objections`)."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message that leans on what was said before it. `history`: oldest first, not empty."""

    question: str
    lang: str
    history: tuple[Exchange, ...]


@runtime_checkable
class Rewriter(Protocol):
    """What can say a follow-up so that it stands by itself."""

    async def rewrite(self, asked: FollowUp, *, deadline: float, bill: Bill | None = None) -> str:
        """The question, in the follow-up's language. Not to be trusted: see `bot.inference.standalone`.

        `deadline` and `bill` as in `Generator.stream`. Raises `bot.errors.GeneratorError`.
        """
        ...


class Generator(Protocol):
    """Contract suite: tests/contract/generator."""

    @property
    def name(self) -> str:
        """For traces: adapter and model, no secrets."""
        ...

    async def open(self) -> None:
        """Make ready ahead of the first answer, which would spend its deadline on it otherwise. Once or more often.

        Raises GeneratorError where it never will be ready; that a server answers is not tried.
        """
        ...

    def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        """Pieces of the answer's text, with [n] marks where a passage is used.

        `deadline`: seconds allowed for the whole answer. `bill`: complete once the stream is closed, however it ended.
        Raises `bot.errors.GeneratorError` (no passage, too
        slow, not reachable, broken stream, nothing said), whose message repeats neither a key nor what people
        wrote. Who may stop early closes it (`contextlib.aclosing`): that ends the work behind it.
        """
        ...

    async def close(self) -> None:
        """Once or more often; streams still running may fail."""
        ...


def gap(lang: str) -> str:
    """What stands between two sentences, and before a mark."""
    return "" if lang == "zh" else " "


def cited(sentence: str, mark: int, lang: str) -> str:
    """The sentence with the mark of its passage behind it."""
    return f"{sentence}{gap(lang)}[{mark}]"


def refuse_hopeless(prompt: Prompt, deadline: float) -> None:
    """What no adapter can answer: nothing to answer from, or no time left. Raises GeneratorError."""
    if not prompt.passages:
        raise GeneratorError("There is no passage to answer from.")
    if deadline <= 0:
        raise GeneratorError("There is no time left to generate an answer.")


async def within(stream: AsyncGenerator[T, None], seconds: float) -> AsyncGenerator[T, None]:
    """The same pieces; raises GeneratorError once `seconds` have passed. However it ends, `stream` is closed.

    Each step is timed on its own: a timeout around a `yield` would strike the consumer instead of the stream.
    """
    ends = asyncio.get_running_loop().time() + seconds
    async with aclosing(stream):
        while True:
            try:
                async with asyncio.timeout_at(ends):
                    piece = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise GeneratorError(f"The generator took longer than {seconds:.1f} s.") from None
            yield piece
