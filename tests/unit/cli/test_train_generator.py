"""`kefu train FOLDER --task generator`: what a model is taught of a bot, and that it is judged before it is used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import train_generator, training_jobs
from bot.cli.generator_examples import as_prompt
from bot.cli.generator_judged import agreement, asked_of, evaluation
from bot.cli.main import kefu
from bot.cli.model_jobs import Judged
from bot.clock import SystemClock
from bot.errors import InferenceError
from bot.inference.child import Progress
from bot.inference.generator import Prompt
from bot.inference.instructions import REFUSAL, completed
from bot.inference.local import as_local_chat, as_local_completion
from bot.settings import Settings
from tests.tiny import letters
from tests.tiny_generator import tiny_folder, tiny_gguf
from tests.unit.cli.train_bot.small import BOT, INTENTS, talk
from training.evaluation import Evaluation, Metric
from training.generator.examples import Example, Given, read_examples
from training.generator.spec import GeneratorSpec
from training.language.examples import SPLITS
from training.spec import write_spec

TOPICS = ("lost", "fee", "open", "move", "close", "limit", "rate", "gift", "pin", "loan", "tax", "visa")
FEW = GeneratorSpec(base="tiny.gguf", steps=2, judged=2, examples=24, precision="float32")


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KEFU_ENCODER", letters(tmp_path / "cache"))
    (tmp_path / "shop" / "knowledge").mkdir(parents=True)
    (tmp_path / "shop" / "bot.yml").write_text(BOT, "utf-8")
    (tmp_path / "shop" / "intents.yml").write_text(INTENTS, "utf-8")
    rows = (
        {
            "id": key,
            "question": f"What about the {key} of it?",
            "alternatives": [f"tell me more on {key}"],
            "answer": f"The {key} is free.",
        }
        for key in TOPICS
    )
    path = tmp_path / "shop" / "knowledge" / "faq.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch, _place: None) -> None:
    """Nothing is tuned: the job ends where its examples are made."""
    Path("tiny.gguf").touch()

    async def refused(verb: str, words: list[str], *, progress: Progress, hint: str) -> None:
        raise InferenceError("not here")

    monkeypatch.setattr(train_generator, "run_training", refused)


def train(*more: str, spec: GeneratorSpec = FEW) -> Result:
    write_spec(Path("spec.json"), spec)
    return CliRunner().invoke(kefu, ["train", "shop", "--task", "generator", "--spec", "spec.json", *more])


def made() -> list[Example]:
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    return [row for split in SPLITS for row in read_examples(job.data).splits[split]]


def test_a_bot_teaches_a_model_that_is_judged_and_then_found_by_a_setting() -> None:
    tiny_gguf(Path("tiny.gguf"), decided=True)
    done = train()
    assert done.exit_code == 0, done.output
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    place = Path("shop/.kefu/generators") / job.name
    assert job.release == job.name
    assert sorted(path.name for path in place.iterdir()) == [
        *("CARD.md", "adapter", "judged.json", "model.gguf", "result.json"),
    ]
    assert f"KEFU_GENERATOR_MODEL={place / 'model.gguf'}" in done.stdout.replace("\n", "")
    told = json.loads((place / "judged.json").read_text("utf-8"))
    assert told["verdict"]["passed"] is True
    assert told["agreement"] >= train_generator.AGREES
    assert {line["metric"] for line in told["verdict"]["lines"]} >= {"answers.right"}
    assert "generator" in CliRunner().invoke(kefu, ["train", "shop", "--list"]).stdout
    again = train("--resume")
    assert "No training of a generator was stopped" in again.output


def test_a_folder_that_chats_is_judged_by_what_it_said_and_leaves_an_adapter() -> None:
    base = tiny_folder(Path("chat"), chat=True, decided=True)
    done = train(spec=FEW.model_copy(update={"base": str(base), "form": "chat"}))
    assert done.exit_code == 0, done.output
    assert "It is no worse than its base" in done.stdout, done.output
    (place,) = Path("shop/.kefu/generators").iterdir()
    assert not (place / "model.gguf").exists()
    assert (place / "adapter" / "adapter_model.safetensors").is_file()
    assert "deploy/generator.md" in done.stdout
    told = json.loads((place / "judged.json").read_text("utf-8"))
    assert (told["agreement"], told["tuned"]["metrics"]["answers.right"]["n"]) == (None, 2)


@pytest.mark.usefixtures("untaught")
def test_a_job_that_was_stopped_is_listed_with_how_to_go_on() -> None:
    train()
    listed = CliRunner().invoke(kefu, ["train", "shop", "--list"], env={"COLUMNS": "200"}).stdout
    assert "`kefu train --task generator --resume` goes on" in listed
    assert "No training was stopped" in CliRunner().invoke(kefu, ["train", "shop", "--resume"]).output


@pytest.mark.usefixtures("untaught")
@pytest.mark.parametrize("form", ["completion", "chat"])
def test_prompts_are_those_of_serving_and_topics_stand_in_one_split(form: str) -> None:
    spec = FEW.model_copy(update={"form": form})
    assert "not here" in train(spec=spec).output
    rows = made()
    assert {kind for row in rows for kind in row.kinds} == {"answer", "refusal"}
    for row in rows:
        prompt = as_prompt(row, "Robin")
        if form == "completion":
            assert row.prompt == as_local_completion(prompt)
        else:
            assert list(map(dict, row.prompt)) == as_local_chat(prompt)  # type: ignore[arg-type]
        held = [given.mark for given in row.passages if row.group in given.text]
        if row.gold is None:
            assert (row.answer.strip(), held) == (REFUSAL["en"], [])
        else:
            assert held == [row.gold]
            mark = f" [{row.gold}]" if form == "chat" else ""
            assert row.answer.strip() == f"The {row.group} is free.{mark}"
    assert any(len(row.passages) == 2 for row in rows)
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    sides = [{row.group for row in read_examples(job.data).splits[split]} for split in SPLITS]
    assert sum(map(len, sides)) == len(set().union(*sides))


@pytest.mark.usefixtures("untaught")
def test_of_the_logs_only_confirmed_answers_are_taught_with_personal_data_masked() -> None:
    talk()
    many = FEW.model_copy(update={"examples": 200})
    assert "not here" in train(spec=many).output
    told = {row.question for row in made() if row.source == "conversations"}
    assert told <= {"levy for [email], card [card]", "any shop hours today"}
    assert told
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    card = (job.data / "CARD.md").read_text("utf-8")
    assert [word for word in ("conversations", "customers' words", "email", "card") if word not in card] == []
    first = read_examples(job.data).hash
    assert "Going on with" in train(spec=many).output
    assert read_examples(job.data).hash == first
    train("--fresh", "--no-conversations", spec=many)
    newest = training_jobs.jobs(Path("shop/.kefu"))
    assert not any(
        row.source == "conversations"
        for job in newest
        if not job.talks
        for split in SPLITS
        for row in read_examples(job.data).splits[split]
    )


def test_what_would_be_missing_after_hours_is_missed_at_once() -> None:
    done = train()
    assert "tiny.gguf is not a file" in done.output
    assert not training_jobs.jobs(Path("shop/.kefu"))[0].data.exists()


def test_a_bot_that_knows_one_thing_teaches_nothing() -> None:
    Path("tiny.gguf").touch()
    path = Path("shop/knowledge/faq.jsonl")
    path.write_text(path.read_text("utf-8").splitlines()[0], "utf-8")
    Path("shop/intents.yml").unlink()
    done = train()
    assert "knows too little" in done.output
    assert done.exit_code != 0


def example(id: str, gold: int | None) -> Example:
    given = (Given(1, "Fee", "The fee is 9 yuan."), Given(2, "Time", "It takes two days."))
    return Example(id, "", "", "en", "fee?", given, gold, id, "knowledge")


def test_what_is_said_is_judged_by_its_source_and_silence_where_nothing_is_known() -> None:
    answers = {
        "right": (1, "The fee is 9 yuan."),
        "other": (1, "It takes two days."),
        "wrong": (1, "The fee is 7 yuan."),
        "silent": (None, "I do not know."),
        "chatty": (None, "The fee is 9 yuan."),
    }

    async def say(text: str) -> AsyncGenerator[str, None]:
        yield text

    def ask(row: Example, _: Prompt) -> AsyncGenerator[str, None]:
        return say(answers[row.id][1])

    rows = [example(name, gold) for name, (gold, _) in answers.items()]
    said = asyncio.run(asked_of(ask, rows, "a model", progress=lambda *_: None))
    assert {one.example.id for one in said if one.right} == {"right", "silent"}
    metrics = evaluation(said).metrics
    assert metrics["answers.right"].value == pytest.approx(2 / 5)
    assert metrics["answers.answered"].value == pytest.approx(2 / 3)
    assert metrics["answers.abstained"].value == pytest.approx(1 / 2)
    assert metrics["answers.supported"].value == pytest.approx(3 / 5)
    assert agreement(said, {"right": "The fee is 9 yuan.", "other": "It took"}) == pytest.approx(
        (1 + 4 / 7) / 2
    )


def judged(base: float, tuned: float) -> Judged:
    def of(value: float) -> Evaluation:
        return Evaluation({"answers.right": Metric(value, value, value, 40)})

    return Judged(of(base), of(tuned), 1.0)


def test_what_is_worse_than_its_base_is_found_by_no_setting(tmp_path: Path) -> None:
    settings = Settings(bot=Path("shop"), home=tmp_path / "home")
    job = training_jobs.begin(tmp_path / "home" / "training" / "j", FEW, SystemClock().now(), talks=False)
    for folder in (job.out / "adapter", job.data):
        folder.mkdir(parents=True)
    for path in (job.out / "result.json", job.out / "model.gguf", job.data / "CARD.md"):
        path.write_text("{}", "utf-8")
    publish = partial(train_generator._publish, settings, job)
    assert publish(judged(0.9, 0.4)) is None
    assert not (tmp_path / "home" / "generators").exists()
    assert (job.out / "model.gguf").is_file()
    place = publish(judged(0.4, 0.9))
    assert place is not None
    assert (place / "model.gguf").is_file()


def test_a_base_model_goes_on_to_the_end_of_the_line() -> None:
    assert completed(["One\nline.", "Two."], "en") == " One line. Two.\n"
    assert completed(["一。", "二。"], "zh") == "一。二。\n"


@pytest.mark.parametrize(
    "words", [["--train", "a.jsonl"], ["--method", "lora"], ["--list"], ["--resume", "--fresh"]]
)
def test_what_does_not_go_together_is_refused(words: list[str]) -> None:
    done = train(*words)
    assert done.exit_code == 2, done.output
