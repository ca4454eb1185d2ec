"""The vector index: a port, and FAISS behind it.

Up to EXACT_ROWS vectors are compared one by one, which is exact and fast enough; above, a graph (HNSW) is
searched. A filter is applied inside the search, so a narrow one never empties the list of results.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Vectors

Ids = NDArray[np.int64]

EXACT_ROWS = 50_000
HNSW_LINKS = 32
HNSW_BUILD = 200
HNSW_SEARCH = 128


class Rows:
    """A set of row numbers, made once and used for many searches. Immutable."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """`mask`: bool [rows], true where the row may be found."""
        self.mask = mask
        self.count = int(mask.sum())

    @cached_property
    def bitmap(self) -> NDArray[np.uint8]:
        """One bit a row, lowest first."""
        return np.packbits(self.mask, bitorder="little")


class VectorIndex(Protocol):
    """Nearest vectors by inner product. Blocking; searches may run in any number of threads."""

    @property
    def rows(self) -> int: ...

    def search(self, vectors: Vectors, k: int, where: Rows | None = None) -> tuple[Ids, Vectors]:
        """(row numbers int64 [n, k], inner products float32 [n, k]), best first; -1 and -inf where fewer are
        found.

        `vectors`: float32 [n, dim]. `where`: rows that may be found; None for all.
        """
        ...


class FaissIndex:
    """`VectorIndex` over one immutable FAISS index: flat, or a graph over flat storage."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._graph = hasattr(index, "hnsw")

    @classmethod
    def build(cls, vectors: Vectors) -> FaissIndex:
        """`vectors`: float32 [rows, dim], unit length. A graph over 1,000,000 x 384 takes about half an
        hour.
        """
        faiss = _faiss()
        rows, dim = vectors.shape
        if rows <= EXACT_ROWS:
            index = faiss.IndexFlatIP(max(dim, 1))
        else:
            index = faiss.IndexHNSWFlat(dim, HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = HNSW_BUILD
        if rows:
            index.add(np.ascontiguousarray(vectors))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> FaissIndex:
        """Raises RuntimeError for a file that FAISS did not write."""
        faiss = _faiss()
        return cls(faiss.read_index(str(path)))

    def save(self, path: Path) -> None:
        faiss = _faiss()
        faiss.write_index(self._index, str(path))

    @property
    def rows(self) -> int:
        return int(self._index.ntotal)

    def search(self, vectors: Vectors, k: int, where: Rows | None = None) -> tuple[Ids, Vectors]:
        searched, parameters = self._plan(where)
        scores, ids = searched.search(np.ascontiguousarray(vectors), k, params=parameters)
        scores[ids < 0] = -np.inf
        return ids, scores

    def _plan(self, where: Rows | None) -> tuple[Any, Any]:
        """What to search and how: a graph loses its way under a narrow filter, its storage can be read
        directly.
        """
        faiss = _faiss()
        selector = None
        if where is not None and where.count < self.rows:
            selector = faiss.IDSelectorBitmap(where.bitmap)
        if not self._graph:
            return self._index, selector and faiss.SearchParameters(sel=selector)
        if where is not None and where.count <= EXACT_ROWS:
            return self._index.storage, faiss.SearchParameters(sel=selector)
        return self._index, faiss.SearchParametersHNSW(sel=selector, efSearch=HNSW_SEARCH)


def _faiss() -> Any:
    """Loaded when an index is first opened, and untyped: its stubs are wrong about keywords."""
    return import_module("faiss")
