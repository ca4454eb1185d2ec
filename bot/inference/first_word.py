"""What a language model would begin its answer with, and how likely that is: an opinion, for the price of reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Set

Words = list[tuple[str, float]]
"""First tokens, as they are written, and the probability (0..1) of each."""

LIKELIEST = 20
"""First tokens that are looked at: servers tell no more."""
UNLIKELY = 1e-4
"""Added to a first word's probability."""
EITHER = 0.05
"""Of the probability that has to go to words that are waited for: a model that begins with another one (to think first,
say) has told nothing yet.
"""


def log_odds(words: Iterable[tuple[str, float]], these: Set[str], others: Set[str]) -> float | None:
    """That the first word is of `these` rather than of the `others` (lower case); None where neither is likely."""
    told = [(token.strip().lower(), probability) for token, probability in words]
    one, other = (sum(p for word, p in told if word in wanted) for wanted in (these, others))
    return math.log((one + UNLIKELY) / (other + UNLIKELY)) if one + other >= EITHER else None
