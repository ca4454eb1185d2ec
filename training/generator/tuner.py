"""A language model, adapted: low-rank matrices beside frozen weights (peft), taught the answers' tokens alone.

Every random number is drawn from the seed and the step's number, so a run can go on anywhere.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.errors import TrainingError
from training.generator.base import Base, targets
from training.generator.spec import GeneratorSpec
from training.generator.tokens import IGNORED, Padded, Taught, padded
from training.tuning.climb import Climb, factor
from training.tuning.devices import Devices, bounded
from training.tuning.recipes import recipe_for
from training.tuning.task import Step

VALID = "valid_loss"
NEAR = 16
"""Batches that are sorted by length together."""


class GeneratorTuner:
    """`run` tunes in memory; `save` writes the adapter, `merged` gives whole weights."""

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
        from peft import LoraConfig, get_peft_model

        if not train:
            raise TrainingError("There is no example that is short enough to learn: set `max_length` to more")
        if threads:
            torch.set_num_threads(threads)
        self._train, self._valid, self._spec, self._base = train, valid, spec, base
        a_pass = -(-len(train) // spec.batch)
        self._in_epoch = min(a_pass, spec.steps or a_pass)
        epochs = min(spec.epochs, max(1, (spec.steps or spec.epochs * a_pass) // self._in_epoch))
        told = {"epochs": epochs, "rate": spec.rate, "warmup": spec.warmup, "batch": spec.batch}
        more = {"rank": spec.rank, "alpha": spec.alpha, "seed": spec.seed, "precision": spec.precision}
        self.recipe = recipe_for("lora", {**told, **more, "decay": 0.0, "patience": 0})
        self._devices = Devices(spec.precision)
        _seed(spec.seed, 0, 0)
        config = LoraConfig(
            r=spec.rank,
            lora_alpha=spec.alpha,
            lora_dropout=spec.dropout,
            target_modules=targets(base.model),
            task_type="CAUSAL_LM",
        )
        with warnings.catch_warnings():
            # peft asks transformers for something by its old name.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            self._model: Any = get_peft_model(base.model, config).to(self._devices.device)
        self._model.peft_config["default"].base_model_name_or_path = spec.base
        self._climb = Climb(self, self.recipe, self._steps, self._devices)
        self._shared = self._devices.prepare(self._model)
        self._done = 0

    @property
    def _steps(self) -> int:
        return self.recipe.epochs * self._in_epoch

    def trained(self) -> Iterable[tuple[str, nn.Parameter]]:
        """By name, in an order that never changes."""
        return ((name, one) for name, one in self._model.named_parameters() if one.requires_grad)

    def run(self, *, evaluate: Callable[[Any], Mapping[str, float]] | None = None) -> Iterator[Step]:
        """One batch after the other; whoever iterates may stop between them, and call `state` there."""
        while self._done < self._steps:
            epoch, number = divmod(self._done, self._in_epoch)
            with bounded(f"{self._spec.batch} examples were learned"):
                loss = self._learn(self._batches(epoch)[number])
            self._done += 1
            last = number + 1 == self._in_epoch
            metrics = dict(evaluate(self)) if evaluate and last else {}
            rate = self._spec.rate * factor(self._done - 1, self._steps, self._spec.warmup)
            yield Step(epoch, number, self._done, self._steps, loss, rate, metrics)

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
        """Name of a weight in the base, and what it has become; of those that are adapted."""
        for name, module in self._model.get_base_model().named_modules():
            if hasattr(module, "get_delta_weight"):
                own = module.base_layer.weight.detach().float()
                yield f"{name}.weight", own + module.get_delta_weight("default").detach().float()

    def plain(self) -> Iterator[tuple[str, Tensor]]:
        """As `merged`, of the base."""
        for name, module in self._model.get_base_model().named_modules():
            if hasattr(module, "get_delta_weight"):
                yield f"{name}.weight", module.base_layer.weight.detach().float()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that a run needs to go on: tensors for safetensors, the rest for JSON. The tensors are copies."""
        parts: dict[str, Mapping[str, Tensor]] = {
            "weights": dict(self.trained()),
            "climb": self._climb.state(),
        }
        tensors = {
            f"{part}/{name}": value.detach().to("cpu", copy=True)
            for part, own in parts.items()
            for name, value in own.items()
        }
        return tensors, {"of": self._of(), "done": self._done}

    def restore(self, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> None:
        """Go on from a `state` of the same base, examples and spec. Raises `TrainingError` for one of another run."""
        if rest.get("of") != self._of():
            raise TrainingError("This state is of another run: start anew, or go on with what it began with")
        own = {key.removeprefix("weights/"): value for key, value in tensors.items() if key[0] == "w"}
        with torch.no_grad():
            for name, value in self.trained():
                value.copy_(own[name])
        self._climb.restore(
            {
                key.removeprefix("climb/"): value.to(self._devices.device)
                for key, value in tensors.items()
                if key[0] == "c"
            }
        )
        self._done = int(rest["done"])

    def about(self) -> dict[str, Any]:
        """For a run's record: what the last digits depend on, and where time may have gone."""
        return {
            "threads": torch.get_num_threads(),
            "precision": self._devices.precision,
            "device": self._devices.device.type,
            "processes": self._devices.world,
            "parameters": sum(value.numel() for _, value in self.trained()),
            "steps": self._steps,
        }

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

    def _learn(self, rows: Sequence[int]) -> float:
        _seed(self._spec.seed, self._done + 1, self._devices.rank)
        own = self._devices.share(rows)
        self._model.train()
        loss = self._loss(self._shared, self._padded([self._train[row] for row in own]))
        value = self._climb.step(loss * self._devices.weight(len(rows)), self._done)
        self._climb.clear()
        return value

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

    def _of(self) -> str:
        """SHA-256 over spec, tokens and shapes of what is trained."""
        told = self._spec.model_dump(mode="json", exclude={"checkpoint_seconds"})
        digest = hashlib.sha256(json.dumps([told, asdict(self.recipe)], sort_keys=True).encode())
        digest.update(json.dumps([[one.asked, one.said] for one in (*self._train, *self._valid)]).encode())
        digest.update(json.dumps([(name, tuple(one.shape)) for name, one in self.trained()]).encode())
        return digest.hexdigest()


def _seed(*numbers: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
