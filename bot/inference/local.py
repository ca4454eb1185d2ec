"""A small language model in the server's own process: for machines without a generator server.

One generation at a time, in one thread of its own on one core. What it says is not to be trusted: it runs
behind `bot.inference.guard`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

from bot.errors import GeneratorError, SettingsError
from bot.inference.generator import Bill, Prompt, refuse_hopeless, within
from bot.inference.instructions import as_completion
from bot.inference.llama import Llama
from bot.inference.weights import NAME, weights
from bot.observer import Generation

MAX_WAITING = 4
"""Answers under way or waiting for their turn; one more is refused at once instead of late."""
MAX_TOKENS = 128
FACTS_BYTES, QUESTION_BYTES = 1_200, 300
"""About 300 and 75 tokens, read at 100 to 200 a second: they decide when the first word comes. Even where every
byte is a token they fit into `llama.CONTEXT`, with the worked example and the answer."""


class LocalGenerator:
    """Loads at first use or by `open`. `model`: another base model than the embedded one, a GGUF file."""

    def __init__(self, cache: Path, *, model: Path | None = None) -> None:
        self._cache, self._model = cache, model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kefu-llm")
        self._jobs: set[_Job] = set()
        self._llama: Llama | None = None
        self._closed = False
        self.name = f"local:{model.stem if model else NAME}"

    async def open(self) -> None:
        """Loads the model, in its thread."""
        if self._closed:
            raise GeneratorError("The generator is closed.")
        await asyncio.wrap_future(self._thread.submit(self._load))

    async def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        refuse_hopeless(prompt, deadline)
        said, words, end = False, 0, "given_up"
        try:
            async with aclosing(within(self._pieces(prompt), deadline)) as pieces:
                async for piece in pieces:
                    said, words = said or bool(piece.strip()), words + 1
                    yield piece
            if not said:
                raise GeneratorError("The local model said nothing.")
            end = "done"
        finally:
            if bill is not None:
                bill.append(Generation("", self.name.partition(":")[2], end, 0, words, None))

    async def close(self) -> None:
        """Answers under way end at their next word."""
        self._closed = True
        for job in self._jobs:
            job.stop.set()
        await asyncio.to_thread(self._thread.shutdown)
        llama, self._llama = self._llama, None
        if llama is not None:
            await asyncio.to_thread(llama.close)

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        if self._closed:
            raise GeneratorError("The generator is closed.")
        if len(self._jobs) >= MAX_WAITING:
            raise GeneratorError("Too many answers are waiting for the local model.")
        job = _Job(as_completion(prompt, facts=FACTS_BYTES, question=QUESTION_BYTES))
        self._jobs.add(job)
        self._thread.submit(self._run, job)
        try:
            while isinstance(piece := await job.pieces.get(), str):
                yield piece
        finally:
            job.stop.set()
            self._jobs.discard(job)
        if piece is not None:
            raise piece

    def _run(self, job: _Job) -> None:
        """In the thread. Whatever happens, the job is told its end."""
        try:
            if not job.stop.is_set():
                self._load().complete(job.text, job.hear, max_tokens=MAX_TOKENS)
            job.tell(GeneratorError("The generator is closed.") if self._closed else None)
        except GeneratorError as error:
            job.tell(error)

    def _load(self) -> Llama:
        try:
            self._llama = self._llama or Llama(self._model or weights(self._cache))
        except (SettingsError, OSError, RuntimeError) as error:
            raise GeneratorError("The local model cannot be loaded.", hint=str(error)) from error
        return self._llama


class _Job:
    """One answer in the making. `pieces` ends with None, or with what went wrong."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stop = threading.Event()
        self.pieces: asyncio.Queue[str | GeneratorError | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def hear(self, piece: str) -> bool:
        """From the thread. False once nobody listens."""
        if piece:
            self.tell(piece)
        return not self.stop.is_set()

    def tell(self, piece: str | GeneratorError | None) -> None:
        """From the thread; a loop that has gone has nobody who listens."""
        try:
            self._loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:
            self.stop.set()
