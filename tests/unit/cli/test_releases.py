"""`kefu releases` on a real database and real folders."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from bot.cli.releases import go_live
from bot.settings import load_settings
from bot.store import releases as store
from bot.store.db import Database
from retrieval.model_folder import locate, read_manifest
from retrieval.onnx_encoder import fingerprint
from tests.unit.definition.folders import folder
from tests.unit.training.shelf import NOON, add, draft, encoder_folder, evaluation, job_folder
from training.dataset import Row, write_dataset
from training.evaluation import write_evaluation
from training.release import Release

BASE_FIGURES = {"base": evaluation(0.8)}


def run(bot: Path, *words: str) -> Result:
    return CliRunner().invoke(kefu, ["releases", str(bot), *words], terminal_width=200)


def said(bot: Path, *words: str) -> Any:
    done = run(bot, *words, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines if words[0] in ("list", "history") else lines[0]


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))

    async def make() -> None:
        database = Database(load_settings(bot=tmp_path).database_url)
        await database.open()
        await database.close()

    asyncio.run(make())
    return folder(tmp_path)


@pytest.fixture
def good(bot: Path) -> Release:
    """Better than base."""
    return add(shelf(bot), draft(encoder_folder(bot / "tuned"), baselines=BASE_FIGURES))


@pytest.fixture
def bad(bot: Path) -> Release:
    return add(shelf(bot), draft(accuracy=0.7, baselines=BASE_FIGURES), hours=1)


def shelf(bot: Path) -> Path:
    return bot / ".kefu" / "releases"


def damage(release: Release) -> None:
    weights = release.folder / "encoder" / "encoder.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")


def offer(bot: Path, name: str) -> None:
    async def write() -> None:
        database = Database(load_settings(bot=bot).database_url)
        await database.open()
        await database.write(partial(store.offer, name=name, now=NOON))
        await database.close()

    asyncio.run(write())


def test_a_release_goes_live_and_back(bot: Path, good: Release) -> None:
    offer(bot, good.name)
    assert [(r["name"], r["aliases"]) for r in said(bot, "list")] == [
        (good.name, ["candidate"]),
        ("base", ["live"]),
    ]
    done = run(bot, "promote", "candidate", "--why", "更好")
    assert (done.exit_code, done.stdout) == (
        0,
        f"{good.name} is live; a running server takes it up by itself.\n"
        f"`kefu releases {bot} rollback` goes back to base.\n",
    )
    assert [(r["name"], r["aliases"]) for r in said(bot, "list")] == [
        (good.name, ["live"]),
        ("base", ["previous"]),
    ]
    assert run(bot, "rollback").stdout.startswith("base is live;")
    assert run(bot, "rollback", "--why", "after all").stdout.startswith(f"{good.name} is live;")
    lines = said(bot, "history")
    assert [(r["number"], r["action"], r["release"], r["before"]) for r in lines] == [
        (3, "rollback", good.name, "base"),
        (2, "rollback", "base", good.name),
        (1, "promote", good.name, "base"),
    ]
    assert [(r["why"], r["gate"]) for r in lines] == [
        ("after all", "not asked"),
        ("", "not asked"),
        ("更好", "passed"),
    ]
    assert lines[2]["verdict"]["lines"][0]["state"] == "better"
    assert all(r["by"] for r in lines)


def test_the_gate_refuses_with_its_reasons_and_changes_nothing(bot: Path, bad: Release) -> None:
    for words in (("gate", bad.name), ("promote", bad.name)):
        done = run(bot, *words)
        assert done.exit_code == 1
        assert "▼ worse" in done.stdout
        assert "- intent.accuracy: 0.7 (live: 0.8); at least 0.79 is let through" in done.stdout
        assert "Nothing was changed." in done.stdout
    assert said(bot, "gate", bad.name)["reasons"] == [
        "intent.accuracy: 0.7 (live: 0.8); at least 0.79 is let through"
    ]
    assert said(bot, "history") == []


def test_whoever_overrides_the_gate_says_why(bot: Path, bad: Release) -> None:
    done = run(bot, "promote", bad.name, "--force")
    assert (done.exit_code, "--force needs --why" in done.stderr) == (2, True)
    done = run(bot, "promote", bad.name, "--force", "--why", "[bold]smaller\x1b[2J")
    assert done.exit_code == 0
    assert done.stdout.startswith("The gate refused (1 reasons, kept in the history).\n")
    [line] = said(bot, "history")
    assert (line["gate"], line["verdict"]["passed"]) == ("overridden", False)
    shown = run(bot, "history").stdout
    assert "[bold]smaller [2J" in shown
    assert "\x1b" not in shown


def test_without_figures_of_what_is_live_the_gate_refuses(bot: Path) -> None:
    made = add(shelf(bot), draft())
    done = run(bot, "promote", made.name)
    assert (done.exit_code, "- there are no figures of base to compare with" in done.stdout) == (1, True)


def test_what_is_live_already_and_what_does_not_exist(bot: Path, good: Release) -> None:
    assert run(bot, "promote", good.name).exit_code == 0
    for words, line in (
        (("promote", "live"), f"kefu: {good.name} is live already."),
        (("promote", "candidate"), "kefu: There is no candidate. `kefu releases list` shows what there is."),
        (("promote", good.name[:-1]), f"kefu: There is no release `{good.name[:-1]}`. Did you mean"),
        (("show", "../../x"), "kefu: There is no release `../../x`."),
    ):
        done = run(bot, *words)
        assert done.exit_code == 2
        assert done.stderr.startswith(line)
    assert run(bot, "rollback").exit_code == 0


def test_nothing_to_go_back_to(bot: Path) -> None:
    done = run(bot, "rollback")
    assert (done.exit_code, done.stderr.startswith("kefu: Nothing was live before.")) == (2, True)
    assert run(bot, "history").stdout.startswith("Nothing was promoted yet")


def test_a_damaged_release_is_not_let_live_nor_back(bot: Path, good: Release) -> None:
    damage(good)
    done = run(bot, "promote", good.name, "--force", "--why", "hurry")
    assert (done.exit_code, "encoder.onnx has changed" in done.stderr) == (2, True)
    shutil.rmtree(good.folder)
    made = add(shelf(bot), draft(encoder_folder(bot / "other"), baselines=BASE_FIGURES))
    assert run(bot, "promote", made.name).exit_code == 0
    assert run(bot, "promote", "base", "--force", "--why", "a trial").exit_code == 0
    damage(made)
    done = run(bot, "rollback")
    assert (done.exit_code, "encoder.onnx has changed" in done.stderr) == (2, True)
    assert said(bot, "list")[-1]["aliases"] == ["live"]


def test_a_live_release_that_somebody_deleted_is_said(bot: Path, good: Release) -> None:
    assert run(bot, "promote", good.name).exit_code == 0
    shutil.rmtree(good.folder)
    done = run(bot, "list")
    assert f"{good.name}: it is not there any more." in done.stdout
    assert f"{good.name} is to be live and cannot be." in done.stdout
    done = run(bot, "show", "live")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"kefu: {good.name} is not in {shelf(bot)} any more. A server answers with")
    assert run(bot, "rollback").exit_code == 0
    assert run(bot, "rollback").exit_code == 2


def test_a_list_shows_figures_and_what_is_damaged(bot: Path, good: Release, bad: Release) -> None:
    damage(good)
    (bad.folder / "card.md").write_text("?")
    lines = run(bot).stdout.splitlines()
    assert lines[0].split() == [
        "release",
        "made",
        "method",
        "encoder",
        "intent.accuracy",
        "retrieval.recall@1",
    ]
    assert lines[1].split()[:3] == [good.name, "2026-11-26", "12:00"]
    assert lines[1].split()[-2:] == ["0.9", "0.8"]
    assert lines[2].split() == [bad.name, "damaged"]
    assert lines[3].split()[:2] == ["live", "base"]
    assert lines[4].endswith(f"{bad.name}: card.md has changed since it was made.")
    row = said(bot, "list")[0]
    assert row["values"] == {"intent.accuracy": 0.9, "retrieval.recall@1": 0.8}
    assert row["bytes"] > 50_000


def test_one_release_is_shown_with_its_card(bot: Path, good: Release) -> None:
    shown = run(bot, "show", good.name).stdout
    for part in ("intent.accuracy", "0.89 to 0.91", "卡片", good.encoder.fingerprint[:12], str(good.folder)):
        assert part in shown
    row = said(bot, "show", good.name)
    assert row["metrics"]["intent.accuracy"]["low"] == pytest.approx(0.89)
    assert (row["card"], row["parent"], row["aliases"]) == ("# 卡片\n", "base", [])
    assert run(bot, "show", "base").stdout.startswith("base: the encoder that bot.yml")
    assert run(bot, "show", good.name, "--verify").exit_code == 0
    damage(good)
    assert run(bot, "show", good.name).exit_code == 0
    assert "encoder.onnx has changed" in run(bot, "show", good.name, "--verify").stderr


def test_a_comparison_has_signs_beside_its_colours(bot: Path, good: Release, bad: Release) -> None:
    shown = run(bot, "compare", good.name, bad.name).stdout
    [line] = [line for line in shown.splitlines() if "intent.accuracy" in line]
    assert line.split() == ["intent.accuracy", "0.9", "0.89", "to", "0.91", "0.7", "-0.2", "▼", "worse"]
    assert "= same" in shown
    assert "▲ better" in run(bot, "compare", "base", good.name).stdout
    assert said(bot, "compare", "base", good.name)["live"] == "base"
    other = add(shelf(bot), draft(evaluation=evaluation(0.9, test="t2")))
    assert "≠ other texts" in run(bot, "compare", good.name, other.name).stdout
    assert run(bot, "compare", "base", other.name).stdout.startswith("There are no figures of base")


def test_what_is_in_use_is_not_removed(bot: Path, good: Release, bad: Release) -> None:
    assert run(bot, "promote", good.name).exit_code == 0
    offer(bot, bad.name)
    for name in (good.name, "base"):
        done = run(bot, "remove", name)
        assert (done.exit_code, "is in use and stays" in done.stderr) == (2, True)
    assert run(bot, "remove", bad.name).stdout == f"{bad.name} is removed.\n"
    assert [row["aliases"] for row in said(bot, "list")] == [["live"], ["previous"]]
    assert not bad.folder.exists()


def test_pruning_says_what_goes(bot: Path, good: Release) -> None:
    assert run(bot, "promote", good.name).exit_code == 0
    made = [add(shelf(bot), draft(accuracy=n / 10), hours=n).name for n in range(1, 5)]
    offer(bot, made[0])
    gone = [made[2], made[1]]
    lines = [*gone, "2 would be removed."]
    assert run(bot, "prune", "--keep", "1", "--dry-run").stdout.splitlines() == lines
    assert run(bot, "prune", "--keep", "1").stdout.splitlines() == [*gone, "2 removed."]
    assert {row["name"] for row in said(bot, "list")} == {good.name, made[0], made[3], "base"}


def test_of_two_that_promote_at_once_one_decides_on_what_the_other_did(
    bot: Path, good: Release, bad: Release
) -> None:
    promote = partial(go_live, load_settings(bot=bot), force=True, why="race")
    threads = [threading.Thread(target=promote, args=(release.name,)) for release in (good, bad)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = said(bot, "history")[::-1]
    assert {first["release"], second["release"]} == {good.name, bad.name}
    assert (first["before"], second["before"]) == ("base", first["release"])
    assert second["verdict"]["live"] == first["release"]


def test_the_folder_may_be_left_out(bot: Path, good: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bot)
    for words in ([], ["list"], ["show", good.name], [str(bot), "history"]):
        done = CliRunner().invoke(kefu, ["releases", *words])
        assert (done.exit_code, done.stderr) == (0, "")
    done = CliRunner().invoke(kefu, ["releases", "promot", good.name])
    assert (done.exit_code, "Did you mean `promote`?" in done.stderr) == (2, True)


def test_a_finished_job_becomes_the_candidate(bot: Path, tmp_path: Path) -> None:
    rows = {"intent": {"train": [Row("where is it", "place")], "test": [Row("where", "place")]}}
    data = write_dataset(tmp_path / "data", cast(Any, rows))
    job = job_folder(tmp_path / "out", encoder_folder(tmp_path / "tuned"), data=data.hash)
    before = tmp_path / "base.json"
    write_evaluation(before, evaluation(0.8))
    done = run(bot, "add", str(job), "--baseline", f"base={before}", "--data", str(data.folder))
    assert (done.exit_code, done.stderr.strip()) == (0, f"Adding {job}" if done.stderr else "")
    row = said(bot, "show", "candidate")
    assert done.stdout.startswith(f"{row['name']} is the candidate.")
    assert "| intent.accuracy | 0.9 | 0.89 to 0.91 | 0.8 |" in row["card"]
    assert "Trained in 61 s." in row["card"]
    assert "# Data card" in row["card"]
    assert (row["dataset"], row["parent"], row["encoder"]["source"]) == (data.hash, "base", "folder")
    again = run(bot, "add", str(job), "--baseline", f"base={before}", "--data", str(data.folder))
    assert again.stdout == done.stdout
    assert run(bot, "promote", "candidate").exit_code == 0


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda job: (job / "result.json").unlink(), "holds no finished job: there is no result.json."),
        (lambda job: (job / "result.json").write_text("{"), "result.json cannot be read: "),
        (lambda job: (job / "result.json").write_text("[]"), "is of another Kefu: run the job again."),
        (lambda job: (job / "result.json").write_text('{"format": 1}'), "lacks 'method': run the job again."),
        (lambda job: (job / "evaluation.json").write_text("{}"), "evaluation.json is no evaluation "),
        (lambda job: (job / "encoder" / "encoder.onnx").write_bytes(b"?"), "encoder.onnx is missing or cut"),
        (lambda job: shutil.rmtree(job / "encoder"), "No encoder in "),
    ],
)
def test_a_job_that_is_not_whole_is_not_added(
    bot: Path, tmp_path: Path, spoil: Callable[[Path], object], line: str
) -> None:
    job = job_folder(tmp_path / "out", encoder_folder(tmp_path / "tuned"))
    spoil(job)
    done = run(bot, "add", str(job))
    assert (done.exit_code, line in done.stderr) == (2, True), done.stderr
    assert [row["name"] for row in said(bot, "list")] == ["base"]


def test_the_card_of_other_data_is_refused(bot: Path, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"intent": {"test": [Row("where", "place")]}})
    done = run(bot, "add", str(job_folder(tmp_path / "out")), "--data", str(data.folder))
    assert (done.exit_code, "is not the data set that" in done.stderr) == (2, True)


def test_figures_of_another_encoder_than_the_settings_name_do_not_count(bot: Path, tmp_path: Path) -> None:
    stock = encoder_folder(locate(tmp_path / "cache"))
    of_another = add(shelf(bot), draft(baselines=BASE_FIGURES))
    done = run(bot, "promote", of_another.name)
    assert (done.exit_code, "was measured with another encoder" in done.stderr) == (2, True)
    same = draft(baselines=BASE_FIGURES, fingerprint=fingerprint(read_manifest(stock)))
    assert run(bot, "promote", add(shelf(bot), same).name).exit_code == 0
    assert run(bot, "promote", of_another.name, "--force", "--why", "it will be set").exit_code == 0


def test_a_home_that_cannot_be_written_is_said(bot: Path) -> None:
    shelf(bot).write_text("a file where the folder should be")
    done = run(bot, "prune")
    assert (done.exit_code, done.stderr) == (2, f"kefu: {shelf(bot)} cannot be written: File exists.\n")


def test_no_database_is_not_an_empty_one(tmp_path: Path) -> None:
    done = run(tmp_path, "list")
    assert (done.exit_code, done.stderr.startswith("kefu: There is no database")) == (2, True)


def test_a_release_without_an_encoder_has_nothing_to_pack(bot: Path, bad: Release) -> None:
    for name in (bad.name, "base"):
        done = run(bot, "pack", name)
        assert (done.exit_code, done.stderr) == (
            2,
            f"kefu: {name} has no encoder of its own. Train one, such as: kefu train --method lora.\n",
        )
    assert not (bot / "encoder").exists()


def test_a_damaged_release_is_not_packed(bot: Path, good: Release) -> None:
    (good.folder / "release.json").write_text("{}")
    done = run(bot, "pack", good.name)
    assert (done.exit_code, "release.json has changed since it was made" in done.stderr) == (2, True)
