"""One encoder, tuned for several tasks at once.

Layers below the trained ones are run once (`kept`), batches hold texts of about one length (`batches`), and each is of
one task (`objective`). Every random number is drawn from the seed and the step's number, so a run can go on anywhere.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from retrieval.model_folder import TOKENIZER
from training import export
from training.apply import Floats, IntentHead
from training.errors import TrainingError
from training.neighbours import Neighbours
from training.tuning.adapters import Adapters, merged
from training.tuning.batches import Batch, count, plan
from training.tuning.body import Body
from training.tuning.climb import Climb, factor
from training.tuning.devices import Devices, bounded, exact
from training.tuning.kept import Kept, equal
from training.tuning.material import Rows, gather, some_of_each
from training.tuning.mean import Mean
from training.tuning.net import Net, cut_off
from training.tuning.objective import Objective
from training.tuning.place import Place
from training.tuning.recipes import Recipe
from training.tuning.task import Step, Task

NEAR = 32
"""Texts of a label that stand beside the classifier at the most: with more of them it needs them less."""
_PARTS = ("weights", "best", "climb", "mean", "adapters")
Evaluate = Callable[["Tuner"], Mapping[str, float]]
"""Metrics at an epoch's end. The first is what early stopping goes by: more of it is better."""


class Tuner:
    """An encoder's folder, tasks and a recipe; `run` tunes in memory, `save` writes.

    `work`: where states of frozen layers may lie while this object lives; a temporary folder where it is None.
    """

    def __init__(
        self, folder: Path, tasks: Sequence[Task], recipe: Recipe, *, work: Path | None = None
    ) -> None:
        """Raises `TrainingError` for tasks that cannot be learned and a model that the recipe does not fit."""
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        self.recipe, self._folder = recipe, folder
        self._material = gather(tasks, recipe)
        self._steps = recipe.epochs * count(self._material, recipe)
        self._devices = Devices(recipe.precision)
        adapted = recipe.method in ("lora", "adalora")
        with bounded("the frozen layers were run"), exact():
            self._body = Body(folder, recipe.layers, device=self._devices.device, adapted=adapted)
            self._tokens = self._body.tokens(self._material.texts, recipe.max_length)
            self._kept = Kept(self._body, self._tokens, recipe, work)
            _seed(recipe.seed, 0, 0)
            self._adapters = Adapters(self._body, recipe, self._steps) if adapted else None
            if not adapted:
                self._body.thaw()
            self._net = Net(self._body, recipe.dropout)
            self._objective = Objective(self._material, recipe, self._vectors_of)
            self._net.heads.update(self._objective.heads(recipe.scale))
        self._climb = Climb(self._net, recipe, self._steps, self._devices)
        self._mean = Mean(self._net, recipe.average, blend=recipe.blend)
        self._shared = self._devices.prepare(self._net)
        self._place = Place()
        self._best: dict[str, Tensor] = {}
        self._seen = [0, 0]

    def run(self, *, evaluate: Evaluate | None = None) -> Iterator[Step]:
        """Tune, one batch after the other; whoever iterates may stop between them, and call `state` there.

        `evaluate` sees the weights' running mean and blend, if the recipe has them. At the end what it saw takes the
        weights' place: that of the best epoch, by the first metric, where there are metrics, else of the last.
        """
        while not self._place.over and self._place.epoch < self.recipe.epochs:
            batches = plan(self._material, self._tokens.lengths, self.recipe, self._place.epoch)
            for number in range(self._place.batch, len(batches)):
                yield self._step(batches[number], number == len(batches) - 1, evaluate)
        self._put(self._best)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that a run needs to go on: tensors for safetensors, the rest for JSON. The tensors are copies."""
        parts = {
            "weights": self._weights(),
            "best": self._best,
            "climb": self._climb.state(),
            "mean": self._mean.state(),
        }
        pattern = None
        if self._adapters:
            parts["adapters"], pattern = self._adapters.state()
        tensors = {
            f"{part}/{name}": value.detach().to("cpu", copy=True)
            for part, own in parts.items()
            for name, value in own.items()
        }
        return tensors, {"of": self._of(), "place": asdict(self._place), "ranks": pattern}

    def restore(self, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> None:
        """Go on from a `state` of a tuner with the same folder, tasks and recipe; `run` then gives the steps that are
        left, and the same weights to the last bit. Raises `TrainingError` for a state of another one.
        """
        if rest.get("of") != self._of():
            raise TrainingError(
                "This state is of another run: its texts, recipe or encoder differ; start anew, or go on with those"
            )
        parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
        for key, value in tensors.items():
            part, _, name = key.partition("/")
            parts[part][name] = value.to(self._devices.device)
        self._put(parts["weights"])
        self._best = {name: value.clone() for name, value in parts["best"].items()}
        self._climb.restore(parts["climb"])
        self._mean.restore(parts["mean"])
        if self._adapters:
            self._adapters.restore(parts["adapters"], rest["ranks"])
        self._place = Place(**rest["place"])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors as the saved encoder gives them: float32 [n, dim]."""
        places = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        tokens = self._body.tokens(list(places), self._body.limit)
        found = np.empty((len(places), self._body.dim), dtype=np.float32)
        with bounded("texts were encoded"):
            for rows in equal(tokens.lengths):
                ids = torch.from_numpy(np.stack([tokens.row(row) for row in rows])).long()
                found[rows] = self._vectors(self._kept.other(ids), None)
        return found[[places[text] for text in texts]]

    def head(self, task: str) -> IntentHead:
        """The task's classifier for vectors of `encode`, with its nearest neighbours where the recipe weighs them:
        temperature 1, without words.
        """
        found = [(n, rows) for n, rows in enumerate(self._material.tasks) if rows.task.name == task]
        if not found or str(found[0][0]) not in self._net.heads:
            raise TrainingError(f"There is no classifier {task!r} in this run")
        number, rows = found[0]
        head: Any = self._net.heads[str(number)]
        weight = self.recipe.scale * head.weight.detach().cpu().numpy().astype(np.float32)
        bias = head.bias.detach().cpu().numpy().astype(np.float32).copy()
        dim = weight.shape[1]
        nothing, one = np.zeros(dim, dtype=np.float32), np.ones(dim, dtype=np.float32)
        plain = IntentHead(rows.names, nothing, one, weight, bias, 1.0)
        if not self.recipe.near:
            return plain
        return replace(plain, near=self._neighbours(rows), near_share=self.recipe.near)

    def save(self, folder: Path) -> None:
        """Write a plain sentence-transformers folder; the caller makes it atomic. Takes the encoder's memory twice."""
        plain: Any = export.load(str(self._folder))
        plain[0].auto_model.load_state_dict({k: v.cpu() for k, v in merged(self._body.inner).items()})
        try:
            plain.save_pretrained(str(folder), create_model_card=False)
            if (words := self._folder / TOKENIZER).is_file():
                # Not tuned, and kept to the byte: a server that changes its encoder need not parse the same words anew.
                shutil.copyfile(words, folder / TOKENIZER)
        except OSError as error:
            raise TrainingError(f"The encoder cannot be written to {folder}: {error}") from error

    def about(self) -> dict[str, Any]:
        """For a run's record: what the last digits depend on, and where time may have gone."""
        padded, shown = self._seen
        return {
            "threads": torch.get_num_threads(),
            "precision": self._devices.precision,
            "device": self._devices.device.type,
            "processes": self._devices.world,
            "states": self._kept.where,
            "layers": {"trained": len(self._body.trained), "frozen": self._body.frozen},
            "parameters": sum(value.numel() for _, value in self._net.trained()),
            "steps": self._steps,
            "padding": padded / max(shown, 1),
        }

    def _step(self, batch: Batch, last: bool, evaluate: Evaluate | None) -> Step:
        place = self._place
        epoch, number, done = place.epoch, place.batch, place.done
        with bounded(f"a batch of {len(batch.rows)} texts was learned"), exact():
            loss = self._learn(batch, done)
        self._place = replace(place, batch=number + 1, done=done + 1)
        metrics: Mapping[str, float] = {}
        if last:
            with self._mean.stands():
                metrics = dict(evaluate(self)) if evaluate else {}
                self._end(next(iter(metrics.values()), None))
        rate = self.recipe.rate * factor(done, self._steps, self.recipe.warmup)
        return Step(epoch, number, done + 1, self._steps, loss, rate, metrics)

    def _learn(self, batch: Batch, done: int) -> float:
        _seed(self.recipe.seed, done + 1, self._devices.rank)
        rows = self._devices.share(batch.rows)
        task = self._material.tasks[batch.task]
        states, mask = self._kept.rows(task.texts[rows])
        self._seen[0] += 0 if mask is None else int((~mask).sum())
        self._seen[1] += states.shape[0] * states.shape[1]
        self._net.train()
        states = cut_off(states, self.recipe.cutoff).to(self._devices.device)
        with self._devices.computing():
            vectors, logits = self._shared(states, mask, batch.task)
        loss = self._objective.loss(batch.task, rows, vectors.float(), logits)
        loss = loss * self._devices.weight(len(batch.rows))
        if self._adapters and (penalty := self._adapters.penalty()) is not None:
            loss = loss + penalty
        value = self._climb.step(loss, done)
        if self._adapters:
            self._adapters.stepped(done)
        self._climb.clear()
        self._mean.step(done)
        return value

    def _end(self, metric: float | None) -> None:
        """Of an epoch. What stands now may be what stays: it is kept as it is judged, and blended no second time."""
        self._place = self._place.after(metric, self.recipe.patience)
        if self._place.best is None or not self._place.since:
            self._best = {name: value.detach().clone() for name, value in self._weights().items()}

    def _vectors(self, states: Tensor, mask: Tensor | None) -> Floats:
        self._net.eval()
        with torch.no_grad(), exact():  # in float32, as they are served
            vectors, _ = self._net(states.to(self._devices.device), mask)
        array: Floats = vectors.float().cpu().numpy()
        return array

    def _neighbours(self, rows: Rows) -> Neighbours:
        some = np.concatenate(some_of_each(rows, NEAR, seed=self.recipe.seed))
        with bounded("texts were encoded"):
            vectors = self._vectors_of(rows.texts[some].tolist())
        return Neighbours.of(vectors, rows.labels[some], len(rows.names))

    def _vectors_of(self, texts: Sequence[int]) -> Floats:
        """Of some of our texts, by the weights as they are."""
        wanted = np.asarray(texts, dtype=np.intp)
        found = np.empty((len(wanted), self._body.dim), dtype=np.float32)
        for rows in equal(self._tokens.lengths[wanted]):
            found[rows] = self._vectors(*self._kept.rows(wanted[rows]))
        return found

    def _weights(self) -> dict[str, Tensor]:
        return dict(self._net.trained())

    def _put(self, weights: Mapping[str, Tensor]) -> None:
        own = self._weights()
        with torch.no_grad():
            for name, value in weights.items():
                own[name].copy_(value)

    def _of(self) -> str:
        """SHA-256 over recipe, texts, labels and shapes of what is trained."""
        digest = hashlib.sha256(json.dumps(asdict(self.recipe), sort_keys=True).encode())
        digest.update(json.dumps(self._material.texts, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        for rows in self._material.tasks:
            digest.update(json.dumps([rows.task.name, rows.names, rows.task.weight]).encode())
            digest.update(rows.texts.tobytes() + rows.labels.tobytes())
        digest.update(json.dumps([(name, tuple(v.shape)) for name, v in self._net.trained()]).encode())
        return digest.hexdigest()


def _seed(*numbers: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
