"""Writes constraints.txt: one exact version for every package that the newest permitted set needs.

`.venv/bin/python deploy/dev/lock.py` in the checkout (`make lock`). Nothing is installed. Local labels
(`+cpu`) are left out, so that the file serves any build; torch's GPU packages are pinned by torch itself.
Standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

FILE = Path("constraints.txt")
HEADER = """\
# Written by `make lock`, not by hand: exact versions of everything that pyproject.toml asks for, of what that
# needs, and of pip and the build's own tools. Resolved on Python 3.11 and x86-64 Linux.
"""
GPU = ("nvidia-", "cuda-", "triton")


def pins(report: dict[str, Any], *, project: str) -> list[str]:
    """`name==version`, sorted, for each package of pip's report but `project` and GPU packages."""
    found = {}
    for item in report["install"]:
        name, version = item["metadata"]["name"].lower().replace("_", "-"), item["metadata"]["version"]
        if name != project and not name.startswith(GPU):
            found[name] = version.partition("+")[0]
    return [f"{name}=={found[name]}" for name in sorted(found)]


def _resolve(pyproject: dict[str, Any]) -> dict[str, Any]:
    extras = ",".join(pyproject["project"]["optional-dependencies"])
    tools = ["pip", "editables", *pyproject["build-system"]["requires"]]
    dry = ["--dry-run", "--ignore-installed", "--report", "-", "--use-feature=fast-deps"]
    command = [sys.executable, "-m", "pip", "install", *dry, "--group", "dev", f".[{extras}]", *tools]
    only_errors = {**os.environ, "PIP_QUIET": "2"}  # stdout is the report's alone
    answer = subprocess.run(command, stdout=subprocess.PIPE, env=only_errors, check=True).stdout
    report: dict[str, Any] = json.loads(answer)
    return report


if __name__ == "__main__":
    pyproject = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    lines = pins(_resolve(pyproject), project=pyproject["project"]["name"])
    FILE.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
