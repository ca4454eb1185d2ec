"""What a method comes to, whichever it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.job.heads import Heads
from training.job.measure import Served


@dataclass(frozen=True, slots=True)
class Outcome:
    """`told`: what it has to say in the result."""

    heads: Heads
    served: Served
    told: Mapping[str, Any]
