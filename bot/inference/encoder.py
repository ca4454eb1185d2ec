"""The encoder's folder: found in the cache, or made once by a child process; and loaded from there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.errors import InferenceError
from bot.inference.child import Progress, run_training
from retrieval.embed import Encoder
from retrieval.errors import RetrievalError
from retrieval.model_folder import is_ready, locate
from retrieval.tap import read_tap


async def open_encoder(cache: Path, source: str, *, threads: int, progress: Progress) -> Encoder:
    """Ready to encode. The first time takes about a minute. Raises InferenceError."""
    return await load_encoder(await make_encoder(cache, source, progress=progress), threads=threads)


async def make_encoder(cache: Path, source: str, *, progress: Progress) -> Path:
    """Its folder, found or made. Raises InferenceError."""
    try:
        folder = await asyncio.to_thread(locate, cache, source)
    except RetrievalError as error:
        raise InferenceError(str(error)) from error
    if not await asyncio.to_thread(is_ready, folder):
        arguments = ["--out", str(cache), "--source", source]
        await run_training(
            "encoder", arguments, progress=progress, hint="Is Kefu installed with its `train` extra?"
        )
    return folder


async def load_encoder(folder: Path, *, threads: int, tap: Path | None = None) -> Encoder:
    """Loaded; with the file of its tap it tells of tokens. Raises InferenceError."""
    try:
        return await asyncio.to_thread(_load, folder, threads, tap)
    except RetrievalError as error:
        raise InferenceError(str(error)) from error


def _load(folder: Path, threads: int, tap: Path | None) -> Encoder:
    from retrieval.onnx_encoder import OnnxEncoder

    return OnnxEncoder.open(folder, threads=threads, tap=read_tap(tap) if tap else None)
