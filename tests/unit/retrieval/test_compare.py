"""One question's rankings in three ways."""

from __future__ import annotations

from pathlib import Path

from retrieval.compare import joined, rank
from tests.unit.retrieval.samples import ask, build


def test_each_topic_stands_once_in_each_ranking(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b")
    keys = {entry.key for entry in bundle.entries}
    found = rank(bundle, ask("report a card that is lost"), frozenset(["card-lost"]))
    for ranked in (found.ours, found.dense, found.lexical):
        assert len(ranked[0]) == len(set(ranked[0]))
        assert set(ranked[0]) <= keys
    assert found.ours[0][0] == "card-lost"
    assert set(found.dense[0]) == keys  # vectors alone know no end
    both = joined([found, found])
    assert (both.right, both.ours) == (found.right * 2, found.ours * 2)
