"""Each thing a machine can lack is said in one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.dev.preflight import (
    node_problem,
    owner_problem,
    python_problem,
    tool_problems,
    venv_problem,
)

HERE = sys.version_info[:2]


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 13, 9)])
def test_a_supported_python_is_no_problem(version: tuple[int, ...]) -> None:
    assert python_problem(version, has_venv=True) is None


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0), (2, 7, 18)])
def test_another_python_is_named_with_the_one_to_install(version: tuple[int, ...]) -> None:
    line = python_problem(version, has_venv=True)
    assert line is not None
    assert f"Python {version[0]}.{version[1]} " in line
    assert "install Python 3.11" in line


def test_a_python_without_venv_names_debians_package() -> None:
    assert "python3.11-venv" in (python_problem((3, 11, 2), has_venv=False) or "")


@pytest.mark.parametrize("answer", ["v20.19.0\n", "v20.20.2\n", "v22.1.0\n"])
def test_a_new_enough_node_is_no_problem(answer: str) -> None:
    assert node_problem(answer) is None


@pytest.mark.parametrize("answer", [None, "v18.20.4\n", "v20.18.3\n", "nonsense"])
def test_a_missing_or_old_node_is_said_with_the_version_to_have(answer: str | None) -> None:
    assert "20.19" in (node_problem(answer) or "")


def test_missing_tools_are_listed() -> None:
    assert len(tool_problems(lambda _: None)) == 2
    assert tool_problems(lambda name: f"/usr/bin/{name}") == []


def _name(user: int) -> str:
    return "ann" if user == os.geteuid() else "root"


def test_files_of_another_user_name_their_owner_and_the_way_out(tmp_path: Path) -> None:
    line = owner_problem([tmp_path, tmp_path / "absent"], user=os.geteuid() + 1, name_of=_name)
    assert line is not None
    assert "belongs to ann and you are root" in line
    assert f"`rm -rf {tmp_path}`" in line


def test_own_files_and_absent_ones_are_no_problem(tmp_path: Path) -> None:
    assert owner_problem([tmp_path, tmp_path / "absent"], user=os.geteuid(), name_of=_name) is None


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real environment, as the Makefile makes it."""
    folder = tmp_path_factory.mktemp("checkout") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


def test_an_environment_made_here_with_this_python_is_no_problem(venv: Path) -> None:
    assert venv_problem(venv, HERE) is None
    assert venv_problem(venv.with_name("absent"), HERE) is None


def test_an_environment_of_another_python_says_both(venv: Path) -> None:
    line = venv_problem(venv, (3, 99)) or ""
    assert f"is of Python {HERE[0]}.{HERE[1]}, and PYTHON is 3.99" in line
    assert f"make PYTHON=python{HERE[0]}.{HERE[1]}" in line


def _moved(venv: Path, to: Path) -> None:
    settings = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    (to / "bin").mkdir(parents=True)
    (to / "bin" / "python").symlink_to(sys.executable)
    (to / "pyvenv.cfg").write_text(settings, encoding="utf-8")


def _without_interpreter(venv: Path, to: Path) -> None:
    _moved(venv, to)
    (to / "bin" / "python").unlink()


def _never_finished(_venv: Path, to: Path) -> None:
    to.mkdir()


@pytest.mark.parametrize(
    ("break_it", "said"),
    [(_moved, "cannot be moved"), (_without_interpreter, "not whole"), (_never_finished, "not whole")],
)
def test_a_broken_environment_is_to_be_removed(
    venv: Path, tmp_path: Path, break_it: Callable[[Path, Path], None], said: str
) -> None:
    broken = tmp_path / ".venv"
    break_it(venv, broken)
    line = venv_problem(broken, HERE) or ""
    assert said in line
    assert f"rm -rf {broken}" in line
