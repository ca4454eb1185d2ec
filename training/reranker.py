"""A cross-encoder, turned once into a folder that serving can use without torch.

A source is a folder or hub name of a sequence classifier over pairs of texts, as sentence-transformers' CrossEncoder
and transformers write it, with one output or two (`retrieval.rerank.folder`). A folder that brings its ONNX graph along
(`model.onnx`, or in `onnx/`) needs no torch here either. Found or made under a file lock, as encoders are.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from retrieval.errors import RerankerError
from retrieval.model_folder import TOKENIZER
from retrieval.onnx_session import open_session
from retrieval.publish import publish
from retrieval.rerank.folder import (
    GRAPH,
    Manifest,
    checksums,
    locate_reranker,
    read_manifest,
    write_manifest,
)
from retrieval.rerank.onnx_reranker import OnnxReranker
from training.errors import SourceError
from training.progress import Report, silent

STAGES = 4
GRAPHS = ("model.onnx", "onnx/model.onnx")
_KIND = "ForSequenceClassification"
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_OUTPUTS = (1, 2)
_TOLERANCE = 1e-3
_PROBES = ("How do I report a lost card?", ("Call the hotline at once.", "我的信用卡丢了怎么办？", ""))


def build_reranker(cache: Path, source: str, *, report: Report = silent) -> Path:
    """The finished folder for `source` under `cache`: found, or made (half a minute). Raises `SourceError`."""
    path = Path(source)
    if (path.is_absolute() or source.startswith(".")) and not (path / "config.json").is_file():
        raise SourceError(f"{source} is no cross-encoder: name a folder with a config.json, or a hub model")
    folder = locate_reranker(cache, source)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(folder.name + ".lock")):
        if not _usable(folder):
            with publish(folder) as work:
                _make(work, source, name=folder.name, report=report)
    report("ready", STAGES, STAGES, str(folder))
    return folder


def _usable(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except RerankerError:
        return False
    return True


def _make(work: Path, source: str, *, name: str, report: Report) -> None:
    report("read", 0, STAGES, f"Reading {source}")
    brought = next((Path(source) / graph for graph in GRAPHS if (Path(source) / graph).is_file()), None)
    if brought is not None:
        limit, pad = _copied(work, Path(source), brought)
    else:
        limit, pad = _exported(work, source, report=report)
    report("check", 3, STAGES, "Trying the graph")
    inputs, outputs = _shape(work, source)
    write_manifest(work, Manifest(name, limit, pad, inputs, outputs, checksums(work)))
    _try(work, source)


def _copied(work: Path, source: Path, graph: Path) -> tuple[int, int]:
    """Of a folder with a graph: (positions, id of what fills up)."""
    try:
        config = json.loads((source / "config.json").read_text(encoding="utf-8"))
        shutil.copyfile(source / TOKENIZER, work / TOKENIZER)
        shutil.copyfile(graph, work / GRAPH)
        for beside in graph.parent.glob(f"{graph.name}[._]data"):  # a graph knows its weights by their name
            shutil.copyfile(beside, work / beside.name)
    except (OSError, ValueError) as error:
        raise SourceError(f"{source} cannot be read as a cross-encoder: {error}") from error
    _refuse_other_kinds(config, str(source))
    return int(config.get("max_position_embeddings") or 512), int(config.get("pad_token_id") or 0)


def _refuse_other_kinds(config: dict[str, Any], source: str) -> None:
    """A model without a head that was trained would get one of random numbers."""
    kinds = config.get("architectures") or []
    if not any(kind.endswith(_KIND) for kind in kinds):
        raise SourceError(
            f"{source} is {', '.join(kinds) or 'of no kind'}: a cross-encoder is some ...{_KIND}"
        )


def _exported(work: Path, source: str, *, report: Report) -> tuple[int, int]:
    """(positions, id of what fills up) of a model whose graph now lies in `work`, and gives what the model gives."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    name, _, revision = (source, "", "") if Path(source).exists() else source.partition("@")
    told = {"revision": revision or "main"}
    try:
        _refuse_other_kinds(AutoConfig.from_pretrained(name, **told).to_dict(), source)
        tokenizer: Any = AutoTokenizer.from_pretrained(name, **told)
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            name, attn_implementation="eager", **told
        )
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(f"{source} cannot be loaded as a cross-encoder: {error}") from error
    model.eval()
    tokenizer.backend_tokenizer.save(str(work / TOKENIZER))
    report("export", 1, STAGES, "Writing the ONNX graph")
    _write(model, tokenizer, work / GRAPH)
    limit = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 512))
    return int(limit), int(tokenizer.pad_token_id)


def _write(model: Any, tokenizer: Any, path: Path) -> None:
    """Through the library's own tokenizer, so that ours is not what is compared. Raises `SourceError`."""
    import torch

    from training.export import write_graph

    question, passages = _PROBES
    batch = tokenizer([question] * len(passages), list(passages), padding=True, return_tensors="pt")
    names = [name for name in _INPUTS if name in batch]

    class Scored(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(
            self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None = None
        ) -> torch.Tensor:
            more = {} if types is None else {"token_type_ids": types}
            logits: torch.Tensor = self.inner(input_ids=ids, attention_mask=mask, **more).logits
            return logits

    write_graph(Scored().eval(), path, inputs=names, output="scores")
    with torch.inference_mode():
        theirs = model(**batch).logits.numpy()
    (ours,) = open_session(path).run(None, {name: batch[name].numpy() for name in names})
    if (worst := float(np.abs(ours - theirs).max())) > _TOLERANCE:
        raise SourceError(
            f"The exported graph differs from the model by {worst:.1e}: this model cannot be served"
        )


def _shape(work: Path, source: str) -> tuple[tuple[str, ...], int]:
    """What the graph takes, and how many numbers it gives a pair."""
    try:
        session = open_session(work / GRAPH)
        inputs = tuple(one.name for one in session.get_inputs())
        some = {name: np.ones((2, 8), dtype=np.int64) for name in inputs}
        outputs = np.asarray(session.run(None, some)[0]).reshape(2, -1).shape[1]
    except Exception as error:  # onnxruntime raises bare Exception
        raise SourceError(f"The graph of {source} cannot be run: {error}") from error
    if not set(inputs) <= set(_INPUTS) or outputs not in _OUTPUTS:
        raise SourceError(
            f"The graph of {source} takes {', '.join(inputs)} and gives {outputs} numbers a pair: a reranker takes "
            f"{', '.join(_INPUTS)}, and gives 1 or 2"
        )
    return inputs, outputs


def _try(work: Path, source: str) -> None:
    """As it will be served, pairs of different lengths in one batch."""
    try:
        found = OnnxReranker.open(work).score(*_PROBES)
    except RerankerError as error:
        raise SourceError(f"{source} cannot be served: {error}") from error
    if not np.isfinite(found).all():
        raise SourceError(f"{source} gives scores that are no numbers: it cannot be served")
