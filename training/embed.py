"""Vectors of many texts, made beside a server that answers: on one core.

In (`work`): texts.json (a list). Out: vectors.npy (float32 [texts, dim], in the order of the texts).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from retrieval.batches import longest_first
from retrieval.errors import EncoderError
from retrieval.onnx_encoder import OnnxEncoder
from training.errors import SourceError
from training.progress import Report

VECTORS = "vectors.npy"
PART = 32


def embed(encoder: Path, work: Path, *, report: Report) -> None:
    """`encoder`: a folder as `training.encoder` makes. Raises SourceError."""
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    try:
        opened = OnnxEncoder.open(encoder, threads=1)
        rows = np.empty((len(texts), opened.dim), dtype=np.float32)
        order = longest_first(texts)
        for start in range(0, len(order), PART):
            part = order[start : start + PART]
            rows[part] = opened.encode([texts[number] for number in part])
            report("embed", start + len(part), len(texts), "Reading questions and answers")
    except EncoderError as error:
        raise SourceError(str(error)) from error
    np.save(work / VECTORS, rows, allow_pickle=False)
