"""`kefu eval`: how good a release of a bot is, on the bot's own questions and on the test rows of a data set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.app import Bot, load_definition
from bot.cli import names, steady_figures
from bot.cli.evaluation_page import Shown, page
from bot.cli.exam import answers, put
from bot.cli.judge import Verdict, known_names
from bot.cli.page import Both, english
from bot.cli.progress import shown
from bot.cli.promise_figures import promise_in_words, promise_of
from bot.cli.rehearsal import rehearsing
from bot.cli.report import (
    Figures,
    ReportError,
    at_lines,
    check_place,
    in_english,
    made_with,
    page_of,
    work_folder,
    write_report,
)
from bot.cli.robust import robustness
from bot.cli.rows_judged import judge_rows, latency, read_rows
from bot.definition import BotDefinition
from bot.definition.questions import CLARIFY, Pair, Question, read_pairs, read_questions
from bot.inference.child import Progress
from bot.settings import Settings
from training.dataset import Dataset
from training.errors import TrainingError
from training.evaluation import Evaluation, joined, read_evaluation, to_json

WORST = 20
"""Wrong answers that the terminal lists."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`release`: None is the live one. `compare`: an earlier report. `least`: share of right answers asked for.
    `quick`: the questions alone, in no other form.
    """

    release: str | None = None
    report: Path | None = None
    data: Path | None = None
    compare: Path | None = None
    least: float | None = None
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is put to the bot. `release`: the one that answers; None is the live one. `pairs`: None asks in no other
    form.
    """

    questions: Sequence[Question]
    pairs: Sequence[Pair] | None
    release: str | None
    data: Dataset | None


@dataclass(frozen=True, slots=True)
class Found:
    """`release`: the name of the one that answered."""

    release: str
    evaluation: Evaluation
    verdicts: Sequence[Verdict]
    notes: Sequence[Both]
    encoder: Figures


def run(settings: Settings, wanted: Wanted) -> bool:
    """Whether enough answers are right. Raises KefuError for what is wrong with folder, home, data or report."""
    questions = read_questions(settings.bot)
    pairs = None if wanted.quick else read_pairs(settings.bot)
    live = _earlier(wanted.compare) if wanted.compare else None
    data = read_rows(wanted.data) if wanted.data else None
    if wanted.report:
        check_place(wanted.report, wanted.compare)
    definition = load_definition(settings.bot, memory=settings.documents)
    asked = Asked(questions, pairs, wanted.release, data)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        found = asyncio.run(_measure(definition, settings, asked, work, progress))
    for note in in_english(found.notes):
        click.echo(note, err=True)
    _show(found, live)
    if wanted.report:
        _write(wanted.report, definition, found, live)
        click.echo(f"Wrote {wanted.report} and {page_of(wanted.report)}.")
    right = found.evaluation.metrics["answers.right"].value
    if wanted.least is not None and right < wanted.least:
        click.echo(f"{right:.1%} of the answers are right; {wanted.least:.1%} were asked for.", err=True)
        return False
    return True


def _earlier(path: Path) -> Evaluation:
    try:
        return read_evaluation(path)
    except TrainingError as error:
        raise ReportError(
            str(error), hint="Name a report of `kefu eval`, or a release's evaluation.json."
        ) from error


async def _measure(
    definition: BotDefinition,
    settings: Settings,
    asked: Asked,
    work: Path,
    progress: Progress,
) -> Found:
    questions, data = asked.questions, asked.data
    async with rehearsing(definition, settings, release=asked.release, progress=progress) as bot:
        verdicts = await put(bot, questions, who=bot.host.current().name, progress=progress)
        progress("timing", 0, 0)
        parts = [answers(verdicts), await latency(bot, [q.turns[-1] for q in questions])]
        notes = list(_notes(bot, questions))
        if asked.pairs is not None:
            part, more = await robustness(bot, verdicts, asked.pairs, progress=progress)
            parts.append(part)
            notes += more
        if data is not None:
            part, more = await judge_rows(bot, data, work, progress=progress)
            parts.append(part)
            notes += more
        live = bot.host.current()
        for part in promise_of(live, definition.languages):
            parts.append(part)
            notes += promise_in_words(part.details["promise"]) if "promise" in part.details else ()
        encoder = {"source": live.name, "fingerprint": live.reader.fingerprint}
        return Found(live.name, joined(parts), verdicts, notes, encoder)


def _notes(bot: Bot, questions: Sequence[Question]) -> Iterator[Both]:
    """What somebody who reads the figures should know, a sentence each."""
    known = known_names(bot) | {CLARIFY}
    lost = [question for question in questions if known.isdisjoint(question.expected)]
    if lost:
        file, (en, zh) = lost[0].file, at_lines(q.line for q in lost)
        named = ", ".join(f"`{name}`" for name in dict.fromkeys(q.expected[0] for q in lost[:5]))
        yield (
            f"{file}: questions that expect what the bot lacks, and count as wrong: {len(lost)} ({named}; {en}).",
            f"{file}：期望的内容机器人没有、计为答错的问题有 {len(lost)} 个（{named}；{zh}）。",
        )


def _show(found: Found, live: Evaluation | None) -> None:
    console = Console()
    if wrong := [verdict for verdict in found.verdicts if not verdict.right]:
        table = Table(
            Column("wrong", ratio=4), Column("expected", ratio=2), Column("came", ratio=2), "sure", box=None
        )
        for verdict in wrong[:WORST]:
            question = verdict.question
            came = f"{verdict.got}: {', '.join(verdict.options)}" if verdict.options else verdict.got
            sure = "" if verdict.confidence is None else f"{verdict.confidence:.2f}"
            cells = (" / ".join(question.turns), " or ".join(question.expected), came, sure)
            table.add_row(*map(escape, cells))
        console.print(table)
        if len(wrong) > WORST:
            console.print(f"... and {len(wrong) - WORST} more; --report has them all.", highlight=False)
    console.print(_figures(found, live))
    if (changes := steady_figures.terminal(found.evaluation)) is not None:
        console.print(changes)


def _figures(found: Found, live: Evaluation | None) -> Table:
    head = [Column(found.release), Column("value", justify="right"), Column("95 % interval", justify="right")]
    head.append(Column("rows", justify="right"))
    table = Table(*head, box=None)
    if live is not None:
        table.add_column("earlier", justify="right")
    for name, one in found.evaluation.metrics.items():
        if names.family(name) in names.STEADY:
            continue
        family = names.FAMILIES.get(names.family(name), (names.family(name),) * 2)[0]
        called = f"{family}: {names.title(name, english)}"
        row = [called, names.number(name, one.value), names.between(name, one), f"{one.n:,}"]
        if live is not None:
            known = name in live.metrics and live.same_test(found.evaluation, name)
            row.append(names.number(name, live.metrics[name].value) if known else "")
        table.add_row(*row)
    return table


def _write(report: Path, definition: BotDefinition, found: Found, live: Evaluation | None) -> None:
    made = made_with(found.encoder)
    figures = {
        **to_json(found.evaluation),
        **made,
        "kind": "bot",
        "release": found.release,
        "notes": in_english(found.notes),
    }
    called, count = definition.name, len(found.verdicts)
    en, zh = (called.get(lang, next(iter(called.values()))) for lang in ("en", "zh"))
    when = made["made"]
    shown_page = Shown(
        (f"{en}: release {found.release}", f"{zh}：发布版本 {found.release}"),
        (
            f"{count} questions of its own put to the whole bot. {when}.",
            f"向整个机器人提出它自己的 {count} 个问题。{when}。",
        ),
        found.evaluation,
        live,
        notes=found.notes,
        made={"encoder": found.encoder["fingerprint"], **made["versions"]},
    )
    write_report(report, figures, lambda _: page(shown_page))
