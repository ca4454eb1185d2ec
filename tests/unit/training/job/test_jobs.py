"""The job as a process: what it leaves, what it refuses, and that it goes on wherever it was stopped."""

from __future__ import annotations

import random
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import letters
from tests.unit.training.job.children import Job, at, intents
from training.apply import load_head
from training.dataset import Row, write_dataset
from training.evaluation import read_evaluation

Make = Callable[..., Job]


MORE = 1_500
"""Rows beside the few, so that encoding takes a while."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(a cache, the source of an encoder that lies in it)"""
    cache = tmp_path_factory.mktemp("world") / "cache"
    return cache, letters(cache)


@pytest.fixture
def job(world: tuple[Path, str], tmp_path: Path) -> Make:
    """A job of the method `head` in the folder `name`; `more` rows beside the few."""
    cache, source = world

    def make(name: str = "a", *, more: int = 0, **spec: Any) -> Job:
        data = cache.parent / f"data-{more}"
        if not data.is_dir():
            intents(data, more=more)
        return Job(tmp_path / name, {"encoder": source, **spec}, data=data, cache=cache)

    return make


@pytest.fixture(scope="module")
def hashes(world: tuple[Path, str]) -> dict[str, str]:
    """Of a job with MORE rows that nothing disturbed."""
    cache, source = world
    data = intents(cache.parent / f"data-{MORE}", more=MORE)
    one = Job(cache.parent / "whole", {"encoder": source}, data=data, cache=cache)
    assert one.run() == 0, one.errors
    found: dict[str, str] = one.result["hashes"]
    return found


def test_a_spec_and_a_data_set_become_heads_an_evaluation_and_a_result(job: Make) -> None:
    one = job()
    assert one.run() == 0, one.errors
    assert [line["stage"] for line in (one.lines[0], one.last)] == ["starting", "done"]
    assert all(set(line) == {"stage", "done", "total", "text"} for line in one.lines)
    assert load_head(one.out / "heads", "intent").labels == ("ask_fee", "book_travel", "挂失")
    evaluation = read_evaluation(one.out / "evaluation.json")
    assert evaluation.metrics["intent.accuracy"].value >= 0.8
    assert {"intent.macro_f1", "latency.ms", "size.mb"} <= set(evaluation.metrics)
    assert sorted(path.name for path in one.out.iterdir() if path.name[0] != ".") == [
        *("evaluation.json", "heads", "job.json", "logs", "result.json", "spec.json"),
    ]
    assert list((one.out / "logs").glob("events.out.tfevents.*"))
    assert one.run() == 0
    assert [line["stage"] for line in one.lines if line["stage"] != "starting"] == ["done"]


def test_the_same_spec_gives_the_same_hashes(job: Make, hashes: dict[str, str]) -> None:
    one = job(more=MORE)
    assert one.run() == 0
    assert one.result["hashes"] == hashes
    assert set(hashes) == {"spec", "data", "heads", "evaluation"}


def test_a_folder_belongs_to_one_spec_and_one_data_set(job: Make) -> None:
    one = job()
    assert one.run() == 0
    before = (one.out / "result.json").read_bytes()
    assert "the spec changed" in job(seed=1).refused()
    assert "the data changed" in job(more=6).refused()
    assert (one.out / "result.json").read_bytes() == before


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"metod": "full"}, "nobody knows `metod`: is `method` meant?"),
        ({"method": "full", "recipe": {"epoch": 3}}, "epoch"),
        ({"recipe": {"epochs": 3}}, "The method head tunes no encoder"),
        ({"tasks": {"sentiment": 1}}, "has no training rows for sentiment"),
        ({"encoder": "./nowhere"}, "./nowhere is not a folder"),
    ],
)
def test_what_is_wrong_with_a_spec_is_one_line(spec: dict[str, Any], told: str, job: Make) -> None:
    said = job(**spec).refused()
    assert told in said
    assert "\n" not in said


def test_a_refusal_is_the_last_line_and_exit_code_1(job: Make) -> None:
    one = job(metod="full")
    assert one.run() == 1
    assert (one.last["stage"], one.errors) == ("failed", "")
    assert "is `method` meant?" in one.last["text"]


def test_a_damaged_data_set_and_a_folder_of_somebody_else_are_refused(job: Make, tmp_path: Path) -> None:
    one, other = job(more=3), job("other")
    rows = next(tmp_path.parent.glob("world*/data-3/intent.train.jsonl"), None)
    assert rows is not None
    rows.write_text(rows.read_text(encoding="utf-8").replace("York", "Bath"), encoding="utf-8")
    assert "data-3 is damaged" in one.refused()
    other.out.mkdir()
    (other.out / "novel.txt").write_text("mine")
    assert "holds something else" in other.refused()
    assert [path.name for path in other.out.iterdir()] == ["novel.txt"]


def test_two_jobs_in_one_folder_do_not_meet(job: Make) -> None:
    first, second = (job(more=MORE, checkpoint_seconds=0.01) for _ in range(2))
    said: list[str] = []

    def other(line: dict[str, Any]) -> int | None:
        if line["stage"] != "encoding" or said:
            return None
        said.append(second.refused())
        return signal.SIGTERM

    assert first.run(other) == 143
    assert "Another job is at work" in said[0]


def test_a_stopped_job_says_how_to_go_on_and_does(job: Make, hashes: dict[str, str]) -> None:
    one = job(more=MORE, checkpoint_seconds=60)
    for signum, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        assert one.run(at("encoding", 0, signum)) == code
        assert (one.last["stage"], one.errors) == ("stopped", "")
        assert "The same command goes on" in one.last["text"]
    assert one.run() == 0
    assert next(line["done"] for line in one.lines if line["stage"] == "encoding") > 0
    assert one.result["hashes"] == hashes


def test_a_killed_job_goes_on_to_the_same_hashes_past_a_damaged_checkpoint(
    job: Make, hashes: dict[str, str]
) -> None:
    one = job(more=MORE, checkpoint_seconds=0.01)
    assert one.run(at("encoding", random.Random(7).randrange(MORE * 2 // 3))) == -signal.SIGKILL
    assert one.run(at("fitting", 0)) == -signal.SIGKILL
    parts = sorted((one.out / "checkpoints" / "vectors").glob("0*"))
    path = parts[len(parts) // 2] / "state.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert one.run() == 0, one.errors
    assert 0 < next(line["done"] for line in one.lines if line["stage"] == "encoding") < MORE
    assert one.result["hashes"] == hashes


def test_a_full_disk_is_one_line_and_the_job_goes_on(job: Make, hashes: dict[str, str]) -> None:
    """No file may grow beyond some bytes: a write then hears of it as it hears of a full disk."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    one = job(more=MORE, checkpoint_seconds=0.01)
    assert one.run(preexec_fn=limited) == 1
    assert one.last["stage"] == "failed"
    assert "cannot be written: File too large. Make room; the same command then goes on" in one.last["text"]
    assert "Traceback" not in one.errors
    assert not (one.out / "result.json").exists()
    assert one.run() == 0
    assert one.result["hashes"] == hashes


def test_sentiment_has_a_head_of_its_own(world: tuple[Path, str], tmp_path: Path) -> None:
    moods = [Row(f"{'good' if n % 2 else 'bad'} {n}", "+" if n % 2 else "-") for n in range(20)]
    data = write_dataset(tmp_path / "moods", {"sentiment": {"train": moods[:14], "test": moods[14:]}}).folder
    one = Job(tmp_path / "a", {"encoder": world[1]}, data=data, cache=world[0])
    assert one.run() == 0, one.errors
    assert load_head(one.out / "heads", "sentiment").labels == ("+", "-")
    assert "sentiment.accuracy" in read_evaluation(one.out / "evaluation.json").metrics
