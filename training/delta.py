"""A tuned encoder as the difference to the one that it was tuned from, and back; the files are those of
`retrieval.delta`.

What LoRA learns has a low rank, and is kept whole. Of other methods a matrix keeps its largest singular values: how
much that loses is measured on vectors of texts before anything is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.delta import MAX_BYTES, TENSORS, Delta, is_delta, read_delta
from retrieval.errors import EncoderError
from retrieval.model_folder import TOKENIZER, read_manifest, sha256_file
from retrieval.publish import publish
from training.errors import SourceError
from training.progress import Report, silent
from training.trained import TRAINED, write_trained

Array = NDArray[np.float32]
Half = NDArray[np.float16]
Tensors = Mapping[str, Array]

WEIGHTS = "model.safetensors"
CARD = "card.md"
RANK = 64
"""Of a matrix, at most, unless more is asked for."""
ENOUGH = 1.0 - 1e-6
"""Share of a matrix's squares from which on further ranks say nothing but how it was rounded."""
LEAST = 0.999
"""Cosine between a text's vectors before and after, under which a difference is not written."""
SOME = (
    "How do I report a lost card?",
    "My transfer has not arrived yet, what can I do about it?",
    "Can I speak to a person, please?",
    "我的信用卡丢了怎么办？",
    "转账多久能到账",
    "你们几点开门？",
)
"""Texts that vectors are compared on, beside those that are given."""
_KINDS = {".a": 2, ".b": 2, ".d": 1}
"""Ends of names, and how many axes there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`rank`: at most. `texts`: to compare vectors on. `about`, `card`: as the folder says of itself."""

    rank: int = RANK
    texts: Sequence[str] = ()
    about: Mapping[str, Any] | None = None
    card: str = ""


def write(
    tuned: Path,
    base: Path,
    out: Path,
    wanted: Wanted,
    *,
    trained: Iterable[str] = (),
    report: Report = silent,
) -> Delta:
    """The difference of two encoders' folders, in `out`; what lay there gives way if it is a difference too.

    `trained`: ids of the texts that `tuned` was trained on. Raises `SourceError`, and leaves `out` as it was: another
    architecture, words or embeddings than the base's, or vectors that would come out otherwise.
    """
    if out.exists() and not is_delta(out) and (not out.is_dir() or any(out.iterdir())):
        raise SourceError(f"{out} is there and is no packed encoder: name another folder, or remove it")
    _refuse_others(tuned, base)
    report("read", 0, 0, "Reading both encoders")
    before, after = load(base / WEIGHTS), load(tuned / WEIGHTS)
    found = factored(before, after, wanted.rank, report=report)
    report("compare", 0, 0, "Comparing vectors before and after")
    cosine = _compared(tuned, added(before, found), [*SOME, *wanted.texts])
    told = Kept.of(before, after, found)
    if cosine < LEAST:
        raise SourceError(
            f"At rank {wanted.rank} {told.share:.1%} of what was learned is kept, and a text's vector comes out at a "
            f"cosine of {cosine:.4f} to what it was; {LEAST} is asked for. Name a higher rank (--rank "
            f"{2 * wanted.rank}), or train by the method lora, whose difference is small"
        )
    with publish(out) as place:
        _save(found, place / TENSORS)
        names = [TENSORS]
        if ids := sorted(trained):
            write_trained(place, ids)
            names.append(TRAINED)
        files = {name: (sha256_file(place / name), (place / name).stat().st_size) for name in names}
        about = dict(wanted.about or {})
        delta = Delta(
            sha256_file(base / WEIGHTS), files, told.rank, round(told.share, 6), round(cosine, 6), about
        )
        delta.write(place)
        (place / CARD).write_text(wanted.card, encoding="utf-8")
    return delta


def apply(source: Path, work: Path) -> None:
    """Turn the base's folder `work` into the tuned encoder's (its graph is still to be made). Raises `SourceError`."""
    try:
        delta = read_delta(source, verify=True)
    except EncoderError as error:
        raise SourceError(str(error)) from error
    if sha256_file(work / WEIGHTS) != delta.base:
        raise SourceError(
            f"{source} belongs to another encoder than the one that comes with this Kefu: train again and pack that "
            "(kefu releases pack), or take the `encoder` line out of bot.yml"
        )
    tensors = added(load(work / WEIGHTS), read_factors(source))
    _write_weights(tensors, work / WEIGHTS)
    if TRAINED in delta.files:
        shutil.copyfile(source / TRAINED, work / TRAINED)


def factored(before: Tensors, after: Tensors, rank: int, *, report: Report = silent) -> dict[str, Half]:
    """What turns `before` into `after`, as `retrieval.delta` names it. Raises `SourceError`."""
    names = [name for name in before if not np.array_equal(before[name], after[name])]
    found: dict[str, Half] = {}
    for number, name in enumerate(names):
        report("factor", number, len(names), f"Looking for what was learned: {name}")
        change = after[name] - before[name]
        if not np.isfinite(change).all():
            raise SourceError(f"{name} of the tuned encoder holds what is no number: train again")
        if change.ndim == 1:
            found[f"{name}.d"] = change.astype(np.float16)
        elif change.ndim == 2:
            found[f"{name}.a"], found[f"{name}.b"] = _factors(change, rank)
        else:
            raise SourceError(f"{name} has {change.ndim} axes: only matrices and vectors can be packed")
    return found


def added(before: Tensors, factors: Mapping[str, Half]) -> dict[str, Array]:
    """`before` and what was learned, in float32. Raises `SourceError`: a name or a shape that does not fit."""
    made = dict(before)
    for name in dict.fromkeys(key[:-2] for key in factors):
        if name not in before:
            raise SourceError(f"{name} of the difference is no part of the base")
        change = _change(name, factors)
        if change.shape != before[name].shape:
            raise SourceError(f"{name} is {before[name].shape}, and what is to be added to it {change.shape}")
        made[name] = before[name] + change
    return made


def read_factors(folder: Path) -> dict[str, Half]:
    """Raises `SourceError`: no safetensors, another type than float16, what is no number, a name of no kind."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / TENSORS
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path} is larger than {MAX_BYTES / 1e6:.0f} MB: that is no difference")
        found: dict[str, Half] = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    for name, values in found.items():
        if values.dtype != np.float16 or _KINDS.get(name[-2:]) != values.ndim:
            raise SourceError(
                f"{path}: {name} is {values.dtype} with {values.ndim} axes: that is not of this format"
            )
        if not np.isfinite(values).all():
            raise SourceError(f"{path}: {name} holds what is no number")
    return found


def load(path: Path) -> dict[str, Array]:
    """Weights in float32, by name. Raises `SourceError`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return {name: values.astype(np.float32, copy=False) for name, values in load_file(path).items()}
    except (OSError, ValueError, SafetensorError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Kept:
    """`share` of the squares of what was learned; `rank`: the largest one of a matrix."""

    share: float
    rank: int

    @classmethod
    def of(cls, before: Tensors, after: Tensors, factors: Mapping[str, Half]) -> Kept:
        lost = whole = 0.0
        for name in dict.fromkeys(key[:-2] for key in factors):
            change = after[name] - before[name]
            whole += float(np.square(change, dtype=np.float64).sum())
            lost += float(np.square(change - _change(name, factors), dtype=np.float64).sum())
        rank = max((len(values) for key, values in factors.items() if key.endswith(".a")), default=0)
        return cls(1.0 - lost / whole if whole else 1.0, rank)


def _factors(change: Array, rank: int) -> tuple[Half, Half]:
    """a [rank, in] and b [out, rank] of the least rank that has ENOUGH of it, or of `rank`."""
    left, values, right = np.linalg.svd(change, full_matrices=False)
    shares = np.cumsum(np.square(values, dtype=np.float64))
    least = int(np.searchsorted(shares, ENOUGH * shares[-1])) + 1
    chosen = max(min(least, rank, len(values)), 1)
    root = np.sqrt(values[:chosen])  # half of it on either side: float16 has no room for what is very small
    return (root[:, None] * right[:chosen]).astype(np.float16), (left[:, :chosen] * root).astype(np.float16)


def _change(name: str, factors: Mapping[str, Half]) -> Array:
    if (vector := factors.get(f"{name}.d")) is not None:
        return vector.astype(np.float32)
    a, b = factors.get(f"{name}.a"), factors.get(f"{name}.b")
    if a is None or b is None or a.shape[0] != b.shape[1]:
        raise SourceError(f"{name} of the difference lacks one of its two factors, or they do not fit")
    change: Array = b.astype(np.float32) @ a.astype(np.float32)
    return change


def _refuse_others(tuned: Path, base: Path) -> None:
    try:
        one, other = read_manifest(tuned), read_manifest(base)
    except EncoderError as error:
        raise SourceError(str(error)) from error
    alike = all(
        getattr(one, name) == getattr(other, name) for name in ("dim", "pooling", "prefix", "max_length")
    )
    if not alike or one.files.get(TOKENIZER) != other.files.get(TOKENIZER):
        raise SourceError(f"{tuned} was not tuned from the embedded encoder: only such a one can be packed")
    shapes = [dict(_shapes(folder / WEIGHTS)) for folder in (tuned, base)]
    if shapes[0] != shapes[1]:
        raise SourceError(
            f"{tuned} is of another architecture than the embedded encoder and cannot be packed"
        )
    for name in shapes[1]:
        if "word_embeddings" in name and not _same(tuned / WEIGHTS, base / WEIGHTS, name):
            raise SourceError(
                f"{tuned} has word embeddings of its own: train again with these frozen, as recipes do"
            )


def _shapes(path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="np") as opened:
            for name in opened.keys():  # noqa: SIM118 (it is no mapping)
                yield name, tuple(opened.get_slice(name).get_shape())
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _same(one: Path, other: Path, name: str) -> bool:
    from safetensors import safe_open

    with safe_open(one, framework="np") as left, safe_open(other, framework="np") as right:
        return bool(np.array_equal(left.get_tensor(name), right.get_tensor(name)))


def _save(factors: Mapping[str, Half], path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(values) for name, values in factors.items()}, path)


def _write_weights(tensors: Tensors, path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(dict(tensors), path, metadata={"format": "pt"})


def _compared(tuned: Path, weights: Tensors, texts: Sequence[str]) -> float:
    """The least cosine between what the tuned encoder serves and what those weights give. Raises `SourceError`."""
    import torch

    from retrieval.onnx_encoder import OnnxEncoder
    from training import export

    try:
        served = OnnxEncoder.open(tuned, as_typed=True)
        mine = served.encode(texts)
    except EncoderError as error:
        raise SourceError(str(error)) from error
    prefix = read_manifest(tuned).prefix
    model: Any = export.load(str(tuned), attention=None)

    def vectors() -> Array:
        read = [prefix + text for text in texts]
        found: Array = model.encode(read, prompt="", normalize_embeddings=True, show_progress_bar=False)
        return found

    if (same := _least(mine, vectors())) < LEAST:
        raise SourceError(
            f"{tuned} serves another graph than its weights make (cosine {same:.4f}), as with 8 bits: pack one that "
            "was trained with `int8: off`"
        )
    # A layer that no vector goes through (BERT's pooler) is not among the weights, and may be there all the same.
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    model[0].auto_model.load_state_dict(tensors, strict=False)
    return _least(mine, vectors())


def _least(one: Array, other: Array) -> float:
    return float((one * other).sum(axis=1).min())
