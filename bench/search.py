"""Search: the cost of our filtered vector path, its recall, the whole hybrid search, and identical questions.

`vector_overhead_1m`  `VectorIndex.search` filtered by language and validity / the same FAISS index, same
efSearch,
                      unfiltered; medians of the same queries, the two called in turns
`recall10_1m`         share of the 10 true nearest rows under that filter (compared one by one) that it finds
`hybrid_ms_1m`        median of `retrieval.search.search` over the same million rows, in ms `identical_first`
percent of all stored questions of the example bank that come first when asked word for word
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from bench import Options
from bench._bank import embed, entries, open_encoder
from bench._million import TODAY, Million, open_million
from retrieval.bundle import Bundle, build_bundle
from retrieval.index import FaissIndex, Ids, Rows, search_width
from retrieval.search import search
from retrieval.text import normalise
from retrieval.types import Entry, Query

ROWS = 1_000_000
NEIGHBOURS = 10
_VECTOR = ("vector_overhead_1m", "recall10_1m")


def run(options: Options, *, rows: int = ROWS) -> dict[str, float]:
    figures: dict[str, float] = {}
    if options.wants("identical_first"):
        figures["identical_first"] = identical_first(options)
    if options.wants(*_VECTOR, "hybrid_ms_1m"):
        million = open_million(options, rows=rows)
        if options.wants(*_VECTOR):
            figures |= vector_path(million, options)
        if options.wants("hybrid_ms_1m"):
            options.say("hybrid search")
            figures["hybrid_ms_1m"] = _median_ms([lambda q: search(million.bundle, q)], million.queries)[0]
    return figures


def vector_path(million: Million, options: Options) -> dict[str, float]:
    """Overhead and recall, with the medians (ms) that the overhead is made of."""
    index = million.bundle.contents.index
    filters = {
        lang: _allowed(million.bundle, lang) for lang in sorted({q.lang or "" for q in million.queries})
    }
    options.say("filters let through " + ", ".join(f"{lang} {f.count}" for lang, f in filters.items()))
    ours, raw = _median_ms(
        [lambda q: index.search(q.vector[None], NEIGHBOURS, filters[q.lang or ""]), _raw(index)],
        million.queries,
    )
    options.say("exact neighbours")
    found = [index.search(q.vector[None], NEIGHBOURS, filters[q.lang or ""])[0][0] for q in million.queries]
    true = [_exact(index, q, filters[q.lang or ""]) for q in million.queries]
    recall = float(
        np.mean([len(np.intersect1d(a, b)) / NEIGHBOURS for a, b in zip(found, true, strict=True)])
    )
    return {
        "vector_overhead_1m": ours / raw,
        "recall10_1m": recall,
        "vector_ms_1m": ours,
        "vector_raw_ms_1m": raw,
    }


def _allowed(bundle: Bundle, lang: str) -> Rows:
    """Rows of a language that are valid on the day of the queries."""
    own = ~bundle.in_other_language(lang, bundle.contents.rows[:, 0].astype(np.int64))
    valid = bundle.allowed_rows(TODAY)
    return Rows(own if valid is None else own & valid.mask)


def _faiss() -> Any:
    """Untyped: its stubs are wrong about keywords."""
    return import_module("faiss")


def _raw(index: FaissIndex) -> Callable[[Query], object]:
    parameters = _faiss().SearchParametersHNSW(efSearch=search_width(index.rows))
    return lambda q: index.inner.search(q.vector[None], NEIGHBOURS, params=parameters)


def _exact(index: FaissIndex, query: Query, allowed: Rows) -> Ids:
    faiss = _faiss()
    parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(allowed.bitmap))
    found: Ids = index.inner.storage.search(query.vector[None], NEIGHBOURS, params=parameters)[1][0]
    return found


def _median_ms(ways: list[Callable[[Query], object]], queries: list[Query]) -> list[float]:
    """Median ms of each way; each query goes through all of them before the next, each time in another
    order.
    """
    for query in queries[:20]:
        for way in ways:
            way(query)
    taken: list[list[float]] = [[] for _ in ways]
    for number, query in enumerate(queries):
        for place in range(len(ways)):
            at = (place + number) % len(ways)
            started = time.perf_counter()
            ways[at](query)
            taken[at].append(time.perf_counter() - started)
    return [float(np.median(times)) * 1e3 for times in taken]


def identical_first(options: Options) -> float:
    """Percent, over every stored phrasing in its own language."""
    encoder = open_encoder(options)
    stored = entries()
    texts = list(dict.fromkeys(text for entry in stored for text in entry.texts))
    vectors = dict(zip(texts, embed(encoder, texts, options, kept=options.cache / "bank.npz"), strict=True))
    bundle = build_bundle(
        options.cache / "bank", stored, vectors, encoder_fingerprint=encoder.fingerprint, revision=1
    )
    asked = [(entry, phrase) for entry in stored for phrase in entry.phrases]
    right = [
        _comes_first(bundle, entry, Query(phrase, vectors[phrase], entry.lang)) for entry, phrase in asked
    ]
    return 100.0 * sum(right) / len(right)


def _comes_first(bundle: Bundle, entry: Entry, query: Query) -> bool:
    """The entry itself, or another of its language that has the very same phrasing."""
    first = search(bundle, query)[0]
    same = normalise(query.text) in map(normalise, first.entry.phrases)
    return first.exact and same and first.entry.lang == entry.lang
