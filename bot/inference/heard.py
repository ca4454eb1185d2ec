"""What one server said in one answer: read with suspicion, bounded, counted."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bot.inference.first_word import LIKELIEST, Words
from bot.inference.upstream import UpstreamError, broken_off, garbage, unfit

MAX_CHARACTERS = 8_000
"""Far more than an answer's tokens can hold."""
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""No message holds these: databases and browsers refuse some of them."""
_UNFINISHED = {
    "length": "did not come to an end within the tokens that it may use",
    "tool_calls": "wants to call a tool that nobody offered",
    "function_call": "wants to call a tool that nobody offered",
    "content_filter": "withheld its answer",
    "abort": "gave the answer up",
}


@dataclass(slots=True)
class Heard:
    """`words`: filled where it is given, with what the answer could begin with; then it may end anywhere.
    `prompt_tokens`: as the server counts, 0 where it does not say. `pieces`: of text, about one a token.
    """

    words: Words | None = None
    finished: bool = False
    prompt_tokens: int = 0
    pieces: int = 0
    _completion_tokens: int | None = None
    _characters: int = 0
    _spoken: bool = False

    def __post_init__(self) -> None:
        if self.words:
            self.words.clear()  # of an attempt before this one

    @property
    def completion_tokens(self) -> int:
        """As the server counts. Where it does not say (broken, given up), the pieces that came."""
        return self.pieces if self._completion_tokens is None else self._completion_tokens

    def take(self, chunk: object) -> str:
        """Its text; blanks ahead of the first word are none. Raises UpstreamError for what is no answer."""
        self.count(chunk)
        choices = getattr(chunk, "choices", 0)
        if not isinstance(choices, list | None):
            raise garbage("something that is no part of an answer")
        if not choices:
            return ""
        delta = getattr(choices[0], "delta", None)
        if getattr(delta, "tool_calls", None) or getattr(delta, "function_call", None):
            raise unfit(_UNFINISHED["tool_calls"])
        if self.words == []:
            self.words += _likeliest(getattr(choices[0], "logprobs", None))
        text = self._said(getattr(delta, "content", None))
        self._end(getattr(choices[0], "finish_reason", None))
        return text

    def count(self, chunk: object) -> None:
        usage = getattr(chunk, "usage", None)
        prompt, completion = (getattr(usage, f"{side}_tokens", None) for side in ("prompt", "completion"))
        if isinstance(prompt, int) and isinstance(completion, int) and prompt >= 0 and completion >= 0:
            self.prompt_tokens, self._completion_tokens = prompt, completion

    def conclude(self) -> None:
        """Raises UpstreamError where that was no whole answer."""
        if not self.finished:
            raise broken_off()
        if self.words is not None:
            if not self.words or not self._spoken:
                raise unfit("does not tell how likely its words are (`logprobs`)")
        elif not self._spoken:
            raise UpstreamError("The generator server said nothing.", kind="silent")

    def _said(self, text: object) -> str:
        if text is None:
            return ""
        if not isinstance(text, str):
            raise garbage("something that is no part of an answer")
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise garbage("more than any answer holds")
        if _UNSAYABLE.search(text):
            raise garbage("characters that are none")
        self.pieces += bool(text)
        text = text if self._spoken or self.words is not None else text.lstrip()
        self._spoken = self._spoken or bool(text)
        return text

    def _end(self, reason: object) -> None:
        if reason is None:
            return
        if not isinstance(reason, str):
            raise garbage("something that is no part of an answer")
        if reason in _UNFINISHED and not (reason == "length" and self.words is not None):
            raise unfit(_UNFINISHED[reason])
        self.finished = True


def _likeliest(logprobs: object) -> Words:
    """Of the first token that a chunk tells of. Raises UpstreamError for what is no probability."""
    content = getattr(logprobs, "content", None)
    if not isinstance(content, list) or not content:
        return []
    found: Words = []
    for one in (getattr(content[0], "top_logprobs", None) or ())[:LIKELIEST]:
        token, logprob = getattr(one, "token", None), getattr(one, "logprob", None)
        if not isinstance(token, str) or not isinstance(logprob, int | float) or not logprob <= 0:
            raise garbage("something that is no probability")
        found.append((token, math.exp(logprob)))
    return found
