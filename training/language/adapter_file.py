"""A LoRA adapter as a GGUF file: llama.cpp loads it beside the model that it was learned on, which stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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
    writer.add_float32("adapter.lora.alpha", alpha)
    for pair in pairs:
        writer.add_tensor(f"{pair.tensor}.lora_a", np.ascontiguousarray(pair.a, dtype=np.float16))
        writer.add_tensor(f"{pair.tensor}.lora_b", np.ascontiguousarray(pair.b, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
