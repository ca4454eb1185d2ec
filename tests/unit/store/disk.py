"""A disk of which one can say what would be left after a power cut: only what SQLite had synced.

SQLite itself is asked: its own file layer (VFS) is put in between, through ctypes, on the library that Python's
`sqlite3` module uses. When `xSync` of a file has returned, the file is copied to `survived`; nothing else gets there.
So the copy is what the worst of disks still has: everything up to the last sync of each file, nothing after it. A
deleted file is gone only when its folder was synced, which SQLite does with the first sync of a new journal. That is
more than `PRAGMA synchronous` says, and unlike a killed process it keeps no page cache.
"""

from __future__ import annotations

import _sqlite3
import ctypes as c
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_OK, _IOERR_FSYNC = 0, 10 | (4 << 8)
# The name as an address: SQLite keeps it for as long as the file is open, and finds its shared memory by it.
_OPEN = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_int, c.c_void_p)
_DELETE = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, c.c_int)
_SYNC = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int)


class _Vfs(c.Structure):
    _fields_ = [
        ("version", c.c_int),
        ("file_size", c.c_int),
        ("longest_path", c.c_int),
        ("next", c.c_void_p),
        ("name", c.c_char_p),
        ("data", c.c_void_p),
        ("open", c.c_void_p),
        ("delete", c.c_void_p),
        ("rest", c.c_void_p * 14),
    ]


class _Methods(c.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [
        ("version", c.c_int),
        ("close", c.c_void_p),
        ("read", c.c_void_p),
        ("write", c.c_void_p),
        ("truncate", c.c_void_p),
        ("sync", c.c_void_p),
        ("rest", c.c_void_p * 13),
    ]


class _File(c.Structure):
    _fields_ = [("methods", c.POINTER(_Methods))]


@dataclass
class Disk:
    """Of the databases in `folder` itself. `before_sync` is called with each file's path first; what it raises is the
    disk's failure."""

    folder: Path
    survived: Path
    before_sync: Callable[[Path], None] = lambda _: None
    still: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever looks at `survived`: all of its files are then of one moment."""
    new: set[Path] = field(default_factory=set)
    """Journals that were opened and not synced yet."""
    deleted: set[str] = field(default_factory=set)
    """Names of files whose folder still knows them."""

    def sync(self, path: Path, really: Callable[[], int]) -> int:
        try:
            self.before_sync(path)
        except OSError:
            return _IOERR_FSYNC
        code = really()
        if code == _OK:
            with self.still:
                shutil.copyfile(path, self.survived / path.name)
                if path in self.new:
                    self.new.remove(path)
                    self.sync_folder()
        return code

    def sync_folder(self) -> None:
        for name in self.deleted:
            (self.survived / name).unlink(missing_ok=True)
        self.deleted.clear()


def library() -> Any:
    """The SQLite that this Python uses; the test is skipped where it cannot be reached from outside."""
    try:
        found = c.CDLL(_sqlite3.__file__)
        found.sqlite3_vfs_find.restype = c.c_void_p
    except (AttributeError, OSError):
        pytest.skip("this Python's SQLite is built in and hides its functions")
    return found


@contextmanager
def watched_disk(folder: Path, survived: Path) -> Iterator[Disk]:
    """Every database of the folder that is opened meanwhile in this process lies on it."""
    sqlite, disk = library(), Disk(folder, survived)
    original = _Vfs.from_address(sqlite.sqlite3_vfs_find(None))
    watched = _Vfs.from_buffer_copy(original)
    tables: dict[int, _Methods] = {}
    paths: dict[int, Path] = {}
    open_really, delete_really = _OPEN(original.open), _DELETE(original.delete)

    def open_file(vfs: int, name: int | None, file: int, flags: int, out: int) -> int:
        code: int = open_really(c.addressof(original), name, file, flags, out)
        methods = _File.from_address(file).methods
        path = Path(os.fsdecode(c.string_at(name))) if name else Path()
        if code == _OK and methods and path.parent == disk.folder:
            paths[file] = path
            disk.deleted.discard(path.name)
            if path.name.endswith(("-journal", "-wal")):
                disk.new.add(path)
            _File.from_address(file).methods = c.pointer(table_of(methods))
        return code

    def delete_file(vfs: int, name: bytes, folder_too: int) -> int:
        code: int = delete_really(c.addressof(original), name, folder_too)
        if code == _OK and Path(os.fsdecode(name)).parent == disk.folder:
            disk.deleted.add(Path(os.fsdecode(name)).name)
            if folder_too:
                disk.sync_folder()
        return code

    def table_of(methods: Any) -> _Methods:
        """The file's methods with our `sync`; all files of a kind share one table."""
        address = c.addressof(methods.contents)
        if address not in tables:
            tables[address] = _Methods.from_buffer_copy(methods.contents)
            sync_really = _SYNC(tables[address].sync)
            sync = _SYNC(lambda file, flags: disk.sync(paths[file], lambda: sync_really(file, flags)))
            tables[address].sync = c.cast(sync, c.c_void_p)
            kept.append(sync)
        return tables[address]

    kept: list[Any] = [_OPEN(open_file), _DELETE(delete_file)]
    watched.name = b"watched"
    watched.open, watched.delete = (c.cast(function, c.c_void_p) for function in kept)
    sqlite.sqlite3_vfs_register(c.byref(watched), 1)
    try:
        yield disk
    finally:
        sqlite.sqlite3_vfs_register(c.byref(original), 1)
        sqlite.sqlite3_vfs_unregister(c.byref(watched))
