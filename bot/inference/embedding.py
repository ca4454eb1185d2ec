"""Vectors of many texts on disk: for work whose texts need not fit into memory beside it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.errors import InferenceError
from bot.inference.child import Progress
from retrieval.batches import longest_first
from retrieval.embed import Encoder, Vectors
from retrieval.errors import RetrievalError

PART = 256


async def embed_to(path: Path, encoder: Encoder, texts: Sequence[str], *, progress: Progress) -> Vectors:
    """A .npy file, float32 [len(texts), dim], mapped into memory. Cancelled between parts.

    Raises InferenceError, and OSError where the disk has no room for all of it.
    """
    rows: Vectors = await asyncio.to_thread(_empty, path, (len(texts), encoder.dim))
    order = longest_first(texts)
    progress("encoding", 0, len(texts))
    for start in range(0, len(texts), PART):
        part = order[start : start + PART]
        await asyncio.to_thread(_fill, rows, part, encoder, [texts[number] for number in part])
        progress("encoding", start + len(part), len(texts))
    return rows


def _fill(rows: Vectors, part: Sequence[int], encoder: Encoder, texts: Sequence[str]) -> None:
    try:
        rows[part] = encoder.encode(texts)
    except RetrievalError as error:
        raise InferenceError(str(error)) from error


def _empty(path: Path, shape: tuple[int, int]) -> Vectors:
    rows: Vectors = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    with path.open("r+b") as stream:
        # A mapped page that finds no room on the disk would kill the process.
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return rows
