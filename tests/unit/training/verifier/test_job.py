"""The job: what it leaves, that a stop costs nothing, and that llama.cpp with the adapter thinks what torch thinks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from peft import PeftModel

from bot.inference.llama import Llama
from retrieval.model_folder import sha256_file
from tests.tiny_generator import tiny_gguf
from tests.unit.training.torn import stopped_and_gone_on
from training.__main__ import main
from training.errors import TrainingError
from training.job.place import JobError
from training.language.base import asked, load_base
from training.language.examples import ExamplesError, Origin, Source, sides
from training.progress import silent
from training.spec import SpecError
from training.verifier.examples import Chat, Group, Groups, Told, read_groups, write_groups
from training.verifier.job import VerifierAsked, run_verifier
from training.verifier.spec import VerifierSpec, read_verifier_spec

SPEC = {"epochs": 3, "rate": 0.02, "batch": 2, "precision": "float32", "first": 0}


def prompt(topic: str, text: str) -> Chat:
    return ({"role": "user", "content": f"Text:\nThe {topic} is free.\n\nQuestion:\n{text}"},)


def told(topic: str, text: str, *, yes: bool) -> Told:
    return Told(text, yes, prompt(topic, text), prompt(topic, f"{text}!"))


def group(number: int) -> Group:
    topic = f"fee{number}"
    wanted = (told(topic, f"is {topic} free", yes=True), told(topic, f"when is {topic} due", yes=False))
    return Group(str(number), topic, "en", wanted, ((told(topic, topic, yes=True),), ()))


def given(place: Path) -> Groups:
    splits = {"train": [group(n) for n in range(4)], "test": [group(n) for n in range(7, 9)]}
    return write_groups(place, splits, Origin(0, (Source("contrasts", "folder", 12, "own", "all"),), {}, {}))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf", chat=True, verdicts=True)


def order(place: Path, model: Path | None, **spec: object) -> VerifierAsked:
    place.mkdir(exist_ok=True)
    if not (place / "data").is_dir():
        given(place / "data")
    (place / "spec.json").write_text(json.dumps({**SPEC, **spec}), encoding="utf-8")
    return VerifierAsked(place / "spec.json", place / "data", place / "out", place, 1, model)


def read(place: Path, name: str) -> Any:
    return json.loads((place / "out" / name).read_text("utf-8"))


def test_a_job_that_is_stopped_goes_on_to_the_same_adapter(model: Path, tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert run_verifier(order(whole, model), report=silent) == 0
    stopped_and_gone_on(lambda report: run_verifier(order(torn, model), report=report))
    adapters = [(place / "out" / "adapter.gguf").read_bytes() for place in (torn, whole)]
    assert adapters[0] == adapters[1]
    assert read(torn, "judged.json") == read(whole, "judged.json")
    found = sorted(path.name for path in (whole / "out").iterdir() if path.name[0] != ".")
    assert found == [
        *("adapter.gguf", "base.json", "job.json", "judged.json", "logs", "result.json", "spec.json"),
    ]
    result = read(whole, "result.json")
    assert (result["groups"]["test"], result["tuner"]["steps"], result["too_long"]) == (2, 6, 0)
    assert result["epochs"][-1]["loss"] < result["epochs"][0]["loss"]


def served(model: Path, chats: Sequence[Chat], *, adapter: Path | None = None) -> list[float | None]:
    llama = Llama(model, adapter=adapter)
    try:
        some = [[dict(one) for one in chat] for chat in chats]
        return [llama.odds(chat, {"yes"}, {"no"}, adapted=adapter is not None) for chat in some]
    finally:
        llama.close()


def test_llama_cpp_with_the_adapter_thinks_what_was_trained_thinks(model: Path, tmp_path: Path) -> None:
    asked = order(tmp_path / "a", model, rate=0.004, epochs=8)
    assert run_verifier(asked, report=silent) == 0
    messages = [one for held in read_groups(asked.data).splits["test"] for one in held.contrasts]
    tuned = served(model, [one.prompt for one in messages], adapter=asked.out / "adapter.gguf")
    plain = served(model, [one.plain for one in messages])
    rows: list[Mapping[str, Any]] = read(tmp_path / "a", "judged.json")
    assert tuned == pytest.approx([row["tuned"] for row in rows], abs=0.02)
    assert plain == pytest.approx([row["base"] for row in rows], abs=0.02)
    assert min(abs(row["tuned"] - row["base"]) for row in rows) > 0.1


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's, of transformers
def test_peft_with_the_adapters_folder_thinks_what_was_trained_thinks(model: Path, tmp_path: Path) -> None:
    """As vLLM loads it. What it is asked is the last token's odds of the two words."""
    asked_for = order(tmp_path / "a", model, rate=0.004, epochs=8)
    assert run_verifier(asked_for, report=silent) == 0
    command = ["peft", "--adapter", str(asked_for.out / "adapter.gguf"), "--base", str(model)]
    done = CliRunner().invoke(main, [*command, "--called", "some/base", "--out", str(tmp_path / "peft")])
    assert (done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])["stage"]) == (0, "done"), (
        done.output
    )
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == "some/base"
    assert str(tmp_path) not in json.dumps(config)

    base = load_base(str(model), dtype=torch.float32)
    tuned = PeftModel.from_pretrained(base.model, str(tmp_path / "peft")).eval()
    yes, no = (base.tokenizer(word, add_special_tokens=False).input_ids[0] for word in ("Yes", "No"))
    found = []
    for one in (one for held in read_groups(asked_for.data).splits["test"] for one in held.contrasts):
        with torch.no_grad():
            logits = tuned(torch.tensor([asked(one.prompt, base.tokenizer)])).logits[0, -1]
        found.append(float(logits[yes] - logits[no]))
    assert found == pytest.approx([row["tuned"] for row in read(tmp_path / "a", "judged.json")], abs=0.02)


def test_an_adapter_of_another_base_becomes_no_folder(model: Path, tmp_path: Path) -> None:
    command = ["peft", "--adapter", str(model), "--base", str(model), "--called", "x"]
    done = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "peft")])
    assert done.exit_code == 1
    assert "adapter" in json.loads(done.stdout.strip().splitlines()[-1])["text"]
    assert not (tmp_path / "peft").exists()


def test_what_was_learned_before_is_gone_on_from_and_is_what_the_tuned_model_has_to_beat(
    model: Path, tmp_path: Path
) -> None:
    first = order(tmp_path / "a", model, rate=0.004)
    assert run_verifier(first, report=silent) == 0
    learned = first.out / "adapter.gguf"
    more = replace(order(tmp_path / "b", model, rate=1e-9, steps=1), start=learned)
    assert run_verifier(more, report=silent) == 0
    tuned = [row["tuned"] for row in read(tmp_path / "a", "judged.json")]
    rows = read(tmp_path / "b", "judged.json")
    assert [row["base"] for row in rows] == pytest.approx(tuned, abs=0.02)
    assert [row["tuned"] for row in rows] == pytest.approx(tuned, abs=0.02)
    assert read(tmp_path / "b", "result.json")["hashes"]["start"] == sha256_file(learned)
    named = order(tmp_path / "c", model, steps=1, rate=1e-9, start=str(learned), alpha=4.0)
    assert run_verifier(named, report=silent) == 0
    assert [row["base"] for row in read(tmp_path / "c", "judged.json")] == pytest.approx(tuned, abs=0.02)
    plain = replace(order(tmp_path / "d", model, steps=1, start="nothing"), start=learned)
    assert run_verifier(plain, report=silent) == 0
    assert read(tmp_path / "d", "result.json")["hashes"]["start"] == "nothing"


def test_an_adapter_that_does_not_fit_says_why(model: Path, tmp_path: Path) -> None:
    first = order(tmp_path / "a", model, steps=1)
    assert run_verifier(first, report=silent) == 0
    learned = str(first.out / "adapter.gguf")
    (tmp_path / "torn.gguf").write_bytes(b"GGUF")
    for number, (spec, error, said) in enumerate((
        ({"start": learned, "rank": 4}, TrainingError, "set `rank` to 8"),
        ({"start": learned, "first": 1}, TrainingError, "set `first`"),
        ({"start": str(tmp_path / "torn.gguf")}, TrainingError, "cannot be read as an adapter"),
        ({"start": str(model)}, TrainingError, "adapter"),
        ({"start": "gone.gguf"}, JobError, "is not a file"),
    )):  # fmt: skip
        with pytest.raises(error, match=said):
            run_verifier(order(tmp_path / str(number), model, **spec), report=silent)  # type: ignore[arg-type]


def test_other_messages_or_another_kind_of_base_are_refused(model: Path, tmp_path: Path) -> None:
    asked = order(tmp_path / "a", model, steps=1)
    with pytest.raises(JobError, match="--base"):
        run_verifier(order(tmp_path / "a", None, steps=1), report=silent)
    with pytest.raises(JobError, match="is not a GGUF file"):
        run_verifier(order(tmp_path / "a", tmp_path, steps=1), report=silent)
    path = asked.data / "train.jsonl"
    path.write_text(path.read_text("utf-8").replace("due", "paid"), encoding="utf-8")
    with pytest.raises(ExamplesError, match="has changed"):
        read_groups(asked.data)


def test_a_spec_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    for body, said in (
        ("first: 1.5", "`first"),
        ("form: chat", "nobody knows `form`"),
        ("judged: 0", "`judged`"),
    ):
        path.write_text(body, encoding="utf-8")
        with pytest.raises(SpecError, match=said):
            read_verifier_spec(path)
    path.write_text("first: 20", encoding="utf-8")
    assert read_verifier_spec(path).first == 20
    assert read_verifier_spec(None) == VerifierSpec()


def test_what_has_a_name_in_common_is_held_out_together() -> None:
    found = sides([str(n % 20) for n in range(40)], 3, test=0.1, valid=0.2)
    assert sorted(found.values()).count("test") == 2
    assert sorted(found.values()).count("valid") == 4
    assert sides(["a", "b"], 0, test=0.01) == sides(["b", "a"], 0, test=0.01)
    assert set(sides(["a", "b"], 0, test=0.01).values()) == {"train", "test"}
