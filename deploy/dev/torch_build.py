"""Installs torch's CPU build beside the running interpreter, or stops with a hint: no CUDA unasked.

`python deploy/dev/torch_build.py [INDEX]`, in the checkout. Without INDEX pip is asked which build it would
take (its metadata is read, in seconds), and only a CPU build is installed. INDEX is the address of one of
torch's own indexes, or the word `default` for whatever pip finds: an explicit choice is not judged.
Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PIN = ("--constraint", "constraints.txt", "torch")
HINT = """\
✗ pip found no CPU build of torch here: {build} would bring gigabytes of CUDA ({packages}).
  Choose a build at https://pytorch.org/get-started/locally/ (Linux, Pip, CPU) and give make its link:
      make TORCH_INDEX=<the link after --index-url>
  On a machine with a GPU give the link of a CUDA build, or `TORCH_INDEX=default` for what pip finds."""


def gpu_needs(report: dict[str, Any]) -> list[str]:
    """GPU packages that the torch build in pip's installation report brings along; empty for a CPU build.

    `report` follows https://pip.pypa.io/en/stable/reference/installation-report/ and holds torch alone.
    """
    metadata = report["install"][0]["metadata"]
    label = metadata["version"].partition("+")[2]
    if label:  # torch's own indexes label their builds: +cpu, +cu130, +rocm7.0
        return [] if label.startswith("cpu") else [f"torch+{label}"]
    if report["environment"]["platform_system"] != "Linux":
        return []  # PyPI's builds for other systems have no CUDA; the markers below name Linux
    needs = (re.split(r"[^\w.-]", need)[0] for need in metadata.get("requires_dist", []))
    return [name for name in needs if name.lower().startswith(("nvidia-", "cuda-", "triton"))]


def _pip(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "pip", "install", "--no-deps", *arguments, *PIN]


def _planned() -> dict[str, Any]:
    """pip's report on the torch it would install; `fast-deps` reads metadata without fetching the wheel."""
    dry = _pip("--dry-run", "--ignore-installed", "--report", "-", "--use-feature=fast-deps")
    only_errors = {**os.environ, "PIP_QUIET": "2"}  # stdout is the report's alone
    answer = subprocess.run(dry, stdout=subprocess.PIPE, env=only_errors, check=True).stdout
    report: dict[str, Any] = json.loads(answer)
    return report


def already_there(constraints: str, installed: str | None) -> bool:
    """Whether the version `installed` (None: none) is the one that `constraints` pins, of whatever build."""
    return installed is not None and f"torch=={installed.partition('+')[0]}" in constraints.splitlines()


def _installed() -> str | None:
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def main(index: str = "") -> int:
    """Returns an exit status; pip's own messages go to the terminal."""
    if not index:
        if already_there(Path("constraints.txt").read_text(encoding="utf-8"), _installed()):
            return 0
        plan = _planned()
        packages = gpu_needs(plan)
        if packages:
            build = f"torch {plan['install'][0]['metadata']['version']}"
            print(HINT.format(build=build, packages=", ".join(packages[:3])), file=sys.stderr)
            return 1
    chosen = () if index in {"", "default"} else ("--index-url", index)
    return subprocess.run(_pip(*chosen), check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:2]))
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
