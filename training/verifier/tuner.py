"""A language model, adapted and taught to say Yes where a text answers a question, and No where it only just does not.

What is learned is the log-odds of the two words alone: of all others the output's rows are never computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from training.errors import TrainingError
from training.language.adapter_file import Floats
from training.language.base import Base, targets
from training.language.tuner import ModelTuner
from training.tuning.devices import bounded
from training.verifier.examples import NO, YES
from training.verifier.packing import Ids, Pack, packed, packs
from training.verifier.spec import VerifierSpec

TARGETS = ("q_proj", "v_proj", "o_proj", "up_proj", "down_proj")
"""Of the linear layers: as the adapter has them that comes with Kefu (adr 0023)."""

READ = 2_048
"""Tokens of messages that are judged together, unless one is longer by itself."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Of one answer in one epoch: prompts as tokens, and which of them it answers."""

    prompts: tuple[Ids, ...]
    yes: tuple[bool, ...]


class VerifierTuner(ModelTuner[VerifierSpec]):
    """`train`: of each answer a lesson an epoch; the first ones come again where there are more epochs."""

    def __init__(
        self, base: Base, train: Sequence[Sequence[Lesson]], spec: VerifierSpec, *, threads: int = 0
    ) -> None:
        """Raises `TrainingError` where there is nothing to learn, or nothing to adapt."""
        if not train:
            raise TrainingError("There is no answer with messages to learn from")
        self._lessons, self._train = train, [[_packs(one, spec) for one in lessons] for lessons in train]
        if not all(part for lessons in self._train for part in lessons):
            raise TrainingError("A prompt is too long to be read: set `max_length` to more")
        base.model.set_output_embeddings(_Odds(base))
        adapted = {
            "target_modules": sorted(set(TARGETS) & set(targets(base.model))),
            "layers_to_transform": _layers(base, spec),
        }
        super().__init__(base, spec, rows=len(train), adapted=adapted, threads=threads)
        with torch.no_grad():
            for name, one in self.trained():
                if "lora_A" in name:  # what it reads is kept at its size, whatever the rate
                    one.normal_(std=one.shape[1] ** -0.5)

    @property
    def too_long(self) -> int:
        """Prompts that are left out, over all epochs."""
        return sum(
            len(lesson.prompts) - _rows(own)
            for lessons, parts in zip(self._lessons, self._train, strict=True)
            for lesson, own in zip(lessons, parts, strict=True)
        )

    def begin_with(self, matrices: Mapping[str, tuple[Floats, Floats]], alpha: float) -> None:
        """Go on from what was learned before, as `matrices` of then with its `alpha`. Raises `TrainingError` where the
        rank is another.
        """
        scale = alpha / self._spec.alpha
        with torch.no_grad():
            for name, module in self._adapted():
                a, b = matrices[f"{name}.weight"]
                for own, value in ((module.lora_A, a), (module.lora_B, b * scale)):
                    weight = own["default"].weight
                    if weight.shape != value.shape:
                        had = min(value.shape)
                        raise TrainingError(f"What is gone on from has rank {had}: set `rank` to {had}")
                    weight.copy_(torch.from_numpy(value))

    def odds(self, prompts: Sequence[Ids], *, adapted: bool = True) -> list[float]:
        """Log-odds of Yes against No of each prompt, however long it is."""
        found = [0.0] * len(prompts)
        room = max(READ, *map(len, prompts)) if prompts else READ
        self._model.eval()
        plain = nullcontext() if adapted else self._model.disable_adapter()
        with torch.no_grad(), plain, bounded("messages were judged"):
            for pack in packs(prompts, max_length=room):
                for row, value in zip(pack.rows, self._odds(self._model, pack).tolist(), strict=True):
                    found[row] = value
        return found

    def matrices(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Name of a weight in the base, and what is added to it: a [rank, in], b [out, rank]."""
        for name, module in self._adapted():
            a, b = (one["default"].weight.detach().float() for one in (module.lora_A, module.lora_B))
            yield f"{name}.weight", a, b

    def _batches(self, epoch: int) -> list[list[int]]:
        order = np.random.default_rng([self._spec.seed, epoch]).permutation(len(self._train)).tolist()
        return [order[start : start + self._spec.batch] for start in range(0, len(order), self._spec.batch)]

    def _learn(self, rows: Sequence[int], epoch: int) -> float:
        """An answer at a time: its activations are gone before the next is read."""
        own = self._devices.share(rows)
        share = self._devices.weight(len(rows)) / len(own)
        parts = [part for row in own for part in self._parts(row, epoch)]
        total = sum(self._climb.add(self._loss(*part) * share, self._done) for part in parts[:-1])
        return total + self._climb.step(self._loss(*parts[-1]) * share, self._done)

    def _parts(self, row: int, epoch: int) -> Iterator[tuple[Pack, Lesson, int]]:
        turn = epoch % len(self._train[row])
        lesson, own = self._lessons[row][turn], self._train[row][turn]
        return ((pack, lesson, _rows(own)) for pack in own)

    def _loss(self, pack: Pack, lesson: Lesson, learned: int) -> Tensor:
        """Of the pack's branches, as their part of the lesson's mean."""
        half = self._spec.smoothing / 2
        right = [1 - half if lesson.yes[row] else half for row in pack.rows]
        odds = self._odds(self._shared, pack)
        wanted = torch.tensor(right, device=odds.device)
        return binary_cross_entropy_with_logits(odds, wanted, reduction="sum") / learned

    def _odds(self, model: Any, pack: Pack) -> Tensor:
        read = packed(pack, dtype=self._base.model.dtype, device=self._devices.device)
        found: Tensor = model(
            input_ids=read.ids,
            position_ids=read.positions,
            attention_mask=read.mask,
            logits_to_keep=read.ends,
            use_cache=False,
        ).logits[0, :, 0]
        return found

    def _told(self) -> Iterable[Any]:
        for lessons in self._lessons:
            yield [[list(map(list, one.prompts)), one.yes] for one in lessons]


class _Odds(nn.Module):
    """In the place of the output: of all words the difference of two, [..., hidden] -> [..., 1], in float32."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        yes, no = (_first(base, word) for word in (YES, NO))
        if yes == no:
            raise TrainingError("The base's tokenizer begins Yes and No alike: take another base")
        rows = base.model.get_output_embeddings().weight.detach()
        self.register_buffer("row", (rows[yes].float() - rows[no].float())[:, None], persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = hidden.float() @ self.get_buffer("row")
        return found


def _first(base: Base, word: str) -> int:
    return int(base.tokenizer(word, add_special_tokens=False).input_ids[0])


def _rows(own: Sequence[Pack]) -> int:
    return sum(len(pack.rows) for pack in own)


def _packs(lesson: Lesson, spec: VerifierSpec) -> list[Pack]:
    return packs(lesson.prompts, max_length=spec.max_length)


def _layers(base: Base, spec: VerifierSpec) -> list[int]:
    count = int(base.model.config.get_text_config().num_hidden_layers)
    first = spec.first if isinstance(spec.first, int) else round(spec.first * count)
    if first >= count:
        raise TrainingError(f"The base has {count} layers: set `first` to less than {first}")
    return list(range(first, count))
