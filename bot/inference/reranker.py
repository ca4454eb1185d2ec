"""The reranker's folder: found in the cache, or made once by a child process; and loaded from there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.errors import InferenceError
from bot.inference.child import Progress, run_training
from retrieval.errors import RetrievalError
from retrieval.rerank.folder import MANIFEST, locate_reranker
from retrieval.rerank.port import Reranker


async def open_reranker(cache: Path, source: str, *, progress: Progress) -> Reranker:
    """Loaded and warm. The first time takes about a minute. Raises InferenceError."""
    folder = await asyncio.to_thread(locate_reranker, cache, source)
    if not await asyncio.to_thread((folder / MANIFEST).is_file):
        progress("Making the reranker", 0, 0)
        arguments = ["--out", str(cache), "--source", source]
        await run_training(
            "reranker", arguments, progress=progress, hint="Is Kefu installed with its `train` extra?"
        )
    try:
        return await asyncio.to_thread(_load, folder)
    except RetrievalError as error:
        raise InferenceError(str(error)) from error


def _load(folder: Path) -> Reranker:
    from retrieval.rerank.onnx_reranker import OnnxReranker

    reranker = OnnxReranker.open(folder)
    reranker.score("warm up", ["warm up"])
    return reranker
