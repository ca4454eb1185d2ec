"""What the tuning of a language model is asked to do, whatever it is taught: read from JSON or YAML. Torch-free."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from retrieval.model_folder import EMBEDDED
from training.spec import Positive

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class ModelSpec(BaseModel, ABC):
    """LoRA (Hu et al. 2022): low-rank matrices beside frozen weights. Two jobs of one spec on the same data give the
    same weights on one CPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    base: Annotated[str, Field(min_length=1)] = EMBEDDED
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    rank: Count = 16
    alpha: Positive = 32.0
    rate: Positive = 2e-4
    """Highest learning rate (AdamW); it falls linearly to nothing."""
    warmup: Share = 0.06
    epochs: Count = 1
    batch: Annotated[int, Field(ge=2)] = 4
    """Examples a step; over all devices."""
    steps: Count | None = None
    """At the most so many, whatever the epochs say."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    checkpoint_seconds: Positive = 120.0

    @property
    @abstractmethod
    def method(self) -> str:
        """Where jobs of all kinds are listed."""

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of what decides the outcome."""
        told = self.model_dump(mode="json", exclude={"checkpoint_seconds"})
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
