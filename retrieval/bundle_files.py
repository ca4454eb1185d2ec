"""The files of a bundle: written, checked, read. What they hold is described in `retrieval.bundle`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Vectors
from retrieval.errors import BundleError
from retrieval.index import FaissIndex
from retrieval.lexical import Lexical
from retrieval.model_folder import sha256_file
from retrieval.types import Entry

FORMAT = 2
"""Changes whenever `retrieval.text` tells other texts to be the same: identities and terms are kept."""
_MANIFEST = "manifest.json"
_ENTRIES = "entries.jsonl"
_ROWS = "rows.npy"
_IDENTITIES = "identities.npy"
_VECTORS = "vectors.npy"
_INDEX = "vectors.faiss"
_LEXICAL = "bm25"
_DATES = ("valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class Contents:
    """A bundle's data. Row r is text `rows[r, 1]` of entry `rows[r, 0]`: a phrase, or its passage."""

    encoder_fingerprint: str
    revision: int
    floor: float
    """Cosine of two texts that have nothing to do with one another, as this encoder gives it."""
    entries: tuple[Entry, ...]
    rows: NDArray[np.int32]
    identities: NDArray[np.uint64]
    vectors: Vectors
    index: FaissIndex
    lexical: Lexical


def write(folder: Path, contents: Contents) -> None:
    """Fill an empty folder."""
    with (folder / _ENTRIES).open("w", encoding="utf-8") as stream:
        stream.writelines(_to_json(_plain(entry)) + "\n" for entry in contents.entries)
    np.save(folder / _ROWS, contents.rows, allow_pickle=False)
    np.save(folder / _IDENTITIES, contents.identities, allow_pickle=False)
    np.save(folder / _VECTORS, _as_read(contents), allow_pickle=False)
    contents.index.save(folder / _INDEX)
    contents.lexical.save(folder / _LEXICAL)
    (folder / _MANIFEST).write_bytes(_manifest(folder, contents))


def read(folder: Path, *, encoder_fingerprint: str) -> Contents:
    """Check every byte, then load; the vectors stay on disk, mapped. Raises `BundleError`."""
    manifest = _checked(folder)
    if manifest["encoder"] != encoder_fingerprint:
        raise BundleError(f"{folder} was made by another encoder: build the bundle again under this one")
    try:
        return Contents(
            encoder_fingerprint=encoder_fingerprint,
            revision=manifest["revision"],
            floor=manifest["floor"],
            entries=tuple(_entries(folder / _ENTRIES)),
            rows=np.load(folder / _ROWS, allow_pickle=False),
            identities=np.load(folder / _IDENTITIES, allow_pickle=False),
            vectors=np.asarray(np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)),
            index=FaissIndex.load(folder / _INDEX),
            lexical=Lexical.load(folder / _LEXICAL, manifest["rows"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise _broken(folder, f"it cannot be loaded ({error})") from error


def _as_read(contents: Contents) -> Vectors:
    """The vectors as they lie best: compared with those of some queries at once, in one product of matrices, they are
    read by dimension in three fifths of the time; looked up row by row, by row.
    """
    return np.asfortranarray(contents.vectors) if contents.index.exact else contents.vectors


def _manifest(folder: Path, contents: Contents) -> bytes:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    body = {
        "format": FORMAT,
        "encoder": contents.encoder_fingerprint,
        "revision": contents.revision,
        "floor": contents.floor,
        "entries": len(contents.entries),
        "rows": len(contents.rows),
        "files": {path.relative_to(folder).as_posix(): sha256_file(path) for path in files},
    }
    return _sealed(body)


def _sealed(body: dict[str, Any]) -> bytes:
    """One way to write a manifest, so that a changed byte shows, a blank too."""
    checksum = hashlib.sha256(_to_json(body).encode()).hexdigest()
    return (_to_json({**body, "checksum": checksum}) + "\n").encode()


def _checked(folder: Path) -> dict[str, Any]:
    try:
        raw = (folder / _MANIFEST).read_bytes()
        manifest: dict[str, Any] = json.loads(raw)
        body = {key: value for key, value in manifest.items() if key != "checksum"}
        whole = raw == _sealed(body) and body["format"] == FORMAT
        damaged = [name for name, digest in body["files"].items() if sha256_file(folder / name) != digest]
    except FileNotFoundError as error:
        raise BundleError(f"{folder} is not a whole bundle: build it from the database") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(folder, f"{_MANIFEST} cannot be read") from error
    if not whole or damaged:
        raise _broken(folder, f"{', '.join(damaged) or _MANIFEST} has changed")
    return body


def _entries(path: Path) -> Iterable[Entry]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            fields = json.loads(line)
            fields["alternatives"] = tuple(fields["alternatives"])
            fields["audience"] = tuple(fields.get("audience", ()))
            for name in _DATES:
                fields[name] = fields[name] and date.fromisoformat(fields[name])
            yield Entry(**fields)


def _plain(entry: Entry) -> dict[str, Any]:
    fields = asdict(entry)
    for name in _DATES:
        fields[name] = fields[name] and fields[name].isoformat()
    return fields


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


def _broken(folder: Path, what: str) -> BundleError:
    return BundleError(f"{folder}: {what}. Delete the folder and build the bundle again from the database")
