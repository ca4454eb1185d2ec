"""What pydantic finds wrong, in plain sentences with the line of the file."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bot.definition.model import LANGUAGES
from bot.definition.reader import Document, Loc
from bot.definition.text import one_line
from training.entities.spec import FORMS

Model = TypeVar("Model", bound=BaseModel)

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
    "float_parsing": ("{key} is not a number", "{number}"),
    "float_type": ("{key} is not a number", "{number}"),
    "finite_number": ("{key} is not a number", "{number}"),
    "greater_than_equal": ("{key} is below {ge:g}", "{number}"),
    "less_than_equal": ("{key} is above {le:g}", "{number}"),
    "control": ("{key} holds the control character U+{code}", "Remove it."),
    "order": ("`valid_from` is after `valid_to`", "Swap them."),
}
_PATTERNS: dict[str, str] = {
    "origins": "Write `https://host[:port]` without a path, or `*` in quotes.",
    "instance": "Use a-z, 0-9, _ and - (32 at most).",
    "type": "Known: webchat, rasa.",
    "site": "Name a folder inside the bot folder.",
    "encoder": "Name a folder inside the bot folder.",
    "recognise": f"Known: {', '.join(FORMS)}.",
    "patterns": "Use # for a digit, @ for a letter, * for either; no blanks, 40 signs at most.",
    "url": "Write a whole address that begins with https:// or http://.",
}
_NUMBERS = {
    "reply_within": "Write seconds, from 1 to 600.",
    "deadline": "Write seconds, from 1 to 600.",
    "wrong": "Write a share of wrong answers from 0.1% to 50%, such as 3%.",
    "sure": "Write how sure the promise is, from 50% to 99.99%, such as 99%.",
}
_SHARE = "Write a number from 0 to 1, such as 0.7."
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
    field = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
    if kind == "language":
        return loc, f"{key} is not a language code that is known.", f"Known: {', '.join(LANGUAGES)}."
    if kind.startswith("date_"):
        return loc, f"{key} is not a date.", "Write it as 2026-12-31."
    if kind == "string_pattern_mismatch":
        return loc, f"{key} is not well formed.", _PATTERNS.get(field, _NAMES)
    message, hint = _SENTENCES.get(kind, ("{key}: " + error["msg"].replace("{", "(").replace("}", ")"), ""))
    hint = hint.format(number=_NUMBERS.get(field, _SHARE))
    return loc, message.format(key=key, **context) + ".", hint


def _bad_key(loc: Loc, kind: str) -> tuple[Loc, str, str]:
    name = one_line(str(loc[-1]))
    if kind == "language":
        return loc, f"unknown language `{name}`.", f"Known: {', '.join(LANGUAGES)}."
    return loc, f"the name `{name}` is not well formed.", _NAMES


def _quoted(loc: Loc) -> str:
    parts = [f"item {part + 1}" if isinstance(part, int) else str(part) for part in loc[-3:]]
    return f"`{one_line(' > '.join(parts))}`" if parts else "the file"


def suggestion(word: str, known: Sequence[str]) -> str:
    """What to do about an unknown word."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known: {', '.join(known[:20])}{', ...' if len(known) > 20 else '.'}" if known else "Remove it."
