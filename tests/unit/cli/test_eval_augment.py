"""`kefu eval augment`: the bot's examples go to the child, whose table is shown; it is tested beside its code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.testing import HashEncoder
from tests.unit.cli.pages import check
from tests.unit.definition.folders import folder
from training.ablation import ablate

INTENTS = """intents:
  fees:
    examples: {en: [what do you charge, how expensive is that, which fee is it], zh: [收费多少, 贵不贵, 手续费多少]}
  cards:
    examples: {en: [about my bank card, my plastic, card lost], zh: [关于银行卡的事, 我的卡片, 卡丢了]}
"""


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the child was asked; it runs in this process, with an encoder that counts letters."""
    found: list[dict[str, Any]] = []

    async def run_training(verb: str, arguments: list[str], **_: object) -> dict[str, object]:
        work = Path(arguments[arguments.index("--work") + 1])

        def child() -> None:
            found.append(json.loads((work / "plan.json").read_text(encoding="utf-8")) | {"verb": verb})
            ablate(tmp_path, work, report=lambda *_: None)

        await asyncio.to_thread(child)
        return {}

    async def make_encoder(*_: object, **__: object) -> Path:
        return tmp_path

    monkeypatch.setattr("bot.cli.augment.run_training", run_training)
    monkeypatch.setattr("bot.inference.encodings.make_encoder", make_encoder)
    monkeypatch.setattr(OnnxEncoder, "open", lambda folder: HashEncoder())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    folder(tmp_path / "shop", intents=INTENTS)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(kefu, ["eval", "shop", "augment", *words])


def test_a_table_of_what_copies_do_and_a_page_of_it(plans: list[dict[str, Any]]) -> None:
    done = run("--change", "typo", "--change", "traditional", "--report", "A.json")
    assert done.exit_code == 0, done.output
    (plan,) = plans
    assert (plan["verb"], plan["changes"], plan["most"]) == ("augment", ["typo", "traditional"], 1_000)
    assert plan["back_translation"] is None
    assert "traditional" in done.stdout
    figures = json.loads(Path("A.json").read_text(encoding="utf-8"))
    assert (figures["examples"], figures["labels"], figures["kind"]) == (12, 2, "augmentation")
    assert [row["learned"] for row in figures["rows"]] == ["none", "typo", "traditional", "all"]
    assert figures["rows"][2]["copies"] == 0
    page = Path("A.html").read_text(encoding="utf-8")
    check(page)
    assert "繁体字" in page
    assert "traditional characters" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--change", "typpo"], "There is no change `typpo`. Known: traditional,"),
        (["--translate"], "There is no generator to translate with. Set KEFU_GENERATOR_URL"),
        (["--report", "A.txt"], "A.txt is not named .json."),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], said: str, plans: list[dict[str, Any]]) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert plans == []
