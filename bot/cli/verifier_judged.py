"""How well a verifier tells messages apart that one detail parts, and whether the file thinks as what was trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from bot.inference.child import Progress
from bot.inference.grounding.verifier import NO, SHOWN, YES
from bot.inference.llama import Llama
from bot.inference.local_model import LocalModel
from training.evaluation import Evaluation, rows_hash
from training.measures import parting_metrics, share_metrics
from training.verifier.examples import Group, Told

FAMILY = "verifier"
COMPARED = 8
"""Held-out messages that the file is asked too."""
Row = Mapping[str, Any]
"""Of `judged.json` as `training.verifier.job` writes it."""


def evaluation(rows: Sequence[Row], who: str, *, taught: bool = True) -> Evaluation:
    """`who`: base, or tuned; `taught`: it had an adapter. `verifier.auroc`: how often a message that is answered has
    the larger odds; `.right`: on which side of the point where the odds say nothing a message is. An adapter learns
    log-odds of as many of either.
    """
    odds, yes, langs = ([row[name] for row in rows] for name in (who, "yes", "lang"))
    neutral = 0.0 if taught else SHOWN.neutral
    right = [(one > neutral) == wanted for one, wanted in zip(odds, yes, strict=True)]
    metrics = parting_metrics(FAMILY, odds, yes, langs=langs) | share_metrics(
        FAMILY, "right", right, langs=langs
    )
    return Evaluation(metrics, {"tests": {FAMILY: rows_hash((row["id"], str(row["yes"])) for row in rows)}})


async def differing(
    model: Path,
    adapter: Path,
    groups: Sequence[Group],
    rows: Sequence[Row],
    *,
    cache: Path,
    progress: Progress,
) -> float:
    """Mean difference of the log-odds that the file gives, as customers would ask it, and those of what was trained.
    Raises GeneratorError where it cannot be loaded.
    """
    told = {f"{group.id}:{n}": one for group in groups for n, one in enumerate(group.contrasts)}
    some = rows[:: max(1, len(rows) // COMPARED)][:COMPARED]
    local = LocalModel(cache, model, adapter=adapter)
    try:
        await local.open()
        found = []
        for number, row in enumerate(some):
            progress("asking the file", number, len(some))
            found.append(abs(await _odds(local, told[row["id"]]) - float(row["tuned"])))
        return float(sum(found) / len(found))
    finally:
        await local.close()


async def _odds(local: LocalModel, told: Told) -> float:
    def work(llama: Llama, tell: Callable[[float], bool]) -> None:
        odds = llama.odds([dict(one) for one in told.prompt], YES, NO, adapted=True)
        tell(math.inf if odds is None else odds)  # as far from what was trained as can be

    async with aclosing(local.pieces(work)) as pieces:
        return await anext(pieces)
