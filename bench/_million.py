"""A bundle of a million rows made of real sentences, kept from run to run.

A row's vector is a real embedding, moved by half the difference of two others: real embeddings fill a thin
part of their space, and such noise stays in it, where a random direction would make every neighbour equally
far. The mean cosine between a row and its source is about .95, that of a paraphrase. Its text is the first
half of the source and the second half of another sentence. A fiftieth of the entries is out of date.
Sentences for queries are held out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import Options
from bench._bank import embed, open_encoder, sentences
from retrieval.bundle import Bundle, build_bundle
from retrieval.embed import Vectors
from retrieval.errors import BundleError
from retrieval.index import HNSW_BUILD, HNSW_LINKS
from retrieval.text import script_lang
from retrieval.types import Entry, Query

TODAY = date(2026, 6, 1)
QUERIES = 400
ROWS_AN_ENTRY = 5
"""Four phrasings and a passage."""
_NOISE = 0.5
_EXPIRED = 0.02
_FROM_DATA = 20_000
_FIELDS = ("text", "question", "sentence1", "sentence2", "text1", "text2", "query", "utterance")


@dataclass(frozen=True, slots=True)
class Million:
    bundle: Bundle
    queries: list[Query]


@dataclass(frozen=True, slots=True)
class _Source:
    """Sentences of one language with their vectors."""

    lang: str
    texts: list[str]
    vectors: Vectors


def open_million(options: Options, *, rows: int) -> Million:
    """Opened in seconds, or built first (for a million about an hour on two cores). Raises `NoData`."""
    origin = options.data.name if options.data else "bank"
    place = options.cache / f"search-{rows}-hnsw{HNSW_LINKS}-{HNSW_BUILD}-{origin}"
    encoder = open_encoder(options)
    texts = _kept_texts(place, options)
    vectors = embed(encoder, texts, options, kept=place / "sources.npz")
    stored, asked = _split(texts, vectors)
    return Million(_open(place, stored, options, rows=rows, fingerprint=encoder.fingerprint), _queries(asked))


def _open(place: Path, stored: list[_Source], options: Options, *, rows: int, fingerprint: str) -> Bundle:
    try:
        options.say("opening the index")
        return Bundle.open(place / "bundle", encoder_fingerprint=fingerprint)
    except BundleError:
        options.say(f"building an index of {rows} rows")
    entries, vectors = _entries(stored, rows)
    return build_bundle(
        place / "bundle",
        entries,
        vectors,
        encoder_fingerprint=fingerprint,
        revision=1,
        progress=lambda done, total: options.say(f"indexed {done} of {total} rows"),
    )


def _kept_texts(place: Path, options: Options) -> list[str]:
    """The sentences that an index was made of stay with it: sources may change, its figures then still
    hold.
    """
    kept = place / "sources.json"
    if not kept.is_file():
        place.mkdir(parents=True, exist_ok=True)
        texts = _from_data(options.data) if options.data else sentences()
        kept.write_text(
            json.dumps([t for t in texts if script_lang(t)], ensure_ascii=False), encoding="utf-8"
        )
    found: list[str] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _from_data(folder: Path) -> list[str]:
    texts = sorted({text for path in sorted(folder.rglob("*.jsonl*")) for text in _texts(path)})
    order = np.random.default_rng(1).permutation(len(texts))[:_FROM_DATA]
    return [texts[place] for place in sorted(order.tolist())]


def _texts(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        for row in map(json.loads, stream):
            yield from (
                row[name] for name in _FIELDS if isinstance(row.get(name), str) and len(row[name]) < 200
            )


def _split(texts: list[str], vectors: Vectors) -> tuple[list[_Source], list[_Source]]:
    """(sources of stored rows, sources of queries), each by language."""
    langs = np.array([script_lang(text) for text in texts])
    held_out = np.zeros(len(texts), dtype=np.bool_)
    held_out[np.random.default_rng(2).permutation(len(texts))[: max(len(texts) // 10, 2)]] = True
    return _sources(texts, vectors, langs, ~held_out), _sources(texts, vectors, langs, held_out)


def _sources(
    texts: list[str], vectors: Vectors, langs: NDArray[np.str_], among: NDArray[np.bool_]
) -> list[_Source]:
    places = {str(lang): np.flatnonzero(among & (langs == lang)) for lang in np.unique(langs)}
    return [_Source(lang, [texts[p] for p in of], vectors[of]) for lang, of in places.items() if len(of) > 1]


def _entries(stored: list[_Source], rows: int) -> tuple[list[Entry], Mapping[str, Vectors]]:
    rng = np.random.default_rng(3)
    count = rows // ROWS_AN_ENTRY
    sizes = np.array([len(source.texts) for source in stored])
    entries: list[Entry] = []
    vectors: dict[str, Vectors] = {}
    for source, share in zip(stored, sizes / sizes.sum(), strict=True):
        wanted = round(count * share)
        moved = _moved(source, wanted * ROWS_AN_ENTRY, rng)
        for start in range(0, len(moved), ROWS_AN_ENTRY):
            texts = [text for text, _ in moved[start : start + ROWS_AN_ENTRY]]
            entries.append(_entry(len(entries), source.lang, texts, expired=bool(rng.random() < _EXPIRED)))
            own = zip(entries[-1].texts, moved[start : start + ROWS_AN_ENTRY], strict=True)
            vectors.update((text, vector) for text, (_, vector) in own)
    return entries, vectors


def _entry(number: int, lang: str, texts: list[str], *, expired: bool) -> Entry:
    """The number makes phrasings of different entries different texts, as they have different vectors."""
    *phrases, answer = (f"{text} {number}" for text in texts)
    last = date(2025, 12, 31) if expired else None
    return Entry(
        str(number), str(number), lang, phrases[0], answer, alternatives=tuple(phrases[1:]), valid_to=last
    )


def _moved(source: _Source, count: int, rng: np.random.Generator) -> list[tuple[str, Vectors]]:
    base, plus, minus, tail = rng.integers(0, len(source.texts), (4, count))
    found = source.vectors[base] + np.float32(_NOISE) * (source.vectors[plus] - source.vectors[minus])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return [(_joined(source.texts[b], source.texts[t]), v) for b, t, v in zip(base, tail, found, strict=True)]


def _joined(first: str, second: str) -> str:
    return first[: (len(first) + 1) // 2] + second[len(second) // 2 :]


def _queries(asked: list[_Source]) -> list[Query]:
    rng = np.random.default_rng(4)
    each = QUERIES // len(asked)
    found = [Query(t, v, source.lang, TODAY) for source in asked for t, v in _moved(source, each, rng)]
    return [found[place] for place in rng.permutation(len(found))]
