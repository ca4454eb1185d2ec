"""Files that are not what they should be: one line that says why, and nothing worse."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from bot.documents import MAX_BYTES, DocumentReader, Passage, Unusable, reader
from bot.documents.packed import MAX_MEMBERS, MAX_UNPACKED
from bot.documents.parse import parse
from tests.unit.documents.samples import SIZES, blank, book, letter, printed, rewritten

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c SYSTEM "file:///etc/passwd">]><x>&b;&c;</x>'
)


def why(path: Path) -> str:
    with pytest.raises(Unusable) as caught:
        list(parse(path))
    assert caught.value.hint
    assert "\n" not in f"{caught.value} {caught.value.hint}"
    return caught.value.message


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.pdf", "a.docx", "a.xlsx"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert why(tmp_path / name) == "is empty."


@pytest.mark.parametrize(
    ("name", "text"), [("a.md", "\n \n"), ("a.html", "<script>x</script>"), ("a.md", "# Only")]
)
def test_a_file_without_words(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert why(tmp_path / name) == "holds no text."


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    with path.open("wb") as stream:
        stream.truncate(2 * 1024**3)
    assert why(path) == f"is larger than {MAX_BYTES >> 20} MiB."
    with DocumentReader(tmp_path / "memory") as documents, pytest.raises(Unusable, match="is larger than"):
        documents.read(path)


@pytest.mark.parametrize("kind", [".md", ".html", ".pdf", ".docx", ".xlsx"])
def test_a_wrong_ending(tmp_path: Path, kind: str) -> None:
    """Each kind under the names of all others: told, or read as the text it is."""
    sources = {
        ".pdf": printed(tmp_path / "s.pdf"),
        ".docx": letter(tmp_path / "s.docx"),
        ".xlsx": book(tmp_path / "s.xlsx", A=SIZES),
    }
    for suffix, source in sources.items():
        if suffix != kind:
            path = tmp_path / f"a{kind}"
            path.write_bytes(source.read_bytes())
            assert why(path).startswith("is ") or "cannot be read in" in why(path)


def test_a_password(tmp_path: Path) -> None:
    assert why(printed(tmp_path / "a.pdf", password="secret")) == "is protected by a password."
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))
    assert why(path) == "is protected by a password, or in an old format."


def test_a_scanned_file(tmp_path: Path) -> None:
    assert why(blank(tmp_path / "a.pdf")) == "holds no text: its pages are pictures, or empty."


@pytest.mark.parametrize("kind", [".docx", ".xlsx"])
def test_a_package_that_would_fill_the_memory(tmp_path: Path, kind: str) -> None:
    path = _package(tmp_path, kind)
    rewritten(path, lambda _, data: data, bomb=bytes(8 * 1024 * 1024))
    assert why(path) == "unpacks to far more than an office file does."
    noise = os.urandom(16 * 1024)
    block = noise * 1024  # compresses well, and not too well for the ratio
    many = {f"part{number}": block for number in range(MAX_UNPACKED // len(block) + 1)}
    path = _package(tmp_path, kind)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as package:
        for name in many:
            info = zipfile.ZipInfo(name)
            package.writestr(info, b"")
            info.file_size = len(block)
    assert why(path).startswith("unpacks to more than")


def _package(folder: Path, kind: str) -> Path:
    return letter(folder / "a.docx") if kind == ".docx" else book(folder / "a.xlsx", A=SIZES)


def test_a_package_that_lies_about_its_sizes(tmp_path: Path) -> None:
    """A small size is declared: no more is unpacked, and what does not fit is damage."""
    path = letter(tmp_path / "a.docx")
    rewritten(path, lambda name, data: data + bytes(4_000_000) if name == "word/document.xml" else data)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as package:
        declared = package.getinfo("word/document.xml").file_size.to_bytes(4, "little")
    at = data.rindex(declared)
    data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    assert why(path).startswith("is damaged")


def test_a_package_of_very_many_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as package:
        for number in range(MAX_MEMBERS + 1):
            package.writestr(f"{number}", b"")
    assert why(path) == f"holds more than {MAX_MEMBERS} parts."


@pytest.mark.parametrize(
    ("kind", "member"),
    [(".docx", "word/document.xml"), (".xlsx", "xl/workbook.xml"), (".xlsx", "xl/styles.xml")],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_xml_bomb(tmp_path: Path, kind: str, member: str, encoding: str) -> None:
    bomb = BOMB.decode().replace('"1.0"', f'"1.0" encoding="{encoding}"').encode(encoding)
    path = rewritten(_package(tmp_path, kind), lambda name, data: bomb if name == member else data)
    assert why(path) == "declares XML entities, which no office file does."


@pytest.mark.parametrize("kind", [".docx", ".xlsx", ".pdf"])
def test_a_file_that_was_cut_off(tmp_path: Path, kind: str) -> None:
    path = printed(tmp_path / "a.pdf") if kind == ".pdf" else _package(tmp_path, kind)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(Unusable):
            list(parse(path))


def test_one_bad_file_takes_no_other_with_it(tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.pdf", tmp_path / "good.md"
    bad.write_bytes(b"%PDF-1.7\n" + os.urandom(2000))
    good.write_text("# Hours\n\nFrom 9 to 5.\n")
    with DocumentReader() as documents:
        for _ in range(2):
            with pytest.raises(Unusable, match="is damaged"):
                documents.read(bad)
            assert _texts(documents, good) == ["From 9 to 5."]


def _texts(documents: DocumentReader, path: Path) -> list[str]:
    return [item.text for item in documents.read(path) if isinstance(item, Passage)]


HOSTILE = """
import os, signal
from bot.documents import __main__ as child

parse = child.parse

def hostile(path):
    if path.name == "hangs.md":
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        signal.setitimer(signal.ITIMER_REAL, left / child.PATIENCE_S / 10)
        while True:
            pass
    if path.name == "crashes.md":
        os.abort()
    if path.name == "eats.md":
        bytearray(child.MAX_MEMORY)
    return parse(path)

child.parse = hostile
child.main()
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hangs.md", "takes longer than"),
        ("crashes.md", "crashes the program that reads it"),
        ("eats.md", "needs more than 1536 MiB of memory"),
    ],
)
def test_a_parser_that_hangs_crashes_or_eats_memory_harms_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    good = tmp_path / "good.md"
    good.write_text("# Hours\n\nFrom 9 to 5.\n")
    (tmp_path / name).write_text("# Bad\n\nBad.\n")
    (tmp_path / "stub.py").write_text(HOSTILE)
    monkeypatch.setattr(reader, "COMMAND", [str(tmp_path / "stub.py")])
    with DocumentReader() as documents:
        assert _texts(documents, good) == ["From 9 to 5."]
        with pytest.raises(Unusable, match=reason):
            documents.read(tmp_path / name)
        assert _texts(documents, good) == ["From 9 to 5."]


def test_what_was_read_before_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, memory = letter(tmp_path / "a.docx"), tmp_path / "home" / "documents"
    with DocumentReader(memory) as documents:
        first = documents.read(path)
    monkeypatch.setattr(reader, "COMMAND", ["no-such-file.py"])
    with DocumentReader(memory) as documents:
        assert documents.read(path) == first
        (tmp_path / "b.docx").write_bytes(path.read_bytes() + b" ")
        with pytest.raises(Unusable, match="crashes"):
            documents.read(tmp_path / "b.docx")
    assert memory.stat().st_mode & 0o077 == 0


def test_a_damaged_memory_is_forgotten(tmp_path: Path) -> None:
    path, memory = letter(tmp_path / "a.docx"), tmp_path / "documents"
    with DocumentReader(memory) as documents:
        first = documents.read(path)
        for kept in memory.iterdir():
            kept.write_text('["Passage", {"path": 1}]\n[')
        assert documents.read(path) == first
