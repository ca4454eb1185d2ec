"""`kefu train FOLDER` on a small bot: what comes of it, and what is said of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import exam, train_bot
from bot.cli.main import kefu
from bot.inference.encodings import HomeEncodings
from bot.store import releases
from tests.unit.cli.train_bot.small import (
    INTENTS,
    ROWS,
    ask,
    at_work,
    data_of,
    in_database,
    jobs,
    texts,
    train,
)
from training.trained import text_id


@pytest.mark.usefixtures("real_children")
def test_a_bot_becomes_a_candidate_beside_what_is_live_though_it_was_killed_on_the_way() -> None:
    killed = subprocess.Popen(
        [sys.executable, "-m", "bot", "train", "shop", "--method", "head"], stderr=subprocess.PIPE, text=True
    )
    assert killed.stderr is not None
    for line in killed.stderr:  # until there is a data set, and the next child has begun
        if jobs() and (jobs()[0].data / "dataset.json").exists() and "dataset" not in line:
            break
    killed.kill()
    killed.communicate()
    made = data_of().hash
    while at_work(jobs()[0].out):  # the child ends by itself: nobody listens any more
        time.sleep(0.05)
    done = train()
    assert done.exit_code == 0, done.output
    assert "Going on with" in done.output
    assert data_of().hash == made
    (job,) = jobs()
    assert job.release is not None
    assert f"kefu releases shop promote {job.release}" in done.stdout
    assert "intent.accuracy" in done.stdout
    report = job.folder / "report.html"
    assert f"Wrote {report}." in done.stdout.replace("\n", "")
    page = report.read_text(encoding="utf-8")
    assert [part for part in (job.release, "knowledge/faq.jsonl", "数据") if part not in page] == []
    data = data_of()
    assert texts(data, "retrieval") == {text for _, question, other in ROWS for text in (question, *other)}
    assert {row.label for row in data.rows("retrieval", "train")} == {"lost", "fee", "open"}
    assert "my card is gone" in texts(data, "intent")
    assert data.origin.foreign == "out_of_scope"
    assert [source.name for source in data.origin.sources] == [
        "intents.yml",
        "knowledge/faq.jsonl",
        "conversations",
    ]
    assert in_database(releases.aliases)[0].candidate == job.release
    assert not (job.folder / "found").exists()
    listed = CliRunner().invoke(kefu, ["train", "shop", "--list"]).stdout
    assert job.release in listed


def test_the_gate_finds_a_candidate_on_the_same_encoder_no_worse() -> None:
    assert train().exit_code == 0
    assert CliRunner().invoke(kefu, ["releases", "shop", "gate", "candidate"]).exit_code == 0


QUESTIONS = [
    {"text": "How do I report a lost card?", "expected": "lost"},
    {"text": "What is the monthly fee?", "expected": "fee"},
    {"text": "When are you open?", "expected": "lost"},
]


def test_the_bots_own_questions_are_put_to_what_is_live_and_to_the_candidate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(*QUESTIONS)
    put, who = exam.put, list[str]()

    async def counted(*given: Any, **more: Any) -> Any:
        who.append(more["who"])
        return await put(*given, **more)

    monkeypatch.setattr(exam, "put", counted)
    assert train().exit_code == 0
    shown = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate", "--json"]).stdout
    right = json.loads(shown)["metrics"]["answers.right"]
    assert (round(right["value"], 3), right["n"]) == (0.667, 3)
    assert right["low"] < right["value"] < right["high"]
    compared = CliRunner().invoke(kefu, ["releases", "shop", "compare", "base", "candidate", "--json"]).stdout
    states = {line["metric"]: line["state"] for line in json.loads(compared)["lines"]}
    assert states["answers.right"] == states["answers.misled"] == states["intent.accuracy"] == "same"
    page = (jobs()[0].folder / "report.html").read_text(encoding="utf-8")
    assert "Question by question" in page
    # The head's encoder is that of base: whoever answers alike is asked once, and the next training asks nobody.
    assert who == ["base"]
    assert train("--method", "head", "--name", "two").exit_code == 0
    assert who == ["base"]
    Path("shop/intents.yml").write_text(INTENTS.replace("I lost it", "it is lost"), "utf-8")
    assert train("--method", "head", "--name", "three").exit_code == 0
    assert who == ["base", "base"]


def test_a_question_that_cannot_be_read_is_said_before_anything_is_trained() -> None:
    ask({"text": "How?", "expect": "lost"})
    done = train()
    assert done.exit_code == 2
    assert "tests/questions.jsonl:1: unknown key `expect`" in done.stderr
    assert not jobs()


ENTITIES = """
entities: {city: }
examples:
  en: ['to [Rome](city) now', 'to [Oslo](city) now', 'from [Rome](city)', 'from [Oslo](city)', to me, now]
"""


@pytest.mark.parametrize("apart", [False, True])
def test_what_customers_name_is_judged_in_folds_or_on_what_was_written_apart(apart: bool) -> None:
    Path("shop/entities.yml").write_text(ENTITIES, "utf-8")
    if apart:
        row = {"text": "from Oslo to Rome", "entities": [{"start": 5, "end": 9, "kind": "city"}]}
        Path("shop/tests").mkdir()
        Path("shop/tests/entities.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    done = train()
    assert done.exit_code == 0, done.output
    said = "on 1 texts of tests/entities.jsonl" if apart else "on 6 texts of its own examples, in 5 folds"
    assert said in done.stdout
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert said in " ".join(card.split())
    assert "实体识别" in (jobs()[0].folder / "report.html").read_text("utf-8")


def test_a_bot_without_questions_is_trained_and_its_card_says_so() -> None:
    assert train().exit_code == 0
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert "has no questions of its own" in " ".join(card.split())


def test_what_a_release_was_trained_on_is_told_of_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is live has seen the test texts in its own training: its figures flatter it, and the card says so."""
    every = {text_id(text) for _, question, other in ROWS for text in (question, *other)}
    monkeypatch.setattr(HomeEncodings, "trained", lambda *_: frozenset(every))
    assert train().exit_code == 0
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert "base was trained on" in " ".join(card.split())


def test_what_the_gate_holds_back_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_bot, "show_gate", lambda *_, **__: False)
    done = train()
    assert done.exit_code == 0, done.output
    assert "is the candidate. What is live stays." in done.stdout.replace("\n", " ")
    assert "lets it go live" not in done.stdout
