"""Says, in one plain line each, what keeps this machine from building Kefu, and what to do about it.

Run by the interpreter that `.venv` is to be made with: `python3.11 deploy/dev/preflight.py` in the checkout.
Exits 0 in silence, or 1 with the lines on stderr. Standard library only; starts on any Python from 3.7.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

OLDEST, TOO_NEW = (3, 11), (3, 14)
OLDEST_NODE = (20, 19)
MADE_HERE = (".venv", ".cache", ".stamps", "web/node_modules", "web/dist")
"""What make writes inside the checkout; all of it can be removed and comes back."""

Version = tuple[int, ...]


def python_problem(version: Version, *, has_venv: bool) -> str | None:
    """`version`: (major, minor, ...) of the interpreter; `has_venv`: it can make environments."""
    name = ".".join(map(str, version[:2]))
    if not OLDEST <= version[:2] < TOO_NEW:
        return f"Python {name} does not do: install Python 3.11 and run `make PYTHON=/path/to/python3.11`"
    if not has_venv:
        return f"this Python cannot make environments: as root, `apt-get install python{name}-venv`"
    return None


def node_problem(answer: str | None) -> str | None:
    """`answer` is what `node --version` printed ("v20.20.2"), None where there is no node."""
    wanted = ".".join(map(str, OLDEST_NODE))
    hint = f"install Node {wanted} or newer (https://nodejs.org) and put it on the PATH"
    if answer is None:
        return f"node is missing: {hint}"
    found = re.match(r"v(\d+)\.(\d+)", answer)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_NODE:
        return f"node {answer.strip()} is too old: {hint}"
    return None


def tool_problems(which: Callable[[str], str | None]) -> list[str]:
    """`which` finds a program on the PATH, as `shutil.which` does."""
    problems = []
    if which("npm") is None:
        problems.append("npm is missing: install it beside Node (it comes with Node's own packages)")
    if which("cc") is None:
        problems.append("a C compiler is missing: as root, `apt-get install gcc libc6-dev`")
    return problems


def owner_problem(made: Iterable[Path], *, user: int, name_of: Callable[[int], str]) -> str | None:
    """`made` are paths that make may have written before; `user` is the running user's id."""
    strange = [path for path in made if path.exists() and path.stat().st_uid != user]
    if not strange:
        return None
    owner = name_of(strange[0].stat().st_uid)
    listed = " ".join(str(path) for path in strange)
    return (
        f"{strange[0]} belongs to {owner} and you are {name_of(user)}: run make as {owner}, "
        f"or remove what {owner} made: `rm -rf {listed}`"
    )


def venv_problem(venv: Path, version: Version) -> str | None:
    """Whether `venv` is whole, stands where it was made, and is of Python `version` (major, minor, ...)."""
    if not venv.exists():
        return None
    again = f"`rm -rf {venv}` and run make again"
    settings = venv / "pyvenv.cfg"
    if not settings.is_file() or not (venv / "bin" / "python").exists():
        return f"{venv} is not whole (its interpreter is gone, or it was never finished): {again}"
    text = settings.read_text(encoding="utf-8")
    made_with = re.search(r"^version(?:_info)? *= *(\d+)\.(\d+)", text, re.MULTILINE)
    if made_with is None or (int(made_with[1]), int(made_with[2])) != version[:2]:
        found = f"{made_with[1]}.{made_with[2]}" if made_with else "?"
        name = ".".join(map(str, version[:2]))
        return f"{venv} is of Python {found}, and PYTHON is {name}: {again}, or `make PYTHON=python{found}`"
    made_at = re.search(r"^command *= .* -m venv (?:--\S+ )*(.+)$", text, re.MULTILINE)
    if made_at is not None and Path(made_at[1]).resolve() != venv.resolve():
        return f"{venv} was made at {made_at[1]} and cannot be moved: {again}"
    return None


def _user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _node_version() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    return subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=False).stdout.decode()


def problems() -> list[str]:
    """Every line there is to say about this machine and the checkout it is run in."""
    version = tuple(sys.version_info[:3])
    has_venv = all(importlib.util.find_spec(name) is not None for name in ("ensurepip", "venv"))
    found = [
        python_problem(version, has_venv=has_venv),
        node_problem(_node_version()),
        *tool_problems(shutil.which),
        owner_problem(map(Path, MADE_HERE), user=os.geteuid(), name_of=_user_name),
        venv_problem(Path(".venv"), version),
    ]
    return [line for line in found if line is not None]


if __name__ == "__main__":
    lines = problems()
    for line in lines:
        print(f"✗ {line}", file=sys.stderr)
    sys.exit(1 if lines else 0)
