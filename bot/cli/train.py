"""`kefu train`: a classifier on a data set of one's own, and how good it is on texts that it has not seen."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager
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
from bot.cli.stopping import STOPPED, sigterm_as_ctrl_c, until_stopped
from bot.cli.train_page import page
from bot.definition.labelled import MAX_ROWS, DataFile, Example, Tell, read_examples
from bot.definition.sentences import suggestion
from bot.errors import DefinitionError, SettingsError
from bot.inference.child import Progress, run_training
from bot.settings import Settings
from retrieval.text import normalise
from training.dataset import Origin, Row, Source, Split, write_dataset
from training.evaluation import EVALUATION
from training.spec import Spec, SpecError, parse_spec, read_spec, write_spec

HINT = "Is Kefu installed with its `train` extra?"


@dataclass(frozen=True, slots=True)
class Sources:
    """Paths of the data files. `foreign`: the label of what is out of scope."""

    train: Path
    valid: Path | None
    test: Path
    foreign: str | None


@dataclass(frozen=True, slots=True)
class Data:
    """`foreign`: the label of what is out of scope."""

    train: DataFile[Example]
    valid: DataFile[Example] | None
    test: DataFile[Example]
    foreign: str | None

    @property
    def files(self) -> dict[Split, DataFile[Example]]:
        return {
            "train": self.train,
            **({"valid": self.valid} if self.valid else {}),
            "test": self.test,
        }


@dataclass(frozen=True, slots=True)
class Order:
    """What is trained, and where it stays. `out`: None where only the figures are wanted."""

    spec: Spec
    out: Path | None = None


def run(sources: Sources, report: Path, settings: Settings, *, order: Order) -> None:
    """Raises KefuError for what is wrong with data, encoder or report. Ctrl-C and SIGTERM keep what lies in `out`."""
    if order.spec.learn < 1:
        raise SettingsError(
            "`learn` is for a bot, whose answers the other texts calibrate.", hint="Leave it out of the spec."
        )
    check_place(report, sources.train, sources.valid, sources.test)
    with _stoppable(order):
        figures, told = _run(sources, settings, order)
    write_report(report, figures, lambda figures: page(figures, told))
    _show(figures, report)


def _run(sources: Sources, settings: Settings, order: Order) -> tuple[Figures, list[Both]]:
    """Beside the figures what a reader of them should know first."""
    with shown(Console(stderr=True)) as progress:
        data = read_data(sources, lambda said: progress(said, 0, 0))
    told = list(notes(data))
    for note in in_english(told):
        click.echo(note, err=True)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        figures = until_stopped(_measure(work, data, settings, order, progress))
    return figures | {"method": order.spec.method, "notes": in_english(told)}, told


@contextmanager
def _stoppable(order: Order) -> Iterator[None]:
    try:
        with sigterm_as_ctrl_c():
            yield
    except STOPPED:
        goes_on = f"The same command goes on from what lies in {order.out}."
        nothing = "Nothing is kept of it: name a folder with --out."
        click.echo(f"\nStopped. {goes_on if order.out else nothing}", err=True)
        raise SystemExit(1) from None


def read_order(path: Path | None, settings: Settings, *, method: str | None) -> Spec:
    """What the file says, or nothing; then what was typed and set. Raises `SettingsError`."""
    try:
        spec = read_spec(path) if path else Spec()
        more = {"method": method} if method else {}
        if "encoder" not in spec.model_fields_set:
            more["encoder"] = settings.base_encoder()
        return parse_spec({**spec.model_dump(mode="json"), **more}, name=str(path))
    except SpecError as error:
        raise SettingsError(str(error)) from error


def read_data(sources: Sources, tell: Tell) -> Data:
    """Raises `DefinitionError`."""
    train, test = (read_examples(path, tell=tell) for path in (sources.train, sources.test))
    valid = read_examples(sources.valid, tell=tell) if sources.valid else None
    foreign = sources.foreign
    _has_classes(train, foreign)
    labels = {row.label for row in test.rows}
    if foreign is not None and foreign not in labels:
        raise _wrong(test, f"no row has the label `{foreign}`.", suggestion(foreign, sorted(labels)))
    if labels == {foreign}:
        raise _wrong(test, f"every row has the label `{foreign}`.", "Add rows that are in scope.")
    return Data(train, valid, test, foreign)


def _has_classes(train: DataFile[Example], foreign: str | None) -> None:
    labels = {row.label for row in train.rows} - {foreign}
    if len(labels) < 2:
        what = f"has one label only, `{next(iter(labels))}`." if labels else "has no label that is in scope."
        raise _wrong(train, what, "Two are needed to tell apart.")


def _wrong(data: DataFile[Example], message: str, hint: str) -> DefinitionError:
    return DefinitionError(message, file=str(data.path), hint=hint)


def notes(data: Data) -> Iterator[Both]:
    """What somebody who reads the figures should know, a sentence each."""
    for file in data.files.values():
        yield from notes_on(file, MAX_ROWS)
    counts = Counter(row.label for row in data.train.rows)
    if single := sorted(label for label, count in counts.items() if count == 1):
        name, some = data.train.path.name, _few(single)
        yield (
            f"{name}: labels with one example: {len(single)} ({some}).",
            f"{name}：只有一个例子的标签有 {len(single)} 个（{some}）。",
        )
    later = [(data.test, ("count as errors", "计为错误"))]
    if data.valid is not None:
        later.insert(0, (data.valid, ("are passed over", "略过不用")))
    for file, what in later:
        yield from _unknown(file, {*counts, *([data.foreign] if data.foreign else [])}, what)
    for file, other in _pairs(data):
        if same := [row.line for row in _shared(file, other)]:
            more, too = (
                ("; figures without them are given too", "；另给出不含它们的指标")
                if file is data.test
                else ("", "")
            )
            en, zh = at_lines(same)
            yield (
                f"{file.path.name}: rows that also stand in {other.path.name}: {len(same)} ({en}){more}.",
                f"{file.path.name}：同时出现在 {other.path.name} 中的有 {len(same)} 行（{zh}）{too}。",
            )


def _unknown(file: DataFile[Example], known: Container[str], what: Both) -> Iterator[Both]:
    unknown = [row for row in file.rows if row.label not in known]
    if unknown:
        names, (en, zh) = _few(sorted({row.label for row in unknown})), at_lines(row.line for row in unknown)
        rows = f"rows with a label that training lacks, which {what[0]}: {len(unknown)}"
        yield (
            f"{file.path.name}: {rows} ({names}; {en}).",
            f"{file.path.name}：标签不在训练数据中、{what[1]}的有 {len(unknown)} 行（{names}；{zh}）。",
        )


def _pairs(data: Data) -> Iterator[tuple[DataFile[Example], DataFile[Example]]]:
    """Files that should have no text in common, the later one first."""
    yield data.test, data.train
    if data.valid is not None:
        yield data.valid, data.train
        yield data.test, data.valid


def _few(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:5]) + (", ..." if len(names) > 5 else "")


def _shared(file: DataFile[Example], other: DataFile[Example]) -> list[Example]:
    seen = set(map(normalise, other.texts))
    return [row for row in file.rows if normalise(row.text) in seen]


async def _measure(work: Path, data: Data, settings: Settings, order: Order, progress: Progress) -> Figures:
    begun = time.perf_counter()
    out = order.out or work / "out"
    await asyncio.to_thread(_write_work, work, data, order.spec)
    progress("starting", 0, 0)  # the child needs seconds to get so far
    paths = {"--spec": work / "spec.json", "--data": work / "data", "--out": out, "--cache": settings.cache}
    words = [word for name, path in paths.items() for word in (name, str(path))]
    await run_training(
        "run", [*words, "--threads", str(settings.encoder_threads)], progress=progress, hint=HINT
    )
    result, evaluation = await asyncio.to_thread(_outcome, out)
    return merged(
        {"kind": "classification", "seconds": round(time.perf_counter() - begun, 1)},
        await asyncio.to_thread(
            made_with, {name: result["encoder"][name] for name in ("source", "fingerprint", "dim")}
        ),
        {
            "data": {
                name: {**about(file), "labels": len({row.label for row in file.rows})}
                for name, file in data.files.items()
            },
            "oos_label": data.foreign,
            "metrics": evaluation["metrics"],
            "tests": evaluation["details"]["tests"],
        },
        evaluation["details"]["intent"],
        {name: told for name, told in result.items() if name not in _OWN},
    )


def _outcome(out: Path) -> tuple[Figures, Figures]:
    """result.json and evaluation.json of a finished job."""
    result, evaluation = ((out / name).read_text(encoding="utf-8") for name in ("result.json", EVALUATION))
    return json.loads(result), json.loads(evaluation)


_OWN = ("format", "method", "encoder", "seconds")
"""Keys of the result that the report has in its own words."""


def _write_work(work: Path, data: Data, spec: Spec) -> None:
    parts: dict[Split, list[Row]] = {
        name: [Row(row.text, row.label, line=row.line) for row in f.rows] for name, f in data.files.items()
    }
    files = data.files.values()
    sources = tuple(Source(file.path.name, "file", len(file.rows), file.sha256) for file in files)
    write_dataset(work / "data", {"intent": parts}, Origin(foreign=data.foreign, sources=sources))
    write_spec(work / "spec.json", spec)


def _show(figures: Figures, report: Path) -> None:
    table = Table(Column("test file"), *(Column(n, justify="right") for n in _COLUMNS), box=None)
    rows = {"all": figures["figures"], "without leaks": figures["without_leaks"]}
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    for name, part in {**rows, **languages}.items():
        if part:
            shares = (f"{100 * part[key]:.2f}" for key in ("accuracy", "macro_f1", "micro_f1"))
            table.add_row(name, str(part["texts"]), *shares)
    console = Console()
    console.print(table)
    one = figures["metrics"]["intent.accuracy"]
    said = [
        f"Accuracy is between {100 * one['low']:.1f} and {100 * one['high']:.1f} % (95 %)",
        f"calibration error {100 * figures['calibration']['ece']:.1f} %",
    ]
    if scope := figures["scope"]:
        said.append(
            f"out of scope: AUROC {100 * scope['auroc']:.1f} %, {100 * scope['recall_accepted']:.1f} % found "
            "where 95 % of the rest is let through"
        )
    said.append(f"{figures['latency_ms']['median']:.1f} ms a text")
    console.print("; ".join(said) + ".", highlight=False)
    if worst := figures["confusions"][:3]:
        pairs = ", ".join(f"{pair['truth']} as {pair['named']} ({pair['count']})" for pair in worst)
        console.print(f"Most confused: {pairs}.", highlight=False, markup=False)
    click.echo(f"Wrote {report} and {page_of(report)}.")


_COLUMNS = ("texts", "accuracy %", "macro F1 %", "micro F1 %")
