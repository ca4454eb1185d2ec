"""What a server tells the C library about memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_CHILD = """
import ctypes, sys, threading
from bot.memory import give_back, share_one_heap
if sys.argv[1] == "one":
    share_one_heap()
ready = threading.Barrier(5)
def work():
    kept = [ctypes.create_string_buffer(30_000 + n) for n in range(50)]
    ready.wait(10)
    ready.wait(10)
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
ready.wait(10)
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
ready.wait(10)
[thread.join() for thread in threads]
give_back()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own figures are asked for")
def test_all_threads_share_one_heap(tmp_path: Path) -> None:
    def heaps(how: str) -> int:
        told = tmp_path / how
        subprocess.run([sys.executable, "-c", _CHILD, how, str(told)], check=True, timeout=60)
        return told.read_text(encoding="utf-8").count("<heap nr=")

    assert heaps("one") == 1
    assert heaps("several") > 1
