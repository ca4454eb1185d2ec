"""The build's own decisions: which Python, which torch, which pins, which browser, what is shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from deploy.dev import chromium, interpreter, lock, progress, torch_build
from tests.conftest import ROOT

CPU_NEEDS = ["filelock", "typing-extensions>=4.10.0", "sympy>=1.13.3", 'optree>=0.13.0; extra == "optree"']
CUDA_NEEDS = [
    *CPU_NEEDS,
    'cuda-toolkit[cublas,cudart]==13.0.3; platform_system == "Linux"',
    'nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"',
    'triton==3.7.1; platform_system == "Linux" and python_version < "3.15"',
]


def _report(version: str, needs: list[str], *, system: str = "Linux") -> dict[str, Any]:
    """What pip reports on one package, as far as it is read."""
    metadata = {"name": "torch", "version": version, "requires_dist": needs}
    return {"install": [{"metadata": metadata}], "environment": {"platform_system": system}}


@pytest.mark.parametrize(
    ("report", "found"),
    [
        (_report("2.13.0+cpu", CPU_NEEDS), []),
        (_report("2.13.0", CPU_NEEDS), []),
        (_report("2.13.0", CUDA_NEEDS), ["cuda-toolkit", "nvidia-cudnn-cu13", "triton"]),
        (_report("2.13.0", CUDA_NEEDS, system="Darwin"), []),
        (_report("2.13.0+cu130", CPU_NEEDS), ["torch+cu130"]),
        (_report("2.13.0+rocm7.0", []), ["torch+rocm7.0"]),
    ],
)
def test_a_build_of_torch_is_known_by_what_it_brings(report: dict[str, Any], found: list[str]) -> None:
    assert torch_build.gpu_needs(report) == found


@pytest.mark.parametrize(
    ("installed", "there"), [("2.13.0+cpu", True), ("2.13.0", True), ("2.12.1", False), (None, False)]
)
def test_torch_of_the_pinned_version_is_left_alone(installed: str | None, there: bool) -> None:
    assert torch_build.already_there("sympy==1.14.0\ntorch==2.13.0\n", installed) is there


def test_pins_have_one_spelling_and_no_local_label() -> None:
    packages = [("torch", "2.13.0+cpu"), ("Jinja2", "3.1.6"), ("ml_dtypes", "0.6.0"), ("kefu", "0.1.0")]
    packages += [("nvidia-cublas", "13.1"), ("triton", "3.7.1")]
    report = {"install": [{"metadata": {"name": name, "version": v}} for name, v in packages]}
    assert lock.pins(report, project="kefu") == ["jinja2==3.1.6", "ml-dtypes==0.6.0", "torch==2.13.0"]


def test_what_is_pinned_installs_on_debians_own_python() -> None:
    """Debian 12 has Python 3.11.2; pip says only that nothing fits."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    there = {one.name.lower().replace("_", "-"): one for one in distributions()}
    wanted = {name: there[name].metadata.get_all("Requires-Python") for name in pinned.keys() & there.keys()}
    assert len(wanted) > 150
    too_new = {name: told for name, told in wanted.items() if told and "3.11.2" not in SpecifierSet(told[0])}
    assert too_new == {}
    assert {name for name in wanted if there[name].version.partition("+")[0] != pinned[name]} == set()


def _which(*there: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in there else None


def test_the_browser_named_by_hand_comes_first() -> None:
    found = chromium.find({"CHROMIUM": "my-chrome"}, _which("my-chrome", "chromium"))
    assert found == "/usr/bin/my-chrome"


def test_then_the_path_is_searched_in_order() -> None:
    assert chromium.find({}, _which("google-chrome", "chromium-browser")) == "/usr/bin/chromium-browser"


def test_a_wrong_name_is_not_passed_over_for_another_browser() -> None:
    with pytest.raises(chromium.MissingBrowser, match="CHROMIUM names my-chrome"):
        chromium.find({"CHROMIUM": "my-chrome"}, _which("chromium"))


def test_no_browser_says_what_to_install() -> None:
    with pytest.raises(chromium.MissingBrowser, match="apt-get install chromium fonts-noto-cjk"):
        chromium.find({}, _which())


def test_only_root_goes_without_the_sandbox() -> None:
    assert "--no-sandbox" in chromium.launch_flags(root=True)
    assert "--no-sandbox" not in chromium.launch_flags(root=False)


@pytest.mark.parametrize(("listed", "there"), [("Noto Sans CJK SC\n", True), ("", False), ("\n", False)])
def test_a_chinese_font_is_one_that_fontconfig_lists(listed: str, there: bool) -> None:
    assert chromium.has_chinese_font(lambda _: listed) is there


def test_reports_are_shown_to_people_and_other_lines_pass() -> None:
    line = json.dumps({"stage": "export", "done": 2, "total": 5, "text": "Writing the ONNX graph"})
    assert progress.shown(line + "\n") == "  [2/5] Writing the ONNX graph"
    assert progress.shown("Killed\n") == "Killed"
    assert progress.shown("[1]\n") == "[1]"


def _program(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def test_every_python_of_the_version_that_is_tested_is_looked_at_once(tmp_path: Path) -> None:
    first = _program(tmp_path / "a", "python3.11", "exit 1")
    second = _program(tmp_path / "b", "python3.11", "exit 1")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    _program(tmp_path / "a", "python3", "exit 1")
    path = os.pathsep.join(str(tmp_path / name) for name in ("none", "a", "b", "c"))
    assert interpreter.executables(path) == [str(first), str(second)]
    first.chmod(0o644)
    second.chmod(0o644)
    assert interpreter.executables(path) == [str(tmp_path / "a" / "python3")]
    assert interpreter.executables(str(tmp_path)) == []


@pytest.mark.parametrize(
    ("seconds", "chosen"), [((1.0, 0.95), "0"), ((1.0, 0.6), "1"), ((1.0, 0.8, 0.5), "2"), ((0.5, 1.0), "0")]
)
def test_another_python_than_the_first_is_taken_where_it_is_clearly_quicker(
    seconds: tuple[float, ...], chosen: str
) -> None:
    found = [interpreter.Timed(str(place), one) for place, one in enumerate(seconds)]
    assert interpreter.quickest(found) == chosen


def test_of_pythons_one_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = _program(tmp_path / "a", "python3.11", "echo '3.11 is not installed' >&2; exit 127")
    works = _program(tmp_path / "b", "python3.11", f'exec "{sys.executable}" "$@"')
    assert interpreter.timed(str(broken)) is None
    path = os.pathsep.join((str(broken.parent), str(works.parent)))
    assert interpreter.choose(path) == sys.executable
    assert interpreter.choose(str(broken.parent)) == str(broken), (
        "the one there is: what it lacks is said later"
    )
    assert interpreter.choose(str(tmp_path)) is None
