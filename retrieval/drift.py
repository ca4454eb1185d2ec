"""Whether an index says what the database says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.types import Entry


@dataclass(frozen=True, slots=True)
class Drift:
    """Ids, sorted, by what is wrong with them. True where anything is."""

    missing: tuple[str, ...] = ()
    """Answers that the index does not have."""
    changed: tuple[str, ...] = ()
    """Answers that stand otherwise in the index."""
    gone: tuple[str, ...] = ()
    """What the index still says and the database no longer has."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.gone)

    def __str__(self) -> str:
        parts = ((len(self.missing), "missing"), (len(self.changed), "changed"), (len(self.gone), "deleted"))
        return ", ".join(f"{count} {what}" for count, what in parts if count)


def drift(stored: Iterable[Entry], indexed: Iterable[Entry]) -> Drift:
    """`stored`: the database's answers; `indexed`: those of a bundle of the same revision."""
    truth, index = {e.id: e for e in stored}, {e.id: e for e in indexed}
    return Drift(
        missing=tuple(sorted(truth.keys() - index.keys())),
        changed=tuple(sorted(i for i in truth.keys() & index.keys() if truth[i] != index[i])),
        gone=tuple(sorted(index.keys() - truth.keys())),
    )
