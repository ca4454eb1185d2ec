"""What an answer may be made of: entries as they may be said, and what of the conversation goes along. Pure.

Stored answers were written by the operator. A document was written by anybody: it is read as data. Sentences in it that
are orders to the bot are left out, its numbers in square brackets are no marks of sources, and a passage has a length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from bot.inference.generator import Exchange, Passage
from bot.inference.grounding.commands import is_command, without_commands
from bot.inference.grounding.differ import Difference, difference
from retrieval.sections import is_document
from retrieval.text import HAN
from retrieval.types import Entry

MAX_PASSAGE = 4_000
"""Characters: some pages of a document are one paragraph."""
MAX_WHOLE = 1_500
"""Characters of a section that go along with a passage of it."""
HISTORY_TOKENS = 600
"""Of earlier turns, the newest first: what a small model still attends to, beside its passages."""
_MARK = re.compile(r"\[(\d{1,3})\]")
_HAN_RUN = re.compile(f"[{HAN}]+")


def sayable(entry: Entry) -> Entry | None:
    """The entry as customers may hear it; None where nothing of it is for them."""
    if not is_document(entry):
        return entry
    answer = without_commands(entry.answer, entry.lang).strip()
    if not answer or is_command(entry.question):
        return None
    return (
        entry
        if answer == entry.answer and not is_command(entry.title)
        else replace(entry, answer=answer, title="" if is_command(entry.title) else entry.title)
    )


def differing(question: str, entries: Sequence[Entry], lang: str) -> tuple[Entry, Entry, Difference] | None:
    """Two of these that tell different things about the question. Of stored answers alone none: the operator wrote them
    beside one another.
    """
    for one, other in combinations(entries, 2):
        if not (is_document(one) or is_document(other)) or one.lang != other.lang:
            continue
        if (
            found := difference(question, one.answer[:MAX_PASSAGE], other.answer[:MAX_PASSAGE], lang)
        ) is not None:
            return one, other, found
    return None


def as_passages(entries: Sequence[Entry], wholes: Mapping[str, str] | None = None) -> tuple[Passage, ...]:
    """Numbered from 1, in their order. `wholes`: by id, the sections that they stand in."""
    wholes = wholes or {}
    return tuple(
        Passage(n, _unmarked(e.question), _cut(_unmarked(e.answer)), _unmarked(wholes.get(e.id, "")))
        for n, e in enumerate(entries, 1)
    )


def whole(entry: Entry, section: Sequence[Entry]) -> str:
    """The entry's text with what stands around it in its section, as much as `MAX_WHOLE` allows; "" where it adds none.

    What comes after is taken before what came ahead: an answer goes on more often than it began earlier.
    """
    at = next((n for n, one in enumerate(section) if one.id == entry.id), None)
    if at is None or len(section) < 2:
        return ""
    taken, left = {at: entry.answer}, MAX_WHOLE - len(entry.answer)
    for step in (1, -1):
        place = at + step
        while 0 <= place < len(section) and (said := sayable(section[place])) is not None:
            if (left := left - len(said.answer)) < 0:
                break
            taken[place] = said.answer
            place += step
    return "\n".join(taken[place] for place in sorted(taken)) if len(taken) > 1 else ""


def recent(history: Sequence[Exchange], *, tokens: int = HISTORY_TOKENS) -> tuple[Exchange, ...]:
    """The newest exchanges that fit, oldest first."""
    kept: list[Exchange] = []
    for exchange in reversed(history):
        tokens -= about_tokens(exchange.question) + about_tokens(exchange.answer)
        if tokens < 0:
            break
        kept.append(exchange)
    return tuple(reversed(kept))


def about_tokens(text: str) -> int:
    """As language models count, roughly and rather too many: a Chinese character is one, of others four make one."""
    han = sum(map(len, _HAN_RUN.findall(text)))
    return han + -(-(len(text) - han) // 4)


def _unmarked(text: str) -> str:
    return _MARK.sub(r"(\1)", text) if "[" in text else text


def _cut(text: str) -> str:
    """At the end of a sentence or a line where there is one."""
    if len(text) <= MAX_PASSAGE:
        return text
    part = text[:MAX_PASSAGE]
    end = max(part.rfind(sign) for sign in ("\n", "。", ". ", "！", "？"))
    return part[: end + 1].rstrip() if end > MAX_PASSAGE // 2 else part
