"""Vectors kept between starts, so that a changed bot encodes only what changed. A cache: losing it costs seconds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from retrieval.embed import Vectors

_BYTES = 16
"""Of a text's SHA-256; no two texts of one bot meet in 128 bits."""


def load_vectors(path: Path, texts: Iterable[str]) -> dict[str, Vectors]:
    """Those of `texts` that are kept there: float32 [dim] each. A file that cannot be read holds none; blocking."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
        os.utime(path)  # `prune_vectors` goes by it
        place = {row.tobytes(): number for number, row in enumerate(arrays["keys"])}
        found = {text: place.get(_key(text)) for text in texts}
        return {text: arrays["vectors"][number] for text, number in found.items() if number is not None}
    except (OSError, KeyError, SafetensorError):
        return {}


def save_vectors(path: Path, vectors: Mapping[str, Vectors]) -> None:
    """Exactly these, in place of what was there; blocking. Raises OSError."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    if not vectors:
        return
    keys = np.frombuffer(b"".join(map(_key, vectors)), dtype=np.uint8).reshape(-1, _BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    try:
        save_file({"keys": keys, "vectors": np.stack(list(vectors.values()))}, draft)
        draft.replace(path)
    except SafetensorError as error:  # a full disk is one
        raise OSError(f"{draft} cannot be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def prune_vectors(folder: Path, *, keep: int) -> None:
    """Those of the `keep` encoders used last stay; blocking."""
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[keep:]:
        path.unlink(missing_ok=True)


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:_BYTES]
