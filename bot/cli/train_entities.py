"""`kefu train --task entities`: how well what texts name is found, learned from marked texts of one's own."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from bot.cli.page import Both
from bot.cli.progress import shown
from bot.cli.report import (
    Figures,
    about,
    at_lines,
    check_place,
    in_english,
    made_with,
    merged,
    notes_on,
    page_of,
    work_folder,
    write_report,
)
from bot.cli.train import HINT
from bot.cli.train_entities_page import page
from bot.definition.annotated import MAX_MARKED, cuts_words, marked_twice, named, read_annotated
from bot.definition.labelled import DataFile, Marked, Tell
from bot.errors import DefinitionError
from bot.inference.child import Progress, run_training
from bot.inference.encoder import make_encoder
from bot.settings import Settings
from retrieval.text import normalise, script_lang
from training.entities.spec import Example, KindSpec
from training.entities.task import RESULT, EntityTask, Told, write_task

OTHER = "other"
"""What is neither Chinese nor English."""


@dataclass(frozen=True, slots=True)
class Data:
    train: DataFile[Marked]
    valid: DataFile[Marked] | None
    test: DataFile[Marked]

    @property
    def files(self) -> dict[str, DataFile[Marked]]:
        return {
            "train": self.train,
            **({"valid": self.valid} if self.valid else {}),
            "test": self.test,
        }


def run(train: Path, valid: Path | None, test: Path, *, report: Path, settings: Settings) -> None:
    """Raises KefuError for what is wrong with data, encoder or report."""
    check_place(report, train, valid, test)
    with shown(Console(stderr=True)) as progress:
        data = read_data(train, valid, test, tell=lambda said: progress(said, 0, 0))
    told = list(notes(data))
    for note in in_english(told):
        click.echo(note, err=True)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        figures = asyncio.run(_measure(work, data, settings, progress))
    figures["notes"] = in_english(told)
    write_report(report, figures, lambda figures: page(figures, told))
    _show(figures, report)


def read_data(train: Path, valid: Path | None, test: Path, *, tell: Tell) -> Data:
    """Raises `DefinitionError`."""
    learned = read_annotated(train, tell=tell)
    chosen = read_annotated(valid, tell=tell) if valid else None
    judged = read_annotated(test, tell=tell)
    if not any(row.spans for row in learned.rows):
        raise DefinitionError(
            "nothing is marked in it.",
            file=str(train),
            hint="Entities are learned from texts that name some.",
        )
    return Data(learned, chosen, judged)


def notes(data: Data) -> Iterator[Both]:
    """What somebody who reads the figures should know, a sentence each."""
    known = set(named(data.train.rows))
    for file in data.files.values():
        yield from notes_on(file, MAX_MARKED)
        yield from _notes_on_marks(file, known)
    train, test = data.train.path.name, data.test.path.name
    if rare := sorted(kind for kind, count in Counter(named(data.train.rows)).items() if count == 1):
        yield (
            f"{train}: kinds with one example: {len(rare)} ({_few(rare)}).",
            f"{train}：只有一个例子的实体类别有 {len(rare)} 类（{_few(rare)}）。",
        )
    learned = set(map(normalise, data.train.texts))
    if same := [row.line for row in data.test.rows if normalise(row.text) in learned]:
        en, zh = at_lines(same)
        yield (
            f"{test}: rows that also stand in {train}: {len(same)} ({en}); they flatter.",
            f"{test}：同时出现在 {train} 中的有 {len(same)} 行（{zh}），会使指标偏高。",
        )


def _notes_on_marks(file: DataFile[Marked], known: Container[str]) -> Iterator[Both]:
    name = file.path.name
    if cut := [row.line for row in file.rows if cuts_words(row)]:
        en, zh = at_lines(cut)
        yield (
            f"{name}: rows with an entity that begins or ends within a word, which cannot be found "
            f"exactly: {len(cut)} ({en}).",
            f"{name}：有实体从词的中间开始或结束、无法准确找到的有 {len(cut)} 行（{zh}）。",
        )
    if twice := marked_twice(file.rows):
        en, zh = at_lines(twice)
        yield (
            f"{name}: rows whose text is marked in another way too: {len(twice)} ({en}); no tagger gets both right.",
            f"{name}：同一文本另有不同标注的有 {len(twice)} 行（{zh}）；没有标注器能两样都对。",
        )
    if strange := sorted(kind for kind in set(named(file.rows)) if kind not in known):
        yield (
            f"{name}: kinds that training lacks, which count as missed: {len(strange)} ({_few(strange)}).",
            f"{name}：训练数据中没有、计为漏掉的实体类别有 {len(strange)} 类（{_few(strange)}）。",
        )


def _few(kinds: Sequence[str]) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds[:5])


async def _measure(work: Path, data: Data, settings: Settings, progress: Progress) -> Figures:
    begun = time.perf_counter()
    folder = await make_encoder(settings.cache, settings.base_encoder(), progress=progress)
    await asyncio.to_thread(write_task, work, task_of(data))
    words = ["--work", str(work), "--out", str(work / "out"), "--encoder", str(folder)]
    await run_training("entities", words, progress=progress, hint=HINT)
    result = await asyncio.to_thread(read_result, work / "out")
    seconds = round(time.perf_counter() - begun, 1)
    made = await asyncio.to_thread(made_with, {"source": settings.base_encoder(), **result.pop("encoder")})
    files = {
        name: {
            **about(file),
            "kinds": len(set(named(file.rows))),
            "entities": sum(1 for _ in named(file.rows)),
        }
        for name, file in data.files.items()
    }
    return merged({"kind": "entities", "seconds": seconds}, made, {"data": files}, result)


def read_result(out: Path) -> Figures:
    found: Figures = json.loads((out / RESULT).read_text(encoding="utf-8"))
    return found


def task_of(data: Data) -> EntityTask:
    return EntityTask(
        dict.fromkeys(sorted(set(named(data.train.rows))), KindSpec()),
        *(told_of(file) if file else () for file in (data.train, data.valid, data.test)),
    )


def told_of(file: DataFile[Marked]) -> tuple[Told, ...]:
    return tuple(
        Told(Example(row.text, row.spans), row.line, row.lang or script_lang(row.text) or OTHER)
        for row in file.rows
    )


def _show(figures: Figures, report: Path) -> None:
    console = Console()
    console.print(table_of(figures))
    console.print(sentence(figures), highlight=False)
    weakest = [row for row in figures["kinds"] if row["there"]][:3]
    if weakest and weakest[0]["f1"] < 1:
        named = ", ".join(f"{row['kind']} ({100 * row['f1']:.1f})" for row in weakest)
        console.print(f"Weakest kinds: {named}.", highlight=False, markup=False)
    click.echo(f"Wrote {report} and {page_of(report)}.")


def table_of(figures: Figures) -> Table:
    """All, each language where there are several, and the floor."""
    table = Table(Column("judged"), *(Column(n, justify="right") for n in _COLUMNS), box=None)
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    floor = {"floor": figures["floor"]}
    for name, part in {"all": figures["figures"], **languages, **floor}.items():
        counts = (str(part["texts"]), str(part["entities"]))
        shares = (f"{100 * part[key]:.2f}" for key in ("micro_f1", "macro_f1", "precision", "recall"))
        table.add_row(name, *counts, *shares)
    return table


def sentence(figures: Figures) -> str:
    one, latency = figures["micro_f1"], figures["latency_ms"]
    return (
        f"Micro F1 is between {100 * one['low']:.1f} and {100 * one['high']:.1f} % (95 %); "
        f"{latency['median']:.1f} ms a text, {latency['finder_median']:.2f} ms of it after the encoder."
    )


_COLUMNS = ("texts", "entities", "micro F1 %", "macro F1 %", "precision %", "recall %")
