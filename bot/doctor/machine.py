"""The machine: versions, clock, disk, memory, open files."""

from __future__ import annotations

import platform
import resource
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.metadata import metadata as about
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from bot.doctor.finding import Finding, ok, size, warning, wrong
from bot.doctor.setup import Setup

PACKAGE = "kefu"
MADE = datetime(2026, 11, 1, tzinfo=UTC)
"""Before this there was no Kefu: a clock that says so is wrong."""
AHEAD_S = 120.0
"""A file so far in the future says that the clock was set back."""
JUMP_S = 2.0
ROOM = 500e6
"""Bytes kept free beside what a rebuild needs: SQLite's journal and the log want some."""
ENCODER_ROOM = 1e9
"""Bytes of the cache while the encoder is made."""
PROCESS = 850e6
"""Bytes of a server's memory."""
REBUILDS = 2
"""A new index is written beside the old one."""


def versions(setup: Setup) -> Iterator[Finding]:
    try:
        needed, python = requires(PACKAGE) or [], about(PACKAGE)["Requires-Python"]
    except PackageNotFoundError:
        yield warning("Kefu is not installed as a package.", "Install it: pip install --editable .")
        return
    extras = {"postgres"} if setup.settings.database_url.startswith("postgresql") else set()
    bad = [*unfit_python(python, platform.python_version()), *unfit(map(Requirement, needed), extras)]
    for text in bad:
        yield wrong(text, "Install Kefu anew: pip install 'kefu' (in a checkout: make install).")
    if not bad:
        yield ok(f"Kefu {version(PACKAGE)}, Python {platform.python_version()}, libraries as required.")


def unfit_python(wanted: str | None, found: str) -> list[str]:
    """What is wrong with this Python, if anything."""
    fits = SpecifierSet(wanted or "").contains(found, prereleases=True)
    return [] if fits else [f"Python {found}, and Kefu wants {wanted}."]


def unfit(needed: Iterable[Requirement], extras: set[str]) -> list[str]:
    """Requirements, of Kefu itself and of `extras`, that this environment does not meet."""
    found = []
    for one in needed:
        if one.marker and not any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        try:
            installed = version(one.name)
        except PackageNotFoundError:
            found.append(f"{one.name} is missing.")
            continue
        if not one.specifier.contains(installed, prereleases=True):
            found.append(f"{one.name} {installed}, and Kefu wants {one.specifier}.")
    return found


def clock(setup: Setup) -> Iterator[Finding]:
    now = setup.clock.now()
    newest = max((path.stat().st_mtime for path in _files(setup.settings.home)), default=0.0)
    wall, steady = time.time() - setup.began[0], time.monotonic() - setup.began[1]
    hint = "Set the clock, and keep it set: systemctl status systemd-timesyncd."
    if now < MADE:
        yield wrong(f"it is {now:%Y-%m-%d %H:%M} UTC by this clock, before there was a Kefu.", hint)
    elif newest - now.timestamp() > AHEAD_S:
        ahead = datetime.fromtimestamp(newest, UTC)
        yield warning(f"the home has files of {ahead:%Y-%m-%d %H:%M} UTC, which is still to come.", hint)
    elif steady < 0 or abs(wall - steady) > JUMP_S:
        yield warning(f"the clock jumped by {wall - steady:+.0f} s while this ran.", hint)
    else:
        here = now.astimezone()
        yield ok(
            f"{now:%Y-%m-%d %H:%M} UTC, {here:%H:%M} {here.tzname()} here; an answer's days are UTC days."
        )


def _files(home: Path) -> Iterator[Path]:
    """The home's own, not those of its folders: a copied bundle keeps the times of where it came from."""
    return (path for path in home.iterdir() if path.is_file()) if home.is_dir() else iter(())


def disk(setup: Setup) -> Iterator[Finding]:
    home, cache = setup.settings.home, setup.settings.cache
    made = any((cache / "encoders").glob("*/manifest.json"))
    yield _room("home", home, need=REBUILDS * _weight(home / "bundles") + ROOM)
    yield _room("cache", cache, need=0.0 if made else ENCODER_ROOM)


def _room(name: str, folder: Path, *, need: float) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    text = f"{size(free)} free for the {name}"
    if free < need:
        return wrong(f"{text}, and a rebuild needs {size(need)}.", f"Free some space under {folder}.")
    return ok(f"{text}.")


def _weight(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def memory(setup: Setup) -> Iterator[Finding]:
    free = available()
    if free is None:
        yield ok("this system does not say how much is free.")
    elif setup.served():
        yield ok(f"{size(free)} available beside the server that runs.")
    elif free < PROCESS:
        hint = "Free some, or give the machine more; the container, if it has a limit."
        yield wrong(f"{size(free)} available, and a server takes about {size(PROCESS)}.", hint)
    else:
        yield ok(f"{size(free)} available; a server takes about {size(PROCESS)}.")


def available() -> float | None:
    """Bytes this process might still get: the machine's, or what the container leaves."""
    machine = _first_number(Path("/proc/meminfo"), after="MemAvailable:")
    limit = _first_number(Path("/sys/fs/cgroup/memory.max"))
    used = _first_number(Path("/sys/fs/cgroup/memory.current"))
    left = [] if machine is None else [machine * 1024]
    if limit is not None and used is not None:
        left.append(max(0.0, limit - used))
    return min(left, default=None)


def _first_number(path: Path, *, after: str = "") -> float | None:
    """None where the file or the number is not there ("max")."""
    try:
        words = path.read_text().split()
        return float(words[words.index(after) + 1 if after else 0])
    except (OSError, ValueError, IndexError):
        return None


def open_files(setup: Setup) -> Iterator[Finding]:
    from connectors.webchat import WebChatOptions

    wanted, (limit, _) = WebChatOptions().max_sockets, resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit in (resource.RLIM_INFINITY, -1) or limit > wanted:
        yield ok(f"at most {limit} open files; the web chat takes up to {wanted} customers at once.")
    else:
        hint = "Raise it where many come: LimitNOFILE in the service, or ulimit -n."
        yield warning(f"at most {limit} open files: fewer than {limit} customers at once.", hint)
