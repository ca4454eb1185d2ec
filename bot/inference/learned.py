"""What a bot learned of its texts under an encoder: found in the home, or made and kept there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from bot.errors import InferenceError
from bot.inference.bundles import KEPT, Knowledge, find_bundle, kept_vectors, make_bundle
from bot.inference.child import Progress
from bot.inference.encodings import Encoding
from bot.inference.menders import find_mender
from bot.inference.release import Lesson, find_release, make_release, with_slips
from bot.inference.vectors import (
    are_of,
    brought_vectors,
    file_of,
    load_vectors,
    sample,
    save_vectors,
)
from retrieval.bundle import Bundle
from retrieval.embed import Vectors
from retrieval.publish import keep_newest
from retrieval.slips.mender import Mender
from training.apply import Heads
from training.entities.finder import Finder
from training.entities.lesson import EntityLesson, open_tagger
from training.entities.spec import Example, Specs
from training.promise import Promise

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Embed = Callable[[Sequence[str], dict[str, Vectors], Progress], Awaitable[None]]
"""embed(texts, known, progress) adds to `known` what it lacks of the texts."""


def silent(text: str, done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Named:
    """What customers name, as the bot folder has it: kinds, and examples in which they are marked."""

    kinds: Specs = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @property
    def taught(self) -> bool:
        return any(example.spans for example in self.examples)


NOBODY_NAMES = Named()


class Learned:
    """Of one bot in one home. `busy`: customers are answered meanwhile. `close` once."""

    def __init__(
        self,
        home: Path,
        *,
        examples: Sequence[tuple[str, str, str]],
        promise: Promise | None,
        named: Named,
        brought: Path | None,
    ) -> None:
        self._releases, self._bundles, self._vectors = home / "releases", home / "bundles", home / "vectors"
        self._menders = home / "menders"
        self._examples, self._promise, self._named = tuple(examples), promise, named
        self._brought = brought
        # One at a time, whoever was cancelled meanwhile: two would write the same folder.
        self._files = ThreadPoolExecutor(1, thread_name_prefix="kefu-bundles")

    async def close(self) -> None:
        await asyncio.to_thread(self._files.shutdown)

    async def finder(self, encoding: Encoding, *, busy: bool, progress: Progress = silent) -> Finder:
        """What finds entities, with what the examples teach under this encoder: found in the home, or made."""
        if (kept := await self.kept_finder(encoding)) is not None:
            return kept
        try:
            lesson = self._lesson_of_entities(encoding)
            await encoding.learn(lesson, self._releases, progress=progress, background=busy)
        except InferenceError as error:  # who cannot name what is said can answer all the same
            log.error("entities are found by recognisers alone: %s", error)
        return await self.kept_finder(encoding) or Finder(self._named.kinds, None)

    async def kept_finder(self, encoding: Encoding) -> Finder | None:
        """None where there is something to learn first."""
        if not self._named.taught:
            return Finder(self._named.kinds, None)
        name = self._lesson_of_entities(encoding).name
        tagger = await self._in_files(open_tagger, self._releases, name)
        return None if tagger is None else Finder(self._named.kinds, tagger)

    def _lesson_of_entities(self, encoding: Encoding) -> EntityLesson:
        return EntityLesson(dict(self._named.kinds), self._named.examples, encoding.fingerprint)

    async def prepare(
        self,
        encoding: Encoding,
        knowledge: Knowledge,
        embed: Embed,
        *,
        busy: bool,
        progress: Progress = silent,
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
                if not busy and self._brought is not None:
                    await self._take_brought(self._brought, lesson, known, embed)
                await embed(lesson.texts, known, progress)
            finally:  # what is broken off goes on from here
                await self._in_files(self._keep, lesson, known)
        if heads is None:
            heads = await make_release(self._releases, lesson, known, progress=progress, background=busy)
        if bundle is None:
            bundle = await self._in_files(make_bundle, self._bundles, knowledge, fingerprint, known=known)
        return heads, bundle

    async def renewed(self, bundle: Bundle, knowledge: Knowledge, embed: Embed) -> Bundle:
        """A bundle of newer knowledge under the same encoder."""
        known = await self._in_files(bundle.vectors_by_text)
        await embed([text for entry in knowledge.entries for text in entry.texts], known, silent)
        fingerprint = bundle.encoder_fingerprint
        return await self._in_files(make_bundle, self._bundles, knowledge, fingerprint, known=known)

    async def _take_brought(
        self, file: Path, lesson: Lesson, known: dict[str, Vectors], embed: Embed
    ) -> None:
        """What the bot brings along of the texts that are not known, if this encoder reads some of them likewise. Which
        one made them a file cannot tell: the same weights come out otherwise by a bit on another machine.
        """
        texts = [text for text in lesson.texts if text not in known]
        brought = await self._in_files(brought_vectors, file, texts)
        read: dict[str, Vectors] = {}
        await embed(sample(brought), read, silent)
        if are_of(read, brought):
            known |= brought
        else:
            log.warning(
                "%s is of another encoder: all is read (`kefu releases vectors` writes it)", file.name
            )
        known |= read

    async def mender(self, knowledge: Knowledge) -> Mender:
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
