"""How a tuned encoder differs from the embedded one, as a small folder that a bot can bring along.

    delta.json          what it is (`Delta`), with the checksums of the next two
    delta.safetensors   NAME.a float16 [rank, in] and NAME.b float16 [out, rank] for a matrix NAME: b @ a is added
                        to the base's; NAME.d float16 [n] for a vector: it is added
    trained.json        ids of the texts that it was trained on
    card.md             for people

`training.delta` writes it and makes an encoder of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrieval.errors import EncoderError

FORMAT = 1
DELTA = "delta.json"
TENSORS = "delta.safetensors"
MAX_BYTES = 256_000_000
"""Of a file: what is larger is no difference, but a model."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What `delta.json` holds. `base`: SHA-256 of the weights it belongs to; `files`: names to (SHA-256, bytes)."""

    base: str
    files: Mapping[str, tuple[str, int]]
    rank: int
    """The largest one of a matrix."""
    kept: float
    """Share (0..1) of the difference's squares that the factors have."""
    cosine: float
    """The least one between a text's vectors before and after, of some texts."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """For people: which release it was, how it was trained, on which data set, when."""
    format: int = FORMAT

    @property
    def identity(self) -> str:
        """SHA-256 (hex) of what the encoder is made of."""
        files = {name: list(told) for name, told in self.files.items()}
        return hashlib.sha256(json.dumps([self.base, files], sort_keys=True).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(size for _, size in self.files.values())

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / DELTA).write_text(text + "\n", encoding="utf-8")


def is_delta(folder: Path) -> bool:
    return (folder / DELTA).is_file()


def read_delta(folder: Path, *, verify: bool = False) -> Delta:
    """Sizes are compared, checksums with `verify` (milliseconds). Raises `EncoderError`."""
    delta = _parse(folder)
    for name, (digest, size) in delta.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size or size > MAX_BYTES:
            raise broken(folder, f"{name} is missing, or not as long as it was")
        if verify and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise broken(folder, f"{name} has changed since it was made")
    return delta


def broken(folder: Path, what: str) -> EncoderError:
    return EncoderError(
        f"{folder}: {what}. Bring the folder back as it was, or make it anew: kefu releases pack"
    )


def _parse(folder: Path) -> Delta:
    try:
        body: dict[str, Any] = json.loads((folder / DELTA).read_text(encoding="utf-8"))
        files = {Path(name).name: (str(told[0]), int(told[1])) for name, told in body.pop("files").items()}
        delta = Delta(**body, files=files)
    except FileNotFoundError:
        raise broken(folder, f"there is no {DELTA} in it") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise broken(folder, f"{DELTA} cannot be read") from error
    if delta.format != FORMAT:
        raise broken(folder, f"{DELTA} is of another version of Kefu")
    if TENSORS not in delta.files:
        raise broken(folder, f"{DELTA} names no {TENSORS}")
    return delta
