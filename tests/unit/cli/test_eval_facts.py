"""`kefu eval answers` on a bot of a few answers: the real turn and the real child, an encoder that counts letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.app import load_definition
from bot.cli.facts import Told, judge, own_sentences
from bot.cli.main import kefu
from bot.clock import SystemClock
from bot.definition.facts import FactQuestion
from connectors.port import Citation, Message
from retrieval.text import split_sentences
from tests.unit.cli.pages import check
from tests.unit.cli.test_eval_answers import bot, heads
from training.evaluation import read_evaluation

__all__ = ["bot", "heads"]

FACTS: list[dict[str, Any]] = [
    {"id": "a", "question": "What does a card cost?", "answerable": True, "sources": ["fee"], "must": ["10"]},
    {
        "id": "b",
        "question": "card gone",
        "answerable": True,
        "facts": ["A card is free."],
        "sources": ["fee"],
    },
    {"id": "c<i>", "question": "I lost my card", "answerable": False, "why": "nobody says which"},
    {"id": "d", "question": "?!", "answerable": False},
]


def run(*words: str) -> Result:
    return CliRunner().invoke(kefu, ["eval", "answers", *words])


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_what_is_said_is_judged_by_facts_and_the_worst_comes_first(bot: Path) -> None:
    write(bot / "tests" / "answers.jsonl", FACTS)
    done = run("shop", "--report", "R.json")
    assert done.exit_code == 0, done.output
    assert "Wrote R.json and R.html." in done.stdout
    found = read_evaluation(Path("R.json"))
    rows = found.details["told"]["rows"]
    assert [(row["id"], row["answered"], row["unsupported"]) for row in rows] == [
        ("b", True, ["Call us."]), ("c<i>", True, ["Call us."]), ("a", True, []), ("d", False, [])
    ]  # fmt: skip
    assert [row["good"] for row in rows] == [False, False, True, True]
    figures = {name: one.value for name, one in found.metrics.items() if name.count(".") == 1}
    assert figures["told.answered"] == 1.0
    assert figures["told.abstained"] == figures["told.right_source"] == 0.5
    assert figures["told.supported"] == pytest.approx(1 / 3)
    assert figures["told.withheld"] == 0.0
    assert 0 < figures["told.first_ms"] <= figures["told.last_ms"]
    page = Path("R.html").read_text(encoding="utf-8")
    check(page)
    assert "c&lt;i&gt;" in page
    assert not (bot / ".kefu" / "kefu.db").exists()


def test_what_a_bot_says_around_an_answer_is_no_statement(bot: Path) -> None:
    """That it has this in the other language alone, or leaves a part of the message open."""
    definition = load_definition(bot)
    own = own_sentences(definition)
    entries = [row.entry for row in definition.knowledge]
    fee = next(entry for entry in entries if entry.key == "fee")
    text = "\n\n".join(
        [
            definition.response("other_language", "en")[0],
            fee.answer + " [1]",
            definition.response("partly", "en")[0],
        ]
    )
    cited = (Citation(1, fee.question, fee.answer),)
    reply = Message(2, "bot", text, SystemClock().now(), citations=cited, rateable=True)
    question = FactQuestion("a", "en", "What does a card cost?", True, ("fee",), (), ())
    judged = judge(Told(question, reply, "", 1.0, 1.0), entries, own)
    assert (judged.unsupported, judged.right_source) == ((), True)
    assert judged.sentences == len(split_sentences(fee.answer, "en"))


def test_the_questions_of_the_bot_are_not_mixed_with_those_with_facts(bot: Path) -> None:
    write(bot / "tests" / "answers.jsonl", FACTS)
    done = CliRunner().invoke(kefu, ["eval", "shop", "--quick"])
    assert done.exit_code == 0, done.output


def test_another_file_of_questions(bot: Path) -> None:
    write(Path("mine.jsonl"), FACTS[:1])
    done = run("shop", "--questions", "mine.jsonl")
    assert done.exit_code == 0, done.output
    assert "100.0 %" in done.stdout


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "x"}, "`answerable` is neither true nor false"),
        ({"answerable": False}, "`question` is not a text"),
        ({"question": "x", "answerable": True}, "neither `sources` nor `facts`"),
        ({"question": "x", "answerable": False, "source": "fee"}, "unknown key `source`"),
        ({"question": "x", "answerable": False, "facts": [1]}, "`facts` is not a text"),
        ({"question": "x", "answerable": False, "lang": "xx"}, "`lang` is not a language"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(bot: Path, row: dict[str, Any], said: str) -> None:
    write(bot / "tests" / "answers.jsonl", [FACTS[0], row])
    done = run("shop")
    assert done.exit_code == 2
    assert said in done.output
    assert "answers.jsonl" in done.output


def test_a_bot_without_such_questions_says_what_to_write(bot: Path) -> None:
    done = run("shop")
    assert done.exit_code == 2
    assert '"answerable": true' in done.output
