"""The language model that tuning begins with, from a GGUF file, a folder or the hub. Needs transformers."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.errors import TrainingError

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Of attention and feed-forward layers, as transformers names them in all families that are common today."""


@dataclass(frozen=True, slots=True)
class Base:
    """`gguf`: the file that it came from; None where it came from a folder or the hub."""

    model: Any
    tokenizer: Any
    gguf: Path | None


def load_base(source: str, *, dtype: torch.dtype) -> Base:
    """Weights of safetensors or GGUF alone: nothing is unpickled, no code of a model's author runs. Raises
    `TrainingError`.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = Path(source).expanduser()
    gguf = path if path.suffix == ".gguf" else None
    if gguf is not None and not gguf.is_file():
        raise TrainingError(f"{gguf} is not a file: name a GGUF file, a folder or a hub name as `base`")
    place = str(gguf.parent) if gguf else str(path) if path.is_dir() else source
    named: dict[str, Any] = {"gguf_file": gguf.name} if gguf else {}
    safe: dict[str, Any] = {} if gguf else {"use_safetensors": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **named)
        model = AutoModelForCausalLM.from_pretrained(place, dtype=dtype, **named, **safe)
    except (OSError, ValueError, KeyError, IndexError, ImportError, struct.error) as error:
        raise TrainingError(f"{source} cannot be read as a language model: {_short(error)}") from error
    model.config.use_cache = False
    return Base(model, tokenizer, gguf)


def targets(model: Any) -> list[str]:
    """Names of the linear layers that are adapted, ends of module names. Raises `TrainingError`."""
    found = {name.rpartition(".")[2] for name, _ in model.named_modules()} & set(LINEAR)
    if not found:
        raise TrainingError(f"No linear layers to adapt were found in a {type(model).__name__}")
    return sorted(found)


def asked(prompt: str | Sequence[Mapping[str, str]], tokenizer: Any) -> tuple[int, ...]:
    """What a server reads of a prompt: a text with the tokens that begin one, or a chat in the model's own template."""
    if isinstance(prompt, str):
        return tuple(tokenizer(prompt).input_ids)
    if not tokenizer.chat_template:
        raise TrainingError("The base has no chat template: take the form `completion`, or a base that chats")
    text = tokenizer.apply_chat_template(list(prompt), add_generation_prompt=True, tokenize=False)
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)


def quiet() -> None:
    """Nothing but our own lines on standard output and error."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
