"""`kefu train` on a dozen texts: the real child, an encoder that counts letters."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import kefu
from bot.inference.child import run_training
from tests.tiny import DIM, letters
from tests.unit.cli.pages import check, to_know_first

PLACES = ["Leeds", "York", "Bath", "Truro", "Wells", "Ely"]
TRAVEL = [(f"book a train to {place}", "book_travel") for place in PLACES]
MONEY = [(f"why was I charged a fee in {place}?", "ask_fee") for place in PLACES]
CARDS = [(f"我的银行卡在{place}丢了", "挂失<b>") for place in "沪京津渝粤湘"]
TRAIN = [*TRAVEL[:4], *MONEY[:4], *CARDS[:4]]
TEST = [*TRAVEL[4:], *MONEY[4:], *CARDS[4:]]
Pairs = Sequence[tuple[str, str]]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("KEFU_CACHE", str(cache))
    monkeypatch.setenv("KEFU_ENCODER", letters(cache))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def write(name: str, pairs: Pairs) -> None:
    rows = (json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in pairs)
    Path(name).write_text("".join(rows), encoding="utf-8")


def train(*more: str, learn: Pairs = TRAIN, test: Pairs = TEST) -> Result:
    write("train.jsonl", learn)
    write("test.jsonl", test)
    words = ["train", "--train", "train.jsonl", "--test", "test.jsonl", "--report", "R.json", *more]
    return CliRunner().invoke(kefu, words)


def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("R.json").read_text(encoding="utf-8"))
    return found


def test_a_report_as_json_and_as_a_page_that_needs_nothing_else() -> None:
    done = train()
    assert done.exit_code == 0, done.output
    assert "Wrote R.json and R.html." in done.stdout
    figures = report()
    assert figures["figures"]["accuracy"] >= 0.8
    assert figures["data"]["train"]["labels"] == 3
    assert set(figures["languages"]) == {"en", "zh"}
    assert (figures["encoder"]["dim"], len(figures["encoder"]["fingerprint"])) == (DIM, 64)
    assert (figures["without_leaks"], figures["scope"], figures["notes"]) == (None, None, [])
    assert figures["latency_ms"]["median"] > 0
    page = Path("R.html").read_text(encoding="utf-8")
    check(page)
    assert "挂失&lt;b&gt;" in page
    one = figures["metrics"]["intent.accuracy"]
    assert one["low"] <= figures["figures"]["accuracy"] == one["value"] <= one["high"]
    assert f"{100 * one['low']:.1f} and {100 * one['high']:.1f} %" in done.stdout


def test_the_same_data_gives_the_same_figures() -> None:
    found = []
    for _ in range(2):
        assert train().exit_code == 0
        found.append(report())
    for key in ("figures", "labels", "confusions", "calibration", "languages", "data", "head", "held_out"):
        assert found[0][key] == found[1][key], key


def test_what_is_wrong_with_the_data_is_said_and_counted() -> None:
    learn = [*TRAIN, ("hello", "ask_fee"), ("Hello!", "book_travel"), ("who are you?", "single")]
    done = train(learn=learn, test=[*TEST, TRAIN[0], ("tell me a joke", "joke")])
    assert done.exit_code == 0, done.output
    figures = report()
    assert figures["notes"] == [
        "train.jsonl: rows left out, as their text has several labels: 2 (lines 13 and 14).",
        "train.jsonl: labels with one example: 1 (`single`).",
        "test.jsonl: rows with a label that training lacks, which count as errors: 1 (`joke`; line 8).",
        "test.jsonl: rows that also stand in train.jsonl: 1 (line 7); figures without them are given too.",
    ]
    assert done.stderr.splitlines()[:4] == figures["notes"]
    zh, en = to_know_first(Path("R.html").read_text(encoding="utf-8"))
    assert en == figures["notes"]
    assert zh == [
        "train.jsonl：同一文本有多个标签而被剔除的有 2 行（第 13 与 14 行）。",
        "train.jsonl：只有一个例子的标签有 1 个（`single`）。",
        "test.jsonl：标签不在训练数据中、计为错误的有 1 行（`joke`；第 8 行）。",
        "test.jsonl：同时出现在 train.jsonl 中的有 1 行（第 7 行）；另给出不含它们的指标。",
    ]
    assert (figures["figures"]["texts"], figures["without_leaks"]["texts"]) == (8, 7)
    assert [row["recall"] for row in figures["labels"] if row["label"] == "joke"] == [0.0]


def test_scope_is_measured_beside_the_rest() -> None:
    foreign = [(f"{word} {word} 99", "other") for word in ("zebra", "quark", "volcano", "oboe")]
    done = train("--oos-label", "other", learn=[*TRAIN, *foreign[:2]], test=[*TEST, *foreign[2:]])
    assert done.exit_code == 0, done.output
    figures = report()
    assert figures["figures"]["texts"] == len(TEST)
    assert "other" not in {row["label"] for row in figures["labels"]}
    assert (figures["scope"]["outside"], figures["scope"]["trained"]) == (2, 2)
    assert figures["scope"]["auroc"] >= 0.5
    assert "Out of scope: other" in Path("R.html").read_text(encoding="utf-8")


def test_a_validation_file_sets_how_sure_it_is() -> None:
    write("valid.jsonl", [*TEST[:3], ("what now", "unheard_of")])
    done = train("--valid", "valid.jsonl")
    assert done.exit_code == 0, done.output
    assert report()["held_out"]["by"] == "valid"
    assert "which are passed over: 1 (`unheard_of`; line 4)" in done.stderr
    assert "test.jsonl: rows that also stand in valid.jsonl: 3" in done.stderr


@pytest.mark.parametrize(
    ("more", "learn", "expected"),
    [
        ([], TRAVEL, "kefu: train.jsonl: has one label only, `book_travel`. Two are needed"),
        ([], [], "kefu: train.jsonl: holds no row."),
        (["--oos-label", "oter"], TRAIN, "kefu: test.jsonl: no row has the label `oter`."),
        (["--valid", "x.jsonl"], TRAIN, "kefu: x.jsonl: cannot be read: No such file"),
        (["--report", "no/R.json"], TRAIN, "kefu: no/R.json: its folder is not there"),
        (["--report", "R.html"], TRAIN, "kefu: R.html is not named .json."),
    ],
)
def test_a_foreseen_error_is_one_line_and_no_report(more: list[str], learn: Pairs, expected: str) -> None:
    done = train(*more, learn=learn)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 1
    assert not Path("R.json").exists()


def test_a_report_never_takes_the_place_of_the_data() -> None:
    write("data.json", TRAIN)
    before = Path("data.json").read_bytes()
    done = train("--train", "data.json", "--report", "data.json")
    assert done.exit_code == 2
    assert "is one of the data files" in done.stderr
    assert Path("data.json").read_bytes() == before


def test_an_unknown_method_names_the_choices() -> None:
    done = train("--method", "magic")
    assert done.exit_code == 2
    assert "'magic' is not one of 'head', 'contrastive', 'full', 'lora', 'adalora'" in done.stderr


def test_a_full_disk_leaves_the_earlier_report(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("R.json").write_text("earlier")
    sync = os.fsync

    def full(handle: int) -> None:
        if ".R." in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr("retrieval.publish.os.fsync", full)
    done = train()
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith(
        "kefu: R.json cannot be written: No space left on device. Make room"
    )
    assert Path("R.json").read_text() == "earlier"
    assert sorted(path.name for path in Path().iterdir()) == ["R.json", "test.jsonl", "train.jsonl"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_so_in_one_line_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, signum: signal.Signals
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))

    async def interrupted(*arguments: Any, **more: Any) -> dict[str, object]:
        def stop(*_: object) -> None:
            signal.raise_signal(signum)

        done = await run_training(*arguments, **{**more, "progress": stop})
        await asyncio.sleep(0)  # where all its lines came at once, it was not interrupted before
        return done

    monkeypatch.setattr("bot.cli.train.run_training", interrupted)
    # Whatever a library of an earlier test put in its place: asyncio minds Ctrl-C only where this is what minds it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.getsignal(signal.SIGTERM)
    Path("R.json").write_text("earlier")
    done = train()
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-2:] == ["", "Stopped. Nothing is kept of it: name a folder with --out."]
    assert list(scratch.iterdir()) == []
    assert Path("R.json").read_text() == "earlier"
    assert not Path("R.html").exists()
    done = train("--out", "kept")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "Stopped. The same command goes on from what lies in kept."
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_file_that_is_read_for_long_may_be_stopped_by_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.train.read_examples", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    done = train()
    assert done.exit_code == 1
    assert "Stopped." in done.stderr


def test_no_room_to_work_in_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("retrieval.publish.os.fsync", full)
    done = train()
    assert done.exit_code == 2
    assert "kefu: There is no room to work in: No space left on device." in done.stderr
    assert not Path("R.json").exists()
