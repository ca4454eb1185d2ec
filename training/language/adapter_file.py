"""A LoRA adapter as a GGUF file: llama.cpp loads it beside the model that it was learned on, which stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

Floats = NDArray[np.float32]
_ALPHA = "adapter.lora.alpha"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is added to one weight [out, in] is `alpha` / rank x `b` x `a`. `tensor`: the weight's name in the base's
    file; `a`: [rank, in]; `b`: [out, rank], rows in the file's order.
    """

    tensor: str
    a: Floats
    b: Floats


def write_adapter(path: Path, architecture: str, alpha: float, pairs: Iterable[Pair]) -> None:
    """In 16 bits. `architecture`: the base's, as its file has it. Raises OSError."""
    import gguf

    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32(_ALPHA, alpha)
    for pair in pairs:
        writer.add_tensor(f"{pair.tensor}.lora_a", np.ascontiguousarray(pair.a, dtype=np.float16))
        writer.add_tensor(f"{pair.tensor}.lora_b", np.ascontiguousarray(pair.b, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_adapter(path: Path, architecture: str) -> tuple[float, dict[str, Pair]]:
    """Its alpha, and what is added to each weight, by the weight's name in the base's file. Raises `TrainingError`
    where it is no adapter for such a base.
    """
    import gguf

    try:
        reader: Any = gguf.GGUFReader(path)
        told = {name: reader.fields[name].contents() for name in ("general.architecture", _ALPHA)}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise TrainingError(f"{path} cannot be read as an adapter: {error}") from error
    if told["general.architecture"] != architecture:
        raise TrainingError(
            f"{path} was learned on a {told['general.architecture']}, the base is a {architecture}"
        )
    found = {tensor.name: np.array(tensor.data, dtype=np.float32) for tensor in reader.tensors}
    names = [name.removesuffix(".lora_a") for name in found if name.endswith(".lora_a")]
    if not names or {f"{name}.lora_{part}" for name in names for part in "ab"} != set(found):
        raise TrainingError(f"{path} is not a low-rank adapter (LoRA)")
    pairs = {name: Pair(name, found[f"{name}.lora_a"], found[f"{name}.lora_b"]) for name in names}
    return float(told[_ALPHA]), pairs
