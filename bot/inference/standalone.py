"""A follow-up as a question that stands by itself: what a language model made of it, where that can be taken.

What it may not do is bring in something that nobody said: a number, an address, a second line. What it says is searched
for, never shown.
"""

from __future__ import annotations

import re

from bot.inference.generator import FollowUp
from bot.inference.statement import read
from retrieval.text import script_lang

MAX_CHARACTERS = 200
_LABEL = re.compile(
    r"^(?:(?:question|rewritten question|standalone question)\s*:|(?:改写后的?)?问题\s*[:：])\s*", re.I
)
_QUOTES = "\"'“”‘’「」`* "
_ADDRESS = re.compile(r"https?://|www\.|@")


def standalone(said: str, asked: FollowUp) -> str | None:
    """The question, or None where it is none, or says what the conversation does not."""
    text = _LABEL.sub("", said.strip()).strip(_QUOTES)
    if not text or "\n" in text or len(text) > MAX_CHARACTERS or _ADDRESS.search(text):
        return None
    if script_lang(text) != asked.lang or text == asked.question.strip():
        return None
    known = [asked.question, *(part for turn in asked.history for part in (turn.question, turn.answer))]
    numbers = frozenset().union(*(read(part).numbers for part in known))
    return text if read(text).numbers <= numbers else None
