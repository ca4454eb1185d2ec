"""Which files a command line means, and what each is called in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.definition import (
    FOLDER,
    Checks,
    is_knowledge,
    knowledge_files,
    look_into,
    read_knowledge,
    unknown_kind,
)
from bot.definition.text import one_line
from bot.documents import DocumentReader
from bot.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Sources:
    files: Mapping[str, Path]
    """Source -> file."""
    passed_over: tuple[str, ...]
    """What lies in the folders and cannot be taken: one line each."""


def sources(paths: Iterable[Path], bot: Path) -> Sources:
    """A file is called by its name, below a folder that was named by its path in there.

    Files of the bot folder keep the name under which the server reads them itself.
    """
    found: dict[str, Path] = {}
    passed_over: list[str] = []
    own = (bot / "knowledge").resolve()
    for path, name in (pair for given in paths for pair in _within(given, passed_over)):
        place = _place(path)
        inside = place.is_relative_to(own)
        source = f"{FOLDER}knowledge/{place.relative_to(own).as_posix()}" if inside else name
        if not source.isprintable():  # file systems take any bytes as a name
            passed_over.append(f"{one_line(str(path))}: its name is not a text. Rename it.")
            continue
        if source in found and _place(found[source]) != place:
            hint = "Rename one: a file is known by its name."
            raise DefinitionError(f"has the name of {found[source]}.", file=str(path), hint=hint)
        found[source] = path
    return Sources(found, tuple(passed_over))


def _place(path: Path) -> Path:
    """Where the file stands; a link to a file stands where the link does."""
    return path.parent.resolve() / path.name


def _within(path: Path, passed_over: list[str]) -> Iterator[tuple[Path, str]]:
    """(file, its name); what is of no known kind goes to `passed_over`."""
    if not path.exists():
        raise DefinitionError("there is no such file or folder.", file=str(path), hint="Check the path.")
    if not path.is_dir():
        if not path.is_file():
            raise DefinitionError("is neither a file nor a folder.", file=str(path), hint="Check the path.")
        if not is_knowledge(path):
            raise unknown_kind(path)
        yield path, path.name
        return
    found = look_into(path)
    if not found.read and not found.unknown:
        raise DefinitionError("holds no file that could be read.", file=str(path), hint="Check the path.")
    passed_over += [str(unknown_kind(file)) for file in found.unknown]
    for file in found.read:
        yield file, file.relative_to(path).as_posix()


def see_others(bot: Path, files: Mapping[str, Path], checks: Checks, documents: DocumentReader) -> None:
    """Topics of the bot folder's other files are taken: they would be answered twice."""
    mine = {_place(path) for path in files.values()}
    for path in knowledge_files(bot / "knowledge"):
        if _place(path) not in mine:
            for _ in checks.apply(read_knowledge(path, documents=documents)):
                pass
