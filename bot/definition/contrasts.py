"""Contrast sets (Gardner et al. 2020): `contrasts.LANG.jsonl` beside a bot's bot.yml, messages that one detail parts.

{"id", "answered", "unanswered"} a line. `id`: key of a stored answer; `answered`: messages that it answers;
`unanswered`: messages on the same matter that it only just does not. A verifier is taught by them; the bot learns no
phrasing from them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.definition.strict import Line, strict_lines
from bot.errors import DefinitionError
from retrieval.text import normalise

SHAPE = '{"id": ..., "answered": [...], "unanswered": [...]}'
KEYS = ("id", "answered", "unanswered")
MAX_SETS = 20_000
MAX_MESSAGES = 64
"""Of either kind, for one answer: all of them are read in one go."""
MAX_TEXT = 4_000
"""Characters of a message."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Of one answer in one language."""

    key: str
    lang: str
    answered: tuple[str, ...]
    unanswered: tuple[str, ...]
    file: str
    line: int


def contrast_file(lang: str) -> str:
    return f"contrasts.{lang}.jsonl"


def read_contrasts(
    folder: Path, languages: Sequence[str], known: Collection[tuple[str, str]]
) -> tuple[Contrast, ...]:
    """All of a bot folder, in the order of its `languages`; none where it has no such file. `known`: (key, language) of
    stored answers. Raises `DefinitionError` for the first line that cannot be used.
    """
    keys = frozenset(known)
    found: dict[tuple[str, str], Contrast] = {}
    for lang in languages:
        path = folder / contrast_file(lang)
        for line in strict_lines(path, name=path.name, shape=SHAPE) if path.is_file() else ():
            one = _contrast(line, lang)
            if (one.key, lang) not in keys:
                hint = "Name the `id` of a question in knowledge/."
                raise line.wrong(f"`{one.key}` is no stored answer in {lang}.", hint)
            if (one.key, lang) in found:
                raise line.wrong(f"`{one.key}` has a line already.", "Put them into one.")
            if len(found) >= MAX_SETS:
                raise line.wrong(f"is beyond {MAX_SETS} lines.")
            found[one.key, lang] = one
    return tuple(found.values())


def _contrast(line: Line, lang: str) -> Contrast:
    line.knows(KEYS)
    answered, unanswered = (_messages(line, key) for key in ("answered", "unanswered"))
    both = {normalise(text) for text in answered} & {normalise(text) for text in unanswered}
    if both:
        raise line.wrong(
            f"`{min(both)}` is both answered and unanswered.", "Leave it out, or decide which it is."
        )
    return Contrast(line.text("id"), lang, answered, unanswered, line.file, line.number)


def _messages(line: Line, key: str) -> tuple[str, ...]:
    found = line.texts(key, least=1)
    if len(found) > MAX_MESSAGES:
        raise line.wrong(f"`{key}` has more than {MAX_MESSAGES} texts.", "Leave some out.")
    if any(len(text) > MAX_TEXT for text in found):
        raise line.wrong(f"a text of `{key}` is longer than {MAX_TEXT} characters.", "Shorten it.")
    return found


def require_contrasts(
    folder: Path, languages: Sequence[str], known: Collection[tuple[str, str]]
) -> tuple[Contrast, ...]:
    """As `read_contrasts`; a bot must have some."""
    if not (found := read_contrasts(folder, languages, known)):
        names = " or ".join(map(contrast_file, languages))
        raise DefinitionError("has no contrast sets.", file=str(folder), hint=f"Write {names}: {SHAPE}")
    return found
