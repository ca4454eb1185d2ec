"""`kefu init` writes a bot that loads, in two languages or in one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from bot.definition import RESERVED, load
from bot.definition.report import census

FILES = ["bot.yml", "intents.yml", "responses.yml"]


def init(*words: str | Path) -> Result:
    return CliRunner().invoke(kefu, ["init", *map(str, words)])


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_both_languages(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "bot"
    done = init(folder)
    assert done.exit_code == 0
    assert f"kefu serve {folder}" in done.stdout
    assert written(folder) == {*FILES, "knowledge/faq.en.jsonl", "knowledge/faq.zh.jsonl"}
    bot = load(folder)
    found = census(bot)
    assert bot.intents.keys() >= RESERVED
    assert min(n for counts in found.examples.values() for n in counts.values()) >= 6
    assert (found.linked, found.unanswered, found.ambiguous) == (found.topics, (), ())


@pytest.mark.parametrize(("lang", "other"), [("en", "zh"), ("zh", "en")])
def test_one_language(tmp_path: Path, lang: str, other: str) -> None:
    assert init(tmp_path / "bot", "--lang", lang).exit_code == 0
    assert init(tmp_path / "both").exit_code == 0
    bot, both = load(tmp_path / "bot"), load(tmp_path / "both")
    assert written(tmp_path / "bot") == {*FILES, f"knowledge/faq.{lang}.jsonl"}
    assert bot.languages == (lang,)
    assert [row.entry for row in bot.knowledge] == [
        row.entry for row in both.knowledge if row.entry.lang == lang
    ]
    for name, intent in both.intents.items():
        assert bot.intents[name].examples == {lang: intent.examples[lang]}
    assert bot.response("greet", lang) == both.response("greet", lang)
    text = "".join((tmp_path / "bot" / name).read_text(encoding="utf-8") for name in FILES)
    assert not re.search(rf"^ *{other}:", text, re.MULTILINE)


def test_an_empty_folder_will_do_and_a_full_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert init(tmp_path / "empty").exit_code == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "bot.yml").write_text("mine")
    done = init(tmp_path / "full")
    assert (done.exit_code, done.stderr) == (2, f"kefu: {tmp_path}/full is not empty. Name a new folder.\n")
    assert written(tmp_path / "full") == {"bot.yml"}
    assert (tmp_path / "full" / "bot.yml").read_text() == "mine"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = init(tmp_path / "file" / "bot")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "Name a folder that you may write." in done.stderr
