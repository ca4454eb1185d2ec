"""Whether two passages tell a customer different things about what was asked. Pure.

Of each passage only sentences count that share a word with the question and two with one another. They differ where
both hold an amount, a time, a share or another number, and none of one kind is the same; or where one denies what the
other says. That is rough: it is for passages of documents, which nobody compared with anything, and which both answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from retrieval.sentences import split_sentences
from retrieval.text import HAN, normalise, tokens

SHARED = 2
"""Words that two sentences share at least, numbers aside."""
ALIKE = 0.4
"""Share of the words of the shorter one from which on two sentences are alike."""
_ENGLISH = "one two three four five six seven eight nine ten"
_NUMBERS = {
    **{word: str(n) for n, word in enumerate(_ENGLISH.split(), 1)},
    **{word: str(n) for n, word in enumerate("一二三四五六七八九十", 1)},
    "两": "2",
}
_NUMBER = rf"(\d+(?:[.,:]\d+)*|\b(?:{_ENGLISH.replace(' ', '|')})\b|[一两二三四五六七八九十])"
_TIME = "(?:working |business )?(?:days?|weeks?|months?|hours?|minutes?|工作日|天|日|周|月|小时|分钟)"
_KINDS = {
    "amount": rf"(?:cny|rmb|yuan|eur|usd|[$€£¥])\s*{_NUMBER}|{_NUMBER}\s*(?:yuan|euros?|dollars?|元|块|欧元|美元)",
    "share": rf"{_NUMBER}\s*(?:%|percent\b|per cent\b|个点)",
    "time": rf"{_NUMBER}\s*个?{_TIME}",
    "age": rf"{_NUMBER}\s*(?:周?岁|years? old)",
    "clock": r"(\d{1,2}[:：]\d\d)",
}
_FOUND = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
_DENIES = re.compile(
    r"\b(?:not|no|never|none|cannot|without|free)\b|n't\b|[不无未勿]|免费|免收|(?<!避)免(?!疫|税)"
)
_HAN = re.compile(f"[{HAN}]")


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence of either passage."""

    first: str
    second: str


def difference(question: str, first: str, second: str, lang: str) -> Difference | None:
    """The first pair of sentences of the two texts that tell different things about the question."""
    asked = _words(question)
    ones = [(text, _words(text)) for text in split_sentences(first, lang)]
    others = [(text, _words(text)) for text in split_sentences(second, lang)]
    for one, its in ones:
        for other, others_words in others:
            shared = its & others_words
            if len(shared) < SHARED or not its & asked or not others_words & asked:
                continue
            alike = len(shared) >= ALIKE * min(len(its), len(others_words))
            if _differ(normalise(one), normalise(other), alike=alike):
                return Difference(one, other)
    return None


def _words(text: str) -> frozenset[str]:
    """Stems, and pairs of Chinese characters: one of them says little."""
    return frozenset(
        term for term in tokens(text) if not term[0].isdigit() and not (len(term) == 1 and _HAN.match(term))
    )


def _differ(one: str, other: str, *, alike: bool) -> bool:
    """A denial counts between sentences that are `alike`: one that goes on about something else may deny anything."""
    ones, others = _values(one), _values(other)
    shared = ones.keys() & others.keys()
    if shared:
        return any(ones[kind].isdisjoint(others[kind]) for kind in shared)
    return alike and bool(_DENIES.search(one)) != bool(_DENIES.search(other))


def _values(text: str) -> dict[str, frozenset[str]]:
    found = {
        kind: frozenset(
            _NUMBERS.get(number, number).replace(",", "")
            for groups in pattern.findall(text)
            for number in ([groups] if isinstance(groups, str) else groups)
            if number
        )
        for kind, pattern in _FOUND.items()
    }
    return {kind: values for kind, values in found.items() if values}
