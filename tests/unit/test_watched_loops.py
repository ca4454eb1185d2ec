"""The suite's own guard: code of ours that blocks an event loop does not pass unseen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from blockbuster import BlockingError

from retrieval.model_folder import checksums


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"kefu")
    return path


async def test_blocking_code_of_ours_is_caught_on_the_loop(file: Path) -> None:
    with pytest.raises(BlockingError):
        checksums(file.parent)


async def test_the_same_code_is_free_in_a_thread(file: Path) -> None:
    assert list(await asyncio.to_thread(checksums, file.parent)) == ["data"]
