"""The encoder's folder: where it lies in the cache and the manifest that makes it trustworthy.

An encoder folder is an ordinary sentence-transformers folder (so that it can be trained further) with two
files more: `encoder.onnx`, which takes token ids and gives unit vectors, and `manifest.json`, described by
`Manifest`. `python -m training encoder` makes one; serving reads it with onnxruntime and tokenizers alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from retrieval.delta import is_delta, read_delta
from retrieval.errors import EncoderError

FORMAT = 1
GRAPH = "encoder.onnx"
MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"
SERVED = (GRAPH, TOKENIZER)
"""The files that serving reads. The others, three quarters of the bytes, are for training on."""
EMBEDDED = "embedded"
EMBEDDED_NAME = "multilingual-e5-small"
EMBEDDED_WEIGHTS = "8520eedb7ea5147f2345d7535bda10480394cca9f4451e415bf76a00d7eb8071"
"""SHA-256 of the embedded encoder's model.safetensors: writing it is deterministic, so one value stands."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` holds. `prefix` goes before every text; `files` maps names to (SHA-256, bytes)."""

    name: str
    dim: int
    max_length: int
    """Positions the model has; longer texts are cut."""
    pad_id: int
    pad_token: str
    pooling: str
    prefix: str
    files: Mapping[str, tuple[str, int]]
    format: int = FORMAT

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over all of the above in a fixed order."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self, folder: Path) -> None:
        body = {**asdict(self), "fingerprint": self.fingerprint}
        (folder / MANIFEST).write_text(
            json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def sha256_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksums(folder: Path) -> dict[str, tuple[str, int]]:
    """(SHA-256, bytes) of every file below `folder` but the manifest itself, by relative name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {p.relative_to(folder).as_posix(): (sha256_file(p), p.stat().st_size) for p in paths}


def read_manifest(folder: Path, *, verify: bool | Collection[str] = False) -> Manifest:
    """The checked manifest. Sizes are always compared, checksums (about 1 s) with `verify`: of all files, or of those
    that it names. Raises `EncoderError`.
    """
    compared: Collection[str] = () if isinstance(verify, bool) else verify
    manifest = _parse(folder)
    for name, (digest, size) in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise _broken(folder, f"{name} is missing or cut short")
        if (verify is True or name in compared) and sha256_file(path) != digest:
            raise _broken(folder, f"{name} has changed")
    return manifest


def locate(cache: Path, source: str = EMBEDDED) -> Path:
    """Where the encoder made from `source` lies under `cache`, finished or not.

    `source`: "embedded", a sentence-transformers folder, a folder with the difference to the embedded encoder
    (`retrieval.delta`), or a hub name (`name` or `name@revision`). The name ends in a hash of what the encoder is
    made of, so another model never lies under the same name. Raises `EncoderError` for a difference that cannot be
    read.
    """
    if source == EMBEDDED:
        return cache / "encoders" / _name(EMBEDDED_NAME, EMBEDDED_WEIGHTS, FORMAT)
    if is_delta(Path(source)):
        # Of its content alone: copies of a bot, wherever they lie, share one encoder.
        return cache / "encoders" / _name(f"{EMBEDDED_NAME}-tuned", read_delta(Path(source)).identity, FORMAT)
    return cache / "encoders" / made_of(source, FORMAT)


def made_of(source: str, form: int) -> str:
    """Name of a folder that is made of a model's folder, or of a hub name, in the maker's form of that number."""
    folder = Path(source)
    if folder.is_dir():
        return _name(folder.resolve().name, json.dumps(checksums(folder), sort_keys=True), form)
    return _name(source, f"hub:{source}", form)


def _name(name: str, content: str, form: int) -> str:
    short = hashlib.sha256(f"{form}:{content}".encode()).hexdigest()[:10]
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}-{short}"


def is_ready(folder: Path) -> bool:
    """Whether a finished encoder of this format lies there (sizes compared, not contents)."""
    try:
        read_manifest(folder)
    except EncoderError:
        return False
    return True


def _parse(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        fingerprint = body.pop("fingerprint")
        files = {str(name): (str(digest), int(size)) for name, (digest, size) in body.pop("files").items()}
        manifest = Manifest(**body, files=files)
    except FileNotFoundError as error:
        raise EncoderError(
            f"No encoder in {folder}: make one with `python -m training encoder --out CACHE`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(folder, f"{MANIFEST} cannot be read") from error
    if manifest.format != FORMAT or manifest.fingerprint != fingerprint:
        raise _broken(folder, f"{MANIFEST} is of another version or was edited")
    return manifest


def _broken(folder: Path, what: str) -> EncoderError:
    return EncoderError(
        f"{folder}: {what}. Delete the folder and run `python -m training encoder --out CACHE` again"
    )
