"""JSON of a client, read strictly: what is not as it should be is `Malformed`. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, NoReturn, TypeAlias

from connectors.errors import Malformed
from connectors.port import MAX_TEXT

Object: TypeAlias = dict[str, Any]

MAX_SEQ = 2**53 - 1
"""The largest whole number that JavaScript holds exactly."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})


def decode(data: bytes) -> Object:
    """One JSON object. Raises `Malformed`: `bad_json`, or `bad_frame` for another value or a doubled key."""
    try:
        value = _JSON.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):  # bad UTF-8, bad JSON, numbers of thousands of digits; deep nesting
        raise Malformed("bad_json", "Not JSON in UTF-8, or nested too deeply.") from None
    if not isinstance(value, dict):
        raise Malformed("bad_frame", "Send a JSON object.")
    return value


def string(given: Object, key: str, *, ref: str | None = None) -> str:
    value = given.get(key)
    if not isinstance(value, str) or _SURROGATE.search(value):
        raise Malformed("bad_frame", f"'{key}' is a string of whole characters.", ref=ref)
    return value


def optional(given: Object, key: str) -> str | None:
    return None if given.get(key) is None else string(given, key)


def whole(given: Object, key: str, *, ref: str | None = None) -> int:
    value = given.get(key)
    if type(value) is not int or not 0 <= value <= MAX_SEQ:  # a bool is an int to isinstance
        raise Malformed("bad_frame", f"'{key}' is a whole number from 0 to 2^53 - 1.", ref=ref)
    return value


def words(given: Object, key: str, *, ref: str | None = None) -> str:
    """What a customer wrote, without control characters but line feed and tab.

    Raises `Malformed` `too_large` and `empty_text` too.
    """
    text = _CONTROL.sub("", string(given, key, ref=ref))
    if len(text) > MAX_TEXT:
        raise Malformed("too_large", f"A message has at most {MAX_TEXT} characters.", ref=ref)
    if all(unicodedata.category(character) in _BLANK for character in text):
        raise Malformed("empty_text", "Write something first.", ref=ref)
    return text


def spoken(locale: str | None, languages: tuple[str, ...]) -> str | None:
    """The language of a tag such as `zh-CN`, if it is one of `languages`."""
    language = (locale or "").partition("-")[0].lower()
    return language if language in languages else None


def _unique(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("bad_frame", "A key occurs twice.")
    return found


def _not_json(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity: Python reads them, JSON has none


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_json)
