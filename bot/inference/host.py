"""What answers right now: one release and one bundle, pinned by each turn, swapped as one behind its back."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from bot.clock import SystemClock
from bot.errors import InferenceError, KefuError
from bot.inference.bundles import KEPT, Knowledge, find_bundle, kept_vectors, make_bundle
from bot.inference.child import Progress
from bot.inference.door import Door
from bot.inference.encodings import Encoding, Encodings
from bot.inference.menders import find_mender
from bot.inference.reader import PATIENCE_S, Reader
from bot.inference.release import Lesson, find_release, make_release, with_slips
from bot.inference.rereading import Rereader
from bot.inference.understanding import Ask, Live, Reads, Understanding
from bot.inference.vectors import (
    are_of,
    brought_vectors,
    file_of,
    load_vectors,
    sample,
    save_vectors,
)
from bot.memory import give_back
from bot.observer import UNOBSERVED, Observer
from retrieval.bundle import Bundle
from retrieval.embed import Vectors
from retrieval.errors import RetrievalError
from retrieval.publish import keep_newest
from retrieval.rerank.port import Reranker
from retrieval.slips.mender import Mender
from training.apply import Heads
from training.entities.finder import Finder
from training.entities.lesson import EntityLesson, open_tagger
from training.entities.spec import Example, Specs
from training.errors import TrainingError
from training.promise import Promise
from training.release import BASE

log = logging.getLogger(__name__)


def _silent(text: str, done: int, total: int) -> None:
    """Nobody watches."""


P = ParamSpec("P")
T = TypeVar("T")
FORESEEN = (KefuError, RetrievalError, TrainingError, OSError)
"""What a release that cannot serve fails with."""

DRAIN_S = 120.0
"""No turn takes longer with its release; one that hangs holds up no other release for good."""

Embed = Callable[[Sequence[str], dict[str, Vectors], Progress], Awaitable[None]]
"""embed(texts, known, progress) adds to `known` what it lacks of the texts."""


@dataclass(frozen=True, slots=True)
class Named:
    """What customers name, as the bot folder has it: kinds, and examples in which they are marked."""

    kinds: Specs = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @property
    def taught(self) -> bool:
        return any(example.spans for example in self.examples)


NOBODY_NAMES = Named()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A release that was asked for and does not serve, and why."""

    release: str
    reason: str


class Host:
    """Owns what is live, and every encoder that is loaded. `open` before anything else; `close` once."""

    def __init__(
        self,
        home: Path,
        encodings: Encodings,
        *,
        examples: Sequence[tuple[str, str, str]],
        promise: Promise | None = None,
        named: Named = NOBODY_NAMES,
        observer: Observer = UNOBSERVED,
        reranker: Reranker | None = None,
        brought: Path | None = None,
    ) -> None:
        """`brought`: vectors that the bot brings along (`bot.inference.vectors`); the file need not be there."""
        self._rereader = Rereader(reranker) if reranker else None
        self._releases, self._bundles, self._vectors = home / "releases", home / "bundles", home / "vectors"
        self._menders = home / "menders"
        self._encodings, self._brought = encodings, brought
        self._examples, self._promise, self._named = tuple(examples), promise, named
        self._observer = observer
        self._live: Live | None = None
        self._pins: dict[Reads, int] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self._switching = asyncio.Lock()
        # One at a time, whoever was cancelled meanwhile: two would write the same folder.
        self._files = ThreadPoolExecutor(1, thread_name_prefix="kefu-bundles")
        self.trouble: Trouble | None = None
        """Why the release that was asked for last does not serve; None: it does."""

    def current(self) -> Live:
        """Raises InferenceError before `open`."""
        if self._live is None:
            raise InferenceError("The bot is still starting.", code="starting", hint="Try again in a moment.")
        return self._live

    @property
    def door(self) -> Door:
        """Of the encoder that is live. Raises InferenceError before `open`."""
        return self.current().reader.door

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding:
        """By what the turn is pinned to, and the reranker where there is one. Raises Busy, InferenceError."""
        seen = await live.reader.understand(live, ask, deadline=deadline)
        if self._rereader is None:
            return seen
        return await self._rereader.reread(live, ask, seen, deadline=deadline)

    async def open(
        self, knowledge: Knowledge, *, progress: Progress, releases: Sequence[str] = (BASE,)
    ) -> Live:
        """Load or make what the first of `releases` needs for this knowledge, and go live; where that one cannot serve,
        the next one. Raises what the last one failed with.
        """
        names = list(dict.fromkeys(releases))
        troubles: list[Trouble] = []
        for name in names[:-1]:
            try:
                return await self._open(name, knowledge, progress)
            except FORESEEN as error:
                troubles.append(self._failed(name, error))
            finally:
                self.trouble = troubles[0] if troubles else None
        return await self._open(names[-1], knowledge, progress)

    async def _open(self, name: str, knowledge: Knowledge, progress: Progress) -> Live:
        encoding = await self._encodings.find(name, progress=progress)
        finder = await self._kept_finder(encoding)
        if finder is None:
            finder = await self._first_time(encoding, knowledge, progress=progress)
        # A second start is waited for: all that the home holds is read while the encoder loads.
        loading = asyncio.create_task(self._load(encoding, tokens=finder.wants_tokens))

        async def embed(texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None:
            await (await loading).embed(texts, known, progress)

        try:
            heads, bundle = await self._prepare(encoding, knowledge, embed, progress=progress)
            mender = await self._mender(knowledge)
            reader = await loading
        except BaseException:
            with suppress(Exception):
                await (await loading).close()
            raise
        return self._go_live(Live.of(name, reader, heads, bundle, finder=finder, mender=mender))

    async def _first_time(self, encoding: Encoding, knowledge: Knowledge, *, progress: Progress) -> Finder:
        """To learn entities keeps one core busy: heads and bundle are made beside it, and lie in the home then."""
        alone = False

        def told(text: str, done: int, total: int) -> None:
            if alone:  # of two things at once people see the one that takes longer
                progress(text, done, total)

        learning = asyncio.create_task(self._finder(encoding, progress=told))
        try:
            reader = await self._load(encoding, tokens=False)
            try:
                _, bundle = await self._prepare(encoding, knowledge, reader.embed, progress=progress)
                bundle.close()
            finally:
                await reader.close()
            alone = True
            return await learning
        finally:
            learning.cancel()
            await asyncio.wait([learning])

    async def refresh(self, knowledge: Knowledge) -> Live:
        """A bundle for newer knowledge under the live release; the old one serves until the swap.

        Where another release went live meanwhile the bundle is dropped: it is of the other encoder.
        """
        live = self.current()
        renewed = await self._renewed(live, knowledge)
        return self._go_live(renewed) if self._live is live else self.current()

    async def switch(self, release: str, read: Callable[[], Awaitable[Knowledge]]) -> Live:
        """Another release under the knowledge that `read` gives, which is asked again until nothing has changed since.

        What is live answers until the swap, and after it where this fails: then `trouble` says why. One at a time.
        Raises what FORESEEN names. Cancelled, it leaves all as it was.
        """
        async with self._switching:
            began = time.monotonic()
            try:
                live = await self._switch(release, read)
            except Exception as error:
                self.trouble = self._failed(release, error)
                raise
            self.trouble = None
            self._observer.switched("done")
            log.info("release %s is live after %.1f s", live.release, time.monotonic() - began)
            return live

    async def _switch(self, release: str, read: Callable[[], Awaitable[Knowledge]]) -> Live:
        encoding = await self._encodings.find(release, progress=_silent)
        finder = await self._finder(encoding)
        if encoding.fingerprint == (now := self.current().reader).fingerprint:
            knowledge = await read()
            heads, bundle = await self._prepare(encoding, knowledge, now.embed)
            mender = await self._mender(knowledge)
            return await self._swap(Live.of(release, now, heads, bundle, finder=finder, mender=mender), read)

        async def embed(texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None:
            if missing := [text for text in texts if text not in known]:
                known.update(await encoding.embed(missing, progress=progress))

        knowledge = await read()
        heads, bundle = await self._prepare(encoding, knowledge, embed)
        mender = await self._mender(knowledge)
        await self._alone()
        reader = await self._load(encoding, tokens=finder.wants_tokens)
        try:
            return await self._swap(
                Live.of(release, reader, heads, bundle, finder=finder, mender=mender), read
            )
        except BaseException:
            await reader.close()
            raise

    async def _swap(self, live: Live, read: Callable[[], Awaitable[Knowledge]]) -> Live:
        """Nobody's first question pays for the warming up; a release that cannot answer one does not go live."""
        ask = Ask("warm up", "en", SystemClock().now().date())
        await live.reader.understand(live, ask, deadline=time.monotonic() + PATIENCE_S)
        while (knowledge := await read()).revision != live.bundle.revision:
            live = await self._renewed(live, knowledge)
        return self._go_live(live)

    async def _alone(self) -> None:
        """Returns when the live encoder is the only one, or after long: memory does not have to hold three."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while len(self._pins) > 1 or self._closing:
                    self._gone.clear()
                    await self._gone.wait()

    async def close(self) -> None:
        """Whoever still holds a `Live` can read in it, and ask nothing more."""
        live, self._live = self._live, None
        if live is not None:
            live.bundle.close()
        readers = list(self._pins)
        self._pins.clear()
        await asyncio.gather(*(reader.close() for reader in readers), *self._closing)
        if self._rereader is not None:
            await self._rereader.close()
        await asyncio.to_thread(self._files.shutdown)

    def _go_live(self, live: Live) -> Live:
        """Turns that run keep what they pinned; the last of them lets the old bundle and the old encoder go."""
        self._pins[live.reader] = self._pins.get(live.reader, 0) + 1
        loop = asyncio.get_running_loop()
        weakref.finalize(live, _on, loop, self._unpin, live.reader).atexit = False
        self._live = live
        return live

    def _unpin(self, reader: Reads) -> None:
        if reader in self._pins:  # else all were closed
            self._pins[reader] -= 1
            if not self._pins[reader]:
                del self._pins[reader]
                task = asyncio.create_task(_let_go(reader))
                self._closing.add(task)
                task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        self._gone.set()

    async def _load(self, encoding: Encoding, *, tokens: bool) -> Reader:
        encoder = await encoding.open(tokens=tokens)
        return Reader(encoder, observer=self._observer)

    async def _finder(self, encoding: Encoding, *, progress: Progress = _silent) -> Finder:
        """What finds entities, with what the examples teach under this encoder: found in the home, or made."""
        if (kept := await self._kept_finder(encoding)) is not None:
            return kept
        busy = self._live is not None
        try:
            lesson = self._lesson_of_entities(encoding)
            await encoding.learn(lesson, self._releases, progress=progress, background=busy)
        except InferenceError as error:  # who cannot name what is said can answer all the same
            log.error("entities are found by recognisers alone: %s", error)
        return await self._kept_finder(encoding) or Finder(self._named.kinds, None)

    async def _kept_finder(self, encoding: Encoding) -> Finder | None:
        """None where there is something to learn first."""
        if not self._named.taught:
            return Finder(self._named.kinds, None)
        name = self._lesson_of_entities(encoding).name
        tagger = await self._in_files(open_tagger, self._releases, name)
        return None if tagger is None else Finder(self._named.kinds, tagger)

    def _lesson_of_entities(self, encoding: Encoding) -> EntityLesson:
        return EntityLesson(dict(self._named.kinds), self._named.examples, encoding.fingerprint)

    async def _prepare(
        self, encoding: Encoding, knowledge: Knowledge, embed: Embed, *, progress: Progress = _silent
    ) -> tuple[Heads, Bundle]:
        """Heads and bundle of this knowledge under this encoder: found in the home, or made."""
        fingerprint = encoding.fingerprint
        lesson = Lesson(self._examples, knowledge.entries, fingerprint, encoding.trained, self._promise)
        bundle = await self._in_files(find_bundle, self._bundles, knowledge, fingerprint)
        heads = await self._in_files(find_release, self._releases, lesson)
        known: dict[str, Vectors] = {}
        if heads is None:
            lesson = await self._in_files(with_slips, lesson)
        if bundle is None or heads is None:
            known = await self._in_files(self._known, lesson)
            try:
                if self._live is None and self._brought is not None:
                    await self._take_brought(self._brought, lesson, known, embed)
                await embed(lesson.texts, known, progress)
            finally:  # what is broken off goes on from here
                await self._in_files(self._keep, lesson, known)
        if heads is None:
            busy = self._live is not None
            heads = await make_release(self._releases, lesson, known, progress=progress, background=busy)
        if bundle is None:
            bundle = await self._in_files(make_bundle, self._bundles, knowledge, fingerprint, known=known)
        return heads, bundle

    async def _take_brought(
        self, file: Path, lesson: Lesson, known: dict[str, Vectors], embed: Embed
    ) -> None:
        """What the bot brings along of the texts that are not known, if this encoder reads some of them likewise. Which
        one made them a file cannot tell: the same weights come out otherwise by a bit on another machine.
        """
        texts = [text for text in lesson.texts if text not in known]
        brought = await self._in_files(brought_vectors, file, texts)
        read: dict[str, Vectors] = {}
        await embed(sample(brought), read, _silent)
        if are_of(read, brought):
            known |= brought
        else:
            log.warning(
                "%s is of another encoder: all is read (`kefu releases vectors` writes it)", file.name
            )
        known |= read

    async def _renewed(self, live: Live, knowledge: Knowledge) -> Live:
        """The same release with this knowledge; heads are made anew when it is loaded again."""
        known = await self._in_files(live.bundle.vectors_by_text)
        await live.reader.embed([text for entry in knowledge.entries for text in entry.texts], known, _silent)
        fingerprint = live.reader.fingerprint
        bundle = await self._in_files(make_bundle, self._bundles, knowledge, fingerprint, known=known)
        mender = await self._mender(knowledge)
        return Live.of(live.name, live.reader, live.heads, bundle, finder=live.finder, mender=mender)

    async def _mender(self, knowledge: Knowledge) -> Mender:
        """Of slips, by the words of today's answers and of the examples."""
        texts = [text for text, _, _ in self._examples]
        texts += [text for entry in knowledge.entries for text in entry.texts]
        return await self._in_files(find_mender, self._menders, texts)

    def _known(self, lesson: Lesson) -> dict[str, Vectors]:
        """Vectors of the lesson's texts that are kept from earlier: a text is encoded once for an encoder."""
        texts = lesson.texts
        kept = kept_vectors(self._bundles, lesson.encoder)
        own = load_vectors(file_of(self._vectors, lesson.encoder), texts)
        return {text: kept[text] for text in texts if text in kept} | own

    def _keep(self, lesson: Lesson, known: dict[str, Vectors]) -> None:
        save_vectors(file_of(self._vectors, lesson.encoder), known)
        keep_newest(self._vectors.glob("*.safetensors"), KEPT)

    async def _in_files(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Off the loop, after whatever else is being read or written in the home."""
        return await asyncio.get_running_loop().run_in_executor(self._files, partial(work, *args, **kwargs))

    def _failed(self, release: str, error: Exception) -> Trouble:
        self._observer.switched("failed")
        foreseen = isinstance(error, FORESEEN)
        reason = str(error) if foreseen else f"{type(error).__name__}: {error}"
        log.error("release %s cannot serve: %s", release, reason, exc_info=None if foreseen else error)
        return Trouble(release, reason)


async def _let_go(reader: Reads) -> None:
    await reader.close()
    await asyncio.to_thread(give_back)


def _on(loop: asyncio.AbstractEventLoop, call: Callable[[Reads], None], reader: Reads) -> None:
    """From whichever thread lets the last turn's pin go."""
    with suppress(RuntimeError):  # the loop has ended, and with it everything
        loop.call_soon_threadsafe(call, reader)
