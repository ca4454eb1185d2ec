"""Why a sentence is withheld: the first check that it fails. For traces: a word each, and nothing of what was said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.inference.statement import Statement, read

NUMBERS, LINKS, TURNS, WORDS, MEANING = "numbers", "links", "turns", "words", "meaning"
"""An amount, date, telephone or other number; an address; a negation or condition; any other word, names too; what it
means, though its words stand there."""
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']+|[\w.+-]+@[\w-]+\.\w[\w.]*", re.IGNORECASE)
_WITHHELD = re.compile(r"; withheld: (.+)$")


def objection(sentence: str, sources: Sequence[Statement]) -> str:
    """To a sentence that no source covers."""
    said = read(sentence)
    if any(not any(link.casefold() in source.text for source in sources) for link in _links(sentence)):
        return LINKS
    if any(not any(number in source.numbers for source in sources) for number in said.numbers):
        return NUMBERS
    with_words = [source for source in sources if source.has_words_of(said)]
    if not with_words:
        return WORDS
    return TURNS if any(source.binds(said) for source in with_words) else NUMBERS


def only_words(sentence: str, source: Statement) -> bool:
    """Whether the source has all but the words: numbers, addresses, Latin names in capitals, negations."""
    said = read(sentence)
    return (
        source.binds(said)
        and said.turns == source.turns
        and all(part.casefold() in source.text for part in (*_links(sentence), *_names(sentence)))
    )


def told(reasons: Iterable[str]) -> str:
    """Behind the reason of a decision: "; withheld: numbers 2, words 1". Empty for none."""
    counts = Counter(reasons)
    listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"; withheld: {listed}" if listed else ""


def counted(reason: str) -> int:
    """How many sentences a reason says were withheld."""
    found = _WITHHELD.search(reason)
    return sum(int(part.rpartition(" ")[2]) for part in found[1].split(", ")) if found else 0


def _links(text: str) -> list[str]:
    return [link.rstrip(".,;，。；") for link in _LINK.findall(text)]


def _names(text: str) -> list[str]:
    return re.findall(r"(?<!^)(?<![.!?] )\b[A-Z][\w&-]*", text)
