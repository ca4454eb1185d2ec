"""`kefu train --task entities` on two dozen texts: the real child, an encoder that counts letters."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from tests.tiny import letters
from tests.unit.cli.pages import check, to_know_first

CITIES, NAMES = ("rome", "oslo", "paris", "lima", "北京"), ("ann", "bo", "li", "<b>mei")


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path))
    monkeypatch.setenv("KEFU_ENCODER", letters(tmp_path))
    monkeypatch.chdir(tmp_path)


def row(city: str, name: str) -> dict[str, Any]:
    at = 8 + len(name)
    return {
        "text": f"fly {name} to {city}",
        "entities": [
            {"start": at, "end": at + len(city), "kind": "city"},
            {"start": 4, "end": 4 + len(name), "kind": "name"},
        ],
    }


ROWS = [row(city, name) for city, name in product(CITIES, NAMES)]


def write(name: str, rows: list[dict[str, Any]]) -> None:
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")


def train(*more: str, task: str = "entities") -> Result:
    words = ["train", "--task", task, "--train", "train.jsonl", "--test", "test.jsonl", "--report", "R.json"]
    return CliRunner().invoke(kefu, [*words, *more])


def test_a_report_as_json_and_as_a_page() -> None:
    write("train.jsonl", ROWS[:14])
    strange = {"text": "who is <b>mei", "entities": [{"start": 1, "end": 6, "kind": "riddle"}]}
    write("test.jsonl", [*ROWS[14:], ROWS[0], strange])
    write("valid.jsonl", ROWS[3:6])
    done = train("--valid", "valid.jsonl")
    assert done.exit_code == 0, done.output
    assert "Wrote R.json and R.html." in done.stdout
    assert "\n floor " in done.stdout
    figures = json.loads(Path("R.json").read_text(encoding="utf-8"))
    assert figures["kind"] == "entities"
    assert (figures["data"]["train"]["kinds"], figures["data"]["test"]["entities"]) == (2, 15)
    assert 0.5 < figures["figures"]["micro_f1"] < 1
    assert figures["kinds"][0]["kind"] == "riddle"
    assert figures["notes"] == [
        "test.jsonl: rows with an entity that begins or ends within a word, which cannot be found exactly: 1 (line 8).",
        "test.jsonl: kinds that training lacks, which count as missed: 1 (`riddle`).",
        "test.jsonl: rows that also stand in train.jsonl: 1 (line 7); they flatter.",
    ]
    page = Path("R.html").read_text(encoding="utf-8")
    check(page)
    zh, en = to_know_first(page)
    assert en == figures["notes"]
    assert zh == [
        "test.jsonl：有实体从词的中间开始或结束、无法准确找到的有 1 行（第 8 行）。",
        "test.jsonl：训练数据中没有、计为漏掉的实体类别有 1 类（`riddle`）。",
        "test.jsonl：同时出现在 train.jsonl 中的有 1 行（第 7 行），会使指标偏高。",
    ]
    assert "who is &lt;b&gt;mei" in page
    assert "基线" in page


def test_what_is_wrong_is_told_before_anything_is_made() -> None:
    write("train.jsonl", [{"text": "a", "entities": []}])
    write("test.jsonl", ROWS)
    assert "nothing is marked in it" in train().output
    write("train.jsonl", [ROWS[0], {"text": "a", "entities": [{"start": 0, "end": 9, "kind": "x"}]}])
    refused = train()
    assert refused.exit_code != 0
    assert "train.jsonl:2: entity 1 goes from 0 to 9; the text has 1 characters." in " ".join(
        refused.output.split()
    )
    assert "--method is not for --task entities" in train("--method", "head").output
    assert not Path("R.json").exists()
