"""The peers bench on data of our own: scripts that keep to the peers' protocol stand in for SetFit and Rasa."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import bench._overhead
import bench._tuned
import bench.peers
from bench import RASA, ROOT, SETFIT_ITERATIONS, Options
from bench.__main__ import main
from bench._child import PeerError, measured
from bench._setfit import PINS, environment
from bench.peers import run
from retrieval.testing import HashEncoder
from tests.tiny_encoder import tiny_encoder
from tests.unit.bench.test_quality import MONEY, TRAVEL, write
from training.tuning.recipes import recipe_for

QUICK = {"epochs": 2, "rate": 1e-2, "layers": 1, "threads": 1}
FAKE = """
import json, sys
job = json.load(open(sys.argv[1]))
print("Loading...", flush=True)
print(json.dumps({"done": 1, "total": 1, "text": "a peer at work"}), flush=True)
labels = ["travel" if text.startswith("book") else "money" for text in job["test"]]
seconds = job.get("iterations", job.get("epochs"))
found = {"labels": labels, "seconds": seconds, "judging_seconds": 0.5, "versions": {"fake": "1"}}
json.dump(found, open(sys.argv[2], "w"))
"""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def asked(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Options]:
    """Options on a small BANKING77, with scripts in the peers' places."""
    rows = [{"text": t, "label": "travel"} for t in TRAVEL] + [{"text": t, "label": "money"} for t in MONEY]
    for name in ("train", "test"):
        write(tmp_path / "data", f"banking77/{name}", rows)
    write(tmp_path / "data", "banking77/dialoglue_train_10", rows[:10] + rows[12:22])
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name in ("setfit_peer.py", "rasa_peer.py"):
        (scripts / name).write_text(FAKE, encoding="utf-8")
    monkeypatch.setattr(bench.peers, "SCRIPTS", scripts)
    monkeypatch.setattr(bench.peers, "environment", lambda _cache, _say: Path(sys.executable))
    for module in (bench.peers, bench._overhead):
        monkeypatch.setattr(module, "recipe_for", lambda name, own: recipe_for(name, {**own, **QUICK}))
    monkeypatch.delenv(RASA, raising=False)
    monkeypatch.delenv(SETFIT_ITERATIONS, raising=False)
    return lambda *only: Options(told.append, tmp_path / "data", frozenset(only), cache=tmp_path / "cache")


def test_everybody_is_measured_on_the_same_rows(
    asked: Callable[..., Options], tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RASA, sys.executable)
    figures = run(asked(), encoder=HashEncoder(), base=tiny_encoder(tmp_path))
    peers = {"kefu", "kefu_head", "kefu_contrastive", "setfit", "rasa"}
    ratios = {"train_ratio", "plain_ratio", "train_seconds", "bare_seconds", "plain_seconds"}
    assert set(figures) == {f"{peer}_{end}" for peer in peers for end in ("accuracy", "seconds")} | ratios
    assert (figures["setfit_accuracy"], figures["setfit_seconds"]) == (100.0, 20)
    assert (figures["rasa_accuracy"], figures["rasa_seconds"]) == (100.0, 100)
    assert figures["kefu_accuracy"] == figures["kefu_contrastive_accuracy"] >= 75.0
    assert all(value > 0 for value in figures.values())
    assert "a peer at work: 1 of 1" in told


def test_a_peer_that_is_not_there_is_left_out_and_it_says_so(
    asked: Callable[..., Options], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(_cache: Path, _say: object) -> Path:
        raise PeerError("SetFit cannot be installed")

    monkeypatch.setattr(bench.peers, "environment", nowhere)
    assert run(asked("setfit_accuracy", "rasa_seconds"), base=Path()) == {}
    assert "setfit is left out. SetFit cannot be installed" in told
    assert any(line.startswith("rasa is left out: set KEFU_BENCH_RASA") for line in told)


def test_only_what_is_asked_for_is_measured(
    asked: Callable[..., Options], monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    monkeypatch.setenv(SETFIT_ITERATIONS, "5")
    figures = run(asked("setfit_seconds"), base=Path())
    assert figures == {"setfit_accuracy": 100.0, "setfit_seconds": 5}
    assert any("5 iterations of pairs instead of 20" in line for line in told)
    assert CliRunner().invoke(main, ["peers"]).exit_code == 3


def test_a_script_that_fails_is_quoted(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import sys; print('oh', file=sys.stderr); sys.exit(7)", encoding="utf-8")
    with pytest.raises(PeerError, match=r"broken.py ended with 7\noh"):
        measured((Path(sys.executable), script), {"threads": 1}, work=tmp_path / "work", say=print)


def test_the_environment_of_setfit_is_made_once_and_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds what is installed here, and pip is asked for the pins alone."""
    commands: list[list[str]] = []

    def install(command: list[str], **_rest: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, int(len(commands) == 1), stderr="no registry")

    monkeypatch.setattr("venv.create", _bare)
    monkeypatch.setattr("subprocess.run", install)
    with pytest.raises(PeerError, match="no registry"):
        environment(tmp_path, print)
    python = environment(tmp_path, print)
    assert environment(tmp_path, print) == python
    assert len(commands) == 2
    assert commands[1][-len(PINS) :] == list(PINS)
    (beside,) = python.parent.parent.glob("lib/python*/site-packages/beside.pth")
    assert (Path(beside.read_text(encoding="utf-8").strip()) / "torch").is_dir()


def _bare(folder: Path, **_rest: Any) -> None:
    (folder / "lib" / "python3" / "site-packages").mkdir(parents=True, exist_ok=True)


def test_rasa_is_given_the_texts_as_they_are(tmp_path: Path) -> None:
    """The script runs under a Python of Rasa's own; what it writes is read here."""
    job = {
        "train": [
            {"text": 'my "card": lost\n# now', "label": "card_lost?"},
            {"text": "卡丢了", "label": "card_lost?"},
            {"text": "- fees", "label": "yes"},
        ],
        "epochs": 3,
        "seed": 0,
        "language": "en",
    }
    program = f"import json, rasa_peer, pathlib; rasa_peer.project(json.loads({json.dumps(job)!r}), pathlib.Path('.'))"
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "bench" / "_peer")},
    )
    nlu = yaml.safe_load((tmp_path / "nlu.yml").read_text(encoding="utf-8"))
    assert nlu["nlu"] == [
        {"intent": "card_lost?", "examples": '- my "card": lost # now\n- 卡丢了\n'},
        {"intent": "yes", "examples": "- - fees\n"},
    ]
    config = yaml.safe_load((tmp_path / "config.yml").read_text(encoding="utf-8"))
    assert config["pipeline"][-1] == {"name": "DIETClassifier", "epochs": 3, "random_seed": 0}
