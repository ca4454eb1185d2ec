"""Heavy work runs in a child process: `python -m training VERB`, with progress as JSON lines on its output."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from bot.errors import InferenceError

Progress = Callable[[str, int, int], None]
"""What is being done, for people; how much of it is done, of how much (0: unknown).

What follows a colon may change while one thing is being done: "training: epoch 2 of 4".
"""

KEPT_LINES = 12


async def run_training(
    verb: str, arguments: Sequence[str], *, progress: Progress, hint: str, background: bool = False
) -> dict[str, object]:
    """Runs to the end and returns the last JSON line. Raises InferenceError with the child's last words.

    `background`: it leaves the cores to whoever answers customers meanwhile.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "training", *(["--background"] if background else []), verb, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        process_group=0,  # Ctrl-C reaches us alone: a second signal would keep a job from storing what is done
    )  # fmt: skip
    try:
        last, words = await asyncio.gather(_follow(child.stdout, progress), _last_words(child.stderr))
        code = await child.wait()
    except BaseException:
        with suppress(ProcessLookupError):  # it ended by itself a moment ago: what stopped us is what counts
            child.terminate()
        await child.wait()
        raise
    if code != 0 and last.get("stage") == "failed":
        raise InferenceError(str(last.get("text")))
    if code != 0:
        raise InferenceError(f"`python -m training {verb}` failed: {words}", hint=hint)
    return last


async def _follow(stream: asyncio.StreamReader | None, progress: Progress) -> dict[str, object]:
    last: dict[str, object] = {}
    async for line in _lines(stream):
        try:
            last = json.loads(line)
        except ValueError:
            continue
        if last.get("stage") != "done":  # one thing of several: whoever asked for it knows what comes next
            progress(str(last.get("text", "")), int(str(last.get("done", 0))), int(str(last.get("total", 0))))
    return last


async def _last_words(stream: asyncio.StreamReader | None) -> str:
    kept: list[str] = []
    async for line in _lines(stream):
        kept = [*kept, line.strip()][-KEPT_LINES:]
    return " | ".join(word for word in kept if word) or "it said nothing"


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    assert stream is not None
    while line := await stream.readline():
        yield line.decode("utf-8", "replace")
