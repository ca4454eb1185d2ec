"""`kefu train` and `kefu eval retrieval` as they are typed, with the real encoder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOST = [
    "I lost my card",
    "my bank card is gone",
    "someone stole my card",
    "卡丢了",
    "银行卡找不到了",
    "我的卡被偷了",
]
FEES = [
    "what does a transfer cost",
    "fees for sending money",
    "is a transfer free",
    "转账要钱吗",
    "汇款手续费多少",
    "转账费用",
]


def kefu(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.encoder
@pytest.mark.usefixtures("encoder_folder")
def test_a_dozen_texts_are_enough_to_try_it(tmp_path: Path) -> None:
    rows = [{"text": t, "label": n} for n, texts in (("lost", LOST), ("fees", FEES)) for t in texts]
    write(tmp_path / "train.jsonl", rows[::2])
    write(tmp_path / "test.jsonl", rows[1::2])
    done = kefu(
        tmp_path, "train", "--train", "train.jsonl", "--test", "test.jsonl", "--report", "labels.json"
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    assert figures["figures"]["accuracy"] == 1.0
    assert figures["encoder"]["source"] == "embedded"


@pytest.mark.encoder
@pytest.mark.usefixtures("encoder_folder")
def test_questions_find_their_answers_across_languages(tmp_path: Path) -> None:
    answers = [
        {"id": "lost", "question": "What if my card is lost?", "answer": "Freeze it in the app."},
        {"id": "fees", "question": "What does a transfer cost?", "answer": "Transfers are free of charge."},
    ]
    write(tmp_path / "faq.jsonl", answers)
    asked = [{"text": t, "expected": n} for n, texts in (("lost", LOST), ("fees", FEES)) for t in texts]
    write(tmp_path / "asked.jsonl", asked)
    words = ["--corpus", "faq.jsonl", "--queries", "asked.jsonl", "--report", "search.json"]
    done = kefu(tmp_path, "eval", "retrieval", *words)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "search.json").read_text(encoding="utf-8"))
    assert figures["languages"]["zh"]["hybrid"]["recall_1"] == 1.0
    assert figures["figures"]["hybrid"]["recall_1"] >= 0.9
