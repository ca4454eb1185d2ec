"""SetFit's environment: SetFit and what it needs beyond what is installed here, kept apart from Kefu's own packages.

SetFit 1.2 works with today's transformers and sentence-transformers, but wants older companions than others here do.
So it gets a virtual environment that looks for the rest in this one: torch and the libraries under both are the same.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

from bench._child import PeerError

PINS = (
    "setfit==1.2.0",
    "datasets==3.6.0",
    "dill==0.3.8",
    "evaluate==0.4.6",
    "fsspec==2025.3.0",
    "multiprocess==0.70.16",
    "pandas==2.3.3",
    "pyarrow==22.0.0",
    "xxhash==3.6.0",
)
_WITHIN_S = 900.0


def environment(cache: Path, say: Callable[[str], None]) -> Path:
    """Its Python; made first if need be, which takes a minute and a package registry. Raises `PeerError`."""
    told = "\n".join([*PINS, sys.prefix])
    folder = cache / f"setfit-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    python, whole = folder / "bin" / "python", folder / "whole"
    if not whole.is_file():
        say("SetFit: making its environment")
        venv.create(folder, clear=True, with_pip=True, symlinks=True)
        _look_also(folder, Path(sysconfig.get_paths()["purelib"]))
        _install(python)
        whole.write_text(told, encoding="utf-8")
    return python


def _look_also(folder: Path, packages: Path) -> None:
    """What is not found there is looked for among `packages`."""
    own = next(folder.glob("lib/python*/site-packages"))
    (own / "beside.pth").write_text(f"{packages}\n", encoding="utf-8")


def _install(python: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-input", *PINS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    except subprocess.TimeoutExpired as late:
        raise PeerError(f"SetFit was not installed within {_WITHIN_S:.0f} s") from late
    if done.returncode:
        raise PeerError(f"SetFit cannot be installed:\n{done.stderr.strip()[-600:]}")
