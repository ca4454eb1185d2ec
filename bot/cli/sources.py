"""Which files a command line means, and what each is called in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.definition import FOLDER, Checks, knowledge_files, read_knowledge
from bot.errors import DefinitionError


def sources(paths: Iterable[Path], bot: Path) -> dict[str, Path]:
    """Source -> file. Files of the bot folder keep the name under which the server reads them itself."""
    found: dict[str, Path] = {}
    own = (bot / "knowledge").resolve()
    for path in (file for given in paths for file in _within(given)):
        place = _place(path)
        inside = place.is_relative_to(own)
        source = f"{FOLDER}knowledge/{place.relative_to(own).as_posix()}" if inside else path.name
        if source in found and _place(found[source]) != place:
            hint = "Rename one: a file is known by its name."
            raise DefinitionError(f"has the name of {found[source]}.", file=str(path), hint=hint)
        found[source] = path
    return found


def _place(path: Path) -> Path:
    """Where the file stands; a link to a file stands where the link does."""
    return path.parent.resolve() / path.name


def _within(path: Path) -> list[Path]:
    if not path.exists():
        raise DefinitionError("there is no such file or folder.", file=str(path), hint="Check the path.")
    if path.is_dir():
        if files := knowledge_files(path):
            return files
        raise DefinitionError("holds no .jsonl and no .csv file.", file=str(path), hint="Check the path.")
    read_knowledge(path)  # a file named outright must be of a kind that is read
    return [path]


def see_others(bot: Path, files: Mapping[str, Path], checks: Checks) -> None:
    """Topics of the bot folder's other files are taken: they would be answered twice."""
    mine = {_place(path) for path in files.values()}
    for path in knowledge_files(bot / "knowledge"):
        if _place(path) not in mine:
            for _ in checks.apply(read_knowledge(path)):
                pass
