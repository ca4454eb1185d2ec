"""The graph's matrices in 8 bits, where that costs little: half the time of a message, a quarter of the weights.

The scales of activations are taken from what is encoded, so a text's vector differs a little alone and in a batch: such
an encoder has a fingerprint of its own, and its vectors never share an index with another's.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.model_folder import GRAPH, read_manifest
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.publish import publish, publish_files
from training.apply import IntentHead
from training.dataset import Row, Task
from training.encoder import with_graph
from training.export import quiet
from training.job.run import Run
from training.job.vectors import Vectors

ALONE = 50
"""Texts whose vectors are compared alone and in a batch."""
Valid = Mapping[Task, tuple[IntentHead, Sequence[Row]]]


def eight_bits(run: Run, valid: Valid) -> dict[str, Any] | None:
    """What was found and decided; None where nobody asked. `encoder/` is then as it was decided."""
    if run.spec.int8 == "off":
        return None
    path = run.place.folder / "int8.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if told is None and not any(rows for _, rows in valid.values()):
        return {"kept": False, "why": "there are no validation rows to measure it on"}
    if told is None or (told["kept"] and told["graph"] != _graph(run.place.encoder)):
        run.say("int8", 0, 0, "int8: quantising")
        with _quantised(run.place.encoder) as folder:
            told = told or _compared(run, folder, valid)
            publish_files({path: json.dumps(told, indent=1) + "\n"})
            if told["kept"]:
                with publish(run.place.encoder) as place:
                    _link(folder, place)
    return dict(told)


@contextmanager
def _quantised(encoder: Path) -> Iterator[Path]:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(prefix=".int8.", dir=encoder.parent) as work:
        folder = Path(work) / "encoder"
        folder.mkdir()
        _link(encoder, folder)
        (folder / GRAPH).unlink()
        with quiet():
            quantize_dynamic(
                encoder / GRAPH,
                folder / GRAPH,
                op_types_to_quantize=["MatMul"],
                per_channel=True,
                weight_type=QuantType.QInt8,
            )
        manifest = read_manifest(encoder)
        (folder / "manifest.json").unlink()
        with_graph(folder, manifest)
        yield folder


def _compared(run: Run, folder: Path, valid: Valid) -> dict[str, Any]:
    texts = list(dict.fromkeys(row.text for _, rows in valid.values() for row in rows))
    encoders = [OnnxEncoder.open(place, threads=run.threads) for place in (run.place.encoder, folder)]
    vectors = [
        Vectors(run, encoder, texts, stage=stage)
        for encoder, stage in zip(encoders, ("valid", "valid-int8"), strict=True)
    ]
    accuracy = {
        task: [100 * _right(head, rows, encode) for encode in vectors]
        for task, (head, rows) in valid.items()
        if rows
    }
    some = texts[:: max(len(texts) // ALONE, 1)][:ALONE]
    alone = np.concatenate([encoders[1].encode([text]) for text in some])
    cosines = (alone * encoders[1].encode(some)).sum(axis=1)
    return {
        "kept": all(before - after <= run.spec.int8_tolerance for before, after in accuracy.values()),
        "tolerance": run.spec.int8_tolerance,
        "valid_accuracy": {
            task: {"float32": before, "int8": after} for task, (before, after) in accuracy.items()
        },
        "cosine": float((vectors[0](texts) * vectors[1](texts)).sum(axis=1).mean()),
        "cosine_alone": float(cosines.min()),
        "graph": _graph(folder),
    }


def _right(head: IntentHead, rows: Sequence[Row], encode: Vectors) -> float:
    texts = [row.text for row in rows]
    named = head.probabilities(encode(texts), texts).argmax(axis=1)
    return float(np.mean([head.labels[place] == row.label for place, row in zip(named, rows, strict=True)]))


def _graph(encoder: Path) -> str:
    return read_manifest(encoder).files[GRAPH][0]


def _link(folder: Path, into: Path) -> None:
    """The same files under other names: no room is needed."""
    for path in folder.rglob("*"):
        other = into / path.relative_to(folder)
        if path.is_dir():
            other.mkdir(exist_ok=True)
            continue
        try:
            os.link(path, other)
        except OSError:
            shutil.copy2(path, other)
