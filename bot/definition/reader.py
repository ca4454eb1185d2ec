"""YAML as the bot folder uses it: mappings, lists and texts, with the line of every value.

Every scalar is read as text, so that an example `no` or `12:30` stays what was written; `schema` knows the
numbers. Tags and aliases are refused: nothing here builds objects, and nothing can be multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from bot.errors import DefinitionError

MAX_BYTES = 8 * 1024 * 1024
"""Of one file; about 100,000 example sentences."""
MAX_DEPTH = 16

Loc = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `lines` has the 1-based line of each value, by its path from the top."""

    file: str
    value: object
    lines: dict[Loc, int] = field(default_factory=dict)

    def line(self, loc: Loc) -> int:
        """Line of the value at `loc`, or of the nearest one above it; 0 where there is none."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return 0

    def wrong(self, loc: Loc, message: str, hint: str) -> DefinitionError:
        return DefinitionError(message, file=self.file, line=self.line(loc), hint=hint)


def read(path: Path) -> Document:
    """Parse one YAML file. An empty file is an empty mapping. Raises `DefinitionError`."""
    text = _text(path)
    builder = _Builder(str(path))
    try:
        value = builder.document(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise _syntax(error, str(path)) from None
    return Document(str(path), value, builder.lines)


def _text(path: Path) -> str:
    file = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = "Create it, or begin with `kefu init`."
        raise DefinitionError("there is no such file.", file=file, hint=hint) from None
    except OSError as error:
        hint = "Check path and rights."
        raise DefinitionError(f"cannot be read: {error.strerror}.", file=file, hint=hint) from None
    if len(data) > MAX_BYTES:
        hint = "Put large texts into knowledge/*.jsonl."
        raise DefinitionError(f"is larger than {MAX_BYTES >> 20} MiB.", file=file, hint=hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError("is not UTF-8 here.", file=file, line=line, hint="Save it as UTF-8.") from None


class _Builder:
    """Events to values. Not recursive in the input's depth beyond `MAX_DEPTH`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Loc, int] = {}

    def document(self, events: Iterator[yaml.Event]) -> object:
        value: object = {}
        documents = 0
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                documents += 1
                if documents > 1:
                    self._fail(event, "a second document begins here.", "Remove the line `---`.")
                self.lines[()] = _line(event)
                value = self._node(event, events, ())
        return {} if value is None else value

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], loc: Loc) -> object:
        if isinstance(event, yaml.AliasEvent):
            self._fail(event, f"the alias `*{event.anchor}` is not read.", "Write the text out.")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            self._fail(event, f"the tag `{tag}` is not read.", "Remove it.")
        if len(loc) > MAX_DEPTH:
            self._fail(event, f"lists and keys are nested more than {MAX_DEPTH} deep.", "Flatten them.")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, loc)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, loc)
        return _scalar(event)

    def _mapping(self, events: Iterator[yaml.Event], loc: Loc) -> dict[str, object]:
        found: dict[str, object] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            if key in found:
                first = self.lines[(*loc, key)]
                self._fail(event, f"the key `{key}` stands on line {first} already.", "Merge the two.")
            self.lines[(*loc, key)] = _line(event)
            found[key] = self._node(next(events), events, (*loc, key))
        return found

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag not in (None, "!"):
            self._fail(event, "a key is not a plain text.", "Write `name: value`.")
        return str(event.value)

    def _list(self, events: Iterator[yaml.Event], loc: Loc) -> list[object]:
        found: list[object] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*loc, len(found))
            self.lines[here] = _line(event)
            found.append(self._node(event, events, here))
        return found

    def _fail(self, event: yaml.Event, message: str, hint: str) -> NoReturn:
        raise DefinitionError(message, file=self.file, line=_line(event), hint=hint)


def _scalar(event: yaml.Event) -> str | None:
    """Nothing at all, or a bare `~`, is no value; everything else is text."""
    text = str(getattr(event, "value", ""))
    plain = not getattr(event, "style", None)
    return None if plain and text in ("", "~") else text


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 0


def _syntax(error: yaml.YAMLError, file: str) -> DefinitionError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    line = mark.line + 1 if mark else 0
    if "cannot start any token" in problem:
        return DefinitionError(
            "a tab, or one of ` @ %, begins a value here.",
            file=file,
            line=line,
            hint="Indent by spaces; put quotes around a text that begins with such a character.",
        )
    hint = 'Check indentation and colons; put "quotes" around a text that holds a colon.'
    return DefinitionError(f"is not YAML: {problem}.", file=file, line=line, hint=hint)
