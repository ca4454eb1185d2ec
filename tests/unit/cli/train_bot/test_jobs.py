"""Trainings of a bot that are stopped, gone on with, named, listed, and one at a time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import train as of_files
from bot.cli import train_bot, training_jobs, training_steps
from bot.cli.main import kefu
from bot.settings import Settings
from tests.unit.cli.train_bot.small import (
    INTENTS,
    data_of,
    in_process,
    jobs,
    train,
    use,
)


def stopping(monkeypatch: pytest.MonkeyPatch, *, before: str) -> None:
    """Ctrl-C, as soon as the child of that name is to run."""

    def stopped(work: training_steps.Work, verb: str, words: Sequence[str]) -> None:
        if verb == before:
            raise KeyboardInterrupt
        in_process(work, verb, words)

    use(monkeypatch, stopped)


@pytest.mark.parametrize("before", ["dataset", "run"])
def test_a_stopped_job_goes_on_with_what_it_began_with(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    with monkeypatch.context() as patch:
        stopping(patch, before=before)
        done = train()
    assert done.exit_code == 1
    assert "Stopped. `kefu train shop --resume` goes on" in done.output
    (job,) = jobs()
    assert job.release is None
    assert "stopped" in CliRunner().invoke(kefu, ["train", "shop", "--list"]).stdout
    again = train("--resume")
    assert again.exit_code == 0, again.output
    assert f"Going on with {job.name}" in again.output
    (job,) = jobs()
    assert job.release is not None
    nothing = train("--resume")
    assert nothing.exit_code == 2
    assert "No training was stopped" in nothing.output


@pytest.mark.usefixtures("real_children")
def test_sigterm_is_as_kind_as_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def child(verb: str, *_: Any, **__: Any) -> dict[str, object]:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(verb)
        return {}

    monkeypatch.setattr(training_steps, "run_training", child)
    done = train()
    assert done.exit_code == 1
    assert "Stopped." in done.output
    assert ended == ["dataset"]


def test_the_same_command_goes_on_and_another_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stopping(patch, before="run")
        train("--method", "head", "--name", "one")
    made = data_of().hash
    Path("shop/intents.yml").write_text(INTENTS.replace("I lost it", "it is lost"), "utf-8")
    assert train("--method", "head").exit_code == 0
    assert [job.name for job in jobs()] == ["one"]
    assert data_of().hash == made
    assert train("--method", "head", "--name", "two").exit_code == 0
    assert {job.name for job in jobs()} == {"one", "two"}
    taken = train("--method", "head", "--name", "one")
    assert taken.exit_code == 2
    assert "is there already" in taken.output


def test_only_the_last_few_finished_jobs_stay(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for number in range(6):
        folder = home / "training" / f"job{number}"
        folder.mkdir(parents=True)
        release = None if number in (0, 5) else f"release{number}"
        training_jobs.Job(folder, "head", "s", f"2026-01-0{number + 1}", True, release).keep()
    assert sorted(training_jobs.prune(home, keep=2)) == ["job0", "job1", "job2"]
    assert [job.name for job in training_jobs.jobs(home)] == ["job5", "job4", "job3"]


def test_two_trainings_of_one_home_do_not_run_at_once() -> None:
    home = Path("shop/.kefu")
    with training_jobs.training_lock(home):
        assert training_jobs.at_work(home)
        done = train()
    assert done.exit_code == 2
    assert "A training is at work" in done.output
    assert not training_jobs.at_work(home)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "shop", "--train", "x.jsonl"], "--train is for files, FOLDER for a bot"),
        (["train", "--train", "x.jsonl", "--test", "y.jsonl"], "Missing option '--report'"),
        (["train", "--report", "R.json", "--resume"], "--report is for files, --resume for a bot"),
        (["train", "shop", "--resume", "--fresh"], "leave --fresh and --name out"),
        (["train", "shop", "--name", "../x"], "is no name for a folder"),
        (["train", "nowhere"], "bot.yml"),
    ],
)
def test_what_does_not_go_together_is_said(words: list[str], expected: str) -> None:
    done = CliRunner().invoke(kefu, words)
    assert done.exit_code == 2
    assert expected in " ".join(done.output.split())
    assert not Path("nowhere").exists()


def test_files_of_labels_have_no_answers_that_texts_are_kept_back_for() -> None:
    Path("spec.yml").write_text("method: full\nlearn: 0.5\n", "utf-8")
    Path("x.jsonl").write_text("", "utf-8")
    words = ["train", "--train", "x.jsonl", "--test", "x.jsonl", "--report", "R.json", "--spec", "spec.yml"]
    done = CliRunner().invoke(kefu, words)
    assert done.exit_code == 2
    assert "`learn` is for a bot" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("said", "method", "recipe"),
    [
        (None, None, {"blend": 0.5}),
        (None, "lora", {"blend": 0.5}),
        (None, "head", {}),
        ("method: head", None, {}),
        ("method: full\nrecipe: {epochs: 2}", None, {"blend": 0.5, "epochs": 2}),
        ("method: full\nrecipe: {blend: 1}", None, {"blend": 1}),
    ],
)
def test_a_bots_encoder_goes_half_the_way_unless_its_spec_says_otherwise(
    said: str | None, method: str | None, recipe: dict[str, float]
) -> None:
    place = Path("spec.yml") if said else None
    if place:
        place.write_text(said or "", "utf-8")
    spec = train_bot.read_order(place, Settings(), method=method)
    assert spec.recipe == recipe
    assert spec.method == method or said or spec.method == train_bot.METHOD
    # Files of labels are like what is asked: of those all that was learned stays.
    assert of_files.read_order(place, Settings(), method=method).recipe.get("blend", 1) == 1
