"""Words of English and Chinese that carry nothing for a search, and a light English stemmer.

The lists are short on purpose: BM25 gives frequent words little weight anyway, and a word wrongly left out
cannot be found.
"""

from __future__ import annotations

from functools import lru_cache

_ENGLISH = """
a an the and or but if of in on at to for from by with about into as than then so it its this that these
those i me my mine we us our you your he she they them their is am are was were be been being do does did
have has had can could will would shall should may might must there here what which who whom whose when
where why how please just also
"""
_CHINESE = "的 了 呢 吗 吧 啊 呀 嘛 哦 么 请 请问 一下 怎 怎么 怎样 如何 什 什么 可以"
"""Terms are characters and pairs of them (see `retrieval.text.tokens`), so no longer word is needed."""

STOP_WORDS = frozenset(_ENGLISH.split() + _CHINESE.split())

_SHORTEST = 3
_VOWELS = frozenset("aeiouy")
_KEEP_S = ("ss", "us", "is")
_UNDOUBLE = frozenset("bdgmnprt")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """One form for plural, -ing, -ed and silent e: cards and card, freezing and freeze. Expects lower case.

    Rules: -ies becomes -y, or else -s is dropped unless it is -ss, -us or -is; then -ing or -ed is dropped
    where three letters with a vowel remain, and a consonant doubled at the new end halved; a final e is
    dropped.
    """
    if word.endswith("ies") and len(word) > _SHORTEST + 1:
        word = word[:-3] + "y"
    elif word.endswith("s") and len(word) > _SHORTEST and not word.endswith(_KEEP_S):
        word = word[:-1]
    word = _without_ending(word)
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST else word


def _without_ending(word: str) -> str:
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= _SHORTEST and not _VOWELS.isdisjoint(rest):
            return rest[:-1] if rest[-1] == rest[-2] and rest[-1] in _UNDOUBLE else rest
    return word
