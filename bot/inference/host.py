"""What answers right now: one release and one bundle, pinned by each turn, swapped as one behind its back."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.errors import InferenceError, KefuError
from bot.inference.bundles import Knowledge
from bot.inference.child import Progress
from bot.inference.door import MAX_BATCH, Door
from bot.inference.encodings import Encoding, Encodings
from bot.inference.learned import NOBODY_NAMES, Learned, Named, silent
from bot.inference.reader import Reader
from bot.inference.rereading import Rereader
from bot.inference.understanding import Ask, Live, Reads, Understanding
from bot.inference.warming import warm
from bot.memory import give_back
from bot.observer import UNOBSERVED, Observer
from retrieval.embed import Vectors
from retrieval.errors import RetrievalError
from retrieval.rerank.port import Reranker
from training.entities.finder import Finder
from training.errors import TrainingError
from training.promise import Promise
from training.release import BASE

log = logging.getLogger(__name__)


FORESEEN = (KefuError, RetrievalError, TrainingError, OSError)
"""What a release that cannot serve fails with."""

DRAIN_S = 120.0
"""No turn takes longer with its release; one that hangs holds up no other release for good."""


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
        self._encodings = encodings
        self._learned = Learned(home, examples=examples, promise=promise, named=named, brought=brought)
        self._observer = observer
        self._live: Live | None = None
        self._pins: dict[Reads, int] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self._switching = asyncio.Lock()
        self.trouble: Trouble | None = None
        """Why the release that was asked for last does not serve; None: it does."""

    def current(self) -> Live:
        """Raises InferenceError before `open`."""
        if self._live is None:
            raise InferenceError("The bot is still starting.", code="starting", hint="Try again in a moment.")
        return self._live

    @property
    def _busy(self) -> bool:
        return self._live is not None

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
            except Exception as error:  # what answers is tried out: it may fail with anything
                troubles.append(self._failed(name, error))
            finally:
                self.trouble = troubles[0] if troubles else None
        return await self._open(names[-1], knowledge, progress)

    async def _open(self, name: str, knowledge: Knowledge, progress: Progress) -> Live:
        encoding = await self._encodings.find(name, progress=progress)
        finder = await self._learned.kept_finder(encoding)
        if finder is None:
            finder = await self._first_time(encoding, knowledge, progress=progress)
        # A second start is waited for: all that the home holds is read while the encoder loads.
        loading = asyncio.create_task(self._load(encoding, tokens=finder.wants_tokens))

        async def embed(texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None:
            await (await loading).embed(texts, known, progress)

        try:
            heads, bundle = await self._learned.prepare(
                encoding, knowledge, embed, busy=self._busy, progress=progress
            )
            mender = await self._learned.mender(knowledge)
            live = Live.of(name, await loading, heads, bundle, finder=finder, mender=mender)
            await warm(live)
        except BaseException:
            with suppress(Exception):
                await (await loading).close()
            raise
        return self._go_live(live)

    async def _first_time(self, encoding: Encoding, knowledge: Knowledge, *, progress: Progress) -> Finder:
        """To learn entities keeps one core busy: heads and bundle are made beside it, and lie in the home then."""
        alone = False

        def told(text: str, done: int, total: int) -> None:
            if alone:  # of two things at once people see the one that takes longer
                progress(text, done, total)

        learning = asyncio.create_task(self._learned.finder(encoding, busy=self._busy, progress=told))
        try:
            reader = await self._load(encoding, tokens=False)
            try:
                _, bundle = await self._learned.prepare(
                    encoding, knowledge, reader.embed, busy=self._busy, progress=progress
                )
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
        encoding = await self._encodings.find(release, progress=silent)
        finder = await self._learned.finder(encoding, busy=self._busy)
        if encoding.fingerprint == (now := self.current().reader).fingerprint:
            knowledge = await read()
            heads, bundle = await self._learned.prepare(encoding, knowledge, now.embed, busy=self._busy)
            mender = await self._learned.mender(knowledge)
            return await self._swap(Live.of(release, now, heads, bundle, finder=finder, mender=mender), read)

        async def embed(texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None:
            if missing := [text for text in texts if text not in known]:
                known.update(await encoding.embed(missing, progress=progress))

        knowledge = await read()
        heads, bundle = await self._learned.prepare(encoding, knowledge, embed, busy=self._busy)
        mender = await self._learned.mender(knowledge)
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
        """A release that cannot answer a question does not go live. Where its encoder serves already, customers would
        wait behind a crowd, which it has no need of.
        """
        await warm(live, crowd=0 if live.reader is self.current().reader else MAX_BATCH)
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
        await self._learned.close()

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

    async def _renewed(self, live: Live, knowledge: Knowledge) -> Live:
        """The same release with this knowledge; heads are made anew when it is loaded again."""
        bundle = await self._learned.renewed(live.bundle, knowledge, live.reader.embed)
        mender = await self._learned.mender(knowledge)
        return Live.of(live.name, live.reader, live.heads, bundle, finder=live.finder, mender=mender)

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
