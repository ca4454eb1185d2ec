"""Nearest texts beside a classifier."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.apply import IntentHead, load_head, save_head
from training.fit import no_head
from training.neighbours import Floats, Neighbours

DIM = 8
RNG = np.random.default_rng(0)


def unit(rows: int) -> Floats:
    vectors = RNG.standard_normal((rows, DIM)).astype(np.float32)
    found: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


LEARNED, PLACES = unit(12), [2, 0, 1, 0] * 3
NEAR = Neighbours.of(LEARNED, PLACES, 3)


def head() -> IntentHead:
    weight, bias = RNG.standard_normal((3, DIM)).astype(np.float32), np.zeros(3, dtype=np.float32)
    return replace(no_head(DIM), labels=("a", "b", "c"), weight=weight, bias=bias)


def test_it_is_a_kernel_density_of_each_label() -> None:
    asked = unit(5)
    centre = LEARNED.mean(axis=0)
    for text, logs in zip(asked, NEAR.log_probabilities(asked), strict=True):
        density = np.zeros(3)
        for learned, place in zip(LEARNED, PLACES, strict=True):
            one, other = text - centre, learned - centre
            density[place] += np.exp((one @ other / np.linalg.norm(one) / np.linalg.norm(other) - 1) / 0.05)
        np.testing.assert_allclose(logs, np.log(density / density.sum() + 1e-6), rtol=1e-4, atol=1e-4)


def test_what_was_learned_is_named_as_it_was_whoever_asks_how_much_at_once() -> None:
    many = np.tile(LEARNED, (200, 1))
    logs = NEAR.log_probabilities(many)
    assert logs.argmax(axis=1).tolist() == PLACES * 200
    np.testing.assert_allclose(logs[:1], NEAR.log_probabilities(many[:1]), atol=1e-5)
    assert NEAR.log_probabilities(many[:0]).shape == (0, 3)


def test_a_label_without_texts_and_a_vector_without_direction_give_numbers() -> None:
    few = Neighbours.of(LEARNED[:2], [2, 0], 3)
    logs = few.log_probabilities(np.stack([few.centre, LEARNED[0]]))
    assert np.isfinite(logs).all()
    assert logs[1].argmax() == 2
    assert logs[1, 1] == logs.min()


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_they_count_by_their_share_and_survive_a_round_trip(tmp_path: Path, share: float) -> None:
    own = replace(head(), near=NEAR, near_share=share)
    asked = unit(4)
    expected = replace(own, near=None).log_probabilities(asked) + share * NEAR.log_probabilities(asked)
    expected -= np.log(np.exp(expected).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(own.log_probabilities(asked), expected, atol=1e-5)
    np.testing.assert_allclose(own.probabilities(asked, ["?"] * 4).sum(axis=1), 1.0, rtol=1e-5)
    save_head(tmp_path, "intent", own)
    np.testing.assert_array_equal(
        load_head(tmp_path, "intent").log_probabilities(asked), own.log_probabilities(asked)
    )


def test_a_head_of_before_there_were_any_is_read(tmp_path: Path) -> None:
    own = head()
    save_head(tmp_path, "intent", own)
    told = json.loads((tmp_path / "intent.json").read_text(encoding="utf-8"))
    del told["intent"]["near_share"]
    (tmp_path / "intent.json").write_text(json.dumps(told), encoding="utf-8")
    asked = unit(4)
    read = load_head(tmp_path, "intent")
    assert read.near is None
    np.testing.assert_array_equal(read.log_probabilities(asked), own.log_probabilities(asked))
