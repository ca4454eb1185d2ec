"""Whatever the bytes of a bot folder are: a value, or an error that names the file. Never anything else."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bot.definition import BotDefinition, KnowledgeRow, Problem, load, read_knowledge
from bot.errors import DefinitionError

BOT = b"name: {en: A, zh: B}\nwelcome: {en: C, zh: D}\n"
KEYS = st.sampled_from(
    ["name", "welcome", "languages", "channels", "policy", "site", "intents", "examples", "en"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | KEYS
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
COLUMNS = (
    "id",
    "lang",
    "question",
    "answer",
    "title",
    "intent",
    "alternatives",
    "valid_from",
    "valid_to",
    "url",
)
VALUES = (
    LEAVES | st.lists(LEAVES, max_size=3) | st.sampled_from(["2026-01-01", "en", "https://a.b", "Where?"])
)
ROWS = st.dictionaries(st.sampled_from(COLUMNS) | st.text(max_size=8), VALUES, max_size=10)
YAML_SIGNS = st.text(st.sampled_from("ab:-?[]{}#&*!|>'\"%@` \t\n~\\0,"), max_size=60)


@contextmanager
def folder(**files: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as root:
        for name, data in {"bot": BOT, **files}.items():
            (Path(root) / f"{name}.yml").write_bytes(data)
        yield Path(root)


def check(name: str, data: bytes) -> None:
    with folder(**{name: data}) as root:
        found = outcome(root)
        if isinstance(found, DefinitionError):
            assert found.file == str(root / f"{name}.yml")
            assert 0 <= found.line <= len(data) + 1
            assert found.hint
            assert "\n" not in str(found)


def outcome(root: Path) -> BotDefinition | DefinitionError:
    try:
        return load(root)
    except DefinitionError as error:
        return error


@given(st.sampled_from(["bot", "intents", "responses", "entities"]), st.binary(max_size=200))
@example("bot", b'site: "\\0"')
@example("bot", b"\xff\xfe")
@example("intents", b"[" * 5_000)
@example("intents", b"a: &a [*a]")
def test_any_bytes(name: str, data: bytes) -> None:
    check(name, data)


@given(st.sampled_from(["bot", "intents", "responses", "entities"]), YAML_SIGNS | st.text(max_size=100))
@example("bot", "\x85: a")
@example("bot", "? ")
@example("bot", "- ? a\n  : b")
@example("bot", "!<tag:yaml.org,2002:str> a: b")
def test_any_text(name: str, text: str) -> None:
    check(name, text.encode("utf-8", "surrogatepass"))


VALID = {"name": {"en": "A", "zh": "B"}, "welcome": {"en": "C", "zh": "D"}}
PLACES = st.sampled_from(["languages", "suggestions", "channels", "policy", "site", "name", "other"])
BOTS = st.tuples(PLACES, TREES | st.dictionaries(st.just("en"), TREES)).map(lambda pair: VALID | dict([pair]))
WITHIN = TREES | TREES.map(lambda tree: {"en": [tree]}) | TREES.map(lambda tree: {"examples": {"en": [tree]}})


def nested(key: str, name: str) -> st.SearchStrategy[object]:
    return WITHIN.map(lambda tree: {key: {name: tree}})


@given(
    st.tuples(st.just("bot"), BOTS)
    | st.tuples(st.just("intents"), nested("intents", "a"))
    | st.tuples(st.just("responses"), nested("responses", "greet")),
    st.booleans(),
)
def test_any_tree(file: tuple[str, object], as_json: bool) -> None:
    name, tree = file
    text = json.dumps(tree) if as_json else yaml.safe_dump(tree, allow_unicode=False)
    check(name, text.encode())


def check_rows(file: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / file
        path.write_bytes(data)
        for found in read_knowledge(path):
            assert found.file == str(path)
            assert 0 <= found.line <= data.count(b"\n") + data.count(b"\r") + 2 or data[:2] == b"\x1f\x8b"
            if isinstance(found, Problem):
                assert found.message
                assert found.hint
                assert "\n" not in str(found)
            else:
                usable(found)


def usable(row: KnowledgeRow) -> None:
    entry = row.entry
    assert entry.lang in ("zh", "en")
    assert entry.key.strip()
    assert all(text.strip() and "\0" not in text for text in (*entry.phrases, entry.answer))
    "\n".join((entry.key, *entry.phrases, entry.answer, entry.title)).encode()


@given(st.lists(ROWS, max_size=4), st.booleans())
def test_any_json_rows(items: list[dict[str, object]], packed: bool) -> None:
    data = "\n".join(json.dumps(item) for item in items).encode()
    check_rows("a.jsonl", gzip.compress(data) if packed else data)


@given(st.sampled_from(["a.jsonl", "a.csv", "a.csv.gz"]), st.binary(max_size=200))
@example("a.jsonl", b"\x1f\x8b")
@example("a.jsonl", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff")
@example("a.csv", b"question,answer\n\0,\0")
@example("a.csv", b'question,answer\ra,"b\r')
def test_any_bytes_as_knowledge(name: str, data: bytes) -> None:
    check_rows(name, data)


@given(
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=5),
    st.text(st.sampled_from("ab,\"'\r\n|银\0 "), max_size=60),
)
def test_any_table(columns: list[str], body: str) -> None:
    header = ",".join(["question", "answer", *columns]) if len(columns) % 2 else ",".join(columns)
    check_rows("a.csv", f"{header}\n{body}".encode())
