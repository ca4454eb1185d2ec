"""A small language model in the server's own process (llama.cpp): for machines without a generator server.

One generation at a time, in one thread of its own on one core. What it says is not to be trusted: it runs
behind `bot.inference.guard`.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

from bot.errors import GeneratorError, SettingsError
from bot.inference.generator import Prompt, refuse_hopeless, within
from bot.inference.instructions import as_completion
from bot.inference.weights import NAME, weights

MAX_WAITING = 4
"""Answers under way or waiting for their turn; one more is refused at once instead of late."""
MAX_TOKENS = 128
FACTS_BYTES, QUESTION_BYTES = 1_200, 300
"""About 300 and 75 tokens, read at 100 to 200 a second: they decide when the first word comes."""
CONTEXT = 2_048
"""Tokens; enough even where every byte of the prompt is a token."""


class LocalGenerator:
    """Loads at first use (about 4 s, 400 MB) or by `open`. `model`: another base model, a GGUF file."""

    def __init__(self, cache: Path, *, model: Path | None = None) -> None:
        self._cache, self._model = cache, model
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kefu-llm")
        self._jobs: set[_Job] = set()
        self._engine: _Engine | None = None
        self._closed = False
        self.name = f"local:{model.stem if model else NAME}"

    async def open(self) -> None:
        """Load now. Raises GeneratorError."""
        try:
            await asyncio.wrap_future(self._worker.submit(self._load))
        except (SettingsError, OSError, RuntimeError) as error:
            raise _unloadable(error) from error

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[str, None]:
        refuse_hopeless(prompt, deadline)
        said = False
        async with aclosing(within(self._pieces(prompt), deadline)) as pieces:
            async for piece in pieces:
                said = said or bool(piece.strip())
                yield piece
        if not said:
            raise GeneratorError("The local model said nothing.")

    async def close(self) -> None:
        """Running answers stop at their next word."""
        self._closed = True
        for job in self._jobs:
            job.stop.set()
        await asyncio.to_thread(self._worker.shutdown)
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.to_thread(engine.close)

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        if self._closed:
            raise GeneratorError("The generator is closed.")
        if len(self._jobs) >= MAX_WAITING:
            raise GeneratorError("Too many answers are waiting for the local model.")
        job = _Job(as_completion(prompt, facts=FACTS_BYTES, question=QUESTION_BYTES))
        self._jobs.add(job)
        self._worker.submit(self._run, job)
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
            job.tell(None if job.stop.is_set() else self._load().complete(job))
        except (SettingsError, OSError, RuntimeError) as error:
            job.tell(_unloadable(error))

    def _load(self) -> _Engine:
        if self._engine is None:
            self._engine = _Engine(self._model or weights(self._cache))
        return self._engine


class _Job:
    """One answer in the making. `pieces` ends with None, or with what went wrong."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stop = threading.Event()
        self.pieces: asyncio.Queue[str | GeneratorError | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def tell(self, piece: str | GeneratorError | None) -> None:
        """From the thread. A loop that has gone has nobody who listens."""
        try:
            self._loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:
            self.stop.set()


class _Engine:
    """llama.cpp's server object, asked by function calls. Blocking.

    It insists on listening too: on a Unix socket, then, in a folder that nobody else may enter.
    """

    def __init__(self, model: Path) -> None:
        import xllamacpp

        self._folder = tempfile.TemporaryDirectory(prefix="kefu-llm-")
        self._server: Any = xllamacpp.Server(_parameters(xllamacpp, model, Path(self._folder.name)))

    def complete(self, job: _Job) -> GeneratorError | None:
        failure: GeneratorError | None = None

        def take(chunk: dict[str, Any]) -> bool:
            """True ends the generation."""
            nonlocal failure
            if "error" in chunk:
                failure = GeneratorError("The local model refused the prompt.")
            for choice in chunk.get("choices", ())[:1]:
                if choice["text"]:
                    job.tell(choice["text"])
            return job.stop.is_set()

        request = {
            "prompt": job.text,
            "max_tokens": MAX_TOKENS,
            "temperature": 0,
            "stop": ["\n"],
            "stream": True,
        }
        self._server.handle_completions(request, take)
        return failure

    def close(self) -> None:
        """Joins the threads behind it."""
        self._server = None
        self._folder.cleanup()


def _parameters(xllamacpp: Any, model: Path, folder: Path) -> Any:
    """One slot, one thread (two on two cores sometimes crawled), no copies of prompts beside the slot."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx, parameters.n_parallel, parameters.cache_ram_mib = CONTEXT, 1, 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = parameters.n_threads_http = 1
    parameters.swa_full = True  # without it, the worked example would be read anew for each answer
    parameters.hostnames = [str(folder / "llm.sock")]
    parameters.ui = parameters.endpoint_slots = False
    parameters.verbosity = -1
    return parameters


def _unloadable(error: Exception) -> GeneratorError:
    return GeneratorError("The local model cannot be loaded.", hint=str(error))
