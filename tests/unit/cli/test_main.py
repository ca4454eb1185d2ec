"""The command itself: quick, light, and one line for what goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import kefu

ROOT = Path(__file__).resolve().parents[3]
VERBS = ("serve", "chat", "ingest", "init", "escalations", "doctor", "train", "eval", "releases")
HEAVY = {"sqlalchemy", "aiohttp", "numpy", "onnxruntime", "pydantic", "yaml", "rich", "asyncio"}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words", [["--help"], ["serve", "--help"], ["ingest", "--help"], ["eval", "retrieval", "--help"]]
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom bot.__main__ import main\n"
        f"sys.argv = ['kefu', *{words!r}]\n"
        "try: main()\nexcept SystemExit: print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)"
    )
    done = run("-c", code)
    assert "Usage: kefu" in done.stdout
    assert set(done.stderr.split()) & HEAVY == set()


def test_help_answers_within_half_a_second() -> None:
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        assert run("-m", "bot", "--help").returncode == 0
        took.append(time.perf_counter() - begun)
    assert min(took) <= 0.5


def test_every_verb_says_what_it_does() -> None:
    assert tuple(kefu.commands) == VERBS
    for command in kefu.commands.values():
        assert command.help
        options = [param for param in command.params if param.param_type_name == "option"]
        assert [param.name for param in options if not getattr(param, "help", "")] == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["serve", "nowhere"],
            "kefu: nowhere/bot.yml: there is no such file. Create it, or begin with `kefu init`.",
        ),
        (["ingest", "x.jsonl", "--bot", "nowhere"], "kefu: nowhere/bot.yml: there is no such file."),
        (["escalations", "nowhere"], "kefu: There is no database"),
    ],
)
def test_a_foreseen_error_is_one_line_and_exit_code_2(
    words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(kefu, words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 1


def test_a_bad_setting_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_PORT", "high")
    done = CliRunner().invoke(kefu, ["escalations"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("kefu: KEFU_PORT: `high` should be a valid integer")


def test_an_unforeseen_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.settings.load_settings", broken)
    assert isinstance(CliRunner().invoke(kefu, ["escalations"]).exception, ZeroDivisionError)
