"""What answers right now: one release and one bundle, pinned by each turn, swapped as a pair behind its back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.errors import InferenceError
from bot.inference.child import Progress
from bot.inference.door import Door
from bot.inference.recent import Recent
from bot.inference.release import Lesson, find_release, make_release
from bot.inference.understanding import Ask, Live, Understanding
from bot.inference.vectors import load_vectors, save_vectors
from bot.observer import UNOBSERVED, Observer
from retrieval.bundle import Bundle, build_bundle
from retrieval.drift import drift
from retrieval.embed import Encoder, Vectors
from retrieval.errors import BundleError
from retrieval.types import Entry
from training.apply import Heads

log = logging.getLogger(__name__)

EMBED_BATCH = 32
PATIENCE_S = 600.0
"""How long a background text may wait behind customers' messages."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The database's answers at one revision."""

    revision: int
    entries: tuple[Entry, ...]


class Host:
    """Owns the encoder's door, and what is live. `open` before anything else; `close` once."""

    def __init__(
        self,
        home: Path,
        encoder: Encoder,
        *,
        examples: Sequence[tuple[str, str, str]],
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._releases, self._bundles = home / "releases", home / "bundles"
        self._vectors = home / "vectors" / f"{encoder.fingerprint[:12]}.safetensors"
        self._encoder = encoder
        self._examples = tuple(examples)
        self.door = Door(encoder, observer=observer)
        self._recent = Recent()
        self._live: Live | None = None

    def current(self) -> Live:
        """Raises InferenceError before `open`."""
        if self._live is None:
            raise InferenceError("The bot is still starting.", code="starting", hint="Try again in a moment.")
        return self._live

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding:
        """One forward, then head, search and calibration off the loop. Raises Busy, InferenceError.

        The question before was encoded when it came; only after a restart is it encoded along with this one.
        """
        before = self._recent.get(ask.previous) if ask.previous is not None else None
        texts = [ask.text] if ask.previous is None or before is not None else [ask.text, ask.previous]
        return await self.door.run(texts, (live, ask, before), self._understand, deadline=deadline)

    def _understand(
        self, items: Sequence[tuple[Live, Ask, Vectors | None]], vectors: Sequence[Vectors]
    ) -> list[Understanding]:
        found: dict[int, Understanding] = {}
        for live in {id(live): live for live, _, _ in items}.values():
            places = [place for place, item in enumerate(items) if item[0] is live]
            asks = [items[place][1] for place in places]
            known = [_with(vectors[place], items[place][2]) for place in places]
            found |= zip(places, live.understand(asks, known), strict=True)
        for (_, ask, _), vector in zip(items, vectors, strict=True):
            self._recent.put(ask.text, vector[0])
        return [found[place] for place in range(len(items))]

    async def open(self, knowledge: Knowledge, *, progress: Progress) -> Live:
        """Load or make release and bundle for this knowledge, and go live."""
        lesson = Lesson(self._examples, knowledge.entries, self._encoder.fingerprint)
        bundle = await asyncio.to_thread(self._find_bundle, knowledge)
        heads = await asyncio.to_thread(find_release, self._releases, lesson)
        known: dict[str, Vectors] = {}
        if bundle is None or heads is None:
            known = await asyncio.to_thread(load_vectors, self._vectors, lesson.texts)
            try:
                await self._embed(lesson.texts, known, progress)
            finally:  # a start that is broken off goes on from here
                await asyncio.to_thread(save_vectors, self._vectors, known)
        if heads is None:
            heads = await make_release(self._releases, lesson, known, progress=progress)
        if bundle is None:
            bundle = await self._build(knowledge, known)
        return self._go_live(heads, bundle)

    async def refresh(self, knowledge: Knowledge) -> Live:
        """A bundle for newer knowledge under the live release; the old one serves until the swap."""
        live = self.current()
        texts = [text for entry in knowledge.entries for text in entry.texts]
        known = live.bundle.vectors_by_text()
        await self._embed(texts, known, lambda *_: None)
        return self._go_live(live.heads, await self._build(knowledge, known))

    async def close(self) -> None:
        await self.door.close()
        if self._live is not None:
            self._live.bundle.close()

    def _go_live(self, heads: Heads, bundle: Bundle) -> Live:
        """Turns that run keep what they pinned; the last of them lets the old bundle go."""
        self._live = Live(heads.name, heads, bundle, {entry.id: entry for entry in bundle.entries})
        return self._live

    def _folder(self, revision: int) -> Path:
        return self._bundles / bundle_name(revision, self._encoder.fingerprint)

    def _find_bundle(self, knowledge: Knowledge) -> Bundle | None:
        """A damaged bundle is made again, and so is one that says otherwise than the database."""
        folder = self._folder(knowledge.revision)
        try:
            bundle = Bundle.open(folder, encoder_fingerprint=self._encoder.fingerprint)
        except BundleError as error:
            if folder.exists():
                log.warning("the index is made again: %s", error)
            return None
        if away := drift(knowledge.entries, bundle.entries):
            log.warning("the index is made again: the database has other answers (%s)", away)
            return None
        return bundle

    async def _build(self, knowledge: Knowledge, known: Mapping[str, Vectors]) -> Bundle:
        return await asyncio.to_thread(self._build_now, knowledge, known)

    def _build_now(self, knowledge: Knowledge, known: Mapping[str, Vectors]) -> Bundle:
        bundle = build_bundle(
            self._folder(knowledge.revision), knowledge.entries, known,
            encoder_fingerprint=self._encoder.fingerprint, revision=knowledge.revision,
        )  # fmt: skip
        prune_bundles(self._bundles, keep=self._folder(knowledge.revision))
        return bundle

    async def _embed(self, texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None:
        """Add to `known` what it lacks of `texts`: encoded in small batches, between the customers' messages."""
        missing = sorted({t for t in texts if t not in known}, key=len)
        for start in range(0, len(missing), EMBED_BATCH):
            batch = missing[start : start + EMBED_BATCH]
            vectors = await self.door.encode(batch, deadline=time.monotonic() + PATIENCE_S)
            known.update(zip(batch, np.asarray(vectors), strict=True))
            progress("Reading questions and answers", min(start + EMBED_BATCH, len(missing)), len(missing))


def bundle_name(revision: int, fingerprint: str) -> str:
    """Name of a bundle's folder in the home's `bundles`."""
    return f"{revision:08d}-{fingerprint[:12]}"


def _with(vectors: Vectors, before: Vectors | None) -> Vectors:
    return vectors if before is None else np.vstack([vectors, before])


def prune_bundles(bundles: Path, *, keep: Path) -> None:
    """Only the live bundle's folder stays; an open one is in memory and needs its files no more."""
    import shutil

    for folder in bundles.iterdir():
        if folder.is_dir() and folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
