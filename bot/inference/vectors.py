"""Vectors kept between starts, so that a changed bot encodes only what changed, and those that a bot folder brings
along. A cache: losing it costs minutes at most.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from retrieval.embed import Vectors

log = logging.getLogger(__name__)

BROUGHT = "vectors.safetensors"
"""In the bot folder."""
SAMPLE = 16
"""Texts that are read to see whose vectors a bot brings along."""
SAME = 0.9995
"""Cosine of two vectors of one text by one encoder, whatever machine it was made on; packing takes .0001 of it."""
_SUM = "sha256"
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
        os.utime(path)  # `keep_newest` goes by it
    except OSError:
        return {}
    return brought_vectors(path, texts)


def brought_vectors(path: Path, texts: Iterable[str]) -> dict[str, Vectors]:
    """The same of a file that is only read. Packed ones have length 1 and a cosine of .9999 to what they were."""
    if (arrays := _read(path)) is None:
        return {}
    keys, vectors = arrays
    place = {row.tobytes(): number for number, row in enumerate(keys)}
    found = {text: place.get(_key(text)) for text in texts}
    kept = {text: vectors[number] for text, number in found.items() if number is not None}
    packed = kept and vectors.dtype != np.float32
    return dict(zip(kept, _unpacked(kept), strict=True)) if packed else kept


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


def _write(path: Path, texts: Iterable[str], rows: np.ndarray) -> None:
    from safetensors.numpy import save

    keys = np.frombuffer(b"".join(map(_key, texts)), dtype=np.uint8).reshape(-1, _BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    try:
        draft.write_bytes(save({"keys": keys, "vectors": rows}, {_SUM: _sum(keys, rows)}))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Keys and rows; None where there is no file, or one in which a byte has changed."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            keys, rows = file.get_tensor("keys"), file.get_tensor("vectors")
            if (file.metadata() or {}).get(_SUM) == _sum(keys, rows) and len(keys) == len(rows):
                return keys, rows
        log.warning("%s has changed since it was written: its texts are read again", path.name)
    except FileNotFoundError:
        pass
    except (OSError, SafetensorError) as error:
        log.warning("%s cannot be read (%s): its texts are read again", path.name, error)
    return None


def _sum(keys: np.ndarray, rows: np.ndarray) -> str:
    digest = sha256(np.ascontiguousarray(keys).data)
    digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()


def _unpacked(kept: Mapping[str, np.ndarray]) -> Vectors:
    """A vector has length 1: how large its steps are need not be written down."""
    rows = np.array(list(kept.values()), dtype=np.float32)
    found: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:_BYTES]
