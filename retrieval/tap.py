"""States of single tokens out of the graph that gives vectors: one forward for both.

A graph names its outputs, and what it computes on the way may be named as well. The parts of a protocol buffer may come
one after another: the few bytes that name more outputs, put behind those of the graph, make it give them when it is
asked for them. The graph's file, its checksum and all that hangs on it stay as they are (docs/adr/0010).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import EncoderError
from retrieval.model_folder import GRAPH, read_manifest
from retrieval.publish import publish_files

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tap:
    """`outputs`: names of float32 [batch, length, dim] in the graph. `part`: the bytes that name them as outputs."""

    outputs: tuple[str, ...]
    part: bytes


def locate_tap(cache: Path, encoder: Path) -> Path:
    """Where the tap of an encoder's graph lies under `cache`, made or not: by the graph's content. Raises
    `EncoderError`.
    """
    return cache / "taps" / f"{read_manifest(encoder).files[GRAPH][0][:16]}-{FORMAT}.json"


def write_tap(path: Path, tap: Tap) -> None:
    body = json.dumps({"outputs": tap.outputs, "part": tap.part.hex()})
    path.parent.mkdir(parents=True, exist_ok=True)
    publish_files({path: body})


def read_tap(path: Path) -> Tap | None:
    """None where there is none. Raises `EncoderError` for one that cannot be read."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return Tap(tuple(map(str, body["outputs"])), bytes.fromhex(body["part"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{path} cannot be read ({error}). Delete it; it is made again") from error
