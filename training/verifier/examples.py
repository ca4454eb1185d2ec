"""What a verifier is taught: of each answer, messages that it answers and messages that it does not. Torch-free.

Prompts are written by whoever asks the model later, word for word as it will be asked; the first word of an answer is
Yes or No.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from training.language.examples import Origin, Split, Taken, read_splits, write_splits

YES, NO = "Yes", "No"
TASK = "verifier"
Chat = tuple[Mapping[str, str], ...]
"""Messages, each with `role` and `content`."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message. `prompt`: what a taught model is asked; `plain`: what any other is, for a message that is judged."""

    text: str
    yes: bool
    prompt: Chat
    plain: Chat = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Messages for one answer in one language, the topic `key`. `drawn`: of each epoch, what is learned beside them;
    after the last the first ones come again.
    """

    id: str
    key: str
    lang: str
    contrasts: tuple[Told, ...]
    drawn: tuple[tuple[Told, ...], ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(YES if one.yes else NO for one in self.contrasts)

    def of_epoch(self, epoch: int) -> tuple[Told, ...]:
        return (*self.contrasts, *(self.drawn[epoch % len(self.drawn)] if self.drawn else ()))


Groups = Taken[Group]
_ROW = TypeAdapter(Group)


def write_groups(folder: Path, splits: Mapping[Split, Sequence[Group]], origin: Origin) -> Groups:
    """Whole or not at all."""
    return write_splits(folder, splits, origin, task=TASK)


def read_groups(folder: Path) -> Groups:
    """Raises `ExamplesError`, which repeats nothing of what stands there: it may be somebody's words."""
    return read_splits(folder, _ROW)
