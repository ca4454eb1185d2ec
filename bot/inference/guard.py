"""A floor under generated text: a sentence passes only if one sentence of a passage holds all that it says.

"All that it says" is compared as words: numbers with their signs, content words (stemmed; Chinese segmented),
and the words that turn a meaning round or hang it on a condition (not, only, if; 不, 仅, 如). Wording may be
shorter than the source and in another order; it may not add, negate or drop a condition. This is a floor, not
the grounding check: it knows nothing of meaning, so a sentence put together wrongly from the words of ONE
source sentence gets through, and a true paraphrase in other words does not.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from bot.errors import GeneratorError
from bot.inference.generator import Bill, Generator, Passage, Prompt, cited, gap
from bot.inference.statement import Statement, read
from retrieval.text import split_sentences

_MARK = re.compile(r"\s*\[(\d{1,3})\]")
_LEADING_MARKS = re.compile(r"(?:\s*\[(?:\d{1,3}(?:\]|$)|$))+")
"""The last of them may still be coming in: "[1"."""
_GLUED_MARK = re.compile(r"(?<=[.!?])(?=\[\d)")
_MARKED_END = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*\s*(?:\[\d{1,3}\]\s*)+$")
_ENDED = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")

Sources = tuple[tuple[int, Statement], ...]
"""(mark, statement) of every sentence that may be leaned on, in the order of the passages."""


def read_sources(passages: Sequence[Passage], lang: str) -> Sources:
    return tuple((p.mark, read(sentence)) for p in passages for sentence in split_sentences(p.text, lang))


def supporters(sentence: str, sources: Sources) -> tuple[int, ...]:
    """Marks of the passages that hold all that the sentence says; none for a sentence without a word."""
    said = read(sentence)
    found = [(mark, source) for mark, source in sources if (said.words or said.runs) and source.covers(said)]
    if not any(source.is_whole(said) for _, source in found) and _ambiguous(said, sources):
        return ()
    return tuple(dict.fromkeys(mark for mark, _ in found))


def _ambiguous(said: Statement, sources: Sources) -> bool:
    """A shortened sentence whose words would bear another number as well: "costs 15" of "A costs 10. B costs 15."."""
    rivals = (source for _, source in sources if source.numbers and source.has_words_of(said))
    return bool(said.numbers) and any(not said.numbers <= rival.numbers for rival in rivals)


def approve(sentence: str, sources: Sources, lang: str) -> str | None:
    """The sentence with the mark of a passage that supports it (its own, if that does), or None."""
    plain = _MARK.sub("", sentence).strip()
    marks = supporters(plain, sources)
    claimed = [int(mark) for mark in _MARK.findall(sentence)]
    return cited(plain, next((m for m in claimed if m in marks), marks[0]), lang) if marks else None


async def guarded(stream: AsyncGenerator[str, None], prompt: Prompt) -> AsyncGenerator[str, None]:
    """What may be said of a generator's stream, sentence by sentence as each comes to its end, nothing twice.

    Raises GeneratorError where nothing may be said, and what the stream itself raises. The stream is closed
    with this one.
    """
    sources = read_sources(prompt.passages, prompt.lang)
    said: list[str] = []

    def settled(sentence: str) -> bool:
        """Whatever marks follow, the sentence will be said with the first one that supports it: it is there."""
        marks = supporters(_MARK.sub("", sentence).strip(), sources)
        return any(int(mark) in marks for mark in _MARK.findall(sentence))

    async with aclosing(stream), aclosing(_sentences(stream, prompt.lang, settled)) as sentences:
        async for sentence in sentences:
            approved = approve(sentence, sources, prompt.lang)
            if approved is None or approved in said:
                continue
            yield (gap(prompt.lang) if said else "") + approved
            said.append(approved)
            if len(said) == prompt.sentences:
                return
    if not said:
        raise GeneratorError("Nothing that was generated is supported by the passages.")


class Guarded:
    """A generator of which only supported sentences are heard."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name = generator.name

    async def open(self) -> None:
        await self._generator.open()

    def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        return guarded(self._generator.stream(prompt, deadline=deadline, bill=bill), prompt)

    async def close(self) -> None:
        await self._generator.close()


async def _sentences(
    stream: AsyncGenerator[str, None], lang: str, settled: Callable[[str], bool]
) -> AsyncGenerator[str, None]:
    """Whole sentences, each with the marks behind it; one that the stream's end cuts off is left out.

    A sentence is whole when the next one begins, for marks may follow; or, a token sooner, once it is `settled`.
    """
    rest, early = "", False
    async for piece in stream:
        rest += piece
        if early:
            marks = _LEADING_MARKS.match(rest)
            following = rest[marks.end() if marks else 0 :]
            if not following.strip():
                continue  # more marks of what is said already, or the beginning of one
            rest, early = following, False
        *whole, rest = _split(rest, lang)
        for sentence in whole:
            yield sentence
        if _MARKED_END.search(rest) and settled(rest):
            yield rest
            rest, early = "", True
    if not early and _ENDED.search(_MARK.sub("", rest).strip()):
        yield rest


def _split(text: str, lang: str) -> list[str]:
    """At least one part. Marks that begin a part belong to the one before; blanks at the end stay."""
    found: list[str] = []
    for part in split_sentences(_GLUED_MARK.sub(" ", text), lang):
        marks = _LEADING_MARKS.match(part)
        if found and marks:
            found[-1] += marks[0]
            part = part[marks.end() :]
        if part.strip():
            found.append(part)
    if not found:
        return [text]
    return [*found[:-1], found[-1].rstrip() + text[len(text.rstrip()) :]]
