"""The pages say what the code says: settings, the command, the examples, the promises and their links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import pytest

from bench import SETTINGS
from bot.cli.main import kefu
from bot.cli.options import OfABot
from bot.definition import RESERVED, load, schema
from bot.definition.defaults import RESPONSES
from bot.domain import decision
from bot.domain.policy import Policy
from bot.settings import PREFIX, Settings
from connectors.webchat import goodbye, parse, render

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("README*.md"), *DOCS.glob("*.md"), ROOT / "deploy" / "README.md"])


def _flat(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Verbs as one types them; of a group its own verbs."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _flat(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(_flat(kefu))
VERBS = sorted(COMMANDS)


def _read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _default(value: Any, *, derived: bool) -> str:
    """How the page writes a default."""
    if derived:
        return "(derived)"
    if value in (None, ()):
        return "(none)"
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return f"`{text.lower() if isinstance(value, bool) else text}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_stands_on_its_page_with_default_and_meaning(name: str) -> None:
    field = Settings.model_fields[name]
    default = _default(field.default, derived=field.default_factory is not None)
    row = f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |"
    assert row in _read("reference-settings.md").splitlines()


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | set(SETTINGS)
    for page in PAGES:
        named = set(re.findall(rf"\b{PREFIX}[A-Z][A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
        assert named <= known, f"{page.name}: {sorted(named - known)}"


def _section(verb: str) -> str:
    """What the page says of one verb."""
    found = re.search(
        rf"^## `kefu {verb}\b.*?(?=^## |\Z)", _read("reference-cli.md"), re.MULTILINE | re.DOTALL
    )
    assert found, f"docs/reference-cli.md has no `kefu {verb}`"
    return found.group()


def _options(verb: str) -> dict[str, str]:
    """Option -> its help. Of several spellings the first one is the option's name."""
    params = COMMANDS[verb].params
    return {p.opts[0]: p.help or "" for p in params if isinstance(p, click.Option)}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_stands_on_its_page_with_all_its_options(verb: str) -> None:
    section = _section(verb)
    first_line = (COMMANDS[verb].help or "").splitlines()[0]
    assert first_line in section.splitlines()
    rows = dict(re.findall(r"^\| `(--[a-z-]+)` \| (.+) \|$", section, re.MULTILINE))
    assert rows == _options(verb)


def test_the_page_has_no_verb_that_does_not_exist() -> None:
    assert sorted(re.findall(r"^## `kefu ([a-z ]*[a-z])", _read("reference-cli.md"), re.MULTILINE)) == VERBS


def _commands(text: str) -> Iterator[tuple[str, set[str]]]:
    """(verb, long options) of each `kefu` command line in the code blocks of a page."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"\bkefu ([a-z]+[^\n|;#]*)", block.replace("\\\n", " ")):
            words = line.split()
            yield _verb(words), set(re.findall(r"--[a-z-]+", line))


def _verb(words: list[str]) -> str:
    """`releases shop promote NAME` is `releases promote`; without a verb of its own it is the group's default."""
    group = kefu.commands.get(words[0])
    if not isinstance(group, OfABot):
        return words[0]
    return f"{words[0]} {next((word for word in words[1:] if word in group.commands), group.default)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_on_pages_can_be_typed(page: Path) -> None:
    for verb, options in _commands(page.read_text(encoding="utf-8")):
        assert verb in VERBS
        assert options <= _options(verb).keys(), verb


def test_the_examples_of_the_guide_are_a_bot(tmp_path: Path) -> None:
    blocks = re.findall(r"^```\w+ (\S+)\n(.*?)^```", _read("guide-bot-author.md"), re.MULTILINE | re.DOTALL)
    assert {"bot.yml", "intents.yml", "responses.yml"} <= {name for name, _ in blocks}
    for name, text in blocks:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    bot = load(tmp_path)
    assert {row.file for row in bot.knowledge} == {
        name for name, _ in blocks if name.startswith("knowledge/")
    }
    assert bot.policy.values


@pytest.mark.parametrize("threshold", fields(Policy), ids=lambda field: field.name)
def test_a_threshold_stands_in_the_guide_with_its_default(threshold: Field[float]) -> None:
    assert f"| `{threshold.name}` | {threshold.default} | " in _read("guide-bot-author.md")


def test_every_file_key_and_response_stands_in_the_guide() -> None:
    guide = set(re.findall(r"`(\w+)`", _read("guide-bot-author.md")))
    keys = {*schema.Bot.model_fields, *schema.Channel.model_fields, *schema.Knowledge.model_fields}
    assert keys | RESPONSES.keys() | RESERVED <= guide


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_test_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for file, test in re.findall(
        r"`((?:tests|web/tests)/[\w/.]+\.(?:py|tsx?))(?:::(?:\w+::)?(test_\w+))?`", text
    ):
        assert (ROOT / file).is_file(), file
        if test:
            assert re.search(rf"def {test}\(", (ROOT / file).read_text(encoding="utf-8")), f"{file}::{test}"


@pytest.mark.parametrize("name", ["reliability.md", "threat-model.md"])
def test_each_promise_has_a_test(name: str) -> None:
    """A row of a table headed `promise | test` that names none is a wish."""
    tables = re.findall(r"^\| promise \| test \|\n\|[-|]+\|\n((?:\|.*\n)+)", _read(name), re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 15
    assert [row for row in rows if "`tests/" not in row] == []


def _cells(heading: str) -> set[str]:
    """Names and codes in the first column under a heading of the web chat's page."""
    found = re.search(
        rf"^## {heading}\n.*?(?=^## |\Z)", _read("webchat-protocol.md"), re.MULTILINE | re.DOTALL
    )
    assert found, heading
    first = re.findall(r"^\| ([^|]+) \|", found.group(), re.MULTILINE)
    return {name for cell in first for name in re.findall(r"(?<=`)\w+(?=`)|\b\d{4}\b", cell)}


def test_the_page_of_the_web_chat_has_every_frame_and_no_other() -> None:
    said = set(re.findall(r'"type": "(\w+)"', Path(str(render.__file__)).read_text(encoding="utf-8")))
    assert _cells("Client to server") == set(parse._READERS)
    assert _cells("Server to client") == said - {"close"}
    assert '`{"type": "close", ' in _read("webchat-protocol.md")  # of event streams alone


def test_the_page_of_the_web_chat_has_every_close_code_and_no_other() -> None:
    assert _cells("Close codes") == {str(code) for name, code in vars(goodbye).items() if name.isupper()}


def test_the_page_of_the_web_chat_has_every_error_code() -> None:
    folder = Path(str(parse.__file__)).parent
    raised = {
        code
        for path in (*folder.glob("*.py"), *folder.parent.glob("*.py"))
        for code in _first_words(path, "Refused", "Overloaded", "Malformed", "SessionError", "ConnectorError")
    }
    assert {"bad_json", "rate_limited", "session_invalid"} <= raised
    assert raised - set(re.findall(r"`(\w+)`", _read("webchat-protocol.md"))) == set()


def _first_words(path: Path, *names: str) -> Iterator[str]:
    """The first argument of each call of these names, where it is a plain string."""
    calls = (
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    )
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id in names and call.args:
            first = call.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_every_reason_of_a_decision_stands_in_the_agents_guide() -> None:
    reasons = set(_first_words(Path(str(decision.__file__)), "Answer", "Generate", "Clarify"))
    assert len(reasons) > 8
    named = set(re.findall(r"`([^`\n]+)`", _read("guide-agent.md")))
    assert reasons | set(get_args(get_type_hints(decision.Handoff)["reason"])) <= named


def test_the_index_lists_every_page() -> None:
    listed = set(re.findall(r"\]\(([\w./-]+)\)", _read("index.md")))
    assert {path.name for path in DOCS.glob("*.md")} - {"index.md"} <= listed
    assert "adr" in listed  # the folder: a decision need not wait for its line here


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (ROOT / "README.md", ROOT / "README.zh.md"),
        (DOCS / "guide-end-user.md", DOCS / "guide-end-user.zh.md"),
    ],
    ids=["README", "guide-end-user"],
)
def test_both_languages_of_a_page_are_built_alike(english: Path, chinese: Path) -> None:
    """Headings, rows, items and blocks, one for one: what is said in one language is said in the other."""
    assert _shape(english.read_text(encoding="utf-8")) == _shape(chinese.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("page", "quoted"),
    [
        ("guide-end-user.md", r"\*{1,2}([^*\n]+[^*\n:])\*{1,2}|^\| ([A-Z][^|]+?) \|"),
        ("guide-end-user.zh.md", r"“([^”]+)”|\*\*([^*\n]+[^*\n：])\*\*|^\| ([^|\n]{2,}) \|"),
    ],
)
def test_what_customers_are_told_to_look_for_is_what_the_chat_says(page: str, quoted: str) -> None:
    says = (ROOT / "web" / "widget" / "strings.ts").read_text(encoding="utf-8")
    found = ["".join(groups) for groups in re.findall(quoted, _read(page), re.MULTILINE)]
    words = {word for phrase in found for word in phrase.split(" → ")} - {"提示"}
    assert len(words) > 8
    assert {word for word in words if word not in says} == set()


def _shape(text: str) -> list[str]:
    """The kind of each line that begins something; paragraphs may be cut into lines as each language likes."""
    kinds = re.findall(r"^(#+ |\||- |\d+\. |```\w*|!\[)", text, re.MULTILINE)
    return [kind.strip() for kind in kinds]


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)|(?:src|href)=\"(?!https?:)([^\"]+)\"", _prose(text)):
        path, _, anchor = (link[0] or link[1]).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(_slug, headings), link


def _prose(text: str) -> str:
    """Without code blocks and code in a line, where brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
