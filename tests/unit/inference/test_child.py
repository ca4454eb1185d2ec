"""What a child process says when it fails is what people read."""

from __future__ import annotations

import asyncio
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


class Gone:
    """A child that ended, and whose end was taken note of, just as whoever follows it is stopped."""

    def __init__(self) -> None:
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self.stdout.feed_eof()
        self.stderr.feed_eof()
        self._stopped = False

    def terminate(self) -> None:
        raise ProcessLookupError

    async def wait(self) -> int:
        if not self._stopped:
            self._stopped = True
            raise asyncio.CancelledError
        return 0


async def test_who_is_stopped_as_the_child_ends_by_itself_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(*_: object, **__: object) -> Gone:
        return Gone()

    monkeypatch.setattr("asyncio.create_subprocess_exec", start)
    with pytest.raises(asyncio.CancelledError):
        await run_training("job", [], progress=ignore, hint="")
