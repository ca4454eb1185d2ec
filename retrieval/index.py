"""The vector index: a port, and FAISS behind it.

Up to EXACT_ROWS vectors are compared one by one, which is exact and fast enough; above, a graph (HNSW) is
searched. A filter is applied inside the search, so a narrow one never empties the list of results.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Vectors

Ids = NDArray[np.int64]

EXACT_ROWS = 50_000
"""2,300 rows of 384 take .3 ms one by one, 50,000 about 5 ms."""
HNSW_LINKS = 16
HNSW_BUILD = 100
"""M and efConstruction. A million rows of 384 take 20 minutes on two shared cores and 1.7 GB, and are searched with a
recall@10 of .95 in some 4 ms; 32 and 160 take twice as long to build.
"""
_SEARCH_FEWEST, _SEARCH_MOST = 256, 1024
_ROWS_A_STEP = 1000
WIDE = 0.25
"""A filter that lets less through than this share of the rows makes the graph search wider in proportion."""
NARROW = 0.1
"""Below this share, comparing the rows that pass one by one is as fast as a graph searched wide enough."""
_CHUNK = 10_000

Progress = Callable[[int, int], None]
"""progress(rows done, rows in all)"""


def search_width(rows: int) -> int:
    """efSearch: a larger graph must be searched wider for the same recall.

    Recall@10 where half of the rows pass a filter, on real embeddings: 50,000 rows .988 at 128 and .997 at 256; a
    million .85 at 160, .92 at 512, .94 at 640, .95 at 1000.
    """
    return min(max(rows // _ROWS_A_STEP, _SEARCH_FEWEST), _SEARCH_MOST)


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

    @property
    def exact(self) -> bool:
        """Every vector is compared, so that whoever has them at hand may as well do it: a product of two matrices."""
        ...

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
    def build(cls, vectors: Vectors, *, progress: Progress | None = None) -> FaissIndex:
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
        for start in range(0, rows, _CHUNK):
            index.add(np.ascontiguousarray(vectors[start : start + _CHUNK]))
            if progress is not None:
                progress(min(start + _CHUNK, rows), rows)
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
    def inner(self) -> Any:
        """The FAISS index itself, for measurements."""
        return self._index

    @property
    def rows(self) -> int:
        return int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        return not self._graph

    def search(self, vectors: Vectors, k: int, where: Rows | None = None) -> tuple[Ids, Vectors]:
        searched, parameters = self._plan(where)
        # This thread alone: others of a busy process are faster with the cores left to them.
        _faiss().omp_set_num_threads(1)
        scores, ids = searched.search(np.ascontiguousarray(vectors), k, params=parameters)
        scores[ids < 0] = -np.inf
        return ids, scores

    def _plan(self, where: Rows | None) -> tuple[Any, Any]:
        """(what to search, how). A graph loses its way under a narrow filter; its storage can be read directly."""
        faiss = _faiss()
        share = 1.0 if where is None else where.count / max(self.rows, 1)
        selector = None if where is None or share == 1.0 else faiss.IDSelectorBitmap(where.bitmap)
        if self._graph and share > NARROW:
            wider = max(1.0, WIDE / share)
            return self._index, faiss.SearchParametersHNSW(
                sel=selector, efSearch=round(search_width(self.rows) * wider)
            )
        flat = self._index.storage if self._graph else self._index
        return flat, selector and faiss.SearchParameters(sel=selector)


def _faiss() -> Any:
    """Loaded when an index is first opened, and untyped: its stubs are wrong about keywords."""
    return import_module("faiss")
