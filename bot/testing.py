"""Shipped fakes of the bot's ports: for tests here, and for whoever builds on Kefu."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.errors import GeneratorError, InferenceError
from bot.inference.child import Progress
from bot.inference.encodings import Encoding
from bot.inference.generator import Bill, Prompt, refuse_hopeless, within
from bot.observer import Generation
from retrieval.embed import Encoder, Vectors
from retrieval.text import tokens
from training.entities.lesson import EntityLesson
from training.errors import ReleaseError


class FakeClock:
    """A `Clock` that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        """Time never runs backwards."""
        if seconds < 0:
            raise ValueError("A clock cannot be moved back.")
        self._passed += seconds


class ScriptedGenerator:
    """A `Generator` that says what it was told to say, to every prompt.

    Without pieces it says the best passage and cites it. After the pieces it raises `error`, or with `hangs`
    says nothing more until its deadline. `takes` stands on the bill of each answer. What happened to it is kept in
    `prompts`, `abandoned` and `closed`.
    """

    name = "scripted"

    def __init__(
        self,
        *pieces: str,
        error: GeneratorError | None = None,
        hangs: bool = False,
        takes: Generation | None = None,
    ) -> None:
        self._pieces = pieces
        self._error = error
        self._hangs = hangs
        self._takes = takes
        self.prompts: list[Prompt] = []
        self.abandoned = 0
        """Streams that were closed or cancelled before their end."""
        self.closed = False

    async def open(self) -> None:
        return None

    async def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        self.prompts.append(prompt)
        refuse_hopeless(prompt, deadline)
        try:
            async with aclosing(within(self._say(prompt), deadline)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            if bill is not None and self._takes is not None:
                bill.append(self._takes)

    async def close(self) -> None:
        self.closed = True

    async def _say(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        try:
            for piece in self._pieces or (prompt.passages[0].text, f" [{prompt.passages[0].mark}]"):
                yield piece
            if self._hangs:
                await asyncio.Event().wait()
        except (GeneratorExit, asyncio.CancelledError):
            self.abandoned += 1
            raise
        if self._error is not None:
            await asyncio.sleep(0)  # as a server's failure comes after what it said
            raise self._error


class FakeEncoding:
    """An `Encoding` of an encoder that is in memory already. `error`: what it fails with when it is to be loaded."""

    def __init__(
        self, encoder: Encoder, *, error: Exception | None = None, trained: frozenset[str] = frozenset()
    ) -> None:
        self._encoder, self._error, self.trained = encoder, error, trained

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    async def open(self, *, tokens: bool = False) -> Encoder:
        if self._error is not None:
            raise self._error
        return self._encoder

    async def learn(
        self, lesson: EntityLesson, releases: Path, *, progress: Progress, background: bool
    ) -> None:
        raise InferenceError("This encoder has no folder that entities could be learned on.")

    async def embed(self, texts: Sequence[str], *, progress: Progress) -> Mapping[str, Vectors]:
        vectors = await asyncio.to_thread(self._encoder.encode, texts)
        return dict(zip(texts, vectors, strict=True))


class FakeEncodings:
    """`Encodings` by name. What is not there is missing, as a folder that was deleted."""

    def __init__(self, **encoders: Encoder) -> None:
        self.known: dict[str, Encoding] = {name: FakeEncoding(encoder) for name, encoder in encoders.items()}

    async def find(self, release: str, *, progress: Progress) -> Encoding:
        found = self.known.get(release)
        if found is None:
            raise InferenceError(f"There is no release {release}.", code="release")
        return found

    def folder(self, release: str) -> Path:
        """As of releases in a home. Raises ReleaseError: they lie in memory."""
        raise ReleaseError(f"{release} has no folder")


class WordMeaning:
    """A `Meaning` that counts shared words: for tests, and a model of entailment's place until there is one.

    `told`: what it says of a sentence instead, whatever the source.
    """

    name = "words"
    least = 0.5
    enough = 0.9

    def __init__(self, told: Mapping[str, float] | None = None) -> None:
        self._told = told or {}
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def support(self, sentence: str, sources: Sequence[str], *, deadline: float) -> Sequence[float]:
        self.asked.append((sentence, tuple(sources)))
        if sentence in self._told:
            return [self._told[sentence]] * len(sources)
        said = set(tokens(sentence))
        return [len(said & set(tokens(source))) / max(len(said), 1) for source in sources]


class ScriptedVerifier:
    """A `Verifier` that says what it is told to: of any answer, or by the question or its title. `hangs`: it comes too
    late, always. `takes`: stands on the bill of each reading.
    """

    name = "scripted"

    def __init__(
        self,
        says: float | Mapping[str, float | None] | None = 0.0,
        *,
        hangs: bool = False,
        takes: Generation | None = None,
    ) -> None:
        self.says, self._hangs, self._takes = says, hangs, takes
        self.counted = takes is not None
        self.asked: list[tuple[str, str]] = []

    async def open(self) -> None:
        return None

    async def evidence(
        self, question: str, passage: str, *, title: str = "", deadline: float, bill: Bill | None = None
    ) -> float | None:
        self.asked.append((question, f"{title} {passage}".strip()))
        if self._takes is not None and bill is not None:
            bill.append(self._takes)
        if self._hangs or deadline <= time.monotonic():
            return None
        if not isinstance(self.says, Mapping):
            return self.says
        return self.says[question if question in self.says else title]

    async def close(self) -> None:
        return None
