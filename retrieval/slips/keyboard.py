"""Keys that lie beside one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

_ROWS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
"""Each row of a keyboard, and where it begins, in keys."""
_REACH = 1.2
"""Keys whose centres are nearer than this are neighbours."""


@lru_cache(maxsize=1)
def neighbours() -> Mapping[str, str]:
    """Letter -> the letters whose keys lie beside its own."""
    at = {
        key: (row, column + shift)
        for row, (keys, shift) in enumerate(_ROWS)
        for column, key in enumerate(keys)
    }
    return {
        key: "".join(other for other in at if other != key and math.dist(at[key], at[other]) < _REACH)
        for key in at
    }
