"""`kefu eval` on a bot of a few answers: the real turn and the real child, an encoder that counts letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from bot.testing import FakeEncodings
from retrieval.testing import HashEncoder
from tests.unit.cli.pages import check
from tests.unit.definition.folders import folder, knowledge
from training.dataset import Row, write_dataset
from training.evaluation import read_evaluation

INTENTS = """intents:
  greet: {examples: {en: [hello there, good day to you], zh: [您好呀, 早上好啊]}}
  fees: {examples: {en: [what do you charge, how expensive is that], zh: [收费多少钱, 这个贵不贵]}}
  cards: {examples: {en: [about my bank card, my plastic], zh: [关于银行卡的事, 我的卡片]}}
"""
FAQ = [
    {"id": "fee", "question": "What does a card cost?", "answer": "A card costs 10 yuan.", "intent": "fees"},
    {"id": "fee", "question": "办卡多少钱？", "answer": "工本费十元。", "intent": "fees"},
    {"id": "lost", "question": "I lost my card", "answer": "Call us.", "alternatives": ["card gone"]},
]
QUESTIONS: list[dict[str, Any]] = [
    {"text": "What does a card cost?", "expected": "fee", "says": "10"},
    {"id": "zh", "turns": ["I lost my card", "办卡多少钱"], "expected": ["fee", "lost"], "lang": "zh"},
    {"id": "evil<b>", "text": "card gone", "expected": "fee"},
    {"text": "What does a card cost?", "expected": "fee", "says": "free"},
]


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once for all tests of this file: they are found by the hash of what they were learned from."""
    return tmp_path_factory.mktemp("releases")


@pytest.fixture
def bot(tmp_path: Path, heads: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encodings = FakeEncodings(base=HashEncoder(), wide=HashEncoder(dim=128))
    monkeypatch.setattr("bot.app.encodings_of", lambda *_: encodings)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    root = folder(tmp_path / "shop", intents=INTENTS)
    knowledge(root, "faq.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in FAQ))
    ask(root, QUESTIONS)
    (root / ".kefu").mkdir()
    (root / ".kefu" / "releases").symlink_to(heads)
    return root


def ask(root: Path, questions: list[dict[str, Any]]) -> None:
    (root / "tests").mkdir(exist_ok=True)
    lines = (json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
    (root / "tests" / "questions.jsonl").write_text("".join(lines), encoding="utf-8")


def run(*words: str) -> Result:
    """The questions alone: in every other form they would be asked in each test."""
    return in_full("questions", "--quick", *words)


def in_full(*words: str) -> Result:
    return CliRunner().invoke(kefu, ["eval", "shop", *words])


def test_the_bots_own_questions_are_judged_and_nothing_is_left_behind(bot: Path, tmp_path: Path) -> None:
    done = run("--report", "R.json")
    assert done.exit_code == 0, done.output
    assert "Wrote R.json and R.html." in done.stdout
    found = read_evaluation(Path("R.json"))
    rows = found.details["answers"]["rows"]
    assert [(row["got"], row["right"]) for row in rows] == [
        ("fee", True), ("fee", True), ("lost", False), ("fee", False)
    ]  # fmt: skip
    assert found.metrics["answers.right"].value == 0.5
    assert found.metrics["answers.misled"].value == 0.5
    assert found.metrics["answers.right.zh"].n == 1
    assert found.metrics["latency.ms"].value > 0
    assert found.tests.keys() == {"answers"}
    page = Path("R.html").read_text(encoding="utf-8")
    check(page)
    assert "evil&lt;b&gt;" in page
    assert "小安：发布版本 base" in page
    assert not (bot / ".kefu" / "kefu.db").exists()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_questions_are_asked_in_other_forms_negated_and_by_several_groups(bot: Path) -> None:
    groups = [
        {**row, "group": group} for row in QUESTIONS[:2] for group in ("web", "phone") for _ in range(5)
    ]
    ask(bot, [{**row, "id": str(number)} for number, row in enumerate(groups)])
    pair = {
        "text": "card gone",
        "expected": "lost",
        "negated": "please don't say that my card is gone",
        "id": "n",
    }
    (bot / "tests" / "negation.jsonl").write_text(json.dumps(pair), encoding="utf-8")
    done = in_full("--report", "R.json")
    assert done.exit_code == 0, done.output
    found = read_evaluation(Path("R.json"))
    for change in ("traditional", "full_width", "upper", "title", "blanks", "punctuation"):
        assert found.metrics[f"same_answer.{change}"].value == 1.0, change
        assert found.metrics[f"same_intent.{change}"].value == 1.0, change
    assert found.metrics["same_answer.typo"].n > 10
    (negation,) = found.details["negation"]
    assert (negation["came"][0], negation["followed"]) == ("lost", False)
    assert found.metrics["negation.told_apart"].value == 1.0
    assert found.metrics["answers.gap"].value == 0.0
    assert [row["name"] for row in found.details["fairness"]["gap_groups"]] == ["phone", "web"]
    page = Path("R.html").read_text(encoding="utf-8")
    check(page)
    assert "换一种写法" in page
    assert "In another form" in page
    assert "please don&#x27;t say that my card is gone" in page
    assert "in another form" in done.stdout


def test_too_few_right_answers_are_exit_code_1(bot: Path) -> None:
    done = run("--min", "0.75")
    assert done.exit_code == 1
    assert "50.0% of the answers are right; 75.0% were asked for." in done.stderr
    assert run("--min", "0.5").exit_code == 0


def test_what_was_taken_in_counts_and_another_release_answers_beside_the_earlier_report(bot: Path) -> None:
    more = {"id": "open", "question": "When are you open?", "answer": "From 9 to 17."}
    Path("more.jsonl").write_text(json.dumps(more), encoding="utf-8")
    taken = CliRunner().invoke(kefu, ["ingest", "--bot", "shop", "more.jsonl"])
    assert taken.exit_code == 0, taken.output
    ask(bot, [{"text": "When are you open?", "expected": "open"}, {"text": "card gone", "expected": "gone"}])
    before = (bot / ".kefu" / "kefu.db").read_bytes()
    done = run("--report", "A.json")
    assert done.exit_code == 0, done.output
    assert "questions that expect what the bot lacks, and count as wrong: 1 (`gone`; line 2)" in done.stderr
    assert read_evaluation(Path("A.json")).metrics["answers.right"].value == 0.5
    assert (bot / ".kefu" / "kefu.db").read_bytes() == before
    (bot / ".kefu" / "releases" / "wide").mkdir(exist_ok=True, parents=True)
    done = run("--release", "candidate")
    assert (done.exit_code, "There is no candidate." in done.stderr) == (2, True)
    done = run("--release", "wide", "--compare", "A.json", "--report", "B.json")
    assert done.exit_code == 0, done.output
    assert json.loads(Path("B.json").read_text(encoding="utf-8"))["release"] == "wide"
    page = Path("B.html").read_text(encoding="utf-8")
    check(page)
    assert "difference" in page


def test_test_rows_of_a_data_set_are_judged_without_what_was_learned(bot: Path, tmp_path: Path) -> None:
    rows = [
        Row("what do you charge", "fees"),  # learned
        Row("how expensive is this card", "fees"),
        Row("关于我的银行卡", "cards"),
        Row("zebra quark", "out_of_scope"),
    ]
    search = [Row("I have lost the card", "lost"), Row("zebra", "gone")]
    write_dataset(tmp_path / "data", {"intent": {"test": rows}, "retrieval": {"test": search}})
    done = run("--data", "data", "--report", "R.json")
    assert done.exit_code == 0, done.output
    assert "data: test rows of intent that the bot has learned, and are left out: 1." in done.stderr
    found = read_evaluation(Path("R.json"))
    assert found.metrics["intent.accuracy"].n == 2
    assert found.metrics["retrieval.recall@10"].value == 0.5
    assert "scope.auroc" in found.metrics
    assert set(found.tests) == {"answers", "intent", "scope", "retrieval"}
    check(Path("R.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--release", "none"], "kefu: There is no release `none`. `kefu releases list` shows"),
        (["--compare", "none.json"], "kefu: none.json cannot be read: No such file"),
        (["--report", "no/R.json"], "kefu: no/R.json: its folder is not there"),
        (["--data", "none"], "kefu: none: none is no data set"),
    ],
)
def test_what_is_wrong_is_one_line(bot: Path, words: list[str], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith(said)
