"""The method `head`: the encoder as it is, and a classifier on it."""

from __future__ import annotations

import time

from retrieval.model_folder import GRAPH, TOKENIZER
from retrieval.onnx_encoder import OnnxEncoder
from training.job.heads import fit_frozen, texts_of
from training.job.material import Material
from training.job.measure import Served
from training.job.outcome import Outcome
from training.job.run import Run
from training.job.vectors import Vectors


def frozen(run: Run, material: Material) -> Outcome:
    encoder = OnnxEncoder.open(run.base, threads=run.threads)
    vectors = Vectors(run, encoder, texts_of(material, "train", "valid", "test"), stage="vectors")
    begun = time.perf_counter()
    heads = {
        task: fit_frozen(part, vectors, foreign=material.foreign, refit=run.spec.refit, say=run.say)
        for task, part in material.labelled.items()
    }
    served = Served(encoder, vectors, [run.base / GRAPH, run.base / TOKENIZER])
    return Outcome(heads, served, {"fit_seconds": time.perf_counter() - begun})
