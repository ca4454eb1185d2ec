"""`kefu eval retrieval`: how well search finds the right answers among one's own."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

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
from bot.cli.retrieval_page import page
from bot.definition import Problem, read_knowledge
from bot.definition.labelled import Asked, DataFile, Tell, read_asked, told_rows
from bot.documents import digest
from bot.errors import DefinitionError
from bot.inference.child import Progress
from bot.inference.embedding import embed_to
from bot.inference.encoder import open_encoder
from bot.settings import Settings
from retrieval.metrics import mean_reciprocal_rank, recall_at
from retrieval.text import normalise, script_lang
from retrieval.types import Entry, Query
from training.evaluation import Evaluation, rows_hash, to_json
from training.measures import languages, rank_metrics

if TYPE_CHECKING:
    from retrieval.bundle import Bundle
    from retrieval.compare import Found
    from retrieval.embed import Vectors

MAX_ENTRIES = 100_000
"""Of the corpus; it cannot be a draw, as what is asked for must be in it."""
MAX_QUERIES = 20_000
RECALLS = (1, 5, 10)
WORST = 30
NOWHERE = MAX_ENTRIES + 1
"""The place of what was not found, among those that were."""
PART = 32
"""Queries between two looks at whether to go on."""
METHODS = {"hybrid": "ours", "bm25": "lexical", "dense": "dense"}


@dataclass(frozen=True, slots=True)
class Data:
    """`right`: the topics that each query should find; none where the corpus has no such answer."""

    corpus: Path
    entries: tuple[Entry, ...]
    queries: DataFile[Asked]
    right: tuple[frozenset[str], ...]
    stored: tuple[bool, ...]
    """Whether each query stands word for word among the stored questions."""

    @property
    def texts(self) -> list[str]:
        known = (text for entry in self.entries for text in entry.texts)
        return list(dict.fromkeys([*known, *self.queries.texts]))


def run(corpus: Path, queries: Path, report: Path, settings: Settings) -> None:
    """Raises KefuError for what is wrong with data, encoder or report."""
    check_place(report, corpus, queries)
    with shown(Console(stderr=True)) as progress:
        data = read_data(corpus, queries, lambda said: progress(said, 0, 0))
    told = list(notes(data))
    for note in in_english(told):
        click.echo(note, err=True)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        figures = asyncio.run(_measure(work, data, settings, progress))
    figures["notes"] = in_english(told)
    write_report(report, figures, lambda figures: page(figures, told))
    _show(figures, report)


def read_data(corpus: Path, queries: Path, tell: Tell) -> Data:
    """Raises `DefinitionError`."""
    entries = tuple(_entries(corpus, tell))
    if not entries:
        raise DefinitionError(
            "holds no answer.", file=str(corpus), hint="Name a file of questions and answers."
        )
    asked = read_asked(queries, limit=MAX_QUERIES, tell=tell)
    keys = {entry.key for entry in entries}
    topics: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for phrase in entry.phrases:
            topics[normalise(phrase)].add(entry.key)
    right = tuple(
        frozenset(
            key
            for name in row.expected
            for key in ([name] if name in keys else topics.get(normalise(name), ()))
        )
        for row in asked.rows
    )
    if not any(right):
        hint = "`expected` is the `id` of a row of the corpus, or its question word for word."
        raise DefinitionError(
            f"no query expects anything that is in {corpus.name}.", file=str(queries), hint=hint
        )
    return Data(corpus, entries, asked, right, tuple(normalise(row.text) in topics for row in asked.rows))


def _entries(corpus: Path, tell: Tell) -> Iterator[Entry]:
    """With ids of their own. Raises `DefinitionError` for the first row that cannot be used."""
    places: dict[tuple[str, str], int] = {}
    for number, row in enumerate(told_rows(corpus, read_knowledge(corpus), tell)):
        if isinstance(row, Problem):
            raise DefinitionError(row.message, file=row.file, line=row.line, hint=row.hint)
        if number == MAX_ENTRIES:
            hint = "Measure on a part of it that holds what is asked for."
            raise DefinitionError(f"has more than {MAX_ENTRIES} answers.", file=str(corpus), hint=hint)
        first = places.setdefault((row.entry.key, row.entry.lang), row.line)
        if first != row.line:
            message = f"`{row.entry.key}` stands in `{row.entry.lang}` already, on line {first}."
            hint = "Give it another id, or merge the two."
            raise DefinitionError(message, file=row.file, line=row.line, hint=hint)
        yield replace(row.entry, id=str(number))


def notes(data: Data) -> Iterator[Both]:
    """What somebody who reads the figures should know, a sentence each."""
    queries = data.queries
    yield from notes_on(queries, MAX_QUERIES)
    pairs = list(zip(queries.rows, data.right, data.stored, strict=True))
    name, corpus = queries.path.name, data.corpus.name
    if lost := [row.line for row, right, _ in pairs if not right]:
        en, zh = at_lines(lost)
        yield (
            f"{name}: queries that expect what {corpus} lacks, and count as not found: {len(lost)} ({en}).",
            f"{name}：期望的内容不在 {corpus} 中、计为未找到的查询有 {len(lost)} 个（{zh}）。",
        )
    if same := [row.line for row, _, stored in pairs if stored]:
        en, zh = at_lines(same)
        what = f"queries that stand in {corpus} word for word: {len(same)} ({en})"
        yield (
            f"{name}: {what}; figures without them are given too.",
            f"{name}：与 {corpus} 中的问题一字不差的查询有 {len(same)} 个（{zh}）；另给出不含它们的指标。",
        )


async def _measure(work: Path, data: Data, settings: Settings, progress: Progress) -> Figures:
    begun = time.perf_counter()
    encoder = await open_encoder(
        settings.cache, settings.base_encoder(), threads=settings.encoder_threads, progress=progress
    )
    texts = data.texts
    matrix = await embed_to(work / "vectors.npy", encoder, texts, progress=progress)
    vectors = dict(zip(texts, matrix, strict=True))
    progress("indexing", 0, 0)
    bundle = await asyncio.to_thread(_bundle, work, data, vectors)
    found, took = await _asked(bundle, data, vectors, progress)
    bundle.close()
    return merged(
        {"kind": "retrieval", "seconds": round(time.perf_counter() - begun, 1)},
        await asyncio.to_thread(
            made_with,
            {"source": settings.base_encoder(), "fingerprint": encoder.fingerprint, "dim": encoder.dim},
        ),
        {
            "data": {
                "corpus": {
                    "file": data.corpus.name,
                    "sha256": await asyncio.to_thread(digest, data.corpus),
                    "rows": len(data.entries),
                    "used": len(data.entries),
                    "topics": len({entry.key for entry in data.entries}),
                },
                "queries": about(data.queries),
            },
            "search_ms": {"median": took[len(took) // 2], "p95": took[int(0.95 * (len(took) - 1))]},
        },
        _figures(data, found),
    )


def _bundle(place: Path, data: Data, vectors: Mapping[str, Vectors]) -> Bundle:
    from retrieval.bundle import build_bundle

    return build_bundle(place / "bundle", data.entries, vectors, encoder_fingerprint="eval", revision=1)


async def _asked(
    bundle: Bundle, data: Data, vectors: Mapping[str, Vectors], progress: Progress
) -> tuple[Found, list[float]]:
    """What was found, and milliseconds of each query's search without its encoding, ascending."""
    from retrieval.compare import joined

    queries = [Query(text, vectors[text], script_lang(text)) for text in data.queries.texts]
    parts, took = [], []
    for start in range(0, len(queries), PART):
        pairs = list(zip(queries[start : start + PART], data.right[start : start + PART], strict=True))
        found, times = await asyncio.to_thread(_rank, bundle, pairs)
        parts.append(found)
        took += times
        progress("searching", len(took), len(queries))
    return joined(parts), sorted(took)


def _rank(bundle: Bundle, pairs: Sequence[tuple[Query, frozenset[str]]]) -> tuple[Found, list[float]]:
    from retrieval.compare import joined, rank
    from retrieval.search import search

    took = []
    for query, _ in pairs:
        begun = time.perf_counter()
        search(bundle, query)
        took.append(1000 * (time.perf_counter() - begun))
    return joined([rank(bundle, query, right) for query, right in pairs]), took


def _figures(data: Data, found: Found) -> Figures:
    langs = languages(data.queries.texts)
    everything = range(len(langs))
    new = [number for number in everything if not data.stored[number]]
    ours = [_place(*pair) for pair in zip(found.ours, data.right, strict=True)]
    measured = Evaluation(rank_metrics("retrieval", ours, langs=langs))
    return {
        "figures": _methods(found, everything),
        "without_stored": _methods(found, new) if 0 < len(new) < len(langs) else None,
        "languages": {
            lang: _methods(found, [n for n in everything if langs[n] == lang]) for lang in sorted(set(langs))
        },
        "worst": _worst(data, found),
        "metrics": to_json(measured)["metrics"],
        "tests": {"retrieval": rows_hash((row.text, " | ".join(row.expected)) for row in data.queries.rows)},
    }


def _methods(found: Found, chosen: Sequence[int]) -> Figures:
    """Shares (0..1) of the chosen queries, for each way to search."""
    right = [found.right[number] for number in chosen]
    whole: Figures = {"queries": len(right)}
    for name, attribute in METHODS.items():
        ranked = [getattr(found, attribute)[number] for number in chosen]
        recalls = {f"recall_{k}": recall_at(ranked, right, k) for k in RECALLS}
        whole[name] = {**recalls, "mrr": mean_reciprocal_rank(ranked, right)}
    return whole


def _worst(data: Data, found: Found) -> list[Figures]:
    """Queries whose right answer stands lowest, or was not found at all; those that expect what is not there are not
    search's fault.
    """
    first = {entry.key: entry.question for entry in reversed(data.entries)}

    def told(keys: Sequence[str]) -> list[Figures]:
        return [{"id": key, "question": first[key]} for key in keys[:3]]

    rows: list[tuple[int, Figures]] = []
    for number, (row, right) in enumerate(zip(data.queries.rows, data.right, strict=True)):
        places = {
            name: _place(getattr(found, attribute)[number], right) for name, attribute in METHODS.items()
        }
        if right and places["hybrid"] != 1:
            about_it = {"expected": told(sorted(right)), "found": told(found.ours[number]), "places": places}
            rows.append((places["hybrid"] or NOWHERE, {"text": row.text, "line": row.line, **about_it}))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])[:WORST]]


def _place(ranked: Sequence[str], right: frozenset[str]) -> int | None:
    return next((place for place, key in enumerate(ranked, 1) if key in right), None)


def _show(figures: Figures, report: Path) -> None:
    names = ("recall@1 %", "recall@5 %", "recall@10 %", "MRR %")
    table = Table(Column("queries"), Column("search"), *(Column(n, justify="right") for n in names), box=None)
    spoken = figures["languages"] if len(figures["languages"]) > 1 else {}
    parts = {"all": figures["figures"], "not stored": figures["without_stored"], **spoken}
    for name, part in parts.items():
        for method in METHODS if part else ():
            label = f"{name} ({part['queries']})" if method == "hybrid" else ""
            table.add_row(label, method, *(f"{100 * share:.2f}" for share in part[method].values()))
    console = Console()
    console.print(table)
    one = figures["metrics"]["retrieval.recall@1"]
    console.print(
        f"recall@1 is between {100 * one['low']:.1f} and {100 * one['high']:.1f} % (95 %).", highlight=False
    )
    console.print(f"{figures['search_ms']['median']:.1f} ms a search, without encoding.", highlight=False)
    click.echo(f"Wrote {report} and {page_of(report)}.")
