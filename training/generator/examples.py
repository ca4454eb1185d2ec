"""What a generator is taught: questions, the passages that it is given, and what it should say. Torch-free.

Prompts are written by whoever asks the model later, word for word as it will be asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from training.language.examples import Origin, Split, Taken, read_splits, write_splits

ANSWER, REFUSAL = "answer", "refusal"
TASK = "generator"


@dataclass(frozen=True, slots=True)
class Given:
    """A passage as it stood in the prompt."""

    mark: int
    title: str
    text: str
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """`prompt`: text to go on with, or the messages of a chat. `gold`: mark of the passage that holds the answer; None:
    none does, and `answer` is the refusal. `group`: what has a group in common stands in one split.
    """

    id: str
    prompt: str | tuple[Mapping[str, str], ...]
    answer: str
    lang: str
    question: str
    passages: tuple[Given, ...]
    gold: int | None
    group: str
    source: str

    @property
    def kinds(self) -> tuple[str]:
        return (REFUSAL if self.gold is None else ANSWER,)


Examples = Taken[Example]
_ROW = TypeAdapter(Example)


def write_examples(folder: Path, splits: Mapping[Split, Sequence[Example]], origin: Origin) -> Examples:
    """Whole or not at all."""
    return write_splits(folder, splits, origin, task=TASK)


def read_examples(folder: Path) -> Examples:
    """Raises `ExamplesError`, which repeats nothing of what stands there: it may be somebody's words."""
    return read_splits(folder, _ROW)
