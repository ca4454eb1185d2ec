"""The shape of the files, as pydantic models, and their errors in plain sentences.

Numbers are written as texts by `reader`; pydantic turns them into numbers where a field is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.definition.model import LANGUAGES
from bot.definition.reader import Document, Loc
from bot.definition.text import one_line
from bot.settings import Origin

Model = TypeVar("Model", bound="Strict")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
MAX_PHRASE = 500
MAX_ANSWER = 8_000


def suggestion(word: str, known: Sequence[str]) -> str:
    """What to do about an unknown word."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known: {', '.join(known[:20])}{', ...' if len(known) > 20 else '.'}" if known else "Remove it."


def _printable(text: str) -> str:
    if found := _CONTROL.search(text):
        code = f"{ord(found.group()):04X}"
        raise PydanticCustomError("control", "holds the control character U+{code}", {"code": code})
    return text


def _known_language(code: str) -> str:
    if code not in LANGUAGES:
        raise PydanticCustomError("language", "unknown language")
    return code


def _numbered(key: object) -> object:
    return str(key) if type(key) is int else key


def _plain(limit: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=limit)


Lang = Annotated[str, AfterValidator(_known_language)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,63}$")]
Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}$")]
Phrase = Annotated[str, _plain(MAX_PHRASE), AfterValidator(_printable)]
Answer = Annotated[str, _plain(MAX_ANSWER), AfterValidator(_printable)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Url = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^https?://[^\s<>\"]+$")
]
Key = Annotated[str, _plain(128), BeforeValidator(_numbered), AfterValidator(_printable)]
Phrases = dict[Lang, Annotated[list[Phrase], Field(min_length=1)]]


class Strict(BaseModel):
    """Unknown keys are errors, with the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: object) -> object:
        for key in value if isinstance(value, Mapping) else ():
            if key not in cls.model_fields:
                hint = suggestion(str(key), tuple(cls.model_fields))
                raise PydanticCustomError("unknown_key", "unknown key", {"key": str(key), "hint": hint})
        return value


class Channel(Strict):
    instance: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")] = "web"
    type: Annotated[str, StringConstraints(pattern=r"^webchat$")] = "webchat"
    origins: list[Origin] = []


class Bot(Strict):
    name: dict[Lang, Phrase] = Field(min_length=1)
    languages: list[Lang] = Field(default=[*LANGUAGES], min_length=1)
    welcome: dict[Lang, Phrase] = Field(min_length=1)
    suggestions: dict[Lang, list[Phrase]] = {}
    channels: list[Channel] = Field(default=[Channel()], min_length=1)
    policy: dict[Name, Share] = {}
    site: Folder | None = None


class IntentSpec(Strict):
    title: dict[Lang, Phrase] = {}
    examples: Phrases = Field(min_length=1)


class Intents(Strict):
    intents: dict[Name, IntentSpec] = {}


class Responses(Strict):
    responses: dict[str, dict[Lang, Annotated[list[Answer], Field(min_length=1)]]] = {}


class Knowledge(Strict):
    """One row. `lang` may be left out: the script of the question then tells."""

    id: Key | None = None
    lang: Lang | None = None
    question: Phrase
    answer: Answer
    title: Phrase | None = None
    intent: Name | None = None
    alternatives: Annotated[list[Phrase], Field(max_length=500)] = []
    valid_from: date | None = None
    valid_to: date | None = None
    url: Url | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Knowledge:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise PydanticCustomError("order", "`valid_from` is after `valid_to`")
        return self


_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("{key} is missing", "Add it."),
    "string_type": (
        "{key} is not a text",
        'Write one text there, in "quotes" if it holds a colon or a brace.',
    ),
    "string_unicode": ("{key} holds half of a character", "Save the file as UTF-8."),
    "string_too_short": ("{key} is empty", "Write a text, or remove it."),
    "string_too_long": ("{key} is longer than {max_length} characters", "Shorten it."),
    "list_type": ("{key} is not a list", "Write one `- text` a line."),
    "dict_type": ("{key} is not a mapping", "Write `name: value` lines, indented below it."),
    "model_type": ("{key} is not a mapping", "Write `name: value` lines, indented below it."),
    "model_attributes_type": ("{key} is not a mapping", "Write `name: value` lines, indented below it."),
    "too_short": ("{key} is empty", "Give at least one."),
    "too_long": ("{key} has more than {max_length} items", "Shorten the list."),
    "float_parsing": ("{key} is not a number", "Write a number from 0 to 1, such as 0.7."),
    "float_type": ("{key} is not a number", "Write a number from 0 to 1, such as 0.7."),
    "finite_number": ("{key} is not a number", "Write a number from 0 to 1, such as 0.7."),
    "greater_than_equal": ("{key} is below {ge:g}", "Write a number from 0 to 1."),
    "less_than_equal": ("{key} is above {le:g}", "Write a number from 0 to 1."),
    "control": ("{key} holds the control character U+{code}", "Remove it."),
    "order": ("`valid_from` is after `valid_to`", "Swap them."),
}
_PATTERNS: dict[str, str] = {
    "origins": "Write `https://host[:port]` without a path, or `*` in quotes.",
    "instance": "Use a-z, 0-9, _ and - (32 at most).",
    "type": "Known: webchat.",
    "site": "Name a folder inside the bot folder.",
    "url": "Write a whole address that begins with https:// or http://.",
}
_NAMES = "Use letters, digits and _ . / - (64 at most), no spaces."


def validated(document: Document, model: type[Model]) -> Model:
    """Raises `DefinitionError` for the first thing that is wrong."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise document.wrong(*sentence(error)) from None


def sentence(errors: ValidationError) -> tuple[Loc, str, str]:
    """(path of the value, what is wrong, what to do) of the first of pydantic's errors."""
    error = errors.errors(include_url=False, include_input=False)[0]
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind == "unknown_key":
        return (*loc, context["key"]), f"unknown key `{one_line(context['key'])}`.", context["hint"]
    if loc and loc[-1] == "[key]":
        return _bad_key(loc[:-1], kind)
    key = _quoted(loc)
    if kind == "language":
        return loc, f"{key} is not a language code that is known.", f"Known: {', '.join(LANGUAGES)}."
    if kind.startswith("date_"):
        return loc, f"{key} is not a date.", "Write it as 2026-12-31."
    if kind == "string_pattern_mismatch":
        field = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
        return loc, f"{key} is not well formed.", _PATTERNS.get(field, _NAMES)
    message, hint = _SENTENCES.get(kind, ("{key}: " + error["msg"].replace("{", "(").replace("}", ")"), ""))
    return loc, message.format(key=key, **context) + ".", hint


def _bad_key(loc: Loc, kind: str) -> tuple[Loc, str, str]:
    name = one_line(str(loc[-1]))
    if kind == "language":
        return loc, f"unknown language `{name}`.", f"Known: {', '.join(LANGUAGES)}."
    return loc, f"the name `{name}` is not well formed.", _NAMES


def _quoted(loc: Loc) -> str:
    parts = [f"item {part + 1}" if isinstance(part, int) else str(part) for part in loc[-3:]]
    return f"`{one_line(' > '.join(parts))}`" if parts else "the file"
