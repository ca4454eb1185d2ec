"""The job: what it leaves, that a stop costs nothing, and that nothing of a prompt counts in the loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.tiny_generator import tiny_folder, tiny_gguf
from tests.unit.training.generator.test_tokens import example
from tests.unit.training.torn import stopped_and_gone_on
from training.errors import TrainingError
from training.generator.examples import Examples, read_examples, write_examples
from training.generator.job import run_generator
from training.generator.spec import GeneratorSpec, read_generator_spec
from training.generator.tokens import Taught, taught
from training.generator.tuner import VALID, GeneratorTuner
from training.job.place import JobError
from training.language.base import load_base
from training.language.examples import ExamplesError, Origin, Source
from training.language.job import ModelAsked
from training.progress import silent
from training.spec import SpecError

SPEC = {"epochs": 2, "rate": 0.01, "batch": 2, "precision": "float32"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    tiny_gguf(place / "tiny.gguf")
    tiny_folder(place / "chat", chat=True)
    return place


def given(place: Path, *, chat: bool = False) -> Examples:
    rows = [example(number, chat=chat) for number in range(10, 22)]
    splits = {"train": rows[:8], "valid": rows[8:10], "test": rows[10:]}
    source = Source("knowledge", "folder", 12, "own", "all")
    return write_examples(place, splits, Origin(0, (source,), {"card": 1}, {}))  # type: ignore[arg-type]


def order(place: Path, models: Path, **spec: object) -> ModelAsked:
    place.mkdir(exist_ok=True)
    chat = spec.get("form") == "chat"
    if not (place / "data").is_dir():
        given(place / "data", chat=chat)
    (place / "spec.json").write_text(json.dumps({**SPEC, **spec}), encoding="utf-8")
    base = None if chat else models / "tiny.gguf"
    return ModelAsked(place / "spec.json", place / "data", place / "out", place, 1, base)


def weights(place: Path) -> bytes:
    return (place / "out" / "adapter" / "adapter_model.safetensors").read_bytes()


def test_a_job_that_is_stopped_goes_on_to_the_same_weights(models: Path, tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert run_generator(order(whole, models), report=silent) == 0
    stopped_and_gone_on(lambda report: run_generator(order(torn, models), report=report))
    assert weights(torn) == weights(whole)
    assert (torn / "out" / "model.gguf").read_bytes() == (whole / "out" / "model.gguf").read_bytes()
    found = sorted(path.name for path in (whole / "out").iterdir() if path.name[0] != ".")
    assert found == [
        *("adapter", "base.json", "job.json", "logs", "model.gguf", "result.json", "said.json", "spec.json"),
    ]
    result = json.loads((whole / "out" / "result.json").read_text("utf-8"))
    assert result["valid_loss"]["tuned"] < result["valid_loss"]["base"]
    assert [epoch["epoch"] for epoch in result["epochs"]] == [1, 2]
    assert str(models) not in (whole / "out" / "adapter" / "adapter_config.json").read_text("utf-8")
    before = (whole / "out" / "result.json").stat().st_mtime_ns
    assert run_generator(order(whole, models), report=silent) == 0
    assert (whole / "out" / "result.json").stat().st_mtime_ns == before


def test_a_folder_that_chats_is_tuned_and_asked_before_and_after(models: Path, tmp_path: Path) -> None:
    asked = order(tmp_path / "a", models, form="chat", base=str(models / "chat"), steps=3)
    assert run_generator(asked, report=silent) == 0
    said = json.loads((asked.out / "said.json").read_text("utf-8"))
    assert [sorted(row) for row in said] == [["base", "id", "tuned"]] * 2
    assert not (asked.out / "model.gguf").exists()
    assert json.loads((asked.out / "result.json").read_text("utf-8"))["tuner"]["steps"] == 3


def test_other_examples_or_none_are_refused(models: Path, tmp_path: Path) -> None:
    asked = order(tmp_path / "a", models, steps=1)
    assert run_generator(asked, report=silent) == 0
    (tmp_path / "a" / "spec.json").write_text(json.dumps({**SPEC, "steps": 2}), encoding="utf-8")
    with pytest.raises(JobError, match="the spec changed"):
        run_generator(asked, report=silent)
    rows = tmp_path / "a" / "data" / "train.jsonl"
    rows.write_text(rows.read_text("utf-8").replace("The fee", "A fee"), encoding="utf-8")
    with pytest.raises(ExamplesError, match="has changed"):
        read_examples(tmp_path / "a" / "data")
    with pytest.raises(ExamplesError, match="holds no examples"):
        read_examples(tmp_path)


def test_nobody_says_which_file_is_embedded(models: Path, tmp_path: Path) -> None:
    asked = order(tmp_path / "a", models)
    with pytest.raises(JobError, match="--base"):
        run_generator(ModelAsked(asked.spec, asked.data, asked.out, asked.cache, 1, None), report=silent)


def test_a_spec_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_text("ranks: 8", encoding="utf-8")
    with pytest.raises(SpecError, match=r"nobody knows `ranks`: is `rank` meant\?"):
        read_generator_spec(path)
    path.write_text("rank: 0", encoding="utf-8")
    with pytest.raises(SpecError, match="`rank`"):
        read_generator_spec(path)
    assert read_generator_spec(None) == GeneratorSpec()


def test_the_loss_is_of_the_answers_tokens_alone(models: Path) -> None:
    base = load_base(str(models / "tiny.gguf"), dtype=torch.float32)
    rows = [row for row in taught([example(1), example(123456)], base.tokenizer, max_length=99) if row]
    told = []
    with torch.no_grad():
        for row in rows:
            ids = torch.tensor([[*row.asked, *row.said]])
            logits = base.model(input_ids=ids).logits[0, len(row.asked) - 1 : -1]
            told.append(cross_entropy(logits, torch.tensor(row.said), reduction="sum"))
    right = float(sum(told)) / sum(len(row.said) for row in rows)
    tuner = GeneratorTuner(base, rows, rows, GeneratorSpec(precision="float32"), threads=1)
    assert tuner.judged()[VALID] == pytest.approx(right, rel=1e-4)


def test_a_state_of_other_examples_is_not_gone_on_with(models: Path) -> None:
    base = load_base(str(models / "tiny.gguf"), dtype=torch.float32)
    one = GeneratorTuner(base, [Taught((1, 5), (6,))], [], GeneratorSpec(precision="float32"), threads=1)
    tensors, rest = one.state()
    with pytest.raises(TrainingError, match="another run"):
        one.restore(tensors, {**rest, "of": "other"})
    with pytest.raises(TrainingError, match="max_length"):
        GeneratorTuner(base, [], [], GeneratorSpec(), threads=1)
