"""Any sentence-transformers model, turned once into a folder that serving can use without torch.

The folder is written beside its final place and renamed, under a file lock: whoever finds it, finds it
whole, and two processes that want it make it once. The embedded default comes out of two wheels
(`training.e5`), and is what a bot's own difference (`retrieval.delta`) is added to; any other source is a
sentence-transformers folder or a hub name.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from retrieval.delta import is_delta, read_delta
from retrieval.errors import EncoderError
from retrieval.model_folder import (
    EMBEDDED,
    EMBEDDED_WEIGHTS,
    GRAPH,
    Manifest,
    checksums,
    locate,
    read_manifest,
    sha256_file,
)
from retrieval.publish import publish
from training.errors import SourceError
from training.progress import Report, silent

if TYPE_CHECKING:
    from training.export import Shape

STAGES = 5
_TOLERANCE = 1e-4
_PROBES = ("query: How do I report a lost card?", "query: 我的信用卡丢了怎么办？", "query: ")


def build_encoder(
    cache: Path, source: str = EMBEDDED, *, verify: bool = False, report: Report = silent
) -> Path:
    """The finished folder for `source` under `cache`: found (milliseconds) or made (about 40 s, 1 GB of
    disk).

    `verify` compares the checksums of a folder that was found and makes it anew if they differ. Raises
    `SourceError`.
    """
    _refuse_wrong_paths(source)
    folder = locate(cache, source)
    if not _usable(folder, verify=verify):
        _make_locked(cache, source, verify=verify, report=report)
    report("ready", STAGES, STAGES, str(folder))
    return folder


def _refuse_wrong_paths(source: str) -> None:
    """Before anything heavy is loaded, or a mistyped path is looked for on a hub."""
    path = Path(source)
    if is_delta(path):
        try:
            read_delta(path)
        except EncoderError as error:
            raise SourceError(str(error)) from error
    elif path.is_dir() and not (path / "config.json").is_file() and not (path / "modules.json").is_file():
        raise SourceError(f"{source} is not a model: a sentence-transformers folder has a modules.json")
    elif not path.is_dir() and (path.is_absolute() or source.startswith(".")):
        raise SourceError(f"{source} is not a folder: name a sentence-transformers folder or a hub model")


def _usable(folder: Path, *, verify: bool) -> bool:
    try:
        read_manifest(folder, verify=verify)
    except EncoderError:
        return False
    return True


def _make_locked(cache: Path, source: str, *, verify: bool, report: Report) -> None:
    folder = locate(cache, source)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(folder.name + ".lock")):
        if _usable(folder, verify=verify):
            return
        # What a run that was killed left behind; nobody else writes here under the lock.
        for stale in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        with publish(folder) as work:
            _make(work, cache, source, name=folder.name, report=report)


def _make(work: Path, cache: Path, source: str, *, name: str, report: Report) -> None:
    from training import export

    report("read", 0, STAGES, f"Reading {source}")
    like = None
    if source == EMBEDDED:
        _embedded_folder(work)
    elif is_delta(Path(source)):
        like = _tuned_folder(work, cache, Path(source))
    else:
        export.load(source).save_pretrained(str(work), create_model_card=False)
    complete(work, name=name, like=like, report=report)


def complete(work: Path, *, name: str, report: Report, like: Path | None = None) -> None:
    """A sentence-transformers folder gets its graph, compared with the model, and its manifest.

    `like`: the folder of the encoder that it was tuned from, whose graph is taken where it fits. Raises `SourceError`.
    """
    from training import export

    report("load", 1, STAGES, "Loading the model")
    model = export.load(str(work))
    report("export", 2, STAGES, "Writing the ONNX graph")
    if like is None or not _like_another(work, like, model):
        _exported(work, model, report)
    report("seal", 4, STAGES, "Checksums")
    _manifest(work, name, export.shape_of(model)).write(work)


def _like_another(work: Path, like: Path, model: Any) -> bool:
    """Whether the graph of `like` serves with other weights in it."""
    from training.reweigh import reweigh

    try:
        if reweigh(like, work):
            _check(work, model)
            return True
    except SourceError:  # it holds what was computed from a weight, too
        pass
    return False


def _exported(work: Path, model: Any, report: Report) -> None:
    from training import export
    from training.compact import compact

    export.export(model, work / GRAPH)
    compact(work / GRAPH)
    report("check", 3, STAGES, "Comparing the graph with the model")
    _check(work, model)


def with_graph(work: Path, manifest: Manifest) -> Manifest:
    """The same encoder in another graph, which lies in `work` beside all of its other files: its manifest, written."""
    changed = replace(manifest, files=checksums(work))
    changed.write(work)
    return changed


def _embedded_folder(work: Path) -> None:
    from training.e5 import write_folder

    write_folder(work)
    if sha256_file(work / "model.safetensors") != EMBEDDED_WEIGHTS:
        raise SourceError(
            "The embedded encoder came out different from the one Kefu was tested with: please report it"
        )


def _tuned_folder(work: Path, cache: Path, source: Path) -> Path | None:
    """The embedded one's files, from the cache where it lies there, with what was learned added to its weights.

    Returns the embedded one's folder where it lies there.
    """
    from training.delta import apply

    base = locate(cache)
    there = _usable(base, verify=False)
    if there:
        for name in read_manifest(base).files:
            if name != GRAPH:
                (work / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(base / name, work / name)
    else:
        _embedded_folder(work)
    apply(source, work)
    return base if there else None


def _check(work: Path, model: Any) -> None:
    """The graph must give what the model gives, for texts of different lengths in one padded batch."""
    import onnxruntime

    # Through the library's own tokenizer, so that ours is not what is compared.
    batch = model.tokenizer(list(_PROBES), padding=True, return_tensors="np")
    session = onnxruntime.InferenceSession(str(work / GRAPH), providers=["CPUExecutionProvider"])
    inputs = {name: batch[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
    (ours,) = session.run(None, inputs)
    theirs = model.encode(list(_PROBES), prompt="", normalize_embeddings=True)
    if not np.allclose(ours, theirs, atol=_TOLERANCE):
        worst = float(np.abs(ours - theirs).max())
        raise SourceError(
            f"The exported graph differs from the model by {worst:.1e}: this model cannot be served"
        )


def _manifest(work: Path, name: str, shape: Shape) -> Manifest:
    return Manifest(
        name=name,
        dim=shape.dim,
        max_length=shape.max_length,
        pad_id=shape.pad_id,
        pad_token=shape.pad_token,
        pooling=shape.pooling,
        prefix=shape.prefix,
        files=checksums(work),
    )
