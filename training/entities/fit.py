"""Fitting a tagger: the conditional random field's likelihood by L-BFGS, in torch. Convex, so no seed changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.entities.marks import HIT, Annotated, Floats
from training.entities.phrases import NOTHING_SAID, Phrases
from training.entities.tagger import NEAR, Tagger, allowed, tagged

STEPS = 80
CHUNK = 128
"""Texts of about one length that are summed up together."""
SPARE = 1e-6


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly weights are held near zero: of the encoder's states, of marks.

    For states 10 and 30 come to the same over validation rows of four public sets.
    """

    states: float = 10.0
    marks: float = 1.0
    hits: float = 0.1
    """Of marks that say what was recognised, or what a folder lists: they mean the same wherever they stand."""


FOLLOWS = 0.1
"""The same for what follows what."""


def fit_tagger(
    rows: Sequence[Annotated], strength: Strength = Strength(), *, said: Phrases = NOTHING_SAID
) -> Tagger:
    """On all rows; those without a word count for nothing. `said`: what their examples name. Deterministic."""
    rows = sorted((row for row in rows if row.text.places), key=lambda row: len(row.text.places))
    kinds = tuple(sorted({span.kind for row in rows for span in row.spans}))
    if not kinds:
        return none_found(rows[0].text.states.shape[1] if rows else 0)
    counts = Counter(mark for row in rows for marks in row.text.marks for mark in marks)
    least = 1 if len(rows) < FEW else 2
    places = {mark: row for row, mark in enumerate(sorted(m for m, n in counts.items() if n >= least))}
    states = np.concatenate([row.text.states for row in rows])
    mean, scale = states.mean(axis=0), states.std(axis=0) + SPARE
    fitted = _fitted(_Batch.of(rows, places, (mean, scale), kinds), list(places), strength)
    return Tagger(kinds, mean, scale, places=places, said=said, **fitted)


FEW = 500
"""From so many rows on, marks that are seen once are left out."""


def none_found(width: int) -> Tagger:
    """Where nothing was annotated."""

    def zeros(*size: int) -> Floats:
        return np.zeros(size, np.float32)

    ones = np.ones(width, np.float32)
    return Tagger(
        (), zeros(width), ones, zeros(len(NEAR), width, 1), {}, zeros(0, 1), zeros(1), zeros(1), zeros(1, 1)
    )


@dataclass(frozen=True, slots=True)
class _Batch:
    """All texts, by rising length, as tensors. N atoms in all, n texts."""

    seen: Any
    """float32 [N, NEAR * width]."""
    marks: Any
    """int64: rows of marks, one atom's after another's."""
    starts: Any
    """int64 [N]: where an atom's begin."""
    tags: Any
    """int64 [N]."""
    lengths: list[int]
    tag_count: int

    @classmethod
    def of(
        cls,
        rows: Sequence[Annotated],
        places: dict[str, int],
        norm: tuple[Floats, Floats],
        kinds: Sequence[str],
    ) -> _Batch:
        import torch

        seen = np.concatenate([_around((row.text.states - norm[0]) / norm[1]) for row in rows])
        known = [[places[m] for m in marks if m in places] for row in rows for marks in row.text.marks]
        starts = np.cumsum([0, *map(len, known[:-1])])
        tags = [tag for row in rows for tag in tagged(row.text.places, row.spans, kinds)]
        return cls(
            torch.from_numpy(seen),
            torch.tensor([place for marks in known for place in marks], dtype=torch.int64),
            torch.from_numpy(starts),
            torch.tensor(tags),
            [len(row.text.places) for row in rows],
            1 + 2 * len(kinds),
        )


def _around(seen: Floats) -> Floats:
    """float32 [n, width] -> [n, NEAR * width]: before, own, after; nothing beyond the ends."""
    nothing = np.zeros((1, seen.shape[1]), np.float32)
    before, after = np.concatenate([nothing, seen[:-1]]), np.concatenate([seen[1:], nothing])
    return np.concatenate([before, seen, after], axis=1).astype(np.float32)


def _fitted(batch: _Batch, places: Sequence[str], strength: Strength) -> dict[str, Floats]:
    import torch

    torch.set_num_threads(1)  # sums are small: threads would wait for one another
    size, width = batch.tag_count, batch.seen.shape[1]
    held_marks = [strength.hits if HIT.match(mark) else strength.marks for mark in places]
    weights = np.array(held_marks or [1.0], np.float32)
    shapes: dict[str, tuple[int, ...]] = {
        "states": (width, size),
        "marks": (len(weights), size),
        "bias": (size,),
        "first": (size,),
    }
    free = {
        name: torch.zeros(shape, requires_grad=True)
        for name, shape in (*shapes.items(), ("follows", (size, size)))
    }
    table = torch.from_numpy(allowed((size - 1) // 2))
    held: dict[str, Any] = {
        "states": strength.states,
        "marks": torch.from_numpy(weights)[:, None],
        "follows": FOLLOWS,
        "first": FOLLOWS,
    }
    optimizer = torch.optim.LBFGS(list(free.values()), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimizer.zero_grad()
        total = _unlikely(batch, free, table)
        for name, weight in held.items():
            total = total + 0.5 * (weight * free[name].square()).sum()
        total.backward()
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    found = {name: tensor.detach().numpy() for name, tensor in free.items()}
    found["states"] = found["states"].reshape(len(NEAR), width // len(NEAR), size)
    found["marks"] = found["marks"][: len(held_marks)]
    found["first"], found["follows"] = found["first"] + table[0].numpy(), found["follows"] + table[1:].numpy()
    return found


def _unlikely(batch: _Batch, free: dict[str, Any], table: Any) -> Any:
    """Minus the logarithm of the likelihood of all tags."""
    import torch

    scores = batch.seen @ free["states"] + free["bias"]
    scores = scores + torch.nn.functional.embedding_bag(batch.marks, free["marks"], batch.starts, mode="sum")
    first, follows = free["first"] + table[0], free["follows"] + table[1:]
    return sum(_of_chunk(*part, first=first, follows=follows) for part in _chunks(batch, scores))


def _chunks(batch: _Batch, scores: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Padded scores [n, length, T], tags [n, length] and lengths [n] of texts of about one length."""
    import torch

    start = 0
    for at in range(0, len(batch.lengths), CHUNK):
        lengths = batch.lengths[at : at + CHUNK]
        end = start + sum(lengths)
        yield (
            torch.nn.utils.rnn.pad_sequence(list(scores[start:end].split(lengths)), batch_first=True),
            torch.nn.utils.rnn.pad_sequence(list(batch.tags[start:end].split(lengths)), batch_first=True),
            torch.tensor(lengths),
        )
        start = end


def _of_chunk(scores: Any, tags: Any, lengths: Any, *, first: Any, follows: Any) -> Any:
    import torch

    own = scores.gather(2, tags[:, :, None])[:, :, 0]
    here = torch.arange(scores.shape[1]) < lengths[:, None]
    steps = follows[tags[:, :-1], tags[:, 1:]]
    said = first[tags[:, 0]].sum() + own[here].sum() + steps[here[:, 1:]].sum()
    every = first + scores[:, 0]
    for step in range(1, scores.shape[1]):
        # exp and product rather than a sum over [n, T, T]: many times quicker.
        most = every.max(dim=1, keepdim=True).values.detach()
        on = torch.log((every - most).exp() @ follows.exp() + 1e-30) + most + scores[:, step]
        every = torch.where(here[:, step, None], on, every)
    return torch.logsumexp(every, dim=1).sum() - said
