"""The C library's memory, as far as a process that runs for months has a say in it. On glibc; elsewhere nothing."""

from __future__ import annotations

import ctypes
from typing import Any

_M_ARENA_MAX = -8
"""glibc's name (malloc.h)."""


def share_one_heap() -> None:
    """All threads take memory from one heap; ahead of the first thread. Each by its own would keep the most that it
    ever needed: on the example bank 190 MB more, and a few more with every batch that is larger than all before it.
    """
    if (mallopt := _glibc("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Freed memory to the system, where the C library would keep it for itself; blocking."""
    if (trim := _glibc("malloc_trim")) is not None:
        trim(0)


def _glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None)
