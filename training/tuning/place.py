"""How far a run is, and whether it gets better."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Place:
    """The next batch is `batch` of `epoch`; `done` steps lie behind. `best`: the best first metric so far, `since`:
    epochs since then; `over`: nothing more is to be learned.
    """

    epoch: int = 0
    batch: int = 0
    done: int = 0
    best: float | None = None
    since: int = 0
    over: bool = False

    def after(self, metric: float | None, patience: int) -> Place:
        """The next epoch's beginning. A metric that is no number is no better than any."""
        ended = replace(self, epoch=self.epoch + 1, batch=0)
        if metric is None:
            return ended
        if metric == metric and (self.best is None or metric > self.best):
            return replace(ended, best=metric, since=0)
        since = self.since + 1
        return replace(ended, since=since, over=bool(patience) and since >= patience)
