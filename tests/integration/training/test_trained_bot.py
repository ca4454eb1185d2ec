"""`kefu train FOLDER` by a method that tunes the encoder, in real children: it is asked before it may go live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import exam
from bot.cli.main import kefu
from tests.tiny import bert
from training.evaluation import from_json
from training.release import read_release

pytestmark = pytest.mark.timeout(600)  # several processes that load torch: a busy machine needs minutes
INTENTS = """
intents:
  card_lost: {examples: {en: [my card is gone, i lost it, somebody took my card, where did my card go]}}
  fees: {examples: {en: [why is there a fee, what does it cost, that was expensive, explain the charge]}}
"""
ANSWERS = {
    "lost": [
        "how do i report a lost card?",
        "card lost abroad",
        "report my card as missing",
        "lost card number",
    ],
    "fee": ["what is the monthly fee?", "how much a month", "price of the account", "monthly cost"],
}
SPEC = {"method": "full", "recipe": {"epochs": 2, "layers": 1, "batch": 8, "rate": 0.01}}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KEFU_ENCODER", bert(tmp_path / "cache"))
    monkeypatch.setenv("KEFU_ENCODER_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    bot = tmp_path / "shop"
    for folder in ("knowledge", "tests"):
        (bot / folder).mkdir(parents=True)
    (bot / "bot.yml").write_text("name: {en: Robin}\nlanguages: [en]\nwelcome: {en: Hello.}\n", "utf-8")
    (bot / "intents.yml").write_text(INTENTS, "utf-8")
    faq = [
        {"id": key, "question": first, "alternatives": other, "answer": f"About {key}."}
        for key, (first, *other) in ANSWERS.items()
    ]
    asked = [{"text": texts[0], "expected": key} for key, texts in ANSWERS.items()]
    for name, rows in (("knowledge/faq.jsonl", faq), ("tests/questions.jsonl", asked)):
        (bot / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "spec.json").write_text(json.dumps(SPEC), "utf-8")
    return bot


def test_a_tuned_candidate_and_what_is_live_answer_the_same_questions(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: dict[str, str] = {}
    put = exam.put

    async def listening(bot: Any, *given: Any, **more: Any) -> Any:
        heard[more["who"]] = bot.host.current().reader.fingerprint
        return await put(bot, *given, **more)

    monkeypatch.setattr(exam, "put", listening)
    done = CliRunner().invoke(kefu, ["train", "shop", "--spec", "spec.json"])
    assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(kefu, ["releases", "shop", "list", "--json"]).stdout.splitlines()
    name = next(row["name"] for row in map(json.loads, listed) if "candidate" in row["aliases"])
    release = read_release(shop / ".kefu" / "releases", name)
    assert heard == {"base": heard["base"], "the candidate": release.encoder.fingerprint}
    assert heard["base"] != release.encoder.fingerprint
    (told,) = Path("shop/.kefu/training").glob("*/out/result.json")
    assert json.loads(told.read_text("utf-8"))["recipe"]["blend"] == 0.5
    for evaluation in (release.evaluation, release.baselines["base"]):
        assert evaluation.metrics["answers.right"].n == len(ANSWERS)
        assert [row["id"] for row in evaluation.details["answers"]["rows"]] == [
            f"tests/questions.jsonl:{line}" for line in (1, 2)
        ]
    assert release.evaluation.same_test(release.baselines["base"], "answers.right")
    assert not list(Path("shop/.kefu").glob("**/kefu-eval-*"))
    # What it was asked with serves once it is live: its heads are not made again.
    heads = sorted(path.name for path in (shop / ".kefu" / "releases").glob("heads-*"))
    assert len(heads) == 2
    assert CliRunner().invoke(kefu, ["eval", "shop", "--release", "candidate"]).exit_code == 0
    assert sorted(path.name for path in (shop / ".kefu" / "releases").glob("heads-*")) == heads
    kept = [
        from_json(json.loads(path.read_text("utf-8"))) for path in (shop / ".kefu" / "evaluations").glob("*")
    ]
    assert len(kept) == 3  # the rows under base, and the questions to both
