"""A reranker's folder: where it lies in the cache, and the manifest that makes it trustworthy.

It holds `reranker.onnx` (token ids of a question and a passage in, scores out), `tokenizer.json` and `reranker.json`,
which is a `Manifest`. `python -m training reranker` makes one; serving reads it with onnxruntime and tokenizers alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import RerankerError
from retrieval.model_folder import made_of, sha256_file

FORMAT = 1
GRAPH = "reranker.onnx"
MANIFEST = "reranker.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`inputs`: what the graph takes, of token ids, mask and types. `outputs`: numbers a pair gets, 1 or 2: how well
    the passage answers, or first that it does not and then that it does. `files`: SHA-256 by name.
    """

    name: str
    max_length: int
    """Positions the model has; longer pairs are cut."""
    pad_id: int
    inputs: tuple[str, ...]
    outputs: int
    files: Mapping[str, str]
    format: int = FORMAT


def locate_reranker(cache: Path, source: str) -> Path:
    """Where the reranker made from a folder or hub name lies under `cache`, finished or not."""
    return cache / "rerankers" / made_of(source, FORMAT)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_text(
        json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file but the manifest, by its name."""
    return {path.name: sha256_file(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}


def read_manifest(folder: Path) -> Manifest:
    """Every byte compared. Raises `RerankerError`, which says what to do."""
    path = folder / MANIFEST
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        body["inputs"] = tuple(body["inputs"])
        manifest = Manifest(**body)
        found = checksums(folder)
        changed = sorted({name for name, _ in found.items() ^ manifest.files.items()})
    except FileNotFoundError as error:
        raise RerankerError(
            f"No reranker in {folder}: make one with `python -m training reranker --source MODEL --out CACHE`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(folder, f"{MANIFEST} cannot be read") from error
    if manifest.format != FORMAT or changed:
        raise _broken(folder, f"{', '.join(changed) or MANIFEST} has changed")
    return manifest


def _broken(folder: Path, what: str) -> RerankerError:
    return RerankerError(
        f"{folder}: {what}. Delete the folder and run `python -m training reranker --source MODEL --out CACHE` again"
    )
