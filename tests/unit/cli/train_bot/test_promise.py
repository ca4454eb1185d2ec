"""What a bot's promise comes to under a candidate is said before it may go live."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from bot.cli.main import kefu
from tests.unit.cli.train_bot.small import BOT, jobs, train
from training.promise import Promise

PROMISE = "promise: {wrong: 3%, sure: 99%}\n"
TOO_FEW = "English: answers stored questions and buttons alone, as"


def spoken() -> str:
    return " ".join(train().stdout.split())


def test_a_language_with_too_few_texts_is_told_with_how_many_are_missing() -> None:
    Path("shop/bot.yml").write_text(BOT + PROMISE, "utf-8")
    said = spoken()
    shown = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate", "--json"]).stdout
    bound = json.loads(shown)["details"]["promise"]["languages"]["en"]
    assert bound["at"] is None
    assert 0 < bound["texts"] < Promise().fewest == bound["texts"] + bound["missing"]
    assert f"At most 3 % wrong. {TOO_FEW} {bound['missing']} more phrasings are needed" in said
    assert f"Write {bound['missing']} more phrasings of the answers, or promise less in bot.yml." in said
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert TOO_FEW in " ".join(card.split())
    page = (jobs()[0].folder / "report.html").read_text("utf-8")
    assert "所作的承诺" in page
    assert f">{bound['missing']}<" in page


def test_each_language_is_told_of_by_itself() -> None:
    text = "name: {en: Robin, zh: 罗宾}\nlanguages: [zh, en]\nwelcome: {en: Hello., zh: 您好。}\n"
    Path("shop/bot.yml").write_text(text + PROMISE, "utf-8")
    said = spoken()
    assert f"Chinese: answers stored questions and buttons alone, as {Promise().fewest} more" in said
    assert TOO_FEW in said


def test_a_bot_that_promises_nothing_is_told_nothing() -> None:
    assert "phrasings are needed" not in spoken()
