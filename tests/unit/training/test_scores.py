"""Evidence out of probabilities: by vectors the same as one label at a time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.apply import FLOOR, Scores, evidence

LABELS = tuple("abcdef")


@given(st.dictionaries(st.sampled_from(LABELS), st.floats(0, 1, width=32), max_size=6))
def test_own_logarithm_and_lead_over_the_best_other(probabilities: dict[str, float]) -> None:
    own, lead = evidence([Scores.of(probabilities)], [LABELS], unknown=0.25)
    for place, label in enumerate(LABELS):
        mine = math.log(probabilities.get(label, 0.25) + FLOOR)
        best = max((p for other, p in probabilities.items() if other != label), default=0.0)
        assert own[place] == pytest.approx(mine, abs=1e-5)
        assert lead[place] == pytest.approx(mine - math.log(best + FLOOR), abs=1e-5)


def test_the_likeliest_come_first() -> None:
    scores = Scores.of({"a": 0.125, "b": 0.75, "c": 0.125})
    assert scores.top(2) == [("b", 0.75), ("a", 0.125)]
    assert (scores.get("c"), scores.get("z", 0.5)) == (0.125, 0.5)
