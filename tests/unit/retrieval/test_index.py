from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import retrieval.index
from retrieval.embed import Vectors
from retrieval.index import FaissIndex, Rows


def unit(rows: int, seed: int = 0) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(rows, 16)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def nearest(vectors: Vectors, query: Vectors, mask: NDArray[np.bool_], k: int) -> list[int]:
    scores = np.where(mask, vectors @ query, -np.inf)
    return [int(row) for row in np.argsort(-scores, kind="stable")[:k]]


def test_an_exact_index_finds_the_true_neighbours() -> None:
    vectors, query = unit(200), unit(1, seed=1)
    ids, scores = FaissIndex.build(vectors).search(query, 5)
    assert ids[0].tolist() == nearest(vectors, query[0], np.ones(200, bool), 5)
    assert scores[0] == pytest.approx((vectors @ query[0])[ids[0]])


def test_a_filter_loses_none_of_the_k_best_that_pass() -> None:
    vectors, query = unit(200), unit(1, seed=1)
    mask = np.arange(200) % 20 == 7
    ids, _ = FaissIndex.build(vectors).search(query, 8, Rows(mask))
    assert ids[0].tolist() == nearest(vectors, query[0], mask, 8)


def test_places_without_a_row_are_marked() -> None:
    mask = np.zeros(50, dtype=np.bool_)
    mask[[3, 9]] = True
    ids, scores = FaissIndex.build(unit(50)).search(unit(2, seed=1), 4, Rows(mask))
    assert sorted(ids[0, :2].tolist()) == [3, 9]
    assert ids[:, 2:].tolist() == [[-1, -1], [-1, -1]]
    assert np.isneginf(scores[:, 2:]).all()


def test_an_empty_index_finds_nothing() -> None:
    index = FaissIndex.build(np.zeros((0, 0), dtype=np.float32))
    assert index.rows == 0


@pytest.mark.parametrize("share", [0.02, 0.15, 0.5, 0.98, 1.0])
def test_a_graph_keeps_its_recall_under_any_filter(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval.index, "EXACT_ROWS", 100)
    vectors, queries = unit(4000), unit(40, seed=1)
    index = FaissIndex.build(vectors)
    assert hasattr(index.inner, "hnsw")
    mask = np.random.default_rng(2).random(4000) < share
    ids, scores = index.search(queries, 10, Rows(mask))
    assert mask[ids].all()
    assert (np.diff(scores, axis=1) <= 0).all()
    found = [
        len({*row.tolist()} & {*nearest(vectors, q, mask, 10)}) for row, q in zip(ids, queries, strict=True)
    ]
    assert sum(found) / 400 >= 0.95


def test_what_is_saved_is_loaded_and_says_how_far_it_is(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    index = FaissIndex.build(unit(100), progress=lambda done, total: heard.append((done, total)))
    index.save(tmp_path / "x.faiss")
    loaded = FaissIndex.load(tmp_path / "x.faiss")
    assert heard == [(100, 100)]
    assert loaded.search(unit(3, seed=1), 5)[0].tolist() == index.search(unit(3, seed=1), 5)[0].tolist()
