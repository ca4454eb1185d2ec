"""Jobs that tune an encoder, in processes of their own: one result, however often they are killed on the way."""

from __future__ import annotations

import random
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from retrieval.model_folder import read_manifest
from retrieval.onnx_encoder import OnnxEncoder
from tests.tiny import bert
from tests.unit.training.job.children import PLACES, Job, Line, Watch, at, intents
from training.apply import load_head
from training.dataset import Row, Rows, read_dataset, write_dataset

pytestmark = pytest.mark.timeout(900)  # half a dozen processes that load torch: a busy machine needs minutes
RECIPE = {"epochs": 12, "layers": 1, "batch": 4, "rate": 0.001, "blend": 0.7}
SPEC = {
    "method": "full",
    "recipe": RECIPE,
    "patience": 0,
    "refit": True,
    "int8": "auto",
    "int8_tolerance": 100,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """(a cache, the source of an encoder in it, a data set with two tasks)"""
    place = tmp_path_factory.mktemp("world")
    plain = read_dataset(intents(place / "plain"))
    asked = [
        Row(f"{words} {town}", town) for town in PLACES for words in ("where is", "a map of", "the way to")
    ]
    test = [Row(f"take me to {town}", town) for town in PLACES]
    parts: Rows = {**plain.parts, "retrieval": {"train": asked, "test": test}}
    return place / "cache", bert(place / "cache"), write_dataset(place / "data", parts).folder


@pytest.fixture(scope="module")
def undisturbed(world: tuple[Path, str, Path]) -> Job:
    cache, source, data = world
    one = Job(cache.parent / "whole", {**SPEC, "encoder": source}, data=data, cache=cache)
    assert one.run() == 0, one.errors
    return one


def test_it_leaves_an_encoder_that_is_served_and_a_head_for_it(undisturbed: Job) -> None:
    out, result = undisturbed.out, undisturbed.result
    encoder = OnnxEncoder.open(out / "encoder", threads=1, verify=True)
    assert encoder.fingerprint == result["encoder"]["fingerprint"] != result["encoder"]["base"]
    head = load_head(out / "heads", "intent")
    text = "book a train to Paris"
    named = head.labels[int(head.probabilities(encoder.encode([text]), [text])[0].argmax())]
    assert named == "book_travel"
    assert result["int8"]["kept"]
    assert result["int8"]["graph"] == read_manifest(out / "encoder").files["encoder.onnx"][0]
    assert len(result["epochs"]) == RECIPE["epochs"]
    assert 1 <= result["best_epoch"] <= 12
    assert (out / "encoder" / "modules.json").is_file()
    assert not (out / "checkpoints").exists()
    assert {path.name for path in (out / "logs").iterdir() if path.is_dir()} == {"training", "refit"}


def test_what_the_frozen_layers_have_read_is_told_text_by_text(undisturbed: Job) -> None:
    told = [line for line in undisturbed.lines if line["text"] == "training: reading the texts"]
    (texts,) = {line["total"] for line in told}
    assert texts > 24  # the rows of both tasks, and the labels' names
    done = [line["done"] for line in told]
    assert (done[0], done[-1], done) == (0, texts, sorted(done))


def test_killed_and_stopped_at_random_points_it_comes_to_the_same_hashes(
    world: tuple[Path, str, Path], undisturbed: Job
) -> None:
    cache, source, data = world
    spec = {**SPEC, "encoder": source, "checkpoint_seconds": 0.05}
    one, draw = Job(cache.parent / "killed", spec, data=data, cache=cache), random.Random(3)
    steps = [draw.randrange(10, 100), draw.randrange(100, 140)]
    assert one.run(at("training", steps[0], signal.SIGKILL)) == -signal.SIGKILL
    assert one.run(at("training", steps[1], signal.SIGTERM)) == 143
    assert (one.last["stage"], one.errors.count("Traceback")) == ("stopped", 0)
    _flip(max((one.out / "checkpoints" / "training").glob("0*")) / "state.safetensors")
    _finds_no_room_for_its_graph(one, undisturbed)
    assert one.run(at("exporting", 0)) == -signal.SIGKILL  # its first line is said however quick it is
    assert "training" not in {line["stage"] for line in one.lines}  # that was done
    assert one.run() == 0, one.errors
    assert one.result["hashes"] == undisturbed.result["hashes"]
    assert one.result["epochs"] == undisturbed.result["epochs"]


def _finds_no_room_for_its_graph(one: Job, undisturbed: Job) -> None:
    """Weights and checkpoints have room, the graph has not: no file may grow beyond so many bytes."""
    weights = (undisturbed.out / "encoder" / "model.safetensors").stat().st_size
    room = 2 * weights

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    assert one.run(preexec_fn=limited) == 1
    assert next(line["done"] for line in one.lines if line["done"] and line["stage"] == "training") > 1
    assert [line["stage"] for line in one.lines if line["stage"] == "exporting"]
    assert one.last["stage"] == "failed"
    assert "cannot be written: File too large. Make room; the same command then goes on" in one.last["text"]
    assert "Traceback" not in one.errors
    assert [path.name for path in one.out.iterdir() if "encoder" in path.name] == []


def test_a_search_is_stopped_and_goes_on_with_the_next_trial(world: tuple[Path, str, Path]) -> None:
    cache, source, data = world
    search = {"minutes": 30, "trials": 3}
    spec = {
        "method": "lora",
        "encoder": source,
        "recipe": {"epochs": 2, "layers": 1, "batch": 8},
        "search": search,
    }
    one = Job(cache.parent / "search", spec, data=data, cache=cache)
    assert one.run(_trial(2)) == -signal.SIGKILL
    assert one.run() == 0, one.errors
    found = one.result["search"]["trials"]
    ended = [trial for trial in found if trial["state"] in ("complete", "pruned")]
    assert len(ended) == 3
    assert found[0]["values"]["rate"] == pytest.approx(1e-3)
    best = max((trial for trial in found if trial["state"] == "complete"), key=lambda trial: trial["valid"])
    assert one.result["recipe"]["rate"] == pytest.approx(best["values"]["rate"])
    assert one.result["method"] == "lora"
    assert np.isfinite(one.result["epochs"][-1]["loss"])


def _trial(number: int) -> Watch:
    def watch(line: Line) -> int | None:
        return signal.SIGKILL if f"trial {number}" in line["text"] else None

    return watch


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
