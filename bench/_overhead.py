"""What tuning costs beyond the sums that nobody is spared, on all of BANKING77 by the recipe of the method `full`.

Three sides take turns, batch by batch, over the same batches:

- ours: the tuner, from loading the encoder to its last step;
- bare: plain transformers models, forward and backward through the layers that are trained, in the precision that the
  tuner computes in, without an optimizer; and once forward for each text through the layers that are not;
- plain: what anybody would write down: all layers but the embeddings, forward, backward, AdamW, float32, nothing kept.

A sample of steps stands for all of them. Weights are random on the other sides: time does not depend on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench._tuned import FULL
from training.examples import Labelled
from training.tuning.batches import Batch, plan
from training.tuning.body import Body, Tokens
from training.tuning.kept import equal
from training.tuning.material import Material, gather
from training.tuning.recipes import Recipe, recipe_for
from training.tuning.task import Task
from training.tuning.tuner import Tuner

STEPS, WARM = 40, 3
"""Steps that are timed, after some that are not."""
PART = 4
"""Every fourth batch of the frozen layers is timed on the bare side: half of these before our turn, half after it."""
RATE = 1e-4

Say = Callable[[str], None]


def overhead(base: Path, train: Labelled, say: Say, *, threads: int) -> dict[str, float]:
    """`train_ratio`, `plain_ratio`, and the seconds that they are made of."""
    recipe = recipe_for(FULL, {"threads": threads})
    torch.set_num_threads(threads)
    task = Task("intent", train.texts, train.labels)
    material, body = gather([task], recipe), Body(base, recipe.layers, device=torch.device("cpu"))
    tokens = body.tokens(material.texts, recipe.max_length)
    say("train_ratio: the layers that are not trained, bare and ours")
    below = _model(base, body.frozen, recipe).eval()
    once = _below(below, tokens, turn=0)
    begun = time.perf_counter()
    tuner = Tuner(base, [task], recipe)
    prepared = time.perf_counter() - begun
    once += _below(below, tokens, turn=1)
    batches = plan(material, tokens.lengths, recipe, 0)
    total = recipe.epochs * len(batches)
    bf16 = tuner.about()["precision"] == "bf16"
    others = [
        _Side(_model(base, len(body.trained), recipe), material, recipe, bf16=bf16),
        _Side(_model(base, body.frozen + len(body.trained), recipe), material, recipe, rate=RATE),
    ]
    ours, bare, plain = _turns(tuner, others, batches[: STEPS + WARM], _Batches(material, tokens, body), say)
    seconds = (prepared + total * ours, once + total * bare, total * plain)
    return {
        "train_ratio": seconds[0] / seconds[1],
        "plain_ratio": seconds[0] / seconds[2],
        **dict(zip(("train_seconds", "bare_seconds", "plain_seconds"), seconds, strict=True)),
    }


def _model(base: Path, layers: int, recipe: Recipe) -> nn.Module:
    """As transformers makes it, with so many layers."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(str(base))
    config.num_hidden_layers = layers
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        setattr(config, name, recipe.dropout)
    model: nn.Module = AutoModel.from_config(config)
    return model


@torch.no_grad()
def _below(model: nn.Module, tokens: Tokens, *, turn: int) -> float:
    """Half of the seconds that all texts take, from the batches of this turn (0 or 1)."""
    spent = seen = 0.0
    for number, rows in enumerate(equal(tokens.lengths)):
        if number % PART != turn:
            continue
        ids = torch.from_numpy(np.stack([tokens.row(row) for row in rows])).long()
        begun = time.perf_counter()
        model(input_ids=ids)
        spent += time.perf_counter() - begun
        seen += ids.numel()
    return spent * float(tokens.lengths.sum()) / max(seen, 1) / 2


class _Batches:
    """What a batch holds: ids and states [n, longest], what of them is text, labels."""

    def __init__(self, material: Material, tokens: Tokens, body: Body) -> None:
        self._material, self._tokens, self._body = material, tokens, body

    def of(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        task = self._material.tasks[batch.task]
        rows = [torch.from_numpy(self._tokens.row(text)).long() for text in task.texts[batch.rows]]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self._body.pad)
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).long()
        states = torch.randn(*ids.shape, self._body.dim)
        return ids, states, mask, torch.from_numpy(task.labels[batch.rows])


class _Side:
    """A plain model and a classifier: forward, backward and, with a `rate`, AdamW."""

    def __init__(
        self,
        model: nn.Module,
        material: Material,
        recipe: Recipe,
        *,
        rate: float | None = None,
        bf16: bool = False,
    ) -> None:
        self._model, self._recipe, self._bf16 = model.train(), recipe, bf16
        part: Any = model
        part.embeddings.requires_grad_(False)
        self._head = nn.Linear(part.config.hidden_size, len(material.tasks[0].names))
        learned = [p for p in (*model.parameters(), *self._head.parameters()) if p.requires_grad]
        self._learned = learned
        self._optimizer = torch.optim.AdamW(learned, lr=rate) if rate else None

    def step(self, inputs: dict[str, Tensor], labels: Tensor) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bf16):
            states = self._model(**inputs).last_hidden_state.float()
        weight = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
        vectors = functional.normalize((states * weight).sum(dim=1) / weight.sum(dim=1), dim=-1)
        logits = self._recipe.scale * self._head(vectors)
        loss = functional.cross_entropy(logits, labels, label_smoothing=self._recipe.smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        if self._optimizer:
            self._optimizer.step()
        for parameter in self._learned:
            parameter.grad = None


def _turns(
    tuner: Tuner, others: Sequence[_Side], batches: Sequence[Batch], held: _Batches, say: Say
) -> tuple[float, float, float]:
    """Mean seconds of a step: ours, bare, plain."""
    spent = []
    steps = tuner.run()
    for number, batch in enumerate(batches):
        ids, states, mask, labels = held.of(batch)
        marks = [time.perf_counter()]
        next(steps)
        marks.append(time.perf_counter())
        for side, inputs in zip(others, ({"inputs_embeds": states}, {"input_ids": ids}), strict=True):
            side.step({**inputs, "attention_mask": mask}, labels)
            marks.append(time.perf_counter())
        spent.append(np.diff(marks))
        if number % 10 == 0:
            say(f"train_ratio: step {number} of {len(batches)}")
    ours, bare, plain = np.mean(spent[min(WARM, len(spent) - 1) :], axis=0)
    return float(ours), float(bare), float(plain)
