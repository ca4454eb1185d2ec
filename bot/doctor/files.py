"""Settings, the bot folder, and the files of the home."""

from __future__ import annotations

import os
import pwd
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.finding import Finding, ok, warning, wrong
from bot.doctor.setup import Setup
from bot.settings import SECRET_LENGTH

SETTLED_S = 3600.0
"""Work that has not moved for an hour is nobody's any more."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def settings(setup: Setup) -> Iterator[Finding]:
    for problem in setup.problems:
        yield wrong(problem.message, problem.hint)
    if not setup.problems:
        yield ok("every KEFU_ variable is known and well formed.")


def folder(setup: Setup) -> Iterator[Finding]:
    from bot.definition.contrasts import read_contrasts
    from bot.definition.report import census

    definition = setup.definition()
    counts = census(definition)
    pairs = ", ".join(f"{counts.pairs.get(lang, 0)} answers in {lang}" for lang in definition.languages)
    yield ok(f"{setup.settings.bot}: {len(definition.intents)} intents, {pairs}.")
    for problem in setup.skipped:
        yield warning(f"{problem.file}: {problem.message}", problem.hint)
    if counts.ambiguous:
        what = f"{len(counts.ambiguous)} questions stand under two topics, such as `{counts.ambiguous[0]}`."
        yield warning(what, "Keep each under one topic: the bot can only ask which is meant.")
    known = {(row.entry.key, row.entry.lang) for row in definition.knowledge}
    if sets := read_contrasts(definition.folder, definition.languages, known):
        messages = sum(len(one.answered) + len(one.unanswered) for one in sets)
        yield ok(f"{messages} messages to teach a verifier by, of {len(sets)} answers.")


def home(setup: Setup) -> Iterator[Finding]:
    place = setup.settings.home
    if not place.exists():
        yield _new_home(place)
        return
    if not place.is_dir():
        yield wrong(f"{place} is not a folder.", "Name another one: --home FOLDER.")
        return
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        yield wrong(f"{place} cannot be written by {_me()}.", _as_owner(place))
        return
    running = "a server runs on it" if setup.served() else "no server runs on it"
    yield ok(f"{place}, owner {_owner(place)}; {running}.")
    yield from _foreign(place)


def _new_home(place: Path) -> Finding:
    parent = next(folder for folder in place.absolute().parents if folder.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        return wrong(f"{place} is not there, and {_me()} cannot make it.", "Name another one: --home FOLDER.")
    return ok(f"{place} is made at the first start.")


def _foreign(place: Path) -> Iterator[Finding]:
    """Files that the home's owner cannot write: left by a command that ran as somebody else."""
    owner = place.stat().st_uid
    names = sorted(path.name for path in place.iterdir() if path.lstat().st_uid != owner)
    if names:
        hint = f"Give them back: chown -R {_owner(place)} {place}."
        yield wrong(f"{', '.join(names)} in {place}: not of the home's owner, {_owner(place)}.", hint)


def secret(setup: Setup) -> Iterator[Finding]:
    path = setup.settings.home / "secret"
    if setup.settings.secret is not None:
        yield ok("sessions are signed by KEFU_SECRET.")
    elif not path.exists():
        yield ok("made at the first start.")
    elif not os.access(path, os.R_OK):
        yield wrong(f"{path} cannot be read by {_me()}.", _as_owner(path.parent))
    elif len(path.read_text(errors="replace").strip()) < SECRET_LENGTH:
        hint = "Restore it, or delete it: a new one is made, and open web sessions begin anew."
        yield wrong(f"{path} is cut short.", hint)
    else:
        yield from _private(path)


def _private(path: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & OTHERS:
        hint = f"chmod 600 {path}; who may have read it can sign sessions: then delete it and restart."
        yield wrong(f"{path} can be read by others (mode {mode:o}).", hint)
    else:
        yield ok(f"{path} is there, for its owner alone.")


def leftovers(setup: Setup) -> Iterator[Finding]:
    from retrieval.publish import leftovers as unfinished

    home, cache = setup.settings.home, setup.settings.cache
    places = (home / "bundles", home / "releases", cache / "encoders")
    found = [path for place in places for path in unfinished(place)]
    found += [*home.glob("secret.*"), *home.glob("vectors/*.new"), *cache.glob("generators/*.gguf.*")]
    old = sorted(str(path) for path in found if time.time() - path.stat().st_mtime > SETTLED_S)
    if old:
        yield warning(f"left by work that was broken off: {', '.join(old)}.", "They may be deleted.")
    else:
        yield ok("nothing is left of work that was broken off.")


def _me() -> str:
    return _name(os.geteuid())


def _owner(path: Path) -> str:
    return _name(path.stat().st_uid)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # in a container accounts often have no names
        return str(number)


def _as_owner(place: Path) -> str:
    return f"Run as {_owner(place)}, or name another home: --home FOLDER."
