"""Reports of a measurement: figures as JSON, and beside them the same as a page of its own."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from bot.cli.page import Both, english
from bot.definition.labelled import MAX_TEXT, SEED, Asked, DataFile, Example, Marked
from bot.errors import KefuError
from retrieval.publish import publish_files

Figures = dict[str, Any]
LISTED = 5
"""Lines that a note names; the report has them all where it matters."""


class ReportError(KefuError):
    """The report, or what the work needs on the way to it, cannot be written."""

    code = "unwritable"


def check_place(report: Path, *sources: Path | None) -> None:
    """Before hours of work. Raises `ReportError`."""
    if report.suffix.lower() != ".json":
        raise ReportError(f"{report} is not named .json.", hint="The page beside it is named .html.")
    if not report.absolute().parent.is_dir() or not os.access(report.absolute().parent, os.W_OK):
        raise ReportError(f"{report}: its folder is not there, or not yours to write.", hint="Name another.")
    for path in (report, page_of(report)):
        if path.is_dir():
            raise ReportError(f"{path} is a folder.", hint="Name a file.")
        if any(source is not None and path.resolve() == source.resolve() for source in sources):
            raise ReportError(f"{path} is one of the data files.", hint="Name another report.")


def page_of(report: Path) -> Path:
    return report.with_suffix(".html")


def write_report(report: Path, figures: Figures, page: Callable[[Figures], str]) -> None:
    """Both files, or neither. Raises `ReportError`."""
    text = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    with room_for(f"{report} cannot be written"):
        publish_files({page_of(report): page(figures), report: text})


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """What a full or locked disk says, in one line."""
    try:
        yield
    except OSError as error:
        hint = "Make room, or name another place (TMPDIR for what the work needs on the way)."
        raise ReportError(f"{what}: {error.strerror or error}.", hint=hint) from error


@contextmanager
def work_folder() -> Iterator[Path]:
    """Gone afterwards. Raises `ReportError` where there is no room."""
    with room_for("There is no room to work in"), tempfile.TemporaryDirectory(prefix="kefu-") as place:
        yield Path(place)


def made_with(encoder: Mapping[str, Any]) -> Figures:
    """What the figures depend on beside the data. `encoder`: source, fingerprint, dim."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "encoder": dict(encoder),
        "seeds": {"draw": SEED},
        "versions": {"python": python_version(), **{name: version(name) for name in ("kefu", "onnxruntime")}},
    }


def about(data: DataFile[Example] | DataFile[Asked] | DataFile[Marked]) -> Figures:
    return {
        "file": data.path.name,
        "sha256": data.sha256,
        "rows": data.found,
        "used": len(data.rows),
        "cut": data.cut,
        "repeated": data.repeated,
        "clashes": [list(lines) for lines in data.clashes],
    }


def notes_on(data: DataFile[Example] | DataFile[Asked] | DataFile[Marked], limit: int) -> Iterator[Both]:
    """What was not taken as it stands, for people."""
    name = data.path.name
    if data.found > limit:
        yield (
            f"{name}: {data.found} rows; {limit} of them were drawn at random (seed {SEED}).",
            f"{name}：共 {data.found} 行，随机抽取了 {limit} 行（种子 {SEED}）。",
        )
    if data.clashes:
        places, zh = (
            "; ".join(word.join(map(str, lines)) for lines in data.clashes[:LISTED])
            for word in (" and ", " 与 ")
        )
        more = "; ..." if len(data.clashes) > LISTED else ""
        rows = sum(map(len, data.clashes))
        yield (
            f"{name}: rows left out, as their text has several labels: {rows} (lines {places}{more}).",
            f"{name}：同一文本有多个标签而被剔除的有 {rows} 行（第 {zh}{more} 行）。",
        )
    if data.repeated:
        yield (
            f"{name}: rows that repeat an earlier one, and count again: {data.repeated}.",
            f"{name}：与前面重复、仍然计数的有 {data.repeated} 行。",
        )
    if data.cut:
        yield (
            f"{name}: texts cut after {MAX_TEXT} characters, as a message is: {data.cut}.",
            f"{name}：与消息一样截断到 {MAX_TEXT} 个字符的有 {data.cut} 条。",
        )


def at_lines(lines: Iterable[int]) -> Both:
    """line 3, lines 3, 4, 5, 6, 7, ..."""
    numbers = list(lines)
    places = ", ".join(map(str, numbers[:LISTED])) + (", ..." if len(numbers) > LISTED else "")
    return f"line{'s' if len(numbers) > 1 else ''} {places}", f"第 {places} 行"


def in_english(notes: Iterable[Both]) -> list[str]:
    """As the terminal and the figures have them."""
    return [english(*note) for note in notes]


def merged(*parts: Mapping[str, Any]) -> Figures:
    """One object; objects under the same key are merged too."""
    whole: Figures = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, Mapping) and isinstance(whole.get(key), Mapping)
            whole[key] = merged(whole[key], value) if both else value
    return whole
