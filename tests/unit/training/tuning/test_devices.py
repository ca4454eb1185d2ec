"""Where and how exactly is computed: decided by what the hardware has."""

from __future__ import annotations

import pytest
import torch

from training.errors import TrainingError
from training.tuning.devices import Devices, bounded, exact, precision


@pytest.mark.parametrize(
    ("wanted", "device", "bf16", "found"),
    [
        ("auto", "cpu", False, "float32"),
        ("auto", "cpu", True, "bf16"),
        ("auto", "cuda", True, "bf16"),
        ("auto", "cuda", False, "float32"),
        ("float32", "cuda", True, "float32"),
        ("bf16", "cuda", True, "bf16"),
        ("bf16", "cpu", False, "bf16"),
    ],
)
def test_precision(wanted: str, device: str, bf16: bool, found: str) -> None:
    assert precision(wanted, device=device, bf16=bf16) == found


def test_bf16_that_is_not_there() -> None:
    with pytest.raises(TrainingError, match="set precision to auto"):
        precision("bf16", device="cuda", bf16=False)


def test_one_process_takes_all() -> None:
    alone = Devices("auto")
    assert (alone.world, alone.share([1, 2, 3]), alone.weight(3)) == (1, [1, 2, 3], 1.0)


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 9])
def test_parts_of_a_batch_weigh_as_the_batch_does(rows: int) -> None:
    """The mean over processes of weighed means is the mean over the batch."""
    parts, values = [], list(range(rows))
    for rank in range(3):
        one = Devices("auto")
        one.rank, one.world = rank, 3
        own = one.share(values)
        parts.append(one.weight(rows) * sum(own) / len(own))
    assert sum(parts) / 3 == pytest.approx(sum(values) / rows)


def test_out_of_memory_says_what_to_do() -> None:
    said = r"Out of memory while texts were encoded: set .* to less"
    with pytest.raises(TrainingError, match=said), bounded("texts were encoded"):
        torch.empty(1 << 50)
    with pytest.raises(RuntimeError, match="shape"), bounded("anything"):
        torch.zeros(3).view(2)


def test_exact_sums_are_for_the_time_being() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    with exact():
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.are_deterministic_algorithms_enabled() == before
