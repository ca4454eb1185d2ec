"""A small bot that `kefu train FOLDER` trains quickly: an encoder that counts letters, children without their start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock, Timeout

from bot.cli import bot_entities, train_bot, training_jobs, training_steps
from bot.cli.main import kefu
from bot.errors import InferenceError
from bot.store.db import Database
from training.dataset import SPLITS, Dataset, Row, Task, read_dataset
from training.entities.judge import judge_task
from training.errors import TrainingError
from training.job.job import Asked as JobAsked
from training.job.job import run_job
from training.prepare import prepare
from training.progress import silent

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


BOT = """
name: {en: Robin}
languages: [en]
welcome: {en: Hello.}
"""


INTENTS = """
intents:
  card_lost: {examples: {en: [my card is gone, I lost it, somebody took my card, where did my card go]}}
  fees: {examples: {en: [why is there a fee, what does it cost, that was expensive, explain the charge]}}
  out_of_scope: {examples: {en: [tell me a joke, who won the match, sing a song]}}
"""


ROWS = [
    (
        "lost",
        "How do I report a lost card?",
        ["card lost abroad", "report my card as missing", "lost card number"],
    ),
    ("fee", "What is the monthly fee?", ["how much a month", "price of the account", "monthly cost"]),
    ("open", "When are you open?", ["opening hours", "are you there on Sundays", "until when can I call"]),
]


def at_work(out: Path) -> bool:
    try:
        with FileLock(out / ".lock", timeout=0):
            return False
    except Timeout:
        return True


def use(monkeypatch: pytest.MonkeyPatch, child: Callable[..., None]) -> None:
    for module in (train_bot, training_steps, bot_entities):
        monkeypatch.setattr(module, "child", child)


def in_process(_: training_steps.Work, verb: str, words: Sequence[str]) -> None:
    """What the child would do, without its start."""
    given = dict(zip(words[::2], map(Path, words[1::2]), strict=True))
    try:
        if verb == "dataset":
            prepare(given["--work"], given["--out"], report=silent)
        elif verb == "entities":
            judge_task(given["--work"], given["--out"], encoder=given["--encoder"], report=silent)
        else:
            asked = JobAsked(given["--spec"], given["--data"], given["--out"], given["--cache"], 1)
            assert run_job(asked, report=silent) == 0
    except TrainingError as error:
        raise InferenceError(str(error)) from error


def train(*more: str) -> Result:
    return CliRunner().invoke(kefu, ["train", "shop", *(more or ("--method", "head"))])


def jobs() -> list[training_jobs.Job]:
    return training_jobs.jobs(Path("shop/.kefu"))


def data_of(number: int = 0) -> Dataset:
    return read_dataset(jobs()[number].data)


def rows_of(data: Dataset, task: Task) -> list[Row]:
    return [row for split in SPLITS for row in data.rows(task, split)]


def texts(data: Dataset, task: Task) -> set[str]:
    return {row.text for row in rows_of(data, task)}


def in_database(*units: Any) -> list[Any]:
    path = Path("shop/.kefu/kefu.db").absolute()
    path.parent.mkdir(exist_ok=True)

    async def work() -> list[Any]:
        store = Database(f"sqlite:///{path}")
        await store.open()
        try:
            return [await store.write(unit) for unit in units]
        finally:
            await store.close()

    return asyncio.run(work())


def ask(*lines: dict[str, Any]) -> None:
    Path("shop/tests").mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    Path("shop/tests/questions.jsonl").write_text(text, encoding="utf-8")
