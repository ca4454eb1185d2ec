"""A whole set-up in small: bot folder, database, index, release, and an encoder folder that is whole but no model."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bot.app import examples
from bot.cli.main import kefu
from bot.clock import SystemClock
from bot.definition import load
from bot.doctor import machine
from bot.engine.knowledge import read_knowledge, sync_folder
from bot.inference.bundles import Knowledge, bundle_name
from bot.inference.release import Lesson
from bot.settings import load_settings
from bot.store.db import Database
from retrieval.bundle import build_bundle
from retrieval.model_folder import Manifest, checksums, locate, read_manifest
from retrieval.onnx_encoder import OnnxEncoder, fingerprint
from retrieval.testing import HashEncoder
from tests.unit.definition.folders import folder, knowledge
from training.apply import Heads, IntentHead, save_heads
from training.lesson import new_heads
from training.promise import Bound, Promised, write_promised

INTENTS = "intents: {place: {examples: {en: [where are you]}}}"
ROWS = [
    {"id": "open", "question": "When are you open?", "answer": "From nine to five."},
    {"id": "post", "question": "What is the postage?", "answer": "Eight yuan."},
]


@dataclass(frozen=True)
class Place:
    """`bot`, its `home` inside it, and a `cache`."""

    bot: Path
    cache: Path

    @property
    def home(self) -> Path:
        return self.bot / ".kefu"

    @property
    def database(self) -> Path:
        return self.home / "kefu.db"

    @property
    def encoder(self) -> Path:
        return locate(self.cache)

    @property
    def bundle(self) -> Path:
        [found] = (self.home / "bundles").iterdir()
        return found

    def doctor(self, *words: str) -> Report:
        done = CliRunner().invoke(kefu, ["doctor", str(self.bot), "--json", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Report(done.exit_code, [json.loads(line) for line in done.stdout.splitlines()])


@dataclass(frozen=True)
class Report:
    code: int
    lines: list[dict[str, str]]

    def __getitem__(self, check: str) -> tuple[str, str]:
        """The worst state of a check, and all that it said."""
        found = defaultdict(list)
        for line in self.lines:
            found[line["check"]].append(line)
        states = [line["state"] for line in found[check]]
        worst = next(state for state in ("wrong", "warning", "ok") if state in states)
        return worst, " ".join(f"{line['text']} {line['hint']}" for line in found[check])

    @property
    def wrong(self) -> set[str]:
        return {line["check"] for line in self.lines if line["state"] == "wrong"}


def flip(path: Path, at: int = -3) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path / "bot", tmp_path / "cache")
    made.bot.mkdir()
    made.home.mkdir(mode=0o700)
    monkeypatch.setenv("KEFU_CACHE", str(made.cache))
    monkeypatch.setenv("KEFU_PORT", "0")
    folder(made.bot, intents=INTENTS)
    knowledge(made.bot, "faq.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))
    made.encoder.mkdir(parents=True)
    (made.encoder / "encoder.onnx").write_bytes(b"no graph at all")
    manifest = Manifest("small", 64, 512, 1, "<pad>", "mean", "query: ", checksums(made.encoder))
    manifest.write(made.encoder)
    # How much room the machine at hand has is no matter of a set-up that is well.
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 0, 10**12))
    monkeypatch.setattr(machine, "available", lambda: 16e9)
    # What loads it is tried in tests/integration/server/test_doctor.py, on the real one.
    monkeypatch.setattr(OnnxEncoder, "open", lambda folder, threads: HashEncoder())
    load_settings(bot=made.bot).signing_secret()
    _prepare(made, asyncio.run(_store(made)), fingerprint(manifest))
    return made


async def _store(place: Place) -> Knowledge:
    store = Database(load_settings(bot=place.bot).database_url)
    await store.open()
    rows = await asyncio.to_thread(lambda: [(row.file, row.entry) for row in load(place.bot).knowledge])
    await sync_folder(store, rows, clock=SystemClock())
    found = await read_knowledge(store)
    await store.close()
    return found


def keep(place: Place, promise: str, bounds: dict[str, Bound]) -> None:
    """Adds that line to bot.yml, and makes the heads that keep it."""
    with (place.bot / "bot.yml").open("a", encoding="utf-8") as file:
        file.write(promise)
    known = asyncio.run(_store(place))
    _learn(place, known, fingerprint(read_manifest(place.encoder)), bounds)


def _prepare(place: Place, known: Knowledge, encoder: str) -> None:
    texts = [text for entry in known.entries for text in entry.texts]
    vectors = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    where = place.home / "bundles" / bundle_name(known.revision, encoder)
    build_bundle(where, known.entries, vectors, encoder_fingerprint=encoder, revision=known.revision)
    _learn(place, known, encoder, {})


def _learn(place: Place, known: Knowledge, encoder: str, bounds: dict[str, Bound]) -> None:
    definition = load(place.bot)
    lesson = Lesson(tuple(examples(definition)), known.entries, encoder, promise=definition.promise)
    ones = np.ones(64, dtype=np.float32)
    head = IntentHead(("a", "b"), ones, ones, np.ones((64, 2), np.float32), np.ones(2, np.float32), 1.0)
    with new_heads(place.home / "releases", lesson.name) as work:
        save_heads(work, Heads(lesson.name, head, head, None))
        if lesson.promise:
            write_promised(work, Promised(lesson.promise, bounds))


def change(place: Place, statement: str) -> None:
    """Behind Kefu's back."""
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute(statement)


def seen(place: Place) -> dict[str, tuple[int, int]]:
    """Every file under home and cache, with when it was written and its size."""
    both = [*place.home.rglob("*"), *place.cache.rglob("*")]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in both}
