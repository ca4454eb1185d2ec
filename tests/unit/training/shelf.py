"""Small encoder folders and releases: files of random bytes stand for what a model weighs."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from retrieval.model_folder import Manifest, checksums
from training.evaluation import Better, Evaluation, Metric, write_evaluation
from training.registry import Draft, add_release
from training.release import Release
from training.spec import Spec, write_spec

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def figure(value: float, *, half: float = 0.01, better: Better = "higher", n: int = 500) -> Metric:
    return Metric(value, value - half, value + half, n, better)


def evaluation(
    accuracy: float = 0.9, *, test: str = "t1", more: Mapping[str, Metric] | None = None
) -> Evaluation:
    metrics = {"intent.accuracy": figure(accuracy), "retrieval.recall@1": figure(0.8)}
    return Evaluation(metrics | dict(more or {}), {"tests": {"intent": test, "retrieval": test}})


def encoder_folder(folder: Path, *, seed: int = 0, weight: int = 50_000) -> Path:
    """As `training.encoder` makes one; of two seeds the weights differ and the tokenizer is the same."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "encoder.onnx").write_bytes(random.Random(seed).randbytes(weight))
    (folder / "tokenizer.json").write_bytes(b"{}" * 500)
    (folder / "1_Pooling" / "config.json").write_text("{}")
    Manifest(folder.name, 8, 512, 0, "<pad>", "mean", "query: ", checksums(folder)).write(folder)
    return folder


def draft(encoder: Path | None = None, *, accuracy: float = 0.9, **given: Any) -> Draft:
    told: dict[str, Any] = {
        "method": "full" if encoder else "head",
        "fingerprint": "f" * 64,
        "evaluation": evaluation(accuracy),
        "card": "# 卡片\n",
        "dataset": "d" * 64,
        "spec": "5" * 64,
        "encoder": encoder,
    }
    return Draft(**told | given)


def add(releases: Path, new: Draft, *, hours: float = 0) -> Release:
    return add_release(releases, new, now=NOON + timedelta(hours=hours))


def job_folder(
    out: Path, encoder: Path | None = None, *, figures: Evaluation | None = None, data: str = "d" * 64
) -> Path:
    """What a finished job leaves, as far as a release is made of it."""
    out.mkdir(parents=True)
    hashes = {"data": data, "spec": "5" * 64}
    if encoder is not None:
        shutil.copytree(encoder, out / "encoder")
        hashes["encoder"] = "e" * 64
    told = {"method": "full" if encoder else "head", "hashes": hashes, "encoder": {"fingerprint": "f" * 64}}
    write_evaluation(out / "evaluation.json", figures or evaluation())
    result = {"format": 1, **told, "seconds": 61.4, "versions": {"python": "3.11"}}
    (out / "result.json").write_text(json.dumps(result))
    write_spec(out / "spec.json", Spec(method="full" if encoder else "head"))
    return out
