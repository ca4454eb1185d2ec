"""Vectors kept between starts, so that a changed bot encodes only what changed, and those that a bot folder brings
along. A cache: losing it costs minutes at most.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from retrieval.embed import Vectors

BROUGHT = "vectors.safetensors"
"""In the bot folder."""
SAMPLE = 16
"""Texts that are read to see whose vectors a bot brings along."""
SAME = 0.9995
"""Cosine of two vectors of one text by one encoder, whatever machine it was made on; packing takes .0001 of it."""
_BYTES = 16
"""Of a text's SHA-256; no two texts of one bot meet in 128 bits."""
_STEPS = 127
"""Of a packed number to either side of 0."""


def file_of(folder: Path, encoder: str) -> Path:
    """Where a home's `vectors` have those of the encoder with that fingerprint."""
    return folder / f"{encoder[:12]}.safetensors"


def load_vectors(path: Path, texts: Iterable[str]) -> dict[str, Vectors]:
    """Those of `texts` that are kept there: float32 [dim] each. A file that cannot be read holds none; blocking."""
    try:
        os.utime(path)  # `prune_vectors` goes by it
    except OSError:
        return {}
    return brought_vectors(path, texts)


def brought_vectors(path: Path, texts: Iterable[str]) -> dict[str, Vectors]:
    """The same of a file that is only read. Packed ones come back of length 1, a ten-thousandth of a cosine from what
    they were.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
        place = {row.tobytes(): number for number, row in enumerate(arrays["keys"])}
        found = {text: place.get(_key(text)) for text in texts}
        kept = {text: arrays["vectors"][number] for text, number in found.items() if number is not None}
        packed = kept and arrays["vectors"].dtype != np.float32
        return dict(zip(kept, _unpacked(kept), strict=True)) if packed else kept
    except (OSError, KeyError, SafetensorError):
        return {}


def sample(vectors: Mapping[str, Vectors]) -> list[str]:
    """Some of its texts, spread over all of them."""
    return list(vectors)[:: max(len(vectors) // SAMPLE, 1)][:SAMPLE]


def are_of(read: Mapping[str, Vectors], vectors: Mapping[str, Vectors]) -> bool:
    """Whether an encoder that read some of the texts like this is the one that all these vectors are of."""
    return all(
        vectors[text].shape == own.shape and float(vectors[text] @ own) >= SAME for text, own in read.items()
    )


def save_vectors(path: Path, vectors: Mapping[str, Vectors]) -> None:
    """Exactly these, in place of what was there; blocking. Raises OSError."""
    if vectors:
        _write(path, vectors, np.stack(list(vectors.values())))


def pack_vectors(path: Path, vectors: Mapping[str, Vectors]) -> None:
    """The same in a quarter of the room, for a bot folder: a byte a number, in steps of each text's largest one."""
    if vectors:
        whole = np.stack(list(vectors.values()))
        largest = np.abs(whole).max(axis=1, keepdims=True)
        _write(path, vectors, np.rint(whole * (_STEPS / largest)).astype(np.int8))


def prune_vectors(folder: Path, *, keep: int) -> None:
    """Those of the `keep` encoders used last stay; blocking."""
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[keep:]:
        path.unlink(missing_ok=True)


def _write(path: Path, texts: Iterable[str], rows: np.ndarray) -> None:
    from safetensors.numpy import save

    keys = np.frombuffer(b"".join(map(_key, texts)), dtype=np.uint8).reshape(-1, _BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    try:
        draft.write_bytes(save({"keys": keys, "vectors": rows}))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _unpacked(kept: Mapping[str, np.ndarray]) -> Vectors:
    """A vector has length 1: how large its steps are need not be written down."""
    rows = np.array(list(kept.values()), dtype=np.float32)
    found: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:_BYTES]
