"""What a language model says to questions that were held out: asked, heard through the guard, and judged."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from bot.cli.generator_examples import as_prompt
from bot.errors import GeneratorError
from bot.inference.child import Progress
from bot.inference.generator import Prompt
from bot.inference.guard import MARK, guarded
from bot.inference.local import LocalGenerator
from bot.inference.local_model import LocalModel
from training.evaluation import Evaluation, rows_hash
from training.generator.examples import Example
from training.measures import share_metrics

PATIENCE_S = 120.0
"""For one answer: no customer waits here, and a machine may be busy."""
Ask = Callable[[Example, Prompt], AsyncGenerator[str, None]]


@dataclass(frozen=True, slots=True)
class Said:
    """`raw`: all that the model said; `shown`: what the guard let through; `withheld`: sentences it did not."""

    example: Example
    raw: str
    shown: str
    withheld: int

    @property
    def right(self) -> bool:
        """The passage that holds the answer is what is said, and nothing is where none does."""
        marks = {int(mark) for mark in MARK.findall(self.shown)}
        return marks == ({self.example.gold} if self.example.gold else set())


async def asked_of_file(
    model: Path, rows: Sequence[Example], name: str, *, cache: Path, progress: Progress
) -> list[Said]:
    """Of a GGUF file, in this process, as customers would ask it. Raises GeneratorError where it cannot be loaded."""
    local = LocalGenerator(LocalModel(cache, model))
    try:
        await local.open()
        return await asked_of(
            lambda _, prompt: local.stream(prompt, deadline=PATIENCE_S), rows, name, progress=progress
        )
    finally:
        await local.close()


async def asked_of(ask: Ask, rows: Sequence[Example], name: str, *, progress: Progress) -> list[Said]:
    """`name`: what answers, for people."""
    found = []
    for number, row in enumerate(rows):
        progress(f"asking {name}", number, len(rows))
        prompt = as_prompt(row, name)
        raw: list[str] = []
        shown: list[str] = []
        try:
            async with aclosing(guarded(_noted(ask(row, prompt), raw), prompt)) as pieces:
                async for piece in pieces:
                    shown.append(piece)
        except GeneratorError:
            pass  # nothing may be said: that is an answer too
        found.append(Said(row, "".join(raw), "".join(shown), len(prompt.withheld)))
    return found


async def replayed(text: str) -> AsyncGenerator[str, None]:
    """What was said elsewhere."""
    yield text


async def _noted(stream: AsyncGenerator[str, None], raw: list[str]) -> AsyncGenerator[str, None]:
    async with aclosing(stream):
        async for piece in stream:
            raw.append(piece)
            yield piece


def evaluation(said: Sequence[Said]) -> Evaluation:
    """`answers.right`, of all; `.answered`, where a passage holds the answer; `.abstained`, where none does;
    `.supported`: sentences that the guard let through, of those that were generated.
    """
    langs = [one.example.lang for one in said]
    there = [one for one in said if one.example.gold]
    absent = [one for one in said if not one.example.gold]
    sentences = [ok for one in said for ok in (*[True] * _count(one.shown), *[False] * one.withheld)]
    metrics = {
        **share_metrics("answers", "right", [one.right for one in said], langs=langs),
        **share_metrics("answers", "answered", [bool(one.shown) for one in there]),
        **share_metrics("answers", "abstained", [not one.shown for one in absent]),
        **share_metrics("answers", "supported", sentences),
    }
    rows = [{"id": one.example.id, "right": one.right, "lang": one.example.lang} for one in said]
    hashed = rows_hash((one.example.id, one.example.question) for one in said)
    return Evaluation(metrics, {"answers": {"rows": rows}, "tests": {"answers": hashed}})


def agreement(said: Sequence[Said], elsewhere: Mapping[str, str]) -> float:
    """How much of the same model's answers, by example, a file begins with: 1 where all are word for word the same."""
    shares = [
        _common(one.raw.strip(), elsewhere[one.example.id].strip())
        for one in said
        if one.example.id in elsewhere
    ]
    return sum(shares) / len(shares) if shares else 1.0


def _common(one: str, other: str) -> float:
    least = min(len(one), len(other))
    same = next((n for n in range(least) if one[n] != other[n]), least)
    return same / least if least else float(one == other)


def _count(shown: str) -> int:
    """Each sentence that is let through has one mark."""
    return len(MARK.findall(shown))
