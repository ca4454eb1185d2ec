"""Entities marked in examples, as Rasa has them: `where is [88123](order)`, `where is [88123]{"entity": "order"}`."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from bot.definition.reader import Document, Loc
from bot.definition.sentences import suggestion
from bot.definition.text import one_line
from training.entities.entity import atoms
from training.entities.spec import Example, Span

_MARK = re.compile(r"\[(?P<said>[^\[\]]*)\](?:\((?P<kind>[^()]*)\)|(?P<told>\{[^{}]*\}))")


@dataclass(frozen=True, slots=True)
class _Wrong(Exception):
    message: str
    hint: str


def unmarked(document: Document, loc: Loc, text: str, kinds: Collection[str]) -> Example:
    """The text as a customer writes it, and what was marked in it. Raises `DefinitionError`."""
    try:
        return _read(text, kinds)
    except _Wrong as wrong:
        raise document.wrong(loc, wrong.message, wrong.hint) from None


def unmarked_all(
    document: Document, loc: Loc, texts: Mapping[str, list[str]], kinds: Collection[str]
) -> dict[str, list[Example]]:
    """The same for lists by language, which stand at `loc`."""
    return {
        lang: [unmarked(document, (*loc, lang, number), text, kinds) for number, text in enumerate(lines)]
        for lang, lines in texts.items()
    }


def _read(text: str, kinds: Collection[str]) -> Example:
    parts, spans, length, end = [], [], 0, 0
    for match in _MARK.finditer(text):
        between, said = text[end : match.start()], match["said"]
        kind = _kind(match, kinds)
        length += len(between)
        lead = len(said) - len(said.lstrip())
        spans.append(Span(length + lead, length + len(said.rstrip()), kind))
        parts += [between, said]
        length += len(said)
        end = match.end()
    plain = "".join([*parts, text[end:]])
    for wrong in _cut(plain, spans):
        raise wrong
    return Example(plain, tuple(spans))


def _kind(match: re.Match[str], kinds: Collection[str]) -> str:
    kind = match["kind"] if match["told"] is None else _told(match["told"])
    if kind not in kinds:
        name = one_line(kind)
        if not kinds:
            raise _Wrong(
                f"the entity `{name}` is marked here, and no kinds are named.", "Name it in entities.yml."
            )
        raise _Wrong(f"unknown entity `{name}`.", suggestion(kind, tuple(kinds)))
    if not match["said"].strip():
        raise _Wrong(
            f"the mark `{one_line(kind)}` holds no text.", "Write what the customer says in the brackets."
        )
    return kind


def _told(told: str) -> str:
    try:
        about = json.loads(told)
    except ValueError:
        raise _Wrong(f"the mark `{one_line(told)}` is not JSON.", 'Write {"entity": "order"}.') from None
    if set(about) != {"entity"} or not isinstance(about["entity"], str):
        raise _Wrong(
            f"the mark `{one_line(told)}` is not understood.", 'Write {"entity": "order"} and no more.'
        )
    return str(about["entity"])


def _cut(plain: str, spans: list[Span]) -> Iterator[_Wrong]:
    """Entities are made of whole words, numbers and Chinese characters."""
    places = atoms(plain)
    starts, ends = {start for start, _ in places}, {end for _, end in places}
    for span in spans:
        if span.start not in starts or span.end not in ends:
            said = one_line(plain[span.start : span.end])
            yield _Wrong(f"the mark of `{said}` cuts a word in two.", "Mark whole words.")
