"""What a child process says when it fails is what people read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import InferenceError
from bot.inference.child import run_training


def ignore(stage: str, done: int, total: int) -> None:
    pass


async def test_a_foreseen_failure_is_told_in_its_own_words(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path), "--source", "/nowhere"]
    with pytest.raises(
        InferenceError, match=r"^/nowhere is not a folder: name a sentence-transformers folder"
    ):
        await run_training("encoder", arguments, progress=ignore, hint="Try again.")


async def test_an_unforeseen_one_brings_the_last_lines_and_a_hint() -> None:
    with pytest.raises(
        InferenceError, match=r"`python -m training nothing` failed: .*No such command.* Try again\.$"
    ):
        await run_training("nothing", [], progress=ignore, hint="Try again.")
