"""Which tensors of an encoder's graph are its tokens' states, and the bytes that make serving give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.errors import EncoderError
from retrieval.model_folder import GRAPH
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.tap import Tap, locate_tap, read_tap, write_tap
from training.errors import SourceError
from training.progress import Report, silent

DEPTHS = (2 / 3,)
"""Of the layers whose states are told, as shares of all. The last ones are there for the text as a whole; on the way a
token is most itself (docs/adr/0010).
"""


def make_tap(cache: Path, folder: Path, *, report: Report = silent) -> Tap:
    """Found under `cache`, or made (seconds) and tried on a text. Raises `SourceError`."""
    try:
        path = locate_tap(cache, folder)
        tap = read_tap(path)
        if tap is None:
            report("tap", 0, 1, "Looking for the states of tokens")
            tap = tap_at(folder, DEPTHS)
            write_tap(path, tap)
        report("tap", 1, 1, str(path))
    except EncoderError as error:
        raise SourceError(str(error)) from error
    return tap


def tap_at(folder: Path, depths: Sequence[float]) -> Tap:
    """Of the layers at these depths, tried on a text and kept nowhere. Raises `SourceError`, `EncoderError`."""
    import onnx

    graph = onnx.load(str(folder / GRAPH)).graph
    states = _states(graph)
    if not states:
        raise SourceError(
            f"{folder}: no states of tokens are found in {GRAPH}: entities cannot be learned on it"
        )
    outputs = tuple(dict.fromkeys(states[round(depth * (len(states) - 1))] for depth in depths))
    named = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in outputs]
    part = onnx.ModelProto(graph=onnx.GraphProto(output=named)).SerializeToString()
    tap = Tap(outputs, part)
    _try(folder, tap)
    return tap


def _states(graph: Any) -> list[str]:
    """What each layer gives, embeddings first. A layer ends in a norm; where there are none, only in words."""
    norms = [node.output[0] for node in graph.node if node.op_type == "LayerNormalization"]
    if norms:
        return norms[::2]  # attention has a norm of its own in between
    return [node.output[0] for node in graph.node if node.op_type.startswith("Gather")][:1]


def _try(folder: Path, tap: Tap) -> None:
    """The same vectors with and without it, and a state for each token."""
    text = ["How do I report a lost card? 我的卡丢了"]
    plain = OnnxEncoder.open(folder, threads=1).encode(text)
    vectors, (tokens,) = OnnxEncoder.open(folder, threads=1, tap=tap).encode_tokens(text)
    if not np.array_equal(plain, vectors) or tokens.states.shape[0] != len(tokens.places):
        raise SourceError(
            f"{folder}: the states of tokens in {GRAPH} cannot be read: entities cannot be learned on it"
        )
