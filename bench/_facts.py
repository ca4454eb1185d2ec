"""A judge of statements that knows nothing of the bot's own check: is all that is stated in these texts?

Strict, and by the letter: every number, date, amount, telephone, link and name of the statement has to occur in the
texts as it is written, nearly all of its other words too, and it may deny nothing that they do not deny. What is meant
is beyond it: a true statement in words of its own counts as unsupported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

WORDS = 0.9
"""Share of a statement's words that the texts have to hold."""
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_ENDS = re.compile(r"(?<=[。！？；])|(?<=[.!?])\s+|\n+")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。；）)]+|[\w.+-]+@[\w-]+\.[\w.]+", re.IGNORECASE)
_NUMBER = re.compile(r"\d(?:[\d,.:/\-]*\d)?")
_NAME = re.compile(
    r"(?<!^)(?<![.!?:] )\b[A-Z][\w&-]*\b|[A-Za-z][\w&-]*(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])[A-Za-z][\w&-]*"
)
_WORD = re.compile(r"[a-z]{2,}|[\u4e00-\u9fff]+")
_STOP = """
a an the and or but of in on at to for from by with as is are was were be been it its this that these those you your we
our us i my they their he she not no do does did have has had can will would may must if than then so
"""
_COMMON = frozenset(_STOP.split())
_DENIES = re.compile(r"\b(?:not|no|never|cannot|without|none)\b|n't\b|[不没无未勿非]")


def statements(reply: str) -> list[str]:
    """Its sentences, without the marks of sources."""
    plain = _MARK.sub("", reply)
    return [one.strip() for one in _ENDS.split(plain) if one and re.search(r"\w", one)]


def holds(statement: str, texts: Iterable[str]) -> bool:
    """Whether these texts, each by itself or all together, state it."""
    whole = _folded("\n".join(texts))
    said = _folded(statement)
    bare = re.sub(r"\s+", "", said).strip("。.!?！？；;")
    return bare in re.sub(r"\s+", "", whole) or (
        _all_in(_LINK.findall(said), whole)
        and _numbers(said) <= _numbers(whole)
        and _all_in(
            (name.casefold() for name in _NAME.findall(unicodedata.normalize("NFKC", statement))), whole
        )
        and len(_DENIES.findall(said)) <= len(_DENIES.findall(whole))
        and _share(said, whole) >= WORDS
    )


def links(text: str) -> list[str]:
    return [_folded(link).rstrip(".,") for link in _LINK.findall(text)]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _all_in(parts: Iterable[str], whole: str) -> bool:
    return all(part.rstrip(".,") in whole for part in parts)


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def _share(said: str, whole: str) -> float:
    wanted = list(_units(said))
    if not wanted:
        return 1.0
    there = set(_units(whole))
    return sum(unit in there for unit in wanted) / len(wanted)


def _units(text: str) -> Sequence[str]:
    """English words that carry something, and pairs of neighbouring Chinese characters."""
    found: list[str] = []
    for word in _WORD.findall(text):
        if word[0] < "\u4e00":
            if word not in _COMMON:
                found.append(word.removesuffix("s"))
        else:
            found += [word[at : at + 2] for at in range(max(len(word) - 1, 1))]
    return found
