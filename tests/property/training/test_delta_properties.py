"""Whatever was learned, if its rank is low: it is packed small, comes back, and nothing else changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.delta import Kept, added, factored

MANY = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(2, 40)


def low_rank(rng: np.random.Generator, rows: int, columns: int, rank: int) -> np.ndarray:
    made = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))
    return (0.01 * made).astype(np.float32)


@MANY
@given(seed=SEEDS, rows=SIZES, columns=SIZES, rank=st.integers(1, 8))
def test_a_difference_of_low_rank_comes_back(seed: int, rows: int, columns: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    before = {name: rng.normal(size=(rows, columns)).astype(np.float32) for name in ("changed", "kept")}
    before["bias"] = rng.normal(size=rows).astype(np.float32)
    change, shift = low_rank(rng, rows, columns, rank), (0.01 * rng.normal(size=rows)).astype(np.float32)
    after = {**before, "changed": before["changed"] + change, "bias": before["bias"] + shift}
    factors = factored(before, after, 64)
    assert set(factors) == {"changed.a", "changed.b", "bias.d"}
    assert len(factors["changed.a"]) <= min(rank, rows, columns)
    made = added(before, factors)
    assert np.array_equal(made["kept"], before["kept"])
    assert np.abs(made["changed"] - after["changed"]).max() <= 2e-3 * np.abs(change).max() + 1e-6
    assert np.abs(made["bias"] - after["bias"]).max() <= 1e-3 * np.abs(shift).max() + 1e-6


@MANY
@given(seed=SEEDS, rows=st.integers(8, 40), columns=st.integers(8, 40))
def test_more_rank_keeps_more(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    before = {"m": rng.normal(size=(rows, columns)).astype(np.float32)}
    after = {"m": before["m"] + (0.01 * rng.normal(size=(rows, columns))).astype(np.float32)}
    kept = [Kept.of(before, after, factored(before, after, rank)) for rank in (1, 4, 64)]
    assert [one.rank for one in kept[:2]] == [1, 4]
    assert 4 < kept[2].rank <= min(rows, columns)
    assert 0 < kept[0].share < kept[1].share < kept[2].share
    assert kept[2].share > 0.99999


def test_nothing_learned_is_nothing_to_pack() -> None:
    same = {"m": np.ones((3, 3), dtype=np.float32)}
    assert factored(same, same, 4) == {}
    assert Kept.of(same, same, {}) == Kept(1.0, 0)
