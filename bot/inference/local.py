"""A small language model in the server's own process: for machines without a generator server.

One generation at a time, in one thread of its own. What it says is not to be trusted: it runs behind
`bot.inference.guard`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from bot.errors import GeneratorError
from bot.inference.generator import Bill, Prompt, refuse_hopeless, within
from bot.inference.instructions import as_chat, as_completion, fitted
from bot.inference.llama import Chat, Llama
from bot.inference.local_model import LocalModel
from bot.observer import Generation

MAX_TOKENS = 128
FACTS_BYTES, QUESTION_BYTES, HISTORY_BYTES = 1_200, 300, 400
"""About 300, 75 and 100 tokens, read at 100 to 200 a second by the smallest model: they decide when the first word
comes. Where nearly every byte is a token a long talk may not fit into `llama.CONTEXT`: then the prompt is refused.
"""


class LocalGenerator:
    """One that was taught to answer conversations is sent one; a base model a text to go on with."""

    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self.name = f"local:{model.name}"

    async def open(self) -> None:
        await self._model.open()

    async def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        refuse_hopeless(prompt, deadline)

        def work(llama: Llama, hear: Callable[[str], bool]) -> None:
            if llama.chats:
                llama.answer(as_local_chat(prompt), hear, max_tokens=MAX_TOKENS)
            else:
                llama.complete(as_local_completion(prompt), hear, max_tokens=MAX_TOKENS)

        said, words, end = False, 0, "given_up"
        try:
            async with aclosing(within(self._model.pieces(work), deadline)) as pieces:
                async for piece in pieces:
                    said, words = said or bool(piece.strip()), words + 1
                    yield piece
            if not said:
                raise GeneratorError("The local model said nothing.")
            end = "done"
        finally:
            if bill is not None:
                bill.append(Generation("", self._model.name, end, 0, words, None))

    async def close(self) -> None:
        """Answers under way end at their next word."""
        await self._model.close()


def as_local_chat(prompt: Prompt) -> Chat:
    """As a generator server is asked, of texts that fit."""
    return as_chat(fitted(prompt, facts=FACTS_BYTES, question=QUESTION_BYTES, history=HISTORY_BYTES))


def as_local_completion(prompt: Prompt) -> str:
    return as_completion(prompt, facts=FACTS_BYTES, question=QUESTION_BYTES)
