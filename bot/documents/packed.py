"""The packed kinds (.xlsx, .docx): looked at from outside before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from bot.documents.model import Unusable

MAX_UNPACKED = 256 * 1024 * 1024
MAX_MEMBERS = 10_000
MAX_RATIO = 200
"""Unpacked to packed bytes of a member that is larger than `SMALL`; office files reach about 30."""
SMALL = 1024 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_XML = (".xml", ".rels")
_HEAD = 64 * 1024


def check_packed(path: Path, member: str) -> None:
    """Raises Unusable unless the file is a sound package of bounded size that has `member`.

    What a member declares bounds what is unpacked of it: `zipfile` reads no more, and refuses what is not that.
    """
    with path.open("rb") as stream:
        if stream.read(8) == _OLE:
            hint = "Take the password away, or save it in the present format (.docx, .xlsx)."
            raise Unusable("is protected by a password, or in an old format.", hint)
    try:
        with zipfile.ZipFile(path) as package:
            _check_sizes(package.infolist())
            if member not in package.namelist():
                raise Unusable(f"is not a {path.suffix} file, whatever its name says.", _AGAIN)
            _check_xml(package)
    except Unusable:
        raise
    except Exception:  # zipfile raises several kinds on damaged files
        raise Unusable(f"is damaged, or not a {path.suffix} file.", _AGAIN) from None


_AGAIN = "Open it in the program that wrote it, and save it again."


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise Unusable(f"holds more than {MAX_MEMBERS} parts.", _AGAIN)
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        hint = "Split it into several files."
        raise Unusable(f"unpacks to more than {MAX_UNPACKED >> 20} MiB.", hint)
    for member in members:
        if member.file_size > SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise Unusable("unpacks to far more than an office file does.", _AGAIN)
        if member.flag_bits & 1:
            raise Unusable("is protected by a password.", "Take the password away.")


def _check_xml(package: zipfile.ZipFile) -> None:
    """Office files declare no document type; those that do want to multiply entities, or to read others' files."""
    for member in package.infolist():
        if member.filename.lower().endswith(_XML):
            with package.open(member) as stream:
                head = stream.read(_HEAD).replace(b"\0", b"").upper()
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                raise Unusable("declares XML entities, which no office file does.", _AGAIN)
