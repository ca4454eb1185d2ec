"""Tuning a tiny encoder: it learns, it stays the same where it must, and it can be told apart by nobody from itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from retrieval.model_folder import checksums
from tests.tiny_encoder import tiny_encoder
from training import export
from training.errors import TrainingError
from training.tuning.net import cut_off
from training.tuning.recipes import METHODS, recipe_for
from training.tuning.task import Step, Task
from training.tuning.tuner import Tuner

TEXTS = [f"{some[n % 3] * (n + 1)} {some}" for some in ("abc", "xyz") for n in range(10)]
LABELS = ["abc"] * 10 + ["xyz"] * 10
INTENT = Task("intent", TEXTS, LABELS)
MOOD = Task("sentiment", ["i hate this", "i love this", "so bad", "so good"], ["bad", "good", "bad", "good"])
FOUND = Task(
    "retrieval", ["where is it", "find it", "pay it", "how to pay", "alone"], ["w", "w", "p", "p", "x"]
)
ALL = (INTENT, MOOD, FOUND)
SAME = {"precision": "float32"}
"""On every machine."""
QUICK = {
    "epochs": 3,
    "batch": 8,
    "rate": 3e-3,
    "layers": 2,
    "keep": 0.5,
    "cutoff": 0.1,
    "average": 0.5,
    **SAME,
}
WAYS = [*((method, "float32") for method in METHODS), ("full", "bf16")]


def tuner(encoder: Path, method: str = "full", *tasks: Task, **overrides: Any) -> Tuner:
    return Tuner(encoder, tasks or ALL, recipe_for(method, {**QUICK, **overrides}))


def accuracy(of: Tuner) -> dict[str, float]:
    head = of.head("intent")
    found = head.log_probabilities(of.encode(TEXTS)).argmax(axis=1)
    right = [head.labels[n] == label for n, label in zip(found, LABELS, strict=True)]
    return {"accuracy": float(np.mean(right))}


def of_epoch(steps: list[Step], epoch: int) -> float:
    return sum(step.loss for step in steps if step.epoch == epoch)


def weights(of: Tuner) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in of.state()[0].items()}


@pytest.mark.parametrize(("method", "precision"), WAYS)
def test_it_learns_and_what_is_saved_gives_its_vectors(
    encoder: Path, tmp_path: Path, method: str, precision: str
) -> None:
    own = tuner(encoder, method, rate=1e-2, epochs=6, patience=0, precision=precision)
    before = own.encode(TEXTS)
    steps = list(own.run(evaluate=accuracy))
    assert accuracy(own)["accuracy"] == 1.0
    assert of_epoch(steps, 5) < of_epoch(steps, 0)
    assert [step.done for step in steps] == list(range(1, steps[-1].total + 1))
    assert [bool(step.metrics) for step in steps] == [s.batch == steps[-1].total // 6 - 1 for s in steps]
    after = own.encode(TEXTS)
    assert np.abs(after - before).max() > 1e-4
    own.save(tmp_path / "out")
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (encoder / "tokenizer.json").read_bytes()
    plain = export.load(str(tmp_path / "out"))
    theirs = plain.encode([f"query: {text}" for text in TEXTS], prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(after, theirs, atol=1e-6)
    assert not any("lora" in name or "base_layer" in name for name in plain.state_dict())


def test_nearest_texts_stand_beside_the_classifier(encoder: Path) -> None:
    own = tuner(encoder, "full", INTENT, near=0.5, names=False)
    list(own.run())
    head = own.head("intent")
    assert head.near is not None
    assert head.near_share == 0.5
    assert head.near.labels.tolist() == [head.places[label] for label in LABELS]
    named = head.near.log_probabilities(own.encode(TEXTS)).argmax(axis=1)
    assert named.tolist() == [head.places[label] for label in LABELS]
    assert tuner(encoder, "full", INTENT, near=0.0).head("intent").near is None


def test_embeddings_and_lower_layers_stay_as_they_are(encoder: Path, tmp_path: Path) -> None:
    own = tuner(encoder, rate=1e-2)
    list(own.run())
    own.save(tmp_path / "out")
    before, after = (export.load(str(folder)).state_dict() for folder in (encoder, tmp_path / "out"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(".layer.1." in name or ".layer.2." in name for name in changed)


@pytest.mark.parametrize("method", ["full", "contrastive", "adalora"])
def test_the_same_seed_gives_the_same_bytes(encoder: Path, tmp_path: Path, method: str) -> None:
    made: list[tuple[object, ...]] = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        torch.manual_seed(len(made))  # what was drawn before must not matter
        own = tuner(encoder, method, seed=seed)
        list(own.run())
        own.save(tmp_path / name)
        head = own.head("intent")
        made.append((checksums(tmp_path / name), head.weight.tobytes(), head.bias.tobytes()))
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.mark.parametrize(("method", "precision"), WAYS)
@pytest.mark.parametrize(("stop", "blend"), [(1, 1.0), (9, 0.6)])
def test_a_resumed_run_is_the_run_to_the_last_bit(
    encoder: Path, method: str, precision: str, stop: int, blend: float
) -> None:
    """Stopped in an epoch's middle; what it was goes through safetensors and JSON."""
    whole = tuner(encoder, method, precision=precision, blend=blend)
    steps = list(whole.run(evaluate=accuracy))
    first = tuner(encoder, method, precision=precision, blend=blend)
    running = first.run(evaluate=accuracy)
    before = [next(running) for _ in range(stop)]
    assert not before[-1].metrics
    tensors, rest = first.state()
    written, told = save(tensors), json.dumps(rest)
    list(running)  # goes on, and must not reach what was written
    second = tuner(encoder, method, precision=precision, blend=blend)
    torch.manual_seed(99)
    second.restore(load(written), json.loads(told))
    after = list(second.run(evaluate=accuracy))
    assert before + after == steps
    assert weights(second) == weights(whole)


def test_the_best_epoch_is_put_back_and_patience_ends(encoder: Path) -> None:
    own = tuner(encoder, epochs=9, patience=2)
    metrics = iter([0.5, 0.9, 0.7, 0.8])
    heads = []

    def evaluate(of: Tuner) -> dict[str, float]:
        heads.append(of.head("intent").weight.copy())
        return {"accuracy": next(metrics), "other": 0.0}

    steps = list(own.run(evaluate=evaluate))
    assert steps[-1].epoch == 3
    np.testing.assert_array_equal(own.head("intent").weight, heads[1])
    # One that is over stays over, with the best weights, after it was stored as well.
    again = tuner(encoder, epochs=9, patience=2)
    again.restore(*own.state())
    assert list(again.run(evaluate=evaluate)) == []
    np.testing.assert_array_equal(again.head("intent").weight, heads[1])


def test_the_mean_of_the_weights_is_judged_and_kept_and_does_not_disturb(encoder: Path) -> None:
    plain, averaged = tuner(encoder, average=0.0), tuner(encoder, average=0.9)
    mean, judged = None, list[np.ndarray]()

    def evaluate(of: Tuner) -> dict[str, float]:
        judged.append(of.head("intent").weight)
        return {}

    there = averaged.run(evaluate=evaluate)
    for step, other in zip(plain.run(), there, strict=True):
        assert (step.loss, step.rate) == (other.loss, other.rate)
        now = plain.head("intent").weight
        decay = min(0.9, step.done / (step.done + 9))
        mean = now if mean is None else decay * mean + (1 - decay) * now
        if other.batch == other.total // 3 - 1:
            np.testing.assert_allclose(judged[-1], mean, atol=1e-5)
            np.testing.assert_array_equal(averaged.head("intent").weight, now)
    assert len(judged) == 3
    np.testing.assert_array_equal(averaged.head("intent").weight, judged[-1])


def test_a_state_of_another_run_is_refused(encoder: Path) -> None:
    state = tuner(encoder).state()
    for other in (tuner(encoder, rate=1e-5), tuner(encoder, "full", INTENT), tuner(encoder, layers=1)):
        with pytest.raises(TrainingError, match="another run"):
            other.restore(*state)


@pytest.mark.parametrize(
    ("where", "sizes"), [("file", {"keep_mb": 0}), ("nowhere", {"keep_mb": 0, "keep_disk_mb": 0})]
)
def test_states_that_lie_elsewhere_are_the_same(
    encoder: Path, tmp_path: Path, where: str, sizes: dict[str, int]
) -> None:
    inside = tuner(encoder)
    outside = Tuner(encoder, ALL, recipe_for("full", {**QUICK, **sizes}), work=tmp_path)
    assert (inside.about()["states"], outside.about()["states"]) == ("memory", where)
    assert list(tmp_path.iterdir()) == []  # nothing is left behind by a process that is killed
    ours, theirs = ([step.loss for step in one.run()] for one in (inside, outside))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_keep_holds_vectors_where_they_were(encoder: Path) -> None:
    anchors = Task("anchors", ["我的卡丢了", "余额多少"], ["", ""])

    def moved(keep: float) -> float:
        own = tuner(encoder, "full", INTENT, anchors, keep=keep, rate=1e-2, epochs=6)
        before = own.encode(anchors.texts)
        list(own.run())
        return float(np.square(own.encode(anchors.texts) - before).sum(axis=1).mean())

    assert moved(20.0) < 0.5 * moved(1e-6)


def test_texts_of_a_key_come_closer(encoder: Path) -> None:
    own = tuner(encoder, "full", FOUND, rate=1e-2, epochs=10, keep=0.0, cutoff=0.0)

    def lead(vectors: np.ndarray) -> float:
        likeness = vectors @ vectors.T
        return float(likeness[0, 1] + likeness[2, 3] - likeness[0, 2] - likeness[1, 3])

    before = lead(own.encode(FOUND.texts))
    list(own.run())
    assert lead(own.encode(FOUND.texts)) > before + 0.1


def test_long_texts_are_cut_in_training_and_whole_in_vectors(encoder: Path) -> None:
    own = tuner(encoder, "full", INTENT, max_length=12)
    long = TEXTS[9]
    assert np.abs(own.encode([long]) - own.encode([long[:3]])).max() > 1e-4
    np.testing.assert_allclose(own.encode([long, "i", long])[2], own.encode([long])[0], atol=1e-6)
    assert own.encode([]).shape == (0, 16)


@pytest.mark.parametrize("kind", ["mpnet", "distilbert"])
def test_a_model_that_cannot_be_taken_apart(tmp_path: Path, kind: str) -> None:
    folder = tiny_encoder(tmp_path, layers=2, kind=kind)
    with pytest.raises(TrainingError, match="set layers to 2 to train all of them, or take the method lora"):
        tuner(folder, layers=1)
    for method in ("full", "lora"):
        own = tuner(folder, method, INTENT, rate=2e-2, epochs=6)
        steps = list(own.run())
        assert of_epoch(steps, 5) < of_epoch(steps, 0)
        assert own.about()["states"] == "nowhere"


def test_xlm_roberta_is_taken_apart(tmp_path: Path) -> None:
    own = tuner(tiny_encoder(tmp_path, kind="xlm-roberta"))
    assert own.about()["layers"] == {"trained": 2, "frozen": 1}
    list(own.run())


def test_a_loss_that_is_no_number_ends_the_run(encoder: Path) -> None:
    own = tuner(encoder, rate=1e30, head_rate=1e30)
    with pytest.raises(TrainingError, match=r"The loss is .* in step \d+: set the recipe's rates to less"):
        list(own.run())


def test_rates_rise_and_fall(encoder: Path) -> None:
    steps: list[Step] = list(tuner(encoder, warmup=0.3, epochs=4).run())
    rates = [step.rate for step in steps]
    top = rates.index(max(rates))
    assert 0 < rates[0] < rates[top] == pytest.approx(QUICK["rate"])
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_states_of_some_tokens_are_blank() -> None:
    states = torch.ones(50, 40, 8)
    torch.manual_seed(0)
    cut = cut_off(states, 0.1)
    assert 0.08 < 1 - float(cut.mean()) < 0.12
    assert torch.equal(cut.amin(dim=-1), cut.amax(dim=-1))  # a token's state is there, or is not
    assert cut_off(states, 0.0) is states
    ids = torch.ones(50, 40, dtype=torch.long)
    assert cut_off(ids, 0.5) is ids


def test_a_classifier_that_is_not_there(encoder: Path) -> None:
    own = tuner(encoder)
    for name in ("retrieval", "mood"):
        with pytest.raises(TrainingError, match=f"no classifier '{name}'"):
            own.head(name)
