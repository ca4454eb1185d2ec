"""An adapter for llama.cpp, written as servers on GPUs know one: a folder of peft for the model behind its base.

What was learned beside a base in few bits is put beside the whole one: close, and not the same. Measure there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from retrieval.publish import publish
from training.language.adapter_file import Floats, read_adapter
from training.language.base import load_base, quiet
from training.language.gguf_file import GgufFile
from training.language.job import array
from training.progress import Report


def write_peft(out: Path, adapter: Path, base: Path, *, called: str, report: Report) -> None:
    """`adapter_config.json` and `adapter_model.safetensors`. `adapter`: of llama.cpp, learned on the GGUF file `base`;
    `called`: how whoever loads it finds the base. Raises `TrainingError` where they do not belong together, OSError.
    """
    quiet()
    report("base", 0, 0, "Reading the base")
    file = GgufFile(base)
    _, pairs = read_adapter(adapter, file.architecture)
    model = load_base(str(base), dtype=torch.float32).model
    weights = ((name, one) for name, one in model.named_parameters() if file.tensor(name) in pairs)
    places = file.places((name, array(one.detach())) for name, one in weights)
    alpha, matrices = file.read_adapter(adapter, places)
    report("exporting", 0, 0, "Writing the adapter")
    with publish(out) as folder:
        _write(folder, matrices, alpha, called)
    report("done", 0, 0, str(out))


def _write(folder: Path, matrices: Mapping[str, tuple[Floats, Floats]], alpha: float, called: str) -> None:
    from peft import LoraConfig
    from safetensors.numpy import save_file

    parts = [name.split(".") for name in matrices]
    config = LoraConfig(
        r=next(iter(matrices.values()))[0].shape[0],
        lora_alpha=alpha,
        target_modules=sorted({part[-2] for part in parts}),
        layers_to_transform=sorted({int(word) for part in parts for word in part if word.isdigit()}),
        task_type="CAUSAL_LM",
        inference_mode=True,
    )
    config.base_model_name_or_path = called
    config.save_pretrained(str(folder))
    tensors = {
        f"base_model.model.{name.removesuffix('.weight')}.lora_{side}.weight": np.ascontiguousarray(one)
        for name, pair in matrices.items()
        for side, one in zip("AB", pair, strict=True)
    }
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
