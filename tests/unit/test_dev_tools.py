"""The build's own decisions: which torch, which pins, which browser, what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from deploy.dev import chromium, lock, progress, torch_build

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
