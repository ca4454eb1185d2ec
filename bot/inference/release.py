"""The release of a bot folder: its heads, made when its examples or answers change, found again by content hash."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from bot.errors import InferenceError
from bot.inference.child import Progress, run_training
from bot.inference.promised import told
from retrieval.embed import Vectors
from retrieval.slips.mender import Mender
from retrieval.text import as_read
from retrieval.types import Entry
from training.apply import OUT_OF_SCOPE, spoken
from training.errors import ReleaseError
from training.lesson import ASKED, LessonHeads, open_heads
from training.noise import changed
from training.promise import Promise
from training.trained import write_trained

log = logging.getLogger(__name__)

METHOD = "heads-16"
"""Changes whenever the same input would give other heads."""
PROMISED = "promise-2"
"""The same for their bounds, where a bot makes a promise."""
SLIPS = 0.25
"""Share of phrasings that are asked with a slip of the keyboard in them where a promise is to be kept."""
MENDERS = 4
"""What mends a text that is asked knows as many parts less one of all of them: that text is not among its words."""
SEED = 0
HINT = "Is Kefu installed with its `train` extra?"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What heads are made from: examples (text, label, language) and the answers they go with."""

    examples: tuple[tuple[str, str, str], ...]
    entries: tuple[Entry, ...]
    encoder: str
    trained: frozenset[str] = frozenset()
    """Ids of the texts that the encoder was trained on (`training.trained`)."""
    promise: Promise | None = None
    """What the heads are to keep."""
    slips: Mapping[str, str] = field(default_factory=dict)
    """What is read of a text that is asked, where it is not the text itself (`with_slips`)."""

    @property
    def name(self) -> str:
        """Content hash: the same lesson is never learned twice. Ids differ between homes and do not count."""
        told = [
            (e.key, e.lang, e.intent, *e.phrases) for e in sorted(self.entries, key=lambda e: (e.key, e.lang))
        ]
        parts = [METHOD, self.encoder, sorted(self.examples), told]
        if self.trained:
            parts.append(sorted(self.trained))
        if self.promise:
            parts.append([PROMISED, str(self.promise.wrong), str(self.promise.sure)])
        text = json.dumps(parts, ensure_ascii=False)
        return f"heads-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def texts(self) -> list[str]:
        """Every text whose vector is needed, once each."""
        stored = [text for entry in self.entries for text in entry.texts]
        names = spoken(
            [*(label for _, label, _ in self.examples), *(e.intent for e in self.entries if e.intent)]
        )
        told = [*(t for t, _, _ in self.examples), *stored, *(name for name, _ in names)]
        return list(dict.fromkeys([*told, *self.slips.values()]))


def with_slips(lesson: Lesson) -> Lesson:
    """Heads that are to keep a promise are asked as customers write, some with a slip of the keyboard, and read that as
    a server does: mended by the words of the other texts. Blocking, seconds. Raises InferenceError.
    """
    if lesson.promise is None:
        return lesson
    phrases = [phrase for entry in lesson.entries for phrase in entry.phrases]
    foreign = [text for text, label, _ in lesson.examples if label == OUT_OF_SCOPE]
    texts = list(dict.fromkeys([*phrases, *foreign]))
    chosen = np.flatnonzero(np.random.default_rng(SEED).random(len(texts)) < SLIPS)
    some = [texts[place] for place in chosen]
    try:
        mistyped = changed("typo", some, seed=SEED)
    except ImportError as error:
        raise InferenceError(f"{error.name} is missing.", hint=HINT) from error
    typed = dict(zip(texts, texts, strict=True)) | dict(zip(some, mistyped, strict=True))
    read = _mended(lesson, typed)
    return replace(
        lesson, slips={text: told for text, told in read.items() if told not in (text, as_read(text))}
    )


def _mended(lesson: Lesson, typed: Mapping[str, str]) -> dict[str, str]:
    """By text: what is read where `typed` is what was typed."""
    known = [*(text for text, _, _ in lesson.examples), *(t for entry in lesson.entries for t in entry.texts)]
    read: dict[str, str] = {}
    for part in range(MENDERS):
        own = list(typed)[part::MENDERS]
        strange = set(own)
        mender = Mender.of(text for text in known if text not in strange)
        for text in own:
            found = mender.read(typed[text])
            read[text] = found.text if found else typed[text]
    return read


def find_release(releases: Path, lesson: Lesson) -> LessonHeads | None:
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
) -> LessonHeads:
    """Fit in a child process, with `background` on one core behind customers' messages. Raises InferenceError."""
    progress("fitting intents", 0, 0)  # the child needs seconds to get so far
    place = await asyncio.to_thread(tempfile.mkdtemp, prefix="kefu-lesson-")
    try:
        await asyncio.to_thread(_write_lesson, Path(place), lesson, vectors)
        arguments = ["--work", place, "--out", str(releases), "--name", lesson.name]
        arguments += ["--threads", "1"] if background else []
        await run_training("heads", arguments, progress=progress, hint=HINT, background=background)
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
    heads = await asyncio.to_thread(open_heads, releases, lesson.name)
    if heads is None:
        raise InferenceError("The training of the intent head left no result.", hint="Try again.")
    _log_promise(heads)
    return heads


def _log_promise(heads: LessonHeads) -> None:
    """Whoever runs a server learns from its log that the bot has fallen silent in a language, and what it lacks."""
    promised = heads.promised
    for one in told(promised, sorted(promised.bounds)) if promised else ():
        log.log(logging.INFO if one.answers else logging.WARNING, "the promise: %s. %s", one.text, one.hint)


def _write_lesson(work: Path, lesson: Lesson, vectors: Mapping[str, Vectors]) -> None:
    texts = lesson.texts
    (work / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    np.save(work / "vectors.npy", np.stack([vectors[t] for t in texts]), allow_pickle=False)
    examples = ({"text": t, "label": n, "lang": lang} for t, n, lang in lesson.examples)
    lines = (json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
    (work / "examples.jsonl").write_text("".join(lines), encoding="utf-8")
    write_trained(work, lesson.trained)
    if lesson.promise:
        asked = {"promise": asdict(lesson.promise), "slips": dict(lesson.slips)}
        (work / ASKED).write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
    (work / "entries.json").write_bytes(TypeAdapter(tuple[Entry, ...]).dump_json(lesson.entries))
