"""What a text was meant to say: its slips mended, and where each character that is read was typed."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from retrieval.slips.chinese import RUN, Chinese
from retrieval.slips.english import WORD, English
from retrieval.text import as_read, origins

MAX_LENGTH = 200
"""Characters of a message in which slips are looked for: of a longer one a slip takes little away."""
KEPT = 4_096
"""Texts without slips that are remembered, by their digest: a message is read again with the one that follows it."""
_FIRST = 2
"""Letters of a word among which a capital may be its first one."""
_JOINED = re.compile(r"[\w@./:#&+%$€£¥_-]")
"""What a word of an address, a number or a code stands against."""
_NOT = re.compile("['’]t")
"""As in "wasn't"."""
_SENTENCE = re.compile(r"(?:^|[.!?;:。！？\n])\s*[\"'“‘(]*$")


Counted = Mapping[str, Mapping[str, int]]
"""How often a bot's texts say what, by kind."""


@dataclass(frozen=True, slots=True)
class Read:
    """`text`: as it is read (`retrieval.text.as_read`), without its slips. `came`: of each of its characters the place
    in the text that was typed, rising.
    """

    text: str
    came: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Mend:
    start: int
    end: int
    text: str


class Mender:
    """Of a bot's own texts, and safe in any number of threads."""

    def __init__(self, english: English, chinese: Chinese, names: frozenset[str]) -> None:
        self._english, self._chinese, self._names = english, chinese, names
        self._without: OrderedDict[bytes, None] = OrderedDict()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Mender:
        """Blocking: some tenths of a second for thousands of texts, and as much once for the general dictionaries."""
        written = list(texts)
        read = [as_read(text) for text in written]
        return cls(English.of(read), Chinese.of(read), _names(written))

    @classmethod
    def again(cls, counted: Counted) -> Mender:
        """The same as the one that told what it had counted."""
        split = (key.partition(" ") for key in counted["pairs"])
        often = counted["pairs"].values()
        pairs = {(first, second): n for (first, _, second), n in zip(split, often, strict=True)}
        english, chinese = English(counted["words"], pairs), Chinese(counted["terms"], counted["runs"])
        return cls(english, chinese, frozenset(counted["names"]))

    def counted(self) -> Counted:
        """What it took from its texts, for JSON."""
        return {
            "words": self._english.own,
            "pairs": {" ".join(pair): often for pair, often in self._english.pairs.items()},
            "terms": self._chinese.words,
            "runs": self._chinese.runs,
            "names": dict.fromkeys(sorted(self._names), 1),
        }

    def read(self, text: str) -> Read | None:
        """None where nothing was mended. Under a millisecond for a short text."""
        if len(text) > MAX_LENGTH:
            return None
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key in self._without:
            return None
        if (found := self._mended(text)) is None:
            self._without[key] = None
            if len(self._without) > KEPT:
                self._without.popitem(last=False)
        return found

    def _mended(self, text: str) -> Read | None:
        read = as_read(text)
        found = [*self._words(read), *self._characters(read)]
        if not found or len(came := origins(text, read)) != len(read):
            return None
        mends = sorted(self._but_names(found, text, came), key=lambda mend: mend.start)
        if not mends:
            return None
        parts, places, at = [], [], 0
        for mend in mends:
            parts += [read[at : mend.start], mend.text]
            places += [*came[at : mend.start], *_spread(came[mend.start : mend.end], len(mend.text))]
            at = mend.end
        return Read("".join([*parts, read[at:]]), [*places, *came[at:]])

    def _but_names(self, mends: Sequence[_Mend], text: str, came: Sequence[int]) -> Iterable[_Mend]:
        """What looks like a name is left, unless it is nearly one that the bot's texts have."""
        shouted = text.isupper() or text.istitle()
        for mend in mends:
            known = mend.text in self._names
            if shouted or known or not _is_name(text, came[mend.start], came[mend.end - 1] + 1):
                yield mend

    def _words(self, read: str) -> Iterable[_Mend]:
        found = list(WORD.finditer(read))
        words = [match.group() for match in found]
        for at, match in enumerate(found):
            meant = self._english.mended(words, at)
            if meant is not None and not _is_part(read, match.start(), match.end()):
                yield _Mend(match.start(), match.end(), meant)

    def _characters(self, read: str) -> Iterable[_Mend]:
        for match in RUN.finditer(read):
            if (found := self._chinese.mended(match.group())) is not None:
                at, character = match.start() + found[0], found[1]
                yield _Mend(at, at + 1, character)


def _is_part(read: str, start: int, end: int) -> bool:
    """Of something longer: an address, a code, a number, a "wasn't"."""
    before, after = read[max(start - 1, 0) : start], read[end : end + 2]
    return bool(_JOINED.match(before)) or (
        len(after) > 1
        and not after[1].isspace()
        and bool(_JOINED.match(after) or (_NOT.match(after) and read[end - 1] == "n"))
    )


def _is_name(text: str, start: int, end: int) -> bool:
    """Written with a capital though no sentence begins there, or with one inside. The first two letters change places,
    or stand twice, as others do: "hWich", "WWhat".
    """
    written = text[start:end]
    return any(map(str.isupper, written[_FIRST:])) or (
        any(map(str.isupper, written)) and not _SENTENCE.search(text[:start])
    )


def _names(texts: Iterable[str]) -> frozenset[str]:
    """Words that stand with a capital in mid-sentence, and mostly so, as they are read."""
    names, others = Counter[str](), Counter[str]()
    for text in texts:
        for match in WORD.finditer(text):
            word = match.group()
            if not word[0].isupper():
                others[word.casefold()] += 1
            elif not _SENTENCE.search(text[: match.start()]):
                names[word.casefold()] += 1
    return frozenset(word for word, often in names.items() if often > max(others[word], 1))


def _spread(places: Sequence[int], length: int) -> list[int]:
    """Places of the characters written, for as many characters as are read instead."""
    return [places[min(at, len(places) - 1)] for at in range(length)]
