"""A language model in the server's own process, for whoever asks it: one thing at a time, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from bot.errors import GeneratorError, SettingsError
from bot.inference.llama import Llama
from bot.inference.weights import PACKED, weights

log = logging.getLogger(__name__)

DEFAULT = "gemma-270m"
MAX_WAITING = 4
"""Things under way or waiting for their turn; one more is refused at once instead of late."""
T = TypeVar("T")
Work = Callable[[Llama, Callable[[T], bool]], None]
"""What is done in the thread: it passes on each piece, and ends early where False comes back."""


class LocalModel:
    """Loads at first use or by `open`. `model`: a name of `weights.PACKED`, or the path of a GGUF file; `adapter`: a
    LoRA beside it, a GGUF file too. `close` once or more often: what is under way ends at its next word.
    """

    def __init__(
        self, cache: Path, model: str | Path | None = None, *, adapter: Path | None = None, threads: int = 1
    ) -> None:
        self._cache, self._model, self._threads = cache, str(model or DEFAULT), threads
        self.adapter = adapter
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kefu-llm")
        self._jobs: set[_Job[Any]] = set()
        self._llama: Llama | None = None
        self._closed = False
        packed = PACKED.get(self._model)
        self.name = packed.name if packed else Path(self._model).stem

    async def open(self) -> None:
        """Loads the model, in its thread. Raises GeneratorError."""
        if self._closed:
            raise GeneratorError("The generator is closed.")
        await asyncio.wrap_future(self._thread.submit(self._load))

    async def pieces(self, work: Work[T]) -> AsyncGenerator[T, None]:
        """What `work` passes on. Raises GeneratorError."""
        if self._closed:
            raise GeneratorError("The generator is closed.")
        if len(self._jobs) >= MAX_WAITING:
            raise GeneratorError("Too many answers are waiting for the local model.")
        job = _Job(work)
        self._jobs.add(job)
        self._thread.submit(self._run, job)
        try:
            while not isinstance(piece := await job.pieces.get(), _End):
                yield piece
        finally:
            job.stop.set()
            self._jobs.discard(job)
        if piece.error is not None:
            raise piece.error

    async def close(self) -> None:
        self._closed = True
        for job in self._jobs:
            job.stop.set()
        await asyncio.to_thread(self._thread.shutdown)
        llama, self._llama = self._llama, None
        if llama is not None:
            await asyncio.to_thread(llama.close)

    def _run(self, job: _Job[Any]) -> None:
        """In the thread. Whatever happens, the job is told its end."""
        try:
            if not job.stop.is_set():
                job.work(self._load(), job.hear)
            job.tell(_End(GeneratorError("The generator is closed.") if self._closed else None))
        except GeneratorError as error:
            job.tell(_End(error))
        except Exception as error:  # a text that is none, or whatever the engine comes to
            log.error("the local model failed: %s", type(error).__name__)
            job.tell(_End(GeneratorError("The local model failed.")))

    def _load(self) -> Llama:
        try:
            self._llama = self._llama or Llama(self._file(), adapter=self.adapter, threads=self._threads)
        except (SettingsError, OSError, RuntimeError, ValueError) as error:
            raise GeneratorError("The local model cannot be loaded.", hint=str(error)) from error
        return self._llama

    def _file(self) -> Path:
        packed = PACKED.get(self._model)
        return weights(self._cache, packed) if packed else Path(self._model).expanduser()


@dataclass(frozen=True, slots=True)
class _End:
    """`error`: what went wrong, if anything did."""

    error: GeneratorError | None


class _Job(Generic[T]):
    """One thing in the making. `pieces` come to an end."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.stop = threading.Event()
        self.pieces: asyncio.Queue[T | _End] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def hear(self, piece: T) -> bool:
        """From the thread. False once nobody listens. An empty text is none."""
        if piece != "":
            self.tell(piece)
        return not self.stop.is_set()

    def tell(self, piece: T | _End) -> None:
        """From the thread; a loop that has gone has nobody who listens."""
        try:
            self._loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:
            self.stop.set()
