"""What a text was meant to say: its slips mended, and where each character that is read was typed."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from retrieval.slips.chinese import RUN, Chinese
from retrieval.slips.english import WORD, English
from retrieval.text import as_read, origins

MAX_LENGTH = 200
"""Characters of a message in which slips are looked for: of a longer one a slip takes little away."""
KEPT = 4_096
"""Texts without slips that are remembered, by their digest: a message is read again with the one that follows it."""
_JOINED = re.compile(r"[\w@./:#&+%$€£¥_-]")
"""What a word of an address, a number or a code stands against."""
_SENTENCE = re.compile(r"(?:^|[.!?;:。！？\n])\s*[\"'“‘(]*$")


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

    def __init__(self, texts: Iterable[str]) -> None:
        """Blocking: some tenths of a second for thousands of texts, and as much once for the general dictionaries."""
        read = [as_read(text) for text in texts]
        self._english, self._chinese = English(read), Chinese(read)
        self._without: OrderedDict[bytes, None] = OrderedDict()

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
        mends = sorted(_but_names(found, text, came), key=lambda mend: mend.start)
        if not mends:
            return None
        parts, places, at = [], [], 0
        for mend in mends:
            parts += [read[at : mend.start], mend.text]
            places += [*came[at : mend.start], *_spread(came[mend.start : mend.end], len(mend.text))]
            at = mend.end
        return Read("".join([*parts, read[at:]]), [*places, *came[at:]])

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
    """Of something longer: an address, a code, a number."""
    before, after = read[max(start - 1, 0) : start], read[end : end + 2]
    return bool(_JOINED.match(before)) or (
        len(after) > 1 and bool(_JOINED.match(after)) and not after[1].isspace()
    )


def _but_names(mends: Sequence[_Mend], text: str, came: Sequence[int]) -> Iterable[_Mend]:
    shouted = text.isupper() or text.istitle()
    for mend in mends:
        if shouted or not _is_name(text, came[mend.start], came[mend.end - 1] + 1):
            yield mend


def _is_name(text: str, start: int, end: int) -> bool:
    """Written with a capital though no sentence begins there, or with one inside."""
    written = text[start:end]
    return any(map(str.isupper, written[1:])) or (
        written[:1].isupper() and not _SENTENCE.search(text[:start])
    )


def _spread(places: Sequence[int], length: int) -> list[int]:
    """Places of the characters written, for as many characters as are read instead."""
    return [places[min(at, len(places) - 1)] for at in range(length)]
