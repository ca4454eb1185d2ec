"""Measured against peers and limits: `python -m bench NAME [--json FILE] [--data DIR] [--only KEY,KEY]`.

A bench is a module `bench/NAME.py` with a function `run(options: Options) -> dict[str, float]`, found by its
name; the module's docstring says what is measured and how. It measures everything anew in that run, skips
what `--only` leaves out (`options.wants`), raises `NoData` when the data it needs is not there, shows how far
it is with `options.say`, and keeps what may be used again under `options.cache`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent

RASA, SETFIT_ITERATIONS = "KEFU_BENCH_RASA", "KEFU_BENCH_SETFIT_ITERATIONS"
SETTINGS = (RASA, SETFIT_ITERATIONS)
"""What the environment may say to a bench; docs/benches.md says what for."""


class NoData(Exception):
    """What the bench needs is not there; the message says what, and how to give it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a bench is told. `data`: the folder of public data sets, if any; `only`: keys, empty for all."""

    say: Callable[[str], None]
    data: Path | None = None
    only: frozenset[str] = field(default_factory=frozenset)
    cache: Path = ROOT / ".cache" / "bench"

    def wants(self, *keys: str) -> bool:
        """Whether any of these keys is asked for."""
        return not self.only or not self.only.isdisjoint(keys)

    @property
    def models(self) -> Path:
        """The cache of models that homes and tests share."""
        return Path(os.environ.get("KEFU_CACHE") or ROOT / ".cache" / "kefu")
