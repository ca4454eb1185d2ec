"""What is done is kept: whole, checked, the last two, and nothing of it lost to a full disk."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from training.job.checkpoints import Checkpoints, saving


def write(checkpoints: Checkpoints, number: int) -> None:
    rows = np.full(4, number, dtype=np.float32)
    checkpoints.write(number, lambda path: save_file({"rows": rows}, path), {"number": number})


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c")
    assert checkpoints.last() is None
    for number in (3, 20, 100):
        write(checkpoints, number)
    last = Checkpoints(tmp_path / "c").last()
    assert last is not None
    assert (last.number, last.about) == (100, {"number": 100})
    assert load_file(last.tensors)["rows"].tolist() == [100.0] * 4
    assert [found.number for found in checkpoints.whole()] == [100, 20]


@pytest.mark.parametrize("name", ["state.safetensors", "about.json", "seal.json"])
@pytest.mark.parametrize("place", [0, -1])
def test_a_flipped_byte_falls_back_to_the_one_before(name: str, place: int, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for number in (1, 2):
        write(checkpoints, number)
    path = tmp_path / "000000002" / name
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    last = checkpoints.last()
    assert last is not None
    assert last.number == 1


def test_what_a_kill_left_unfinished_is_no_checkpoint(tmp_path: Path) -> None:
    write(Checkpoints(tmp_path), 1)
    (tmp_path / ".000000002.abcd").mkdir()
    last = Checkpoints(tmp_path).last()
    assert last is not None
    assert last.number == 1
    assert [path.name for path in tmp_path.iterdir()] == ["000000001"]


def test_a_full_disk_is_an_os_error_and_the_last_one_stays(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    write(checkpoints, 1)

    def full(path: Path) -> None:
        save_file({"rows": np.zeros(4, dtype=np.float32)}, path)
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(OSError, match="No space left") as caught:
        checkpoints.write(2, full, {})
    assert caught.value.errno == errno.ENOSPC
    assert [found.number for found in checkpoints.whole()] == [1]


def test_another_error_of_a_library_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"), saving():
        raise RuntimeError("shapes differ")
