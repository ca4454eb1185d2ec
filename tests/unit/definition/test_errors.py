"""Every mistake is one line: the file, the line, what is wrong, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.definition import load, reader
from bot.errors import DefinitionError
from tests.unit.definition.folders import BOT, folder, knowledge


def error_of(root: Path) -> str:
    with pytest.raises(DefinitionError) as caught:
        load(root)
    error = caught.value
    assert error.hint
    assert "\n" not in str(error)
    return str(error).removeprefix(f"{root}/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "bot.yml: `name` is missing. Add it."),
        ("name: Ann\n", "bot.yml:1: `name` is not a mapping. Write `name: value`"),
        (BOT + "langages: [en]\n", "bot.yml:3: unknown key `langages`. Did you mean `languages`?"),
        (BOT + "name: {}\n", "bot.yml:3: the key `name` stands on line 1 already. Merge the two."),
        (BOT + "languages: [en, fr]\n", "bot.yml:3: `languages > item 2` is not a language code"),
        (BOT + "languages: [en]\n", "bot.yml:1: the bot does not speak `zh`. Add it to `languages`"),
        (BOT + "languages: [zh, en, zh]\n", "bot.yml:3: `zh` is listed twice."),
        ("name: {en: A}\nwelcome: {en: B}\n", "bot.yml:1: `name` is missing in `zh`. Add a line `zh: ...`"),
        ("name: {fr: A}\n", "bot.yml:1: unknown language `fr`. Known: zh, en."),
        (BOT + "\tsite: x\n", "bot.yml:3: a tab, or one of ` @ %"),
        (BOT + "site: a: b\n", "bot.yml:3: is not YAML: mapping values are not allowed"),
        (BOT + "site: *x\n", "bot.yml:3: the alias `*x` is not read. Write the text out."),
        (
            BOT + "site: !!python/name:os.system\n",
            "bot.yml:3: the tag `tag:yaml.org,2002:python/name:os.system`",
        ),
        (BOT + "site: ../..\n", "bot.yml:3: `site` is not well formed."),
        (BOT + "site: a/../..\n", "bot.yml:3: `a/../..` is not such a folder."),
        (BOT + "site: knowledge\n", "bot.yml:3: `knowledge` is not such a folder. Name a folder inside"),
        (BOT + "site: bot.yml\n", "bot.yml:3: `bot.yml` is not such a folder."),
        (BOT + "encoder: ../e\n", "bot.yml:3: `encoder` is not well formed. Name a folder inside"),
        (BOT + "encoder: a/../..\n", "bot.yml:3: `a/../..` is no packed encoder inside the bot folder."),
        (
            BOT + "encoder: gone\n",
            "bot.yml:3: `gone` is no packed encoder inside the bot folder. Make it of a",
        ),
        (BOT + "policy: {anser: 0.1}\n", "bot.yml:3: unknown threshold `anser`. Did you mean `answer`?"),
        (BOT + "policy:\n  answer: 2\n", "bot.yml:4: `policy > answer` is above 1."),
        (BOT + "policy:\n  answer: nan\n", "bot.yml:4: `policy > answer` is not a number."),
        (BOT + "policy:\n  answer: high\n", "bot.yml:4: `policy > answer` is not a number."),
        (BOT + "promise: yes\n", "bot.yml:3: `promise` is not a mapping."),
        (BOT + "promise: {worng: 3%}\n", "bot.yml:3: unknown key `worng`. Did you mean `wrong`?"),
        (BOT + "promise:\n  wrong: 3\n", "bot.yml:4: `promise > wrong` is above 0.5. Write a share of wrong"),
        (BOT + "promise:\n  wrong: 0 %\n", "bot.yml:4: `promise > wrong` is below 0.001."),
        (BOT + "promise:\n  wrong: few\n", "bot.yml:4: `promise > wrong` is not a number. Write a share of"),
        (BOT + "promise:\n  sure: 100%\n", "bot.yml:4: `promise > sure` is above 0.9999. Write how sure"),
        (
            BOT + "channels:\n- instance: A b\n",
            "bot.yml:4: `channels > item 1 > instance` is not well formed.",
        ),
        (
            BOT + "channels:\n- instance: api\n",
            "bot.yml:4: `api` is the name of a channel that is built in. Choose another one.",
        ),
        (
            BOT + "channels:\n- type: pigeon\n",
            "bot.yml:4: `channels > item 1 > type` is not well formed. Known: webchat, rasa",
        ),
        (
            BOT + "channels:\n- {type: rasa}\n- {instance: b, type: rasa}\n",
            "bot.yml:5: there is a channel of type `rasa` already. Its addresses are fixed: remove one.",
        ),
        (
            BOT + "channels:\n- instance: a\n  reply_within: 9\n",
            "bot.yml:5: `reply_within` is not known to the type `webchat`. Remove it.",
        ),
        (
            BOT + "channels:\n- type: rasa\n  reply_within: 0.5\n",
            "bot.yml:5: `channels > item 1 > reply_within` is below 1. Write seconds, from 1 to 600.",
        ),
        (
            BOT + "channels:\n- type: rasa\n  reply_within: soon\n",
            "bot.yml:5: `channels > item 1 > reply_within` is not a number. Write seconds,",
        ),
        (BOT + "channels:\n- origins: [a.b]\n", "bot.yml:4: `item 1 > origins > item 1` is not well formed."),
        (BOT + "channels:\n- {}\n- {}\n", "bot.yml:5: `web` is listed twice."),
        (BOT + "suggestions: {en: hello}\n", "bot.yml:3: `suggestions > en` is not a list."),
        (BOT + "suggestions: {en: ['']}\n", "bot.yml:3: `suggestions > en > item 1` is empty."),
        (
            BOT + 'suggestions: {en: ["a\\x07b"]}\n',
            "bot.yml:3: `suggestions > en > item 1` holds the control",
        ),
        (BOT + "---\na: b\n", "bot.yml:4: a second document begins here."),
        (BOT + "? [a]\n: b\n", "bot.yml:3: a key is not a plain text."),
        (BOT + '"a\\nb": c\n', "bot.yml:3: unknown key `a b`."),
        (BOT + "site: " + "[" * 40, "bot.yml:3: lists and keys are nested more than 16 deep."),
        ("- a\n", "bot.yml: the file is not a mapping."),
    ],
)
def test_bot_yml(tmp_path: Path, text: str, expected: str) -> None:
    assert error_of(folder(tmp_path, bot=text)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b:\n    examples: {en: [x]}", "intents.yml:2: the name `a b` is not well formed."),
        ("a:\n    exmples: {en: [x]}", "intents.yml:3: unknown key `exmples`. Did you mean `examples`?"),
        ("a:", "intents.yml:2: `intents > a` is not a mapping."),
        ("a: {examples: {}}", "intents.yml:2: `intents > a > examples` is empty. Give at least one."),
        ("a: {examples: {en: []}}", "intents.yml:2: `a > examples > en` is empty. Give at least one."),
        ("a: {examples: {en: [k: v]}}", "intents.yml:2: `examples > en > item 1` is not a text."),
        ("a: {examples: {de: [x]}}", "intents.yml:2: unknown language `de`. Known: zh, en."),
        (
            f"a: {{examples: {{en: [{'x' * 501}]}}}}",
            "intents.yml:2: `examples > en > item 1` is longer than 500",
        ),
        (
            "a:\n    examples:\n      en:\n      - Hello  you\n      - ｈello YOU",
            "intents.yml:6: `a` has this example on line 5 already. Remove one of them.",
        ),
        (
            "a: {examples: {en: [x]}}\n  b:\n    examples:\n      en: [y,\n        X]",
            "intents.yml:6: this example is listed under `a` too (line 2). Leave it where it belongs: `a`",
        ),
        ("a: {examples: {en: [x]}}\n  a: {}", "intents.yml:3: the key `a` stands on line 2 already."),
    ],
)
def test_intents_yml(tmp_path: Path, text: str, expected: str) -> None:
    assert error_of(folder(tmp_path, intents=f"intents:\n  {text}\n")).startswith(expected)


def test_the_same_sentence_in_two_languages_is_no_double(tmp_path: Path) -> None:
    text = "intents: {a: {examples: {en: [ok], zh: [ok]}}}"
    assert load(folder(tmp_path, intents=text)).intents["a"].examples == {"en": ("ok",), "zh": ("ok",)}


def test_an_encoder_that_was_damaged_on_the_way_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "delta.json").write_text("<<<<<<< HEAD")
    said = error_of(folder(tmp_path, bot=BOT + "encoder: encoder\n"))
    assert said.startswith("bot.yml:3: ")
    assert "delta.json cannot be read. Bring the folder back as it was, or make it anew" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refus: {en: [x]}", "responses.yml:2: unknown response `refus`. Did you mean `refuse`?"),
        ("greet: {en: x}", "responses.yml:2: `responses > greet > en` is not a list."),
        ("greet: {en: []}", "responses.yml:2: `responses > greet > en` is empty."),
    ],
)
def test_responses_yml(tmp_path: Path, text: str, expected: str) -> None:
    assert error_of(folder(tmp_path, responses=f"responses:\n  {text}\n")).startswith(expected)


def test_languages_are_those_of_the_bot_everywhere(tmp_path: Path) -> None:
    english = "name: {en: A}\nwelcome: {en: B}\nlanguages: [en]\n"
    texts = {
        "bot": (english + "suggestions: {zh: [x]}\n", "bot.yml:4: the bot does not speak `zh`."),
        "intents": ("intents: {a: {examples: {zh: [x]}}}", "intents.yml:1: the bot does not speak `zh`."),
        "responses": ("responses: {greet: {zh: [x]}}", "responses.yml:1: the bot does not speak `zh`."),
    }
    for name, (text, expected) in texts.items():
        root = tmp_path / name
        root.mkdir()
        assert error_of(folder(root, **{"bot": english, name: text})).startswith(expected)


def test_the_first_bad_row_of_knowledge_ends_a_load(tmp_path: Path) -> None:
    folder(tmp_path, intents="intents: {lost: {examples: {en: [x]}}}")
    row = '{"question": "Q?", "answer": "A.", "intent": "%s"}\n'
    knowledge(tmp_path, "a.jsonl", row % "lost" + row % "losst")
    expected = "knowledge/a.jsonl:2: intents.yml has no intent `losst`. Did you mean `lost`?"
    assert error_of(tmp_path) == expected


def test_a_file_of_another_kind_among_knowledge_is_not_passed_over(tmp_path: Path) -> None:
    knowledge(folder(tmp_path), "faq.pptx", "x")
    assert error_of(tmp_path).startswith("knowledge/faq.pptx: is not a kind of knowledge file that is read.")


def test_a_document_that_cannot_be_read_is_named_with_its_reason(tmp_path: Path) -> None:
    knowledge(folder(tmp_path), "faq.pdf", "x")
    assert error_of(tmp_path) == (
        "knowledge/faq.pdf: is not a PDF, whatever its name says. Give it the ending of what it is."
    )


def test_no_folder_and_no_file_say_how_to_begin(tmp_path: Path) -> None:
    assert error_of(tmp_path) == "bot.yml: there is no such file. Create it, or begin with `kefu init`."


def test_what_is_not_utf8_is_named_by_its_line(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "intents.yml").write_bytes("intents:\n  # 银行\n".encode("gb18030"))
    assert error_of(tmp_path) == "intents.yml:2: is not UTF-8 here. Save it as UTF-8."


def test_a_mark_of_byte_order_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "bot.yml").write_bytes(b"\xef\xbb\xbf" + BOT.encode())
    assert load(tmp_path).name["en"] == "Ann"


def test_a_file_without_end_is_refused_by_its_size(tmp_path: Path) -> None:
    (tmp_path / "bot.yml").write_bytes(b"#" * (reader.MAX_BYTES + 1))
    assert error_of(tmp_path).startswith("bot.yml: is larger than 8 MiB.")


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (folder(tmp_path) / "intents.yml").mkdir()
    assert error_of(tmp_path).startswith("intents.yml: cannot be read: Is a directory.")
