"""`result.json`: what came out, told apart by its content."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from retrieval.model_folder import GRAPH, checksums, read_manifest
from retrieval.onnx_encoder import fingerprint
from training.dataset import Dataset
from training.evaluation import Evaluation, to_json
from training.job.run import Run

FORMAT = 1
_VERSIONS = ("numpy", "scikit-learn", "onnxruntime")
_TUNED = ("torch", "transformers", "sentence-transformers", "onnx", "peft", "optuna")
_OF_THE_MACHINE = ("latency_ms",)


def result_of(run: Run, data: Dataset, evaluation: Evaluation) -> dict[str, Any]:
    """JSON. `hashes` are the same whenever one spec is run on the same data, versions and CPU."""
    folder = run.place.encoder if run.place.encoder.is_dir() else run.base
    manifest = read_manifest(folder)
    tuned = folder == run.place.encoder
    encoder: dict[str, Any] = {
        "source": "folder" if tuned else run.spec.encoder,
        "fingerprint": fingerprint(manifest),
        "manifest": manifest.fingerprint,
        "dim": manifest.dim,
        "base": fingerprint(read_manifest(run.base)),
    }
    hashes = {
        "spec": run.spec.hash,
        "data": data.hash,
        "heads": folder_hash(run.place.heads),
        "evaluation": evaluation_hash(evaluation),
    }
    if tuned:
        hashes |= {"weights": manifest.files["model.safetensors"][0], "graph": manifest.files[GRAPH][0]}
        hashes["encoder"] = encoder["fingerprint"]
    names = (*_VERSIONS, *(_TUNED if tuned else ()))
    return {
        "format": FORMAT,
        "method": run.spec.method,
        "hashes": hashes,
        "encoder": encoder,
        "seeds": {"fit": run.spec.seed},
        "versions": {"python": python_version(), **{name: version(name) for name in names}},
    }


def folder_hash(folder: Path) -> str:
    """SHA-256 (hex) over the names and contents of all files."""
    return hashlib.sha256(json.dumps(checksums(folder), sort_keys=True).encode()).hexdigest()


def evaluation_hash(evaluation: Evaluation) -> str:
    """Without what the machine's speed decides."""
    body = to_json(evaluation)
    body["metrics"] = {n: told for n, told in body["metrics"].items() if not n.startswith("latency.")}
    body["details"] = {
        name: {k: v for k, v in told.items() if k not in _OF_THE_MACHINE}
        for name, told in body["details"].items()
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
