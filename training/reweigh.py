"""The graph of an encoder that was tuned from another one: the other's, with what was learned in its weights' places.

To export a graph takes half a minute, and where a model differs in its weights alone it says nothing new. A weight is
found again by what it holds; matrices lie turned there, as the exporter turns them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.model_folder import GRAPH
from training.delta import WEIGHTS, load

_Key = tuple[tuple[int, ...], bytes]


def reweigh(like: Path, work: Path) -> bool:
    """Write the graph of the folder `work` after that of the folder `like` (a second). False, and nothing is written,
    where that cannot be: another architecture, or a weight that changed and has no place of its own there (8 bits).
    """
    import onnx

    if not (like / GRAPH).is_file() or not (like / WEIGHTS).is_file():
        return False
    before, after = load(like / WEIGHTS), load(work / WEIGHTS)
    if _shapes(before) != _shapes(after):
        return False
    model = onnx.load(str(like / GRAPH))
    places, alike = _places(model.graph.initializer), Counter(map(_key, before.values()))
    for name in (name for name in before if not np.array_equal(before[name], after[name])):
        tensor, turned = _place(name, before[name], places, alike[_key(before[name])])
        if tensor is None:
            return False
        value = np.ascontiguousarray(after[name].T if turned else after[name])
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    onnx.save(model, str(work / GRAPH))
    return True


def _shapes(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in weights.items()}


def _places(tensors: Iterable[Any]) -> dict[_Key, list[Any]]:
    """The graph's constants by what they hold."""
    from onnx import TensorProto, numpy_helper

    found: dict[_Key, list[Any]] = {}
    for tensor in tensors:
        if tensor.data_type == TensorProto.FLOAT:
            found.setdefault(_key(numpy_helper.to_array(tensor)), []).append(tensor)
    return found


def _place(
    name: str, value: NDArray[np.float32], places: Mapping[_Key, Sequence[Any]], alike: int
) -> tuple[Any, bool]:
    """The constant that holds a weight, and whether turned. Where `alike` weights hold the same (biases of nothing but
    zeros) the one of its name; (None, False) where none can be told, as where one constant stands for them all.
    """
    for turned in (False, True) if value.ndim == 2 else (False,):
        found = places.get(_key(value.T if turned else value), [])
        own = found if alike == 1 else [one for one in found if one.name.endswith(f".{name}")]
        if len(own) == 1 and len(found) == alike:
            return own[0], turned
    return None, False


def _key(value: NDArray[np.float32]) -> _Key:
    return value.shape, hashlib.sha256(value.tobytes()).digest()
