"""Test rows of a data set, judged by a bot: its intents, its search, and what a text costs."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bot.app import Bot, encodings_of, examples
from bot.cli.page import Both
from bot.errors import DefinitionError
from bot.inference.child import Progress, run_training
from bot.inference.reader import PATIENCE_S
from bot.inference.understanding import Live
from retrieval.embed import Vectors
from retrieval.model_folder import GRAPH, TOKENIZER
from retrieval.search import search
from retrieval.text import normalise
from retrieval.types import Query
from training.apply import OUT_OF_SCOPE
from training.dataset import Dataset, Row, read_dataset
from training.errors import TrainingError
from training.evaluation import EVALUATION, Evaluation, joined, read_evaluation, rows_hash
from training.measures import Metrics, languages, latency_metrics, rank_metrics, size_metrics

TIMED = 100
"""Texts that are encoded one at a time, for the latency."""
CALLED = {"intent": "意图", "retrieval": "检索"}
DEPTH = 100
"""Places that a ranking ends after."""


def read_rows(folder: Path) -> Dataset:
    """Raises DefinitionError where there are no test rows of intents or answers."""
    try:
        data = read_dataset(folder)
    except TrainingError as error:
        raise DefinitionError(str(error), file=str(folder)) from error
    if not data.rows("intent", "test") and not data.rows("retrieval", "test"):
        hint = "Name one with intent.test.jsonl or retrieval.test.jsonl."
        raise DefinitionError("has no test rows that a bot can be judged by.", file=str(folder), hint=hint)
    return data


async def judge_rows(
    bot: Bot, data: Dataset, work: Path, *, progress: Progress
) -> tuple[Evaluation, list[Both]]:
    """What came out, and what somebody who reads it should know. Rows that the bot has learned are left out.

    `work`: an empty folder.
    """
    live = bot.host.current()
    learned = {normalise(text) for text, _, _ in examples(bot.definition)}
    learned |= {normalise(text) for entry in live.bundle.entries for text in entry.texts}
    rows = {task: data.rows(task, "test") for task in ("intent", "retrieval")}
    new = {task: [row for row in some if normalise(row.text) not in learned] for task, some in rows.items()}
    notes = [
        (
            f"{data.folder.name}: test rows of {task} that the bot has learned, and are left out: {gone}.",
            f"{data.folder.name}：{CALLED[task]}的测试行中，机器人已经学过而被剔除的有 {gone} 行。",
        )
        for task in rows
        if (gone := len(rows[task]) - len(new[task]))
    ]
    texts = list(dict.fromkeys(row.text for some in new.values() for row in some))
    known: dict[str, Vectors] = {}
    await live.reader.embed(texts, known, progress)
    parts = []
    if new["intent"]:
        foreign = data.origin.foreign or OUT_OF_SCOPE
        await asyncio.to_thread(_write_work, work, _plan(bot, foreign), new["intent"], known)
        parts.append(await _intents(bot, work, progress))
    if new["retrieval"]:
        progress("searching", 0, 0)
        parts.append(await asyncio.to_thread(_ranked, live, new["retrieval"], known))
    return joined(parts), notes


def _plan(bot: Bot, foreign: str) -> dict[str, object]:
    return {"foreign": foreign, "trained": dict(Counter(label for _, label, _ in examples(bot.definition)))}


async def _intents(bot: Bot, work: Path, progress: Progress) -> Evaluation:
    """In a child: scikit-learn has no place in this process."""
    heads = bot.settings.home / "releases" / bot.host.current().heads.name
    arguments = ["--work", str(work), "--heads", str(heads)]
    hint = "Is Kefu installed with its `train` extra?"
    await run_training("judge", arguments, progress=progress, hint=hint)
    return await asyncio.to_thread(read_evaluation, work / EVALUATION)


def _write_work(
    work: Path, plan: Mapping[str, object], rows: Sequence[Row], vectors: Mapping[str, Vectors]
) -> None:
    texts = list(dict.fromkeys(row.text for row in rows))
    (work / "plan.json").write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")
    (work / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    np.save(work / "vectors.npy", np.stack([vectors[text] for text in texts]), allow_pickle=False)
    with (work / "rows.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)


def _ranked(live: Live, rows: Sequence[Row], vectors: Mapping[str, Vectors]) -> Evaluation:
    """Whether each text finds the answer of its key."""
    langs = languages([row.text for row in rows], [row.lang for row in rows])
    places: list[int | None] = []
    for row, lang in zip(rows, langs, strict=True):
        hits = search(
            live.bundle, Query(row.text, vectors[row.text], lang if lang != "other" else None), DEPTH
        )
        keys = list(dict.fromkeys(hit.entry.key for hit in hits))
        places.append(keys.index(row.label) + 1 if row.label in keys else None)
    groups = [row.group or f"row {number}" for number, row in enumerate(rows)]
    metrics = rank_metrics("retrieval", places, langs=langs, groups=groups)
    return Evaluation(metrics, {"tests": {"retrieval": rows_hash((row.text, row.label) for row in rows)}})


async def latency(bot: Bot, texts: Sequence[str]) -> Evaluation:
    """Encoder and heads, one text at a time on this machine; and the size of what is served."""
    live, took = bot.host.current(), []
    for text in texts[:: max(len(texts) // TIMED, 1)][:TIMED]:
        begun = time.perf_counter()
        vectors = await live.reader.door.encode([text], deadline=time.monotonic() + PATIENCE_S)
        await asyncio.to_thread(live.heads.read, np.asarray(vectors), [text])
        took.append(1000 * (time.perf_counter() - begun))
    size = await asyncio.to_thread(_size, bot, live.name)
    return Evaluation(latency_metrics(took) | size)


def _size(bot: Bot, release: str) -> Metrics:
    """Nothing for a release that was removed while it was judged."""
    try:
        folder = encodings_of(bot.settings, bot.definition).folder(release)
    except TrainingError:
        return {}
    files = [path for path in (folder / GRAPH, folder / TOKENIZER) if path.is_file()]
    return size_metrics(files) if files else {}
