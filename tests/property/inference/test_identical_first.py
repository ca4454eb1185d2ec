"""A stored question, typed as it stands, comes first: after any sequence of additions, changes, deletions, files,
releases that are promoted and restarts, in both languages. And what was deleted is nowhere."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Coroutine, Sequence
from datetime import date
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.clock import SystemClock
from bot.definition import FOLDER
from bot.engine.follow import Follower, read_wanted
from bot.engine.knowledge import read_knowledge, sync_folder
from bot.inference.host import Host
from bot.inference.release import Lesson
from bot.inference.understanding import Ask
from bot.store import knowledge as shelf
from bot.store import releases
from bot.store.db import Database
from bot.testing import FakeEncodings
from retrieval.testing import HashEncoder
from retrieval.text import normalise
from retrieval.types import Entry
from training.apply import Heads
from training.fit import fit_head

T = TypeVar("T")
Name = tuple[str, str, str]
"""source, key, language"""

EDITED = f"{FOLDER}knowledge/f.csv"
ENCODERS = {"base": HashEncoder(), "tuned": HashEncoder(96)}
TODAY = date(2026, 6, 1)
TYPED = ("{}", "{}?", "  {} ", "{}？", "{}!!", "\u200b{}")
"""Ways to type the same question."""
WORDS = {
    "en": ("card", "fee", "lost", "my", "how much", "limit"),
    "zh": ("卡", "费用", "丢了", "我的", "多少", "限额"),
}
JOINED = {"en": " ", "zh": ""}


def phrases(lang: str) -> st.SearchStrategy[str]:
    """Of few words, so that many are alike and some the same."""
    return st.lists(st.sampled_from(WORDS[lang]), min_size=1, max_size=4).map(JOINED[lang].join)


@st.composite
def rows(draw: st.DrawFn) -> shelf.KnowledgeRow:
    lang = draw(st.sampled_from(["en", "zh"]))
    alternatives = tuple(draw(st.lists(phrases(lang), max_size=2)))
    key, answer = draw(st.sampled_from("abcdef")), draw(phrases(lang))
    return shelf.KnowledgeRow(key, lang, draw(phrases(lang)), answer, alternatives=alternatives)


files = st.lists(rows(), min_size=1, max_size=5, unique_by=lambda row: (row.key, row.lang))
sources = st.sampled_from(["faq.csv", "more.jsonl"])


class Shelf(RuleBasedStateMachine):
    """The real store, host and bundles; the encoder knows spellings alone, so that all that is not identical
    is confusing."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="kefu-shelf-"))
        self.runner = asyncio.Runner()
        self.stored: dict[Name, shelf.KnowledgeRow] = {}
        self.live = self.checked = False
        """The server has seen the newest change; it was asked everything since."""
        self.typed = cycle(TYPED)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    @initialize(entries=files)
    def begin(self, entries: list[shelf.KnowledgeRow]) -> None:
        self.store = Database(f"sqlite:///{self.home / 'kefu.db'}")
        self.run(self.store.open())
        self.sync("faq.csv", entries, prune=True)
        self.run(self.open_host())

    async def open_host(self) -> None:
        wanted = await read_wanted(self.store)
        self.host = Host(self.home, FakeEncodings(**ENCODERS), examples=())
        await self.host.open(
            await read_knowledge(self.store), progress=lambda *_: None, releases=wanted.order
        )
        self.follower = Follower(self.store, self.host, clock=SystemClock(), wanted=wanted)
        self.live, self.checked = True, False

    @rule(source=sources, entries=files, prune=st.booleans())
    def ingest(self, source: str, entries: list[shelf.KnowledgeRow], prune: bool) -> None:
        self.sync(source, entries, prune=prune)

    def sync(self, source: str, entries: Sequence[shelf.KnowledgeRow], *, prune: bool) -> None:
        now = SystemClock().now()
        unit = partial(shelf.sync, source=source, entries=entries, now=now, prune=prune)
        report = self.run(self.store.write(unit))
        self.live = self.live and not (report.added or report.changed or report.removed)
        if prune:
            self.stored = {name: row for name, row in self.stored.items() if name[0] != source}
        self.stored |= {(source, row.key, row.lang): row for row in entries}

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        if self.stored:
            source, key, lang = data.draw(st.sampled_from(sorted(self.stored)))
            question = data.draw(phrases(lang))
            self.sync(source, [shelf.KnowledgeRow(key, lang, question, "new")], prune=False)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if self.stored:
            gone = data.draw(st.sampled_from(sorted(self.stored)))
            left = [row for name, row in self.stored.items() if name[0] == gone[0] and name != gone]
            self.sync(gone[0], left, prune=True)

    @rule(entries=files)
    def edit_the_bot_folder(self, entries: list[shelf.KnowledgeRow]) -> None:
        """Read at a start; a file that is gone takes its answers with it."""
        found = [("knowledge/f.csv", Entry("", r.key, r.lang, r.question, r.answer, alternatives=r.alternatives))
                 for r in entries]  # fmt: skip
        self.run(sync_folder(self.store, found, clock=SystemClock()))
        self.stored = {name: row for name, row in self.stored.items() if name[0] != EDITED}
        self.stored |= {(EDITED, row.key, row.lang): row for row in entries}
        self.restart()

    @rule()
    def promote(self) -> None:
        """The other release, seen with the next look or restart."""

        async def other() -> None:
            live = (await read_wanted(self.store)).release
            [name] = ENCODERS.keys() - {live}
            now, note = SystemClock().now(), releases.Note("root")
            await self.store.write(lambda s: releases.promote(s, name, now, instead=live, note=note))

        self.run(other())

    @rule()
    def look(self) -> None:
        """As the server does every second."""

        async def follow() -> None:
            for _ in range(2):  # a refresh that a switch overtakes is made again
                await self.follower.look()
                await self.follower.settled()
            assert self.host.current().name == (await read_wanted(self.store)).release

        self.run(follow())
        self.live, self.checked = True, False

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.host.close()
            await self.store.close()
            await self.store.open()
            await self.open_host()

        self.run(again())

    @invariant()
    def an_identical_question_is_first(self) -> None:
        if self.live and not self.checked and self.stored:
            self.checked = True
            self.run(self.check())

    async def check(self) -> None:
        told = {(row.key, row.lang, row.question, row.answer) for row in self.stored.values()}
        by_phrase: dict[str, set[str]] = {}
        for row in self.stored.values():
            for phrase in (row.question, *row.alternatives):
                by_phrase.setdefault(normalise(phrase), set()).add(row.lang)
        typed = [
            (phrase, next(self.typed).format(phrase), lang) for phrase in by_phrase for lang in ("zh", "en")
        ]
        vectors = await self.host.door.encode([text for _, text, _ in typed], deadline=time.monotonic() + 60)
        for (phrase, text, lang), vector in zip(typed, vectors, strict=True):
            [seen] = self.host.current().understand([Ask(text, lang, TODAY)], [vector[None]])
            first = seen.hits[0]
            assert first.exact
            assert phrase in map(normalise, first.entry.phrases)
            assert seen.candidates[0].entry == first.entry.id
            assert first.entry.lang == lang or lang not in by_phrase[phrase]
            found = {(h.entry.key, h.entry.lang, h.entry.question, h.entry.answer) for h in seen.hits}
            assert found <= told, "a deleted answer is found"

    def teardown(self) -> None:
        async def end() -> None:
            await self.host.close()
            await self.store.close()

        self.run(end())
        self.runner.close()
        shutil.rmtree(self.home)


def test_an_identical_question_is_first_whatever_happened_before(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = {e.fingerprint: fit_head(e.encode(["one", "two"]), ["a", "b"]) for e in ENCODERS.values()}

    def find(_: Path, lesson: Lesson) -> Heads:
        """Learning takes seconds in a process of its own, and has no say in what is identical."""
        return Heads("heads", heads[lesson.encoder], heads[lesson.encoder], None)

    monkeypatch.setattr("bot.inference.learned.find_release", find)
    run_state_machine_as_test(Shelf, settings=settings(max_examples=12, stateful_step_count=12))
