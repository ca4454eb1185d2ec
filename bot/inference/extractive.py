"""The default generator: says what the passages say, sentence by sentence, with marks. Invents nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from bot.inference.generator import Bill, Passage, Prompt, cited, gap, refuse_hopeless
from retrieval.text import split_sentences, tokens

MAX_MAIN = 6
"""Sentences from the best passage: a stored answer is nearly always said whole."""
MAX_OTHER = 1
"""Sentences from each further passage: only what adds to the answer."""
MAX_EACH = 4
"""Sentences from each passage where several questions are answered."""


class Extractive:
    """Composes from retrieved sentences. Stateless, in process, no model."""

    name = "extractive"

    async def open(self) -> None:
        return None

    async def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        refuse_hopeless(prompt, deadline)
        for number, sentence in enumerate(compose(prompt)):
            yield (gap(prompt.lang) if number else "") + sentence

    async def close(self) -> None:
        return None


def compose(prompt: Prompt) -> list[str]:
    """Sentences with their marks, in the order in which they are said; each at most once."""
    if prompt.each:
        return _each(prompt)
    main, *others = prompt.passages
    said = split_sentences(main.text, prompt.lang)[:MAX_MAIN]
    answer = _cited(said, main.mark, prompt.lang)
    open_terms = set(tokens(prompt.question)) - set(tokens(f"{main.title}\n{main.text}")) if others else set()
    for passage in others:
        more = [s for s in _relevant(passage, open_terms, prompt.lang) if s not in said][:MAX_OTHER]
        said += more
        answer += _cited(more, passage.mark, prompt.lang)
    return answer


def _each(prompt: Prompt) -> list[str]:
    """The beginning of every passage, one after the other."""
    said: list[str] = []
    answer: list[str] = []
    for passage in prompt.passages:
        more = [s for s in split_sentences(passage.text, prompt.lang)[:MAX_EACH] if s not in said]
        said += more
        answer += _cited(more, passage.mark, prompt.lang)
    return answer


def _relevant(passage: Passage, terms: set[str], lang: str) -> list[str]:
    """Sentences that speak of what the best passage leaves open, best first."""
    scored = [(len(terms & set(tokens(s))), s) for s in split_sentences(passage.text, lang)]
    return [s for score, s in sorted(scored, key=lambda pair: -pair[0]) if score]


def _cited(sentences: list[str], mark: int, lang: str) -> list[str]:
    """The mark stands once, behind the last sentence taken from that passage."""
    if not sentences:
        return []
    return [*sentences[:-1], cited(sentences[-1], mark, lang)]
