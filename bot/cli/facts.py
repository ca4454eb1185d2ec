"""`kefu eval answers`: what the bot says to questions whose facts are known, sentence by sentence."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.app import Bot, load_definition
from bot.cli import names
from bot.cli.evaluation_page import Shown, page
from bot.cli.page import english
from bot.cli.progress import shown
from bot.cli.rehearsal import rehearsing
from bot.cli.report import check_place, made_with, page_of, write_report
from bot.definition import BotDefinition
from bot.definition.facts import FactQuestion, read_facts
from bot.errors import InferenceError
from bot.inference.child import Progress
from bot.inference.generator import Passage
from bot.inference.grounding.objections import counted
from bot.inference.guard import MARK, read_sources, supporters
from bot.settings import Settings
from bot.store import ledger
from connectors.port import Inbound, Message
from retrieval.sections import document
from retrieval.text import script_lang, split_sentences
from retrieval.types import Entry
from training.bootstrap import percentile_of
from training.evaluation import Evaluation, rows_hash, to_json
from training.measures import Metrics, languages, share_metrics

CHANNEL = "test"
WORST = 20
"""Questions that the terminal lists."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`questions`: None is `tests/answers.jsonl` of the bot folder; `release`: None is the live one."""

    questions: Path | None = None
    release: str | None = None
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What came for a question. `first_ms`, `last_ms`: until its first words and until its end."""

    question: FactQuestion
    reply: Message
    reason: str
    first_ms: float
    last_ms: float

    @property
    def withheld(self) -> int:
        """Sentences that were generated and not said."""
        return counted(self.reason)


@dataclass(frozen=True, slots=True)
class Judged:
    """`unsupported`: sentences of the answer that neither its facts nor its sources hold."""

    told: Told
    sentences: int
    unsupported: tuple[str, ...]
    right_source: bool
    complete: bool

    @property
    def answered(self) -> bool:
        return self.told.reply.rateable

    @property
    def badness(self) -> tuple[int, bool]:
        """Worst first: what was invented, then answers where there are none, then wrong ones, then silence."""
        question = self.told.question
        if not self.answered:
            return (3 if question.answerable else 5), False
        if not question.answerable:
            return 1, False
        return (0 if self.unsupported else 2 if not self.right_source else 4), self.complete


def run(settings: Settings, wanted: Wanted) -> None:
    """Raises KefuError for what is wrong with folder, home, questions or report."""
    questions = read_facts(wanted.questions or settings.bot)
    if wanted.report:
        check_place(wanted.report, wanted.questions)
    definition = load_definition(settings.bot, memory=settings.documents)
    with shown(Console(stderr=True)) as progress:
        found, about = asyncio.run(_measure(definition, settings, questions, wanted.release, progress))
    judged = sorted(found, key=lambda one: one.badness)
    whole = evaluation(judged)
    _show(judged, whole, about["source"])
    if wanted.report:
        _write(wanted.report, definition, whole, about)
        click.echo(f"Wrote {wanted.report} and {page_of(wanted.report)}.")


async def _measure(
    definition: BotDefinition,
    settings: Settings,
    questions: Sequence[FactQuestion],
    release: str | None,
    progress: Progress,
) -> tuple[list[Judged], dict[str, Any]]:
    async with rehearsing(definition, settings, release=release, progress=progress) as bot:
        live, own = bot.host.current(), own_sentences(definition)
        found = []
        for number, question in enumerate(questions):
            progress(f"asking {live.name}", number, len(questions))
            told = await ask(bot, question)
            found.append(judge(told, live.bundle.entries, own))
        return found, {
            "source": live.name,
            "fingerprint": live.reader.fingerprint,
            "by": bot.desk.generator.name,
        }


async def ask(bot: Bot, question: FactQuestion) -> Told:
    """A conversation of its own. Raises InferenceError where no reply came."""
    conversation, first = secrets.token_urlsafe(16), 0.0
    async with bot.gateway.subscribe(conversation) as frames:
        begun = time.perf_counter()
        inbound = Inbound(
            CHANNEL, conversation, secrets.token_urlsafe(8), conversation, question.text, None, question.lang
        )
        receipt = await bot.gateway.receive(inbound)
        async for frame in frames:
            message = frame.message
            is_reply = frame.kind == "final" and message and message.role == "bot" and frame.seq > receipt.seq
            if (frame.kind == "delta" or is_reply) and not first:
                first = 1e3 * (time.perf_counter() - begun)
            if message and is_reply:
                last = 1e3 * (time.perf_counter() - begun)
                async with bot.desk.store.read() as session:
                    trace = await ledger.trace(session, conversation, message.seq - 1)
                return Told(question, message, trace.reason if trace else "", first, last)
    raise InferenceError("The bot gave no reply.", hint="`kefu doctor` says what is wrong with it.")


def own_sentences(definition: BotDefinition) -> frozenset[str]:
    """Of the bot's responses: "I have this in Chinese only:" above an answer states nothing that it answers with."""
    return frozenset(
        sentence
        for variants in definition.responses.values()
        for lang, texts in variants.items()
        for text in texts
        for sentence in split_sentences(text, lang)
    )


def judge(told: Told, entries: Sequence[Entry], own: Collection[str]) -> Judged:
    """By the question's facts and sources; where it names none, by what the answer itself cites. `own`: sentences that
    do not count.
    """
    question, reply = told.question, told.reply
    lang = question.lang or script_lang(question.text) or "en"
    gold = [entry for entry in entries if _is_source(entry, question.sources)]
    cited = {citation.title for citation in reply.citations}
    leaned = gold or [entry for entry in entries if any(title.startswith(entry.question) for title in cited)]
    passages = [Passage(1, "", fact) for fact in question.facts]
    passages += [
        Passage(1, "", text) for entry in leaned for text in (entry.question, entry.title, entry.answer)
    ]
    sources = read_sources(passages, lang)
    said = split_sentences(MARK.sub("", reply.text), lang) if reply.rateable else []
    said = [one for one in said if one not in own]
    unsupported = tuple(one for one in said if not question.answerable or not supporters(one, sources))
    right = any(title.startswith(entry.question) for entry in gold for title in cited)
    plain = reply.text.casefold()
    complete = all(one.casefold() in plain for one in question.must)
    return Judged(told, len(said), unsupported, right, complete)


def _is_source(entry: Entry, sources: Sequence[str]) -> bool:
    return entry.key in sources or document(entry) in sources


def evaluation(judged: Sequence[Judged]) -> Evaluation:
    """`told.*`: shares of questions, of sentences and of answers, and how long they took."""
    having = [one for one in judged if one.told.question.answerable]
    without = [one for one in judged if not one.told.question.answerable]
    answers = [one for one in having if one.answered]
    supported = [n < one.sentences - len(one.unsupported) for one in judged for n in range(one.sentences)]

    def share(what: str, rows: Sequence[Judged], right: Sequence[bool]) -> Metrics:
        langs = languages([one.told.question.text for one in rows], [one.told.question.lang for one in rows])
        return share_metrics("told", what, right, langs=langs)

    metrics = {
        **share("answered", having, [one.answered for one in having]),
        **share("abstained", without, [not one.answered for one in without]),
        **share_metrics("told", "supported", supported),
        **share("right_source", answers, [one.right_source for one in answers]),
        **share("complete", answers, [one.complete for one in answers]),
        **share_metrics("told", "withheld", [one.told.withheld > 0 for one in judged], better="lower"),
        "told.first_ms": percentile_of(np.array([one.told.first_ms for one in judged]), 50),
        "told.last_ms": percentile_of(np.array([one.told.last_ms for one in judged]), 50),
        "told.last_ms_p95": percentile_of(np.array([one.told.last_ms for one in judged]), 95),
    }
    asked = [(one.told.question.text, str(one.told.question.answerable)) for one in judged]
    tests = {"told": rows_hash(sorted(asked))}
    return Evaluation(metrics, {"told": {"rows": [_row(one) for one in judged]}, "tests": tests})


def _row(one: Judged) -> dict[str, Any]:
    told = one.told
    return {
        "id": told.question.id,
        "question": told.question.text,
        "answerable": told.question.answerable,
        "answered": one.answered,
        "reply": told.reply.text,
        "reason": told.reason,
        "sources": list(told.question.sources),
        "cited": [citation.title for citation in told.reply.citations],
        "sentences": one.sentences,
        "unsupported": list(one.unsupported),
        "right_source": one.right_source,
        "complete": one.complete,
        "withheld": told.withheld,
        "first_ms": round(told.first_ms, 1),
        "last_ms": round(told.last_ms, 1),
        "good": one.badness[0] > 3 and (one.complete or not told.question.answerable),
    }


def _show(judged: Sequence[Judged], whole: Evaluation, release: str) -> None:
    console = Console()
    bad = [one for one in judged if one.badness[0] < 4]
    if bad:
        table = Table(Column("question", ratio=3), Column("said", ratio=4), Column("why", ratio=2), box=None)
        for one in bad[:WORST]:
            cells = (one.told.question.text, one.told.reply.text.split("\n")[0], one.told.reason)
            table.add_row(*map(escape, cells))
        console.print(table)
        if len(bad) > WORST:
            console.print(f"... and {len(bad) - WORST} more; --report has them all.", highlight=False)
    head = [Column(release), *(Column(name, justify="right") for name in ("value", "95 % interval", "rows"))]
    table = Table(*head, box=None)
    for name, figure in whole.metrics.items():
        cells = (names.number(name, figure.value), names.between(name, figure), f"{figure.n:,}")
        table.add_row(names.title(name, english), *cells)
    console.print(table)


def _write(report: Path, definition: BotDefinition, whole: Evaluation, about: dict[str, Any]) -> None:
    made = made_with({"source": about["source"], "fingerprint": about["fingerprint"]})
    called = definition.name
    en, zh = (called.get(lang, next(iter(called.values()))) for lang in ("en", "zh"))
    count, when = len(whole.details["told"]["rows"]), made["made"]
    shown_page = Shown(
        (f"{en}: answers of release {about['source']}", f"{zh}：发布版本 {about['source']} 的回答"),
        (
            f"{count} questions whose facts are known, answered by {about['by']}. {when}.",
            f"{count} 个已知事实的问题，由 {about['by']} 回答。{when}。",
        ),
        whole,
        made={"encoder": about["fingerprint"], **made["versions"]},
    )
    figures = {**to_json(whole), **made, "kind": "told", "release": about["source"], "generator": about["by"]}
    write_report(report, figures, lambda _: page(shown_page))
