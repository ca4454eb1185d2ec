"""Contrastive losses, beside the sums that their papers write down."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import normalize

from training.tuning.losses import info_nce, pull, supervised_contrastive

T = 0.1
VECTORS = normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(1)), dim=-1)
LABELS = [0, 0, 1, 2, 2, 2, 3]


def likeness(one: int, other: int) -> float:
    return math.exp(float(VECTORS[one] @ VECTORS[other]) / T)


def mean_over_pairs(term: object) -> float:
    rows = []
    for i, own in enumerate(LABELS):
        mates = [j for j, label in enumerate(LABELS) if label == own and j != i]
        if mates:
            rows.append(sum(term(i, j) for j in mates) / len(mates))  # type: ignore[operator]
    return sum(rows) / len(rows)


def test_supervised_contrastive_loss() -> None:
    def term(i: int, j: int) -> float:
        return -math.log(likeness(i, j) / sum(likeness(i, k) for k in range(7) if k != i))

    found = supervised_contrastive(VECTORS, torch.tensor(LABELS), T)
    assert float(found) == pytest.approx(mean_over_pairs(term), rel=1e-4)


def test_a_text_of_the_same_key_is_never_a_negative() -> None:
    def term(i: int, j: int) -> float:
        against = sum(likeness(i, k) for k in range(7) if LABELS[k] != LABELS[i])
        return -math.log(likeness(i, j) / (likeness(i, j) + against))

    found = info_nce(VECTORS, torch.tensor(LABELS), T)
    assert float(found) == pytest.approx(mean_over_pairs(term), rel=1e-4)


@pytest.mark.parametrize("loss", [supervised_contrastive, info_nce])
@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 0]])
def test_a_batch_without_pairs_or_without_negatives_has_a_loss_and_gradients(
    loss: object, labels: list[int]
) -> None:
    raw = torch.randn(3, 4, generator=torch.Generator().manual_seed(2), requires_grad=True)
    found = loss(normalize(raw, dim=-1), torch.tensor(labels), T)  # type: ignore[operator]
    found.backward()
    assert float(found.detach()) >= 0
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()


def test_the_pull_is_a_squared_distance() -> None:
    ends = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(pull(ends, ends)) == 0
    assert float(pull(ends, ends.flip(0))) == 2
