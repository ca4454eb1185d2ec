"""The word embeddings of a graph in 4 bits, where that loses nothing.

A model that came out of 4-bit blocks (and was trained further with its embeddings frozen) has only weights
of the form integer x scale, 32 to a scale, integers -8..7. Such a table is stored as it was and looked up by
ONNX Runtime's `GatherBlockQuantized`: every vector stays the same to the last bit, and a server needs 310 MB
less of memory (measured: 510 MB instead of 820 MB with the tokenizer) and a third of the time to load. Any
other table is left alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
_LOWEST, _HIGHEST = -8, 7


def split_blocks(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]] | None:
    """(int8 [rows, dim] in -8..7, scales float32 [rows, dim / 32]), or None where the split would not be
    exact.
    """
    rows, dim = table.shape
    if dim % BLOCK:
        return None
    blocks = table.reshape(-1, BLOCK)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
    scales = extreme / np.float32(_LOWEST)
    whole = np.rint(np.divide(blocks, scales, out=np.zeros_like(blocks), where=scales != 0))
    if whole.min() < _LOWEST or whole.max() > _HIGHEST or not np.array_equal(whole * scales, blocks):
        return None
    return whole.astype(np.int8).reshape(rows, dim), scales.reshape(rows, dim // BLOCK)


def compact(path: Path) -> bool:
    """Rewrite the graph at `path` with its largest embedding table in 4 bits; False if it had to stay as it
    is.
    """
    import onnx

    model = onnx.load(str(path))
    node, table = _largest_lookup(model.graph)
    split = None if table is None else split_blocks(onnx.numpy_helper.to_array(table))
    if split is None:
        return False
    _replace(model.graph, node, table, split)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(path))
    return True


def _largest_lookup(graph: Any) -> tuple[Any, Any]:
    """The Gather node whose constant table has most rows, and that table; (None, None) if there is none."""
    constants = {item.name: item for item in graph.initializer}
    found = [(node, constants[node.input[0]]) for node in graph.node if _is_lookup(node, constants)]
    return max(found, key=lambda pair: pair[1].dims[0], default=(None, None))


def _is_lookup(node: Any, constants: dict[str, Any]) -> bool:
    return node.op_type == "Gather" and node.input[0] in constants and len(constants[node.input[0]].dims) == 2


def _replace(graph: Any, node: Any, table: Any, split: tuple[NDArray[np.int8], NDArray[np.float32]]) -> None:
    from onnx import TensorProto, helper, numpy_helper

    whole, scales = split
    nibbles = whole.view(np.uint8) & 15
    packed = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    name = table.name
    lookup = helper.make_node(
        "GatherBlockQuantized",
        [f"{name}.int4", node.input[1], f"{name}.scales"],
        list(node.output),
        domain="com.microsoft",
        block_size=BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    at = list(graph.node).index(node)
    graph.node.remove(node)
    graph.node.insert(at, lookup)
    graph.initializer.remove(table)
    graph.initializer.append(
        helper.make_tensor(f"{name}.int4", TensorProto.INT4, whole.shape, packed.tobytes(), raw=True)
    )
    graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))
