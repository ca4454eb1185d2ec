"""The check under generated text: a sentence passes only if one sentence of a passage holds all that it says.

"All that it says" is compared as words: numbers with their signs, content words (stemmed; Chinese segmented),
and the words that turn a meaning round or hang it on a condition (not, only, if; 不, 仅, 如). Wording may be
shorter than the source and in another order; it may not add, negate or drop a condition. Beside its words a sentence
that is not the source's own is asked for what it means (`grounding.meaning`): the encoder finds what was shortened
beyond sense, and does not see who does what to whom; a model of entailment behind the same port may also let a true
sentence in words of its own pass.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from bot.errors import Busy, GeneratorError, InferenceError, NotKnown
from bot.inference.generator import Bill, Generator, Passage, Prompt, cited, gap
from bot.inference.grounding.meaning import Meaning, by
from bot.inference.grounding.objections import MEANING, objection, only_words
from bot.inference.grounding.refusal import is_refusal
from bot.inference.statement import Statement, read
from retrieval.text import normalise, split_sentences

TOGETHER = 8
"""Sentences that are asked about at once, of those that came in one piece."""
PATIENCE_S = 2.0
"""How long a sentence may wait for the encoder: longer, and it is withheld."""
MARK = re.compile(r"\s*\[(\d{1,3})\]")
_LEADING_MARKS = re.compile(r"(?:\s*\[(?:\d{1,3}(?:\]|$)|$))+")
"""The last of them may still be coming in: "[1"."""
_GLUED_MARK = re.compile(r"(?<=[.!?])(?=\[\d)")
_MARKED_END = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*\s*(?:\[\d{1,3}\]\s*)+$")
_ENDED = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")

Sources = Sequence[tuple[int, Statement]]
"""(mark, statement) of every sentence that may be leaned on, in the order of the passages."""


def read_sources(passages: Sequence[Passage], lang: str) -> Sources:
    return tuple((p.mark, read(sentence)) for p in passages for sentence in split_sentences(p.read, lang))


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
    plain = MARK.sub("", sentence).strip()
    marks = supporters(plain, sources)
    claimed = [int(mark) for mark in MARK.findall(sentence)]
    return cited(plain, next((m for m in claimed if m in marks), marks[0]), lang) if marks else None


async def _approved(
    sentence: str, sources: Sources, prompt: Prompt, *, meaning: Meaning | None
) -> str | None:
    """As `approve`, with what the sentence means beside its words; why it is withheld goes to the prompt."""
    plain = MARK.sub("", sentence).strip()
    if (found := approve(sentence, sources, prompt.lang)) is not None:
        marks = supporters(plain, sources)
        leaned = [(mark, one) for mark, one in sources if mark in marks and one.covers(read(plain))]
        if meaning is None or any(one.text == normalise(plain) for _, one in leaned):
            return found
        if max(await _support(plain, leaned, meaning), default=0.0) >= meaning.least:
            return found
        prompt.withheld.append(MEANING)
        return None
    if meaning is not None and meaning.enough is not None:
        others = [(mark, one) for mark, one in sources if read(plain).words and only_words(plain, one)]
        support = await _support(plain, others, meaning)
        for (mark, _), one in sorted(zip(others, support, strict=True), key=lambda pair: -pair[1])[:1]:
            if one >= meaning.enough:
                return cited(plain, mark, prompt.lang)
    prompt.withheld.append(objection(plain, [one for _, one in sources]))
    return None


async def _all_approved(
    sentences: Sequence[str], sources: Sources, prompt: Prompt, meaning: Meaning | None
) -> Sequence[str | None]:
    """What came together is asked about together: the encoder takes it in one batch."""
    if (
        meaning is None or len(sentences) == 1
    ):  # as nearly always: a task for each would cost more than it does
        return [await _approved(one, sources, prompt, meaning=meaning) for one in sentences]
    asked = (_approved(one, sources, prompt, meaning=meaning) for one in sentences)
    return await asyncio.gather(*asked)


async def _support(plain: str, sources: Sources, meaning: Meaning) -> Sequence[float]:
    """What cannot be found out in time supports nothing."""
    if not sources:
        return ()
    try:
        return await meaning.support(plain, [one.text for _, one in sources], deadline=by(PATIENCE_S))
    except (Busy, InferenceError):
        return [0.0] * len(sources)


async def guarded(
    stream: AsyncGenerator[str, None], prompt: Prompt, meaning: Meaning | None = None
) -> AsyncGenerator[str, None]:
    """What may be said of a generator's stream, sentence by sentence as each comes to its end, nothing twice.

    `meaning`: asked about every sentence that is no sentence of a passage as it stands; None: words alone decide.
    Raises GeneratorError where nothing may be said, NotKnown where the generator begins by saying that it does not know
    (what follows is beside the question), and what the stream itself raises. The stream is closed with this one.
    """
    sources = read_sources(prompt.passages, prompt.lang)
    said: list[str] = []

    def settled(sentence: str) -> bool:
        """Whatever marks follow, the sentence will be said with the first one that supports it: it is there."""
        marks = supporters(MARK.sub("", sentence).strip(), sources)
        return any(int(mark) in marks for mark in MARK.findall(sentence))

    async with aclosing(stream), aclosing(_sentences(stream, prompt.lang, settled)) as parts:
        async for part in parts:
            for start in range(0, len(part), TOGETHER):
                some = part[start : start + TOGETHER]
                checked = await _all_approved(some, sources, prompt, meaning)
                for sentence, approved in zip(some, checked, strict=True):
                    if approved is None and not said and is_refusal(sentence):
                        raise NotKnown("The generator found no answer in the passages.")
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

    def __init__(self, generator: Generator, meaning: Meaning | None = None) -> None:
        self._generator, self._meaning = generator, meaning
        self.name = generator.name

    async def open(self) -> None:
        await self._generator.open()

    @property
    def inner(self) -> Generator:
        """Unguarded."""
        return self._generator

    def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        return guarded(self._generator.stream(prompt, deadline=deadline, bill=bill), prompt, self._meaning)

    async def close(self) -> None:
        await self._generator.close()


async def _sentences(
    stream: AsyncGenerator[str, None], lang: str, settled: Callable[[str], bool]
) -> AsyncGenerator[Sequence[str], None]:
    """Whole sentences, each with the marks behind it, as many at once as are whole; one that the stream's end cuts off
    is left out, unless it says that nothing is known.

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
        if whole:
            yield whole
        if _MARKED_END.search(rest) and settled(rest):
            yield [rest]
            rest, early = "", True
    if not early and (_ENDED.search(MARK.sub("", rest).strip()) or is_refusal(rest)):
        yield [rest]


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
