"""A promise about answers: of those that are given, at most so many are wrong. And what it comes to in a language.

`training.thresholds` finds the bounds; this is what a server knows of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "promise.json"


@dataclass(frozen=True, slots=True)
class Promise:
    """Of what is answered at most the share `wrong` is wrong: `sure` is the probability that this is so."""

    wrong: float = 0.03
    sure: float = 0.99

    @property
    def risk(self) -> float:
        """Probability that the promise is not kept."""
        return 1.0 - self.sure

    @property
    def fewest(self) -> int:
        """Texts that must be answered without any mistake before it can be given."""
        return self.fewest_at(self.risk)

    def fewest_at(self, risk: float) -> int:
        """The same where the promise may break with the probability `risk` instead."""
        return math.ceil(math.log(risk) / math.log1p(-self.wrong) - 1e-9)


@dataclass(frozen=True, slots=True)
class Bound:
    """From which confidence on messages of one language are answered."""

    at: float | None
    """None: from none on."""
    texts: int
    """That it was learned from."""
    answered: int = 0
    """Of these texts, under this bound."""
    wrong: int = 0
    """Of those that were answered."""
    missing: int = 0
    """Texts that are lacking before anything could be promised: at the least where there are too few for any promise,
    else about so many if they come as these did. 0 beside no bound: more of the same would not do.
    """

    @property
    def coverage(self) -> float:
        """Share (0..1) of its texts that are answered."""
        return self.answered / self.texts if self.texts else 0.0


@dataclass(frozen=True, slots=True)
class Promised:
    """What was promised, and what that comes to in each language. `curves`: what a page shows of it, by language."""

    promise: Promise
    bounds: Mapping[str, Bound]
    curves: Mapping[str, Any] = field(default_factory=dict)

    def bound(self, lang: str) -> Bound:
        """Of a language without any text to judge by, one that answers nothing."""
        return self.bounds.get(lang) or Bound(None, 0, missing=self.promise.fewest)


def write_promised(folder: Path, promised: Promised) -> None:
    """promise.json. The caller makes the folder atomic."""
    text = json.dumps(asdict(promised), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / FILE).write_text(text, encoding="utf-8")


def read_promised(folder: Path) -> Promised | None:
    """None where nothing was promised. Raises OSError, KeyError, TypeError or ValueError for what is none of ours."""
    path = folder / FILE
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    bounds = {lang: Bound(**bound) for lang, bound in told["bounds"].items()}
    return Promised(Promise(**told["promise"]), bounds, told["curves"])
