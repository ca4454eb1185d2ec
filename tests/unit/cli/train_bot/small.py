"""A small bot that `kefu train FOLDER` trains quickly: an encoder that counts letters, children without their start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock, Timeout

from bot.cli import bot_entities, train_bot, training_jobs, training_steps
from bot.cli.main import kefu
from bot.errors import InferenceError
from bot.store import knowledge, ledger
from bot.store.db import Database
from connectors.port import Inbound, QuickReply
from retrieval.types import Entry
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
            prepare(given["--work"], given["--out"], learn=float(str(given["--learn"])), report=silent)
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


def talk() -> None:
    """One customer says what was meant by a button, another by a thumb."""
    entry = knowledge.from_entry(Entry("", "tax", "en", "How is tax paid?", "So.", intent="fees"))
    in_database(partial(knowledge.sync, source="more.csv", entries=[entry], now=NOW, prune=True))
    (entries,) = in_database(knowledge.active)
    buttons = (QuickReply("Tax", f"entry:{entries[0].id}"), QuickReply("None", "none"))

    def says(text: str, seq: int, choice: str | None = None) -> Any:
        return lambda s: ledger.accept(s, Inbound("web", "s", f"m{seq}", "c1", text, choice), NOW)

    def hears(seq: int, draft: ledger.Draft) -> Any:
        reply = ledger.Reply("c1", seq, 0, f"t{seq}", (draft,), lang="en")
        return lambda s: ledger.commit_reply(s, reply, NOW)

    in_database(
        says("levy for jane@example.com, card 4111 1111 1111 1111", 1),
        hears(1, ledger.Draft("Which?", quick_replies=buttons)),
        says("Tax", 3, f"entry:{entries[0].id}"),
        hears(3, ledger.Draft("So.", rateable=True, topic="tax")),
        says("any shop hours today", 5),
        hears(5, ledger.Draft("Nine to five.", rateable=True, topic="open")),
        lambda s: ledger.vote(s, "c1", 6, "up", NOW),
        says("old stuff", 7),
        hears(7, ledger.Draft("Gone.", rateable=True, topic="gone")),
        lambda s: ledger.vote(s, "c1", 8, "up", NOW),
    )
