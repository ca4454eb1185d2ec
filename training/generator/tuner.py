"""A language model, adapted and taught the answers' tokens alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from training.errors import TrainingError
from training.generator.spec import GeneratorSpec
from training.generator.tokens import IGNORED, Padded, Taught, padded
from training.language.base import Base, targets
from training.language.tuner import ModelTuner
from training.tuning.devices import bounded

VALID = "valid_loss"
NEAR = 16
"""Batches that are sorted by length together."""


class GeneratorTuner(ModelTuner[GeneratorSpec]):
    """`save` writes the adapter, `merged` gives whole weights."""

    def __init__(
        self,
        base: Base,
        train: Sequence[Taught],
        valid: Sequence[Taught],
        spec: GeneratorSpec,
        *,
        threads: int = 0,
    ) -> None:
        """Raises `TrainingError` where there is nothing to learn, or nothing to adapt."""
        if not train:
            raise TrainingError("There is no example that is short enough to learn: set `max_length` to more")
        self._train, self._valid = train, valid
        adapted = {"lora_dropout": spec.dropout, "target_modules": targets(base.model)}
        super().__init__(base, spec, rows=len(train), adapted=adapted, threads=threads)

    def judged(self) -> dict[str, float]:
        """Mean loss of a token of the validation answers; nothing where there are none."""
        if not self._valid:
            return {}
        total = tokens = 0.0
        self._model.eval()
        with torch.no_grad(), bounded("validation answers were read"):
            for start in range(0, len(self._valid), self._spec.batch):
                batch = self._padded(self._valid[start : start + self._spec.batch])
                own = int((batch.labels != IGNORED).sum())
                total += float(self._loss(self._model, batch)) * own
                tokens += own
        return {VALID: total / tokens}

    def say(self, asked: Sequence[int], *, most: int, adapted: bool = True) -> str:
        """Greedily, to the end of a text's line or of a chat's turn."""
        self._model.eval()
        ids = torch.tensor([list(asked)], device=self._devices.device)
        plain = nullcontext() if adapted else self._model.disable_adapter()
        with torch.no_grad(), plain:
            found = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most,
                do_sample=False,
                use_cache=True,
                pad_token_id=self._pad,
            )
        text: str = self._base.tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True)
        return text.partition("\n")[0] if self._spec.form == "completion" else text

    def save(self, folder: Path) -> None:
        """The adapter as peft and servers know it (`adapter_model.safetensors`)."""
        self._model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)

    def merged(self) -> Iterator[tuple[str, Tensor]]:
        """As `plain`, with what each weight has become."""
        for name, module in self._adapted():
            own = module.base_layer.weight.detach().float()
            yield f"{name}.weight", own + module.get_delta_weight("default").detach().float()

    @property
    def _pad(self) -> int:
        known = self._base.tokenizer.pad_token_id
        return int(known if known is not None else self._base.tokenizer.eos_token_id)

    def _batches(self, epoch: int) -> list[list[int]]:
        """Row numbers: examples of about one length together, batches in a random order."""
        rng = np.random.default_rng([self._spec.seed, epoch])
        order, size = rng.permutation(len(self._train)), self._spec.batch
        rows: list[int] = []
        for start in range(0, len(order), NEAR * size):
            rows += sorted(order[start : start + NEAR * size].tolist(), key=lambda n: len(self._train[n]))
        found = [rows[start : start + size] for start in range(0, len(rows), size)]
        return [found[place] for place in rng.permutation(len(found))]

    def _learn(self, rows: Sequence[int], epoch: int) -> float:
        own = self._devices.share(rows)
        loss = self._loss(self._shared, self._padded([self._train[row] for row in own]))
        return self._climb.step(loss * self._devices.weight(len(rows)), self._done)

    def _told(self) -> Iterable[Any]:
        return ([one.asked, one.said] for one in (*self._train, *self._valid))

    def _padded(self, rows: Sequence[Taught]) -> Padded:
        return padded(rows, pad=self._pad).to(self._devices.device)

    def _loss(self, model: Any, batch: Padded) -> Tensor:
        """Mean of the answers' tokens. Of a vocabulary of 262,144 the logits of whole prompts would take gigabytes."""
        with self._devices.computing():
            logits = model(
                input_ids=batch.ids,
                attention_mask=batch.mask,
                position_ids=batch.positions,
                logits_to_keep=batch.keep,
                use_cache=False,
            ).logits
        told = logits[:, -batch.keep : -1].float()
        return cross_entropy(told.reshape(-1, told.shape[-1]), batch.labels.reshape(-1), ignore_index=IGNORED)
