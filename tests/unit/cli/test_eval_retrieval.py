"""`kefu eval retrieval` on three answers, with an encoder that counts letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from retrieval.testing import HashEncoder
from tests.unit.cli.pages import check, to_know_first

CORPUS: list[dict[str, Any]] = [
    {
        "id": "freeze",
        "question": "How do I freeze my card?",
        "answer": "In the app.",
        "alternatives": ["lost card"],
    },
    {"id": "freeze", "question": "银行卡丢了怎么办？", "answer": "在应用里冻结。"},
    {"question": "What does a transfer cost?", "answer": "A transfer costs nothing."},
    {"id": "hours", "question": "When are you open?", "answer": "From 9 to 17."},
]
QUERIES: list[dict[str, Any]] = [
    {"text": "How do I freeze the card?", "expected": "freeze"},
    {"text": "银行卡丢了", "id": "freeze"},
    {"text": "What does transfer cost", "expected": ["what does a transfer cost"]},
    {"text": "When are you open", "expected": ["hours", "freeze"]},
]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def opened(*_: object, **__: object) -> HashEncoder:
        return HashEncoder()

    monkeypatch.setattr("bot.cli.retrieval.open_encoder", opened)
    monkeypatch.chdir(tmp_path)


def write(name: str, rows: list[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    Path(name).write_text("".join(lines), encoding="utf-8")


def measure(
    *more: str, corpus: list[dict[str, Any]] = CORPUS, queries: list[dict[str, Any]] = QUERIES
) -> Result:
    write("faq.jsonl", corpus)
    write("asked.jsonl", queries)
    words = ["eval", "retrieval", "--corpus", "faq.jsonl", "--queries", "asked.jsonl", "--report", "R.json"]
    return CliRunner().invoke(kefu, [*words, *more])


def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("R.json").read_text(encoding="utf-8"))
    return found


def test_three_ways_to_search_side_by_side() -> None:
    done = measure()
    assert done.exit_code == 0, done.output
    figures = report()
    assert figures["figures"]["queries"] == 4
    assert set(figures["languages"]) == {"en", "zh"}
    for method in ("hybrid", "bm25", "dense"):
        assert figures["figures"][method]["recall_10"] == 1.0
    assert figures["worst"] == []
    assert figures["figures"]["hybrid"]["recall_1"] == 1.0
    assert figures["without_stored"]["queries"] == 3
    assert figures["notes"] == [
        "asked.jsonl: queries that stand in faq.jsonl word for word: 1 (line 4); figures without them are given too."
    ]
    assert (figures["data"]["corpus"]["rows"], figures["data"]["corpus"]["topics"]) == (4, 3)
    page = Path("R.html").read_text(encoding="utf-8")
    assert "Every right answer stands first." in page
    check(page)
    assert to_know_first(page) == (
        ["asked.jsonl：与 faq.jsonl 中的问题一字不差的查询有 1 个（第 4 行）；另给出不含它们的指标。"],
        figures["notes"],
    )


def test_what_is_not_found_first_is_listed_with_what_was_found_instead() -> None:
    queries = [
        {"text": "freeze my <card>", "expected": "hours"},
        {"text": "my lost card", "expected": "nowhere"},
        {"text": "my lost card", "expected": "freeze"},
    ]
    assert measure(queries=queries).exit_code == 0
    figures = report()
    assert figures["figures"]["hybrid"]["recall_1"] == pytest.approx(1 / 3)
    assert (
        "asked.jsonl: queries that expect what faq.jsonl lacks, and count as not found: 1 (line 2)."
        in figures["notes"]
    )
    (worst,) = figures["worst"]
    assert (worst["line"], worst["expected"][0]["id"], worst["found"][0]["id"]) == (1, "hours", "freeze")
    page = Path("R.html").read_text(encoding="utf-8")
    assert "freeze my &lt;card&gt; (1)" in page


@pytest.mark.parametrize(
    ("more", "corpus", "queries", "expected"),
    [
        ([], CORPUS[:1] * 2, QUERIES, "faq.jsonl:2: `freeze` stands in `en` already, on line 1."),
        ([], [{"question": "x"}], QUERIES, "faq.jsonl:1: `answer`"),
        ([], [], QUERIES, "faq.jsonl: holds no answer."),
        ([], CORPUS, [], "asked.jsonl: holds no row."),
        ([], CORPUS, [{"text": "x"}], "asked.jsonl:1: has neither `expected` nor `id`."),
        (
            [],
            CORPUS,
            [{"text": "x", "id": "y"}],
            "asked.jsonl: no query expects anything that is in faq.jsonl.",
        ),
        (["--corpus", "faq.doc"], CORPUS, QUERIES, "faq.doc: is not a kind of knowledge file"),
        (
            ["--report", "asked.json", "--queries", "asked.json"],
            CORPUS,
            QUERIES,
            "asked.json is one of the data",
        ),
    ],
)
def test_a_foreseen_error_is_one_line_and_no_report(
    more: list[str], corpus: list[dict[str, Any]], queries: list[dict[str, Any]], expected: str
) -> None:
    done = measure(*more, corpus=corpus, queries=queries)
    assert (done.exit_code, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"kefu: {expected}"), last
    assert not Path("R.json").exists()


def test_a_corpus_that_is_too_large_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.retrieval.MAX_ENTRIES", 3)
    done = measure()
    assert done.exit_code == 2
    assert "faq.jsonl: has more than 3 answers." in done.stderr
