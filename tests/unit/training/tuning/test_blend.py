"""Blended with what it began with: so much of the way, in what is judged, what is saved and what goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.unit.training.tuning.test_tuner import TEXTS, tuner
from training import export
from training.tuning.recipes import METHODS
from training.tuning.tuner import Tuner

SHARE = 0.3


def standing(of: Tuner) -> dict[str, Tensor]:
    """Of what is trained, by name."""
    return {name: value for name, value in of.state()[0].items() if name.startswith("weights/")}


def saved(of: Tuner, folder: Path) -> dict[str, Tensor]:
    """The encoder, and the classifier's rows."""
    of.save(folder)
    plain: dict[str, Tensor] = export.load(str(folder)).state_dict()
    head = of.head("intent")
    return {**plain, "rows": torch.from_numpy(head.weight), "bias": torch.from_numpy(head.bias)}


@pytest.mark.parametrize(
    ("method", "average"), [*((method, 0.0) for method in METHODS), ("full", 0.5), ("adalora", 0.5)]
)
def test_what_is_saved_came_so_much_of_the_way(
    encoder: Path, tmp_path: Path, method: str, average: float
) -> None:
    """Of adapters it is what they add: their product, not each of its factors."""
    more: dict[str, Any] = {"rate": 1e-2, "average": average}
    begun = saved(tuner(encoder, method, **more), tmp_path / "begun")
    whole, part = tuner(encoder, method, **more), tuner(encoder, method, blend=SHARE, **more)
    assert [step.loss for step in whole.run()] == [step.loss for step in part.run()]
    ends, blended = saved(whole, tmp_path / "whole"), saved(part, tmp_path / "part")
    moved = 0
    for name, value in begun.items():
        expected = value + SHARE * (ends[name] - value)
        np.testing.assert_allclose(blended[name], expected, atol=2e-6, err_msg=name)
        moved += float((ends[name] - value).abs().max()) > 1e-3
    assert moved > 4


def test_with_all_of_it_the_weights_stay_where_training_left_them(encoder: Path) -> None:
    own = tuner(encoder, average=0.0, blend=1.0)
    left = [standing(own) for _ in own.run()][-1]
    assert all(torch.equal(value, left[name]) for name, value in standing(own).items())


def test_the_blend_is_judged_and_kept_and_does_not_disturb(encoder: Path) -> None:
    own = tuner(encoder, average=0.0, blend=SHARE, epochs=4, patience=2)
    begun, metrics = standing(own), iter([0.5, 0.9, 0.7, 0.8])
    judged, left = list[dict[str, Tensor]](), list[dict[str, Tensor]]()

    def evaluate(of: Tuner) -> dict[str, float]:
        judged.append(standing(of))
        return {"accuracy": next(metrics)}

    for step in own.run(evaluate=evaluate):
        if step.metrics:
            left.append(standing(own))
    assert len(judged) == len(left) == 4
    for seen, weights in zip(judged, left, strict=True):
        for name, value in begun.items():
            torch.testing.assert_close(seen[name], value + SHARE * (weights[name] - value))
    assert all(torch.equal(value, judged[1][name]) for name, value in standing(own).items())


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_nothing_is_blended_twice(encoder: Path, average: float) -> None:
    """Without metrics too, and after what is over was stored and run once more."""
    own = tuner(encoder, average=average, blend=SHARE)
    list(own.run())
    ended = standing(own)
    again = tuner(encoder, average=average, blend=SHARE)
    again.restore(*own.state())
    for one in (own, again):
        assert list(one.run()) == []
        assert all(torch.equal(value, ended[name]) for name, value in standing(one).items())


def test_vectors_go_from_the_untrained_ones_to_the_tuned_ones(encoder: Path) -> None:
    def vectors(share: float) -> np.ndarray:
        own = tuner(encoder, blend=share, rate=1e-2)
        list(own.run())
        return own.encode(TEXTS)

    begun, ends = tuner(encoder).encode(TEXTS), vectors(1.0)
    between = [vectors(share) for share in (1e-6, 0.25, 0.5, 0.75)]
    np.testing.assert_allclose(between[0], begun, atol=1e-5)
    gone = [float(np.linalg.norm(some - begun)) for some in (*between, ends)]
    left = [float(np.linalg.norm(some - ends)) for some in (*between, ends)]
    assert gone == sorted(gone)
    assert left == sorted(left, reverse=True)
    assert left[0] > 0.1
