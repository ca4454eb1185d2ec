"""`kefu train FOLDER --task verifier`: what a model is taught of a bot, and that it is judged before it is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import train_verifier, training_jobs
from bot.cli.main import kefu
from bot.cli.verifier_judged import evaluation
from bot.errors import InferenceError
from bot.inference.child import Progress
from bot.inference.grounding.verifier import as_judged, as_verifying
from bot.inference.weights import QWEN
from retrieval.text import normalise
from tests.tiny import letters
from tests.tiny_generator import tiny_gguf
from tests.unit.cli.train_bot.small import BOT, INTENTS
from training.evaluation import Evaluation
from training.gate import compare
from training.spec import write_spec
from training.verifier.examples import Group, read_groups
from training.verifier.spec import VerifierSpec

TOPICS = ("lost", "fee", "open", "move", "close", "limit", "rate", "gift", "pin", "loan", "tax", "visa")
FEW = VerifierSpec(base="tiny.gguf", epochs=2, steps=2, precision="float32", rate=1e-4)


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KEFU_ENCODER", letters(tmp_path / "cache"))
    (tmp_path / "shop" / "knowledge").mkdir(parents=True)
    (tmp_path / "shop" / "bot.yml").write_text(BOT, "utf-8")
    (tmp_path / "shop" / "intents.yml").write_text(INTENTS, "utf-8")
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "id": key,
            "question": f"What about the {key} of it?",
            "alternatives": [f"tell me more on {key}"],
            "answer": f"The {key} is free.",
        }
        for key in TOPICS
    ]
    write(Path("shop/knowledge/faq.jsonl"), rows)
    contrasts(
        *(
            {"id": key, "answered": [f"is {key} free"], "unanswered": [f"when is {key}", "same"]}
            for key in TOPICS
        )
    )


def write(path: Path, rows: object) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")  # type: ignore[attr-defined]


def contrasts(*rows: object) -> None:
    write(Path("shop/contrasts.en.jsonl"), rows)


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch, _place: None) -> None:
    """Nothing is tuned: the job ends where its messages are made."""
    tiny_gguf(Path("tiny.gguf"), chat=True)

    async def refused(verb: str, words: list[str], *, progress: Progress, hint: str) -> None:
        raise InferenceError("not here")

    monkeypatch.setattr(train_verifier, "run_training", refused)


def train(*more: str, spec: VerifierSpec = FEW) -> Result:
    write_spec(Path("spec.json"), spec)
    return CliRunner().invoke(kefu, ["train", "shop", "--task", "verifier", "--spec", "spec.json", *more])


def made() -> tuple[list[Group], list[Group]]:
    """To learn from, and held out."""
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    splits = read_groups(job.data).splits
    return list(splits["train"]), list(splits["test"])


def test_a_bot_teaches_a_verifier_that_is_judged_and_then_found_by_a_setting() -> None:
    tiny_gguf(Path("tiny.gguf"), chat=True, verdicts=True)
    done = train()
    assert done.exit_code == 0, done.output
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    assert job.release == job.name
    told = json.loads((job.folder / "judged.json").read_text("utf-8"))
    assert {line["metric"] for line in told["verdict"]["lines"]} == {"verifier.auroc", "verifier.right"}
    assert told["agreement"] < 0.1
    place = Path("shop/.kefu/verifiers") / job.name
    if told["verdict"]["passed"]:
        found = sorted(path.name for path in place.iterdir())
        assert found == ["CARD.md", "adapter.gguf", "judged.json", "result.json"]
        setting = f"KEFU_VERIFIER=tiny.gguf KEFU_VERIFIER_ADAPTER={place / 'adapter.gguf'}"
        assert setting in done.stdout.replace("\n", "")
    else:
        assert not place.exists()
        assert "nothing uses it" in done.stdout
    assert "No training of a verifier was stopped" in train("--resume").output


@pytest.mark.usefixtures("untaught")
def test_prompts_are_those_of_serving_and_no_topic_is_on_both_sides() -> None:
    assert "not here" in train().output
    learned, held = made()
    assert {group.key for group in learned} & {group.key for group in held} == set()
    assert {group.key for group in (*learned, *held)} == set(TOPICS)
    assert len(held) == 1
    for group in (*learned, *held):
        passage = f"What about the {group.key} of it? The {group.key} is free."
        for one in (*group.contrasts, *(one for part in group.drawn for one in part)):
            assert [dict(said) for said in one.prompt] == as_judged(one.text, passage)
    (test,) = held
    assert [one.yes for one in test.contrasts] == [True, False, False]
    plain = [[dict(said) for said in one.plain] for one in test.contrasts]
    assert plain == [as_verifying(one.text, f"The {test.key} is free.") for one in test.contrasts]


@pytest.mark.usefixtures("untaught")
def test_each_epoch_has_a_phrasing_and_a_message_for_an_answer_nearby() -> None:
    train()
    learned, held = made()
    words = {normalise(one.text) for group in held for one in group.contrasts}
    assert not any(one.plain for group in learned for one in group.contrasts)
    assert {len(group.drawn) for group in learned} == {FEW.epochs}
    for group in learned:
        for own in group.drawn:
            yes, no = ([one.text for one in own if one.yes is wanted] for wanted in (True, False))
            assert yes == [f"tell me more on {group.key}"]
            assert no != [f"is {group.key} free"]
            assert not words & set(map(normalise, no))
        # What stands among the held-out messages too is not learned.
        assert [one.text for one in group.contrasts] == [f"is {group.key} free", f"when is {group.key}"]
    (job,) = training_jobs.jobs(Path("shop/.kefu"))
    card = (job.data / "CARD.md").read_text("utf-8")
    assert "the same message in another split" in card
    assert "`kefu train --task verifier --resume` goes on" in (
        CliRunner().invoke(kefu, ["train", "shop", "--list"], env={"COLUMNS": "200"}).stdout
    )


@pytest.mark.parametrize(
    ("base", "said"),
    [("gone.gguf", "gone.gguf is not a file"), ("plain.gguf", "no chat template"), ("x/y", "no GGUF")],
)
def test_what_would_be_missing_after_hours_is_missed_at_once(base: str, said: str) -> None:
    tiny_gguf(Path("plain.gguf"))
    done = train(spec=FEW.model_copy(update={"base": base}))
    assert said in done.output
    assert done.exit_code != 0
    assert not training_jobs.jobs(Path("shop/.kefu"))[0].data.exists()


@pytest.mark.usefixtures("untaught")
def test_a_bot_without_contrast_sets_or_of_one_topic_teaches_nothing() -> None:
    contrasts({"id": "fee", "answered": ["a"], "unanswered": ["b"]})
    assert "too few topics" in train().output
    contrasts({"id": "fees", "answered": ["a"], "unanswered": ["b"]})
    assert "contrasts.en.jsonl:1: `fees` is no stored answer in en." in train("--name", "b").output
    Path("shop/contrasts.en.jsonl").unlink()
    assert "contrasts.en.jsonl" in train("--name", "c").output


@pytest.mark.parametrize(("base", "started"), [("embedded", True), ("tiny.gguf", False)])
def test_the_embedded_base_goes_on_from_what_comes_with_kefu(
    base: str, *, started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, said = tiny_gguf(Path("tiny.gguf"), chat=True), []
    monkeypatch.setattr(train_verifier, "weights", lambda cache, packed: model)

    async def refused(verb: str, words: list[str], *, progress: Progress, hint: str) -> None:
        said.extend(words)
        raise InferenceError("not here")

    monkeypatch.setattr(train_verifier, "run_training", refused)
    assert "not here" in train(spec=FEW.model_copy(update={"base": base})).output
    assert said[said.index("--base") + 1] == str(model)
    assert ("--start" in said) == started
    assert not started or Path(said[said.index("--start") + 1]) == QWEN.adapter


def judged(base: float, tuned: float) -> tuple[Evaluation, Evaluation]:
    rows = [
        {
            "id": str(n),
            "lang": ("en", "zh")[n // 2 % 2],
            "yes": n % 2 == 0,
            "base": 1 + base * sign,
            "tuned": tuned * sign,
        }
        for n in range(80)
        for sign in ((1 if n % 2 == 0 else -1) * (1 if n % 10 else -1),)
    ]
    return evaluation(rows, "base", taught=False), evaluation(rows, "tuned")


def test_messages_are_told_apart_by_language_and_what_is_worse_is_refused() -> None:
    base, tuned = judged(1.0, 1.0)
    assert set(tuned.metrics) == {
        f"verifier.{what}{lang}" for what in ("auroc", "right") for lang in ("", ".en", ".zh")
    }
    assert tuned.metrics["verifier.right"].value == pytest.approx(0.9)
    assert base.metrics["verifier.auroc"].value == tuned.metrics["verifier.auroc"].value
    assert not any(line.state == "worse" for line in compare(tuned, base))
    base, tuned = judged(1.0, -1.0)
    assert any(line.state == "worse" for line in compare(tuned, base))


@pytest.mark.parametrize(
    "words", [["--train", "a.jsonl"], ["--no-conversations"], ["--list"], ["--resume", "--fresh"]]
)
def test_what_does_not_go_together_is_refused(words: list[str]) -> None:
    assert train(*words).exit_code == 2
