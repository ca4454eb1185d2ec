"""What the tuning of a generator is asked to do: read from JSON or YAML, and every word of it known. Torch-free."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from retrieval.model_folder import EMBEDDED
from training.spec import Positive, parse, read_body

METHOD = "generator"
Form = Literal["completion", "chat"]
"""How the model is asked: a text to go on with (the model in the server's process), or messages (a server)."""
_Count = Annotated[int, Field(ge=1)]
_Share = Annotated[float, Field(ge=0, lt=1)]


class GeneratorSpec(BaseModel):
    """LoRA (Hu et al. 2022) on all linear layers of a language model. Two jobs of one spec on the same data give the
    same weights on one CPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    base: Annotated[str, Field(min_length=1)] = EMBEDDED
    """`embedded`, a GGUF file, a folder of safetensors, or a hub name: what it begins with."""
    form: Form = "completion"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    rank: _Count = 16
    alpha: Positive = 32.0
    dropout: _Share = 0.05
    rate: Positive = 2e-4
    """Highest learning rate (AdamW); it falls linearly to nothing."""
    warmup: _Share = 0.06
    epochs: _Count = 1
    batch: Annotated[int, Field(ge=2)] = 4
    """Examples a step; over all devices."""
    steps: _Count | None = None
    """At the most so many, whatever the epochs say."""
    examples: Annotated[int, Field(ge=8)] = 800
    """At the most so many are made of what the bot knows."""
    refusals: Annotated[float, Field(ge=0, le=0.5)] = 0.25
    """Share of examples whose passages do not hold the answer."""
    max_length: Annotated[int, Field(ge=32)] = 768
    """Tokens of an example; longer ones are left out."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    judged: Annotated[int, Field(ge=1)] = 40
    """Questions that were held out and are put to the base and to what was tuned."""
    checkpoint_seconds: Positive = 120.0

    @property
    def method(self) -> str:
        """Where jobs of all kinds are listed."""
        return METHOD

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of what decides the outcome."""
        told = self.model_dump(mode="json", exclude={"checkpoint_seconds"})
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_generator_spec(path: Path | None) -> GeneratorSpec:
    """JSON, or YAML (.yml, .yaml); None: nothing is asked for. Raises `SpecError`."""
    return parse(GeneratorSpec, read_body(path), name=str(path)) if path else GeneratorSpec()
