"""The release of a bot folder: its heads, made when its examples or answers change, found again by content hash."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from bot.errors import InferenceError
from bot.inference.child import Progress, run_training
from retrieval.embed import Vectors
from retrieval.types import Entry
from training.apply import Heads, spoken
from training.errors import ReleaseError
from training.lesson import open_heads
from training.trained import write_trained

METHOD = "heads-10"
"""Changes whenever the same input would give other heads."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What heads are made from: examples (text, label, language) and the answers they go with."""

    examples: tuple[tuple[str, str, str], ...]
    entries: tuple[Entry, ...]
    encoder: str
    trained: frozenset[str] = frozenset()
    """Ids of the texts that the encoder was trained on (`training.trained`)."""

    @property
    def name(self) -> str:
        """Content hash: the same lesson is never learned twice. Ids differ between homes and do not count."""
        told = [
            (e.key, e.lang, e.intent, *e.phrases) for e in sorted(self.entries, key=lambda e: (e.key, e.lang))
        ]
        parts = [METHOD, self.encoder, sorted(self.examples), told]
        if self.trained:
            parts.append(sorted(self.trained))
        text = json.dumps(parts, ensure_ascii=False)
        return f"heads-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def texts(self) -> list[str]:
        """Every text whose vector is needed, once each."""
        stored = [text for entry in self.entries for text in entry.texts]
        names = spoken(
            [*(label for _, label, _ in self.examples), *(e.intent for e in self.entries if e.intent)]
        )
        return list(dict.fromkeys([*(t for t, _, _ in self.examples), *stored, *(name for name, _ in names)]))


def find_release(releases: Path, lesson: Lesson) -> Heads | None:
    """The finished heads of this lesson, if they are there and whole; blocking."""
    try:
        return open_heads(releases, lesson.name)
    except ReleaseError:
        return None


async def make_release(
    releases: Path,
    lesson: Lesson,
    vectors: Mapping[str, Vectors],
    *,
    progress: Progress,
    background: bool = False,
) -> Heads:
    """Fit in a child process (seconds), with `background` behind customers' messages. Raises InferenceError."""
    progress("fitting intents", 0, 0)  # the child needs seconds to get so far
    place = await asyncio.to_thread(tempfile.mkdtemp, prefix="kefu-lesson-")
    try:
        await asyncio.to_thread(_write_lesson, Path(place), lesson, vectors)
        await run_training(
            "heads",
            ["--work", place, "--out", str(releases), "--name", lesson.name],
            progress=progress,
            hint="Is Kefu installed with its `train` extra?",
            background=background,
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
    heads = await asyncio.to_thread(open_heads, releases, lesson.name)
    if heads is None:
        raise InferenceError("The training of the intent head left no result.", hint="Try again.")
    return heads


def _write_lesson(work: Path, lesson: Lesson, vectors: Mapping[str, Vectors]) -> None:
    texts = lesson.texts
    (work / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    np.save(work / "vectors.npy", np.stack([vectors[t] for t in texts]), allow_pickle=False)
    examples = ({"text": t, "label": n, "lang": lang} for t, n, lang in lesson.examples)
    lines = (json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
    (work / "examples.jsonl").write_text("".join(lines), encoding="utf-8")
    write_trained(work, lesson.trained)
    (work / "entries.json").write_bytes(TypeAdapter(tuple[Entry, ...]).dump_json(lesson.entries))
