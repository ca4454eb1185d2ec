"""Messages that ask several things at once: "How do I replace a card, and what does a courier cost?" Pure."""

from __future__ import annotations

import re

from bot.domain.followup import contextual, leans
from retrieval.terms import STOP_WORDS
from retrieval.text import HAN, tokens

MOST = 3
_ENDS = re.compile(r"(?<=[?？!！。；;\n])\s*|(?<=\.)\s+")
_WHEN = r"when(?!\s+(?:i|you|he|she|it|we|they|there|my|your|his|her|its|our|their|this|that|these|those|a|an|the)\b)"
"""Of "when": not where it begins a clause that asks nothing, "when I order, what does it cost?"."""
_ASK_EN = (
    rf"(?:how|what|which|where|{_WHEN}|who|why|can|could|do|does|did|is|are|will|would|may|should|has|have)\b"
)
_ALSO = re.compile(
    rf"[,;]?\s+(?:and|also|plus|or)\s+(?:also\s+)?(?={_ASK_EN})|,\s+(?={_ASK_EN})", re.IGNORECASE
)
_CUE_ZH = "怎么|怎样|如何|多少|多久|几|哪|什么|吗|呢|能不能|可不可以|是不是|要不要|有没有|行不行|咋|啥"
_ALSO_ZH = re.compile(r"[，,]\s*(?:还有|另外|以及|顺便|同时|再)?")
_ASKS = re.compile(
    rf"[?？]|\b(?:how|what|which|where|who|why)\b|^\W*(?:and |also )?{_ASK_EN}|{_CUE_ZH}", re.IGNORECASE
)
_HAN = re.compile(f"[{HAN}]")


def questions(text: str) -> tuple[str, ...]:
    """The two or three questions of a message, each as it can be asked by itself; none where it asks one thing.

    What only leads up to a question stays with it. A later one that leans on the first ("and what does it cost?") is
    read behind it.
    """
    parts = _led_up([part for sentence in _ENDS.split(text) for part in _clauses(sentence) if part.strip()])
    asked = [part.strip(" ,，;；") for part in parts if _ASKS.search(part)]
    if not 2 <= len(asked) <= MOST or any(STOP_WORDS.issuperset(tokens(part)) for part in asked):
        return ()
    first, *others = asked
    return first, *(contextual(first, part) if leans(part) else part for part in others)


def _clauses(sentence: str) -> list[str]:
    pattern = _ALSO_ZH if _HAN.search(sentence) else _ALSO
    parts = pattern.split(sentence)
    return parts if sum(bool(_ASKS.search(part)) for part in parts) > 1 else [sentence]


def _led_up(parts: list[str]) -> list[str]:
    """What asks nothing belongs to the question behind it, or, at the end, to the one before."""
    found: list[str] = []
    before = ""
    for part in parts:
        if _ASKS.search(part):
            found.append(f"{before} {part}".strip())
            before = ""
        else:
            before = f"{before} {part}".strip()
    if before and found:
        found[-1] = f"{found[-1]} {before}"
    return found
