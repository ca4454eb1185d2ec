"""What one sentence says, as words: numbers with their signs, content words, and words that turn a meaning.

For comparison by inclusion, nothing finer: word order and grammar are not seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from retrieval.terms import stem
from retrieval.text import HAN, normalise, tokens

_NUMBER = re.compile(r"[$€£¥]?\d(?:[\d.,:/~–-]*\d)?[%‰°]?")
_TURN = re.compile(
    r"\b(?:no|not|cannot|never|none|nobody|nothing|neither|nor|without|unless|except|only|if|until)\b"
    r"|(?:\b(?:ca|wo|sha))?n['’]t\b"
    "|[不没無无未非勿别除仅只如若]"
)
_LAST = re.compile(rf"([{HAN}]|[^\W\d_{HAN}]+)\s*$")
_FIRST = re.compile(rf"^\s*([{HAN}]|[^\W\d_{HAN}]+)")
_RUN = re.compile(f"[{HAN}]+")
_ENGLISH = """
a an the and or but of in on at to for from by with as than then so it its this that these those i me my we us
our you your he she they them their is am are was were be been being do does did have has had can could will
would shall should may might there here please just also
"""
_SAYING_NOTHING = frozenset(map(stem, _ENGLISH.split()))
_SAYING_NOTHING_ZH = re.compile(
    "可以|我们|你们|您们|请问|[的了呢吗吧啊呀啦是在有和与及或就都也还又会能请您你我为将把被给到从这那]"
)
_NOT = ("cannot", "n't", "n’t")


@dataclass(frozen=True, slots=True)
class Statement:
    """What one sentence says, as far as this guard can see. `text` is normalised.

    `words`: stemmed, of alphabetic scripts. `runs`: of Chinese characters, between the words that carry nothing.
    `bound`: each number with the word before or behind it ("costs 10", "10 yuan"), or alone where it has neither.
    """

    text: str
    words: frozenset[str]
    runs: frozenset[str]
    numbers: frozenset[str]
    turns: frozenset[str]
    bound: frozenset[tuple[str, str]] = frozenset()

    def has_words_of(self, other: Statement) -> bool:
        """Chinese knows no blanks between words: each character must stand beside the same neighbour here."""
        return other.words <= self.words and all(_shares_neighbours(run, self.text) for run in other.runs)

    def covers(self, other: Statement) -> bool:
        """Whether `other` says nothing that this does not say."""
        return self.binds(other) and other.turns == self.turns and self.has_words_of(other)

    def binds(self, other: Statement) -> bool:
        """Whether every number of `other` stands here, and beside a word that it has there: of "costs 10 and takes
        5 days" nobody may make "costs 5".
        """
        return other.numbers <= self.numbers and all(
            any(pair in self.bound for pair in other.bound if pair[0] == number)
            for number in other.numbers
            if any(pair[0] == number for pair in other.bound)
        )

    def is_whole(self, other: Statement) -> bool:
        """Whether `other` leaves nothing out."""
        return (self.words, self.runs, self.numbers) == (other.words, other.runs, other.numbers)


def read(sentence: str) -> Statement:
    plain = unicodedata.normalize("NFKC", sentence).casefold()
    rest = _TURN.sub(" ", plain)
    return Statement(
        normalise(sentence),
        frozenset(token for token in tokens(rest) if not token[0].isdigit() and not _RUN.match(token))
        - _SAYING_NOTHING,
        frozenset(_RUN.findall(_SAYING_NOTHING_ZH.sub(" ", rest))),
        frozenset(_NUMBER.findall(plain)),
        frozenset("not" if turn.endswith(_NOT) else turn for turn in _TURN.findall(plain)),
        frozenset(_bound(plain)),
    )


def _bound(plain: str) -> Iterator[tuple[str, str]]:
    for match in _NUMBER.finditer(plain):
        for beside in (_LAST.search(plain[: match.start()]), _FIRST.search(plain[match.end() :])):
            if beside is not None:
                yield match.group(), beside.group(1)


def _shares_neighbours(run: str, text: str) -> bool:
    if len(run) == 1:
        return run in text
    shared = [run[at : at + 2] in text for at in range(len(run) - 1)]
    return all(left or right for left, right in pairwise([False, *shared, False]))
