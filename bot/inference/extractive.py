"""The default generator: says what the passages say, sentence by sentence, and cites them. Invents nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.errors import GeneratorError
from bot.inference.generator import Passage, Prompt
from retrieval.text import split_sentences, tokens

MAX_MAIN = 6
"""Sentences from the best passage: a stored answer is nearly always said whole."""
MAX_OTHER = 1
"""Sentences from each further passage: only what adds to the answer."""


class Extractive:
    """Composes from retrieved sentences. Stateless, in process, no model."""

    name = "extractive"

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncIterator[str]:
        if not prompt.passages:
            raise GeneratorError("There is no passage to compose from.")
        glue = "" if prompt.lang == "zh" else " "
        for number, sentence in enumerate(compose(prompt)):
            yield (glue if number else "") + sentence

    async def close(self) -> None:
        return None


def compose(prompt: Prompt) -> list[str]:
    """Sentences with their marks, in the order in which they are said."""
    main, *others = prompt.passages
    said = _cited(_main_sentences(main, prompt.lang), main.mark)
    wanted = set(tokens(prompt.question)) - set(tokens(main.text))
    for passage in others:
        said += _cited(_relevant(passage, wanted, prompt.lang)[:MAX_OTHER], passage.mark)
    return said


def _main_sentences(passage: Passage, lang: str) -> list[str]:
    return split_sentences(passage.text, lang)[:MAX_MAIN]


def _relevant(passage: Passage, wanted: set[str], lang: str) -> list[str]:
    """Sentences that speak of what the best passage leaves open, best first."""
    scored = [(len(wanted & set(tokens(s))), s) for s in split_sentences(passage.text, lang)]
    return [s for score, s in sorted(scored, key=lambda pair: -pair[0]) if score]


def _cited(sentences: list[str], mark: int) -> list[str]:
    """The mark stands once, behind the last sentence taken from that passage."""
    if not sentences:
        return []
    return [*sentences[:-1], f"{sentences[-1]} [{mark}]"]
