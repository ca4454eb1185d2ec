"""Finds the Chromium that browser tests drive and a Chinese font; installs both for root on Debian.

`python deploy/dev/chromium.py` (`make browser`) exits 0 with both there, or 1 with a plain line on stderr.
Order: `$CHROMIUM`, then the PATH, then Debian's package. Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")
QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
"""Launch flags: a browser that draws without a GPU and reaches no machine but this one."""

Which = Callable[[str], "str | None"]


class MissingBrowser(RuntimeError):
    """No Chromium, or no Chinese font; the message says what to install."""


def find(environment: Mapping[str, str], which: Which = shutil.which) -> str:
    """Path of the browser. Raises MissingBrowser."""
    named = environment.get("CHROMIUM")
    if named:
        path = which(named)
        if path is None:
            raise MissingBrowser(f"CHROMIUM names {named}: there is no such program; correct or unset it")
        return path
    for name in NAMES:
        path = which(name)
        if path is not None:
            return path
    raise MissingBrowser(
        f"no Chromium: as root, `apt-get install {' '.join(PACKAGES)}`, or set CHROMIUM=/path/to/chromium"
    )


def launch_flags(*, root: bool) -> list[str]:
    """Chromium's sandbox refuses root, so only root does without it."""
    return [*QUIET, "--no-sandbox"] if root else list(QUIET)


def has_chinese_font(run: Callable[[Sequence[str]], str]) -> bool:
    """`run` returns a command's output, "" where there is no such command."""
    return bool(run(["fc-list", ":lang=zh-cn", "family"]).strip())


def check(environment: Mapping[str, str]) -> None:
    """Raises MissingBrowser unless browser and font are there."""
    find(environment)
    if not has_chinese_font(_output):
        raise MissingBrowser("no Chinese font: as root, `apt-get install fontconfig fonts-noto-cjk`")


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = () if sys.stdout.isatty() else ("-qq", "-o", "Dpkg::Use-Pty=0")
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", "fontconfig", *PACKAGES)):
        subprocess.run(["apt-get", *quiet, *arguments], check=True, env=environment)


def _ensure() -> None:
    try:
        check(os.environ)
    except MissingBrowser:
        if "CHROMIUM" in os.environ or os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        _install()
        check(os.environ)


def main() -> int:
    """Returns an exit status; says on stderr what is missing."""
    try:
        _ensure()
    except (MissingBrowser, subprocess.CalledProcessError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
