"""What a bot learns from, as it is right now: its folder, the answers in its database, and what customers confirmed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from bot.app import examples
from bot.cli.rows import Rows
from bot.definition import FOLDER, BotDefinition
from bot.engine.draft import ENTRY
from bot.store import catalogue, confirmed
from bot.store.catalogue import StoredEntry, Wanted
from bot.store.confirmed import WAYS, By, Confirmed
from retrieval.text import script_lang
from retrieval.types import Entry
from training.apply import OUT_OF_SCOPE
from training.clean import MAX_TEXTS
from training.dataset import Origin, Row, Source
from training.scrub import scrub
from training.source import of_answers, of_customers, of_examples, write_found

PAGE = 500
INTENTS = "intents.yml"
TALKS = "conversations"
CONFIRMED = (
    "What customers typed where the right answer is sure: next they pressed its button and gave it no thumbs-down, or "
    "they gave it a thumbs-up. Not: what leans on the message before, answers that stand no more, and what an agent "
    "answered, as nobody notes which stored answer that was."
)
SCRUBBED = (
    "Numbers of cards, accounts, identity cards and telephones and e-mail addresses are masked in what customers "
    "wrote; names and postal addresses have no form to tell them by, and stay."
)


@dataclass(slots=True)
class Heard:
    """What customers confirmed. `passed_over` counts the rest by reason."""

    rows: list[Row] = field(default_factory=list)
    scrubbed: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    def take(self, one: Confirmed, key: str | None) -> None:
        if key is None:
            self.passed_over["whose answer stands no more"] += 1
        elif not one.alone:
            self.passed_over["that lean on the message before"] += 1
        else:
            text, found = scrub(one.text)
            self.scrubbed += found
            self.rows.append(Row(text, key, one.lang or script_lang(text), _group(one), one.at.isoformat()))


def _group(one: Confirmed) -> str:
    """A conversation's id opens it to whoever knows it: it is not written down."""
    return hashlib.sha256(one.mark[0].encode()).hexdigest()[:16]


def snapshot(definition: BotDefinition, rows: Rows, work: Path, *, seed: int, talks: bool) -> None:
    """Into `work`, as `training.source` has it. `talks`: with what customers confirmed. Nothing is changed."""
    stored = list(_stored(rows))
    answers = [(row.file, row.entry) for row in definition.knowledge]
    answers += [(one.source, _entry(one)) for one in stored if not one.source.startswith(FOLDER)]
    keys = {entry.key for _, entry in answers}
    heard = _heard(rows, {ENTRY + one.id: one.key for one in stored}, keys) if talks else Heard()
    own = examples(definition)
    intents = {entry.key: entry.intent for _, entry in answers if entry.intent}
    found = chain(of_examples(INTENTS, own), of_answers(answers), of_customers(TALKS, heard.rows, intents))
    sources = (*_own_sources(own, answers), *([_talks(heard)] if talks else []))
    notes = (SCRUBBED, *notes_of(heard)) if talks else ()
    scrubbed = {**heard.scrubbed}
    write_found(work, found, Origin(seed, OUT_OF_SCOPE, tuple(sources), scrubbed=scrubbed, notes=notes))


def heard_by(definition: BotDefinition, rows: Rows) -> Heard:
    """What customers confirmed, by the keys of answers that stand. Nothing is changed."""
    stored = list(_stored(rows))
    keys = {row.entry.key for row in definition.knowledge} | {one.key for one in stored}
    return _heard(rows, {ENTRY + one.id: one.key for one in stored}, keys)


def _stored(rows: Rows) -> Iterator[StoredEntry]:
    after = ""
    while page := rows.read(partial(catalogue.entries, wanted=Wanted(active=True), after=after, limit=PAGE)):
        yield from page
        after = page[-1].id


def _entry(stored: StoredEntry) -> Entry:
    told = (stored.id, stored.key, stored.lang, stored.question, stored.answer, stored.title)
    return Entry(*told, stored.intent, stored.alternatives, audience=stored.audience)


def _heard(rows: Rows, buttons: dict[str, str], keys: set[str]) -> Heard:
    """`buttons`: keys by what a button says. At most as many as a data set takes."""
    heard = Heard()
    for by in WAYS:
        for one in _confirmed(rows, by):
            key = buttons.get(one.answer) if by == "pressed" else one.answer
            heard.take(one, key if key in keys else None)
            if len(heard.rows) >= MAX_TEXTS:
                return heard
    return heard


def _confirmed(rows: Rows, by: By) -> Iterator[Confirmed]:
    mark: confirmed.Mark | None = confirmed.START
    while mark is not None:
        page, mark = rows.read(partial(confirmed.page, by=by, after=mark))
        yield from page


def _own_sources(
    own: Sequence[tuple[str, str, str]], answers: Iterable[tuple[str, Entry]]
) -> Iterator[Source]:
    yield Source(INTENTS, "folder", len(own), terms="the bot's own", taken="Every example, under its intent.")
    texts: Counter[str] = Counter()
    for name, entry in answers:
        texts[name] += len(entry.phrases)
    for name, count in sorted(texts.items()):
        taken = (
            "Every question and its other wordings, under the answer's key and, where it has one, its intent."
        )
        yield Source(name, "folder", count, terms="the bot's own", taken=taken)


def _talks(heard: Heard) -> Source:
    return Source(TALKS, "store", len(heard.rows), terms="customers' words", taken=CONFIRMED)


def notes_of(heard: Heard) -> Iterator[str]:
    for reason, count in sorted(heard.passed_over.items()):
        yield f"Messages {reason} were passed over: {count}."
    if len(heard.rows) >= MAX_TEXTS:
        yield f"Only {MAX_TEXTS} confirmed messages were read."
