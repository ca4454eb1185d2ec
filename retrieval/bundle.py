"""A bundle: all that search needs for one revision of the knowledge, under one encoder. Immutable.

    manifest.json    format, encoder, revision, counts, SHA-256 of every other file and of itself
    entries.jsonl    the entries, one a line, in the order given
    rows.npy         int32 [rows, 2]: entry number, text number within the entry (PASSAGE for the passage)
    identities.npy   uint64 [rows]: first 64 bits of each text's identity
    vectors.npy      float32 [rows, dim], dimension beside dimension where the index compares with every row
    vectors.faiss    the vector index over them
    bm25/            the lexical index over them (missing where no text has a term)

A row is a phrasing or an entry's passage (title and answer). The rows of an entry follow one another. It is
written beside its place and renamed; a damaged file is found when the bundle is opened. The database has
everything in it, so the remedy is always to build it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.bundle_files import Contents, read, write
from retrieval.embed import Vectors
from retrieval.errors import BundleError
from retrieval.fuse import normalised_cosine
from retrieval.index import FaissIndex, Progress, Rows
from retrieval.lexical import Lexical
from retrieval.publish import publish
from retrieval.sections import sections
from retrieval.text import identity, normalise, tokens
from retrieval.types import Entry

PASSAGE = -1
_KEPT = 8


class Bundle:
    """Open, safe for any number of threads. Its files may be deleted while it is open."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._order = np.argsort(contents.identities, kind="stable")
        self._sorted = contents.identities[self._order]
        self._from, self._to = _validity(contents.entries)
        self._starts = np.searchsorted(contents.rows[:, 0], np.arange(len(contents.entries) + 1))
        self._langs = np.array([entry.lang for entry in contents.entries], dtype=np.str_)
        self._sections = sections(contents.entries)
        self._numbers = {entry.id: number for number, entry in enumerate(contents.entries)}
        self._topics: dict[str, list[int]] = {}
        for number, entry in enumerate(contents.entries):
            self._topics.setdefault(entry.key, []).append(number)
        self._restricted = any(entry.audience for entry in contents.entries)
        self._allowed: dict[tuple[date | None, frozenset[str] | None], Rows] = {}

    @classmethod
    def open(cls, folder: Path, *, encoder_fingerprint: str) -> Bundle:
        """Check every file and load. Raises `BundleError`, which says what to do."""
        return cls(read(folder, encoder_fingerprint=encoder_fingerprint))

    def close(self) -> None:
        """Nothing is torn from a search that still runs in another thread: memory goes with the last
        reference.
        """

    @property
    def revision(self) -> int:
        return self.contents.revision

    @property
    def encoder_fingerprint(self) -> str:
        return self.contents.encoder_fingerprint

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.contents.entries

    def entry(self, row: int) -> Entry:
        return self.contents.entries[int(self.contents.rows[row, 0])]

    def text(self, row: int) -> str:
        return self.texts(np.array([row]))[0]

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """The text of each of these rows."""
        entries = self.contents.entries
        return [_text(entries[number], place) for number, place in self.contents.rows[rows].tolist()]

    def rows_of(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(rows of these entries one after the other, where each entry's begin), both int64."""
        counts = self._starts[numbers + 1] - self._starts[numbers]
        begins = np.cumsum(counts) - counts
        rows = np.repeat(self._starts[numbers] - begins, counts) + np.arange(counts.sum())
        return rows, begins

    def in_other_language(self, lang: str | None, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """bool [len(numbers)]: which entries are in another language; none where there is no preference."""
        return self._langs[numbers] != lang if lang else np.zeros(len(numbers), dtype=np.bool_)

    def vectors_by_text(self) -> dict[str, Vectors]:
        """float32 [dim] for every text, so that a rebuild need not encode what did not change."""
        texts = self.texts(np.arange(len(self.contents.vectors)))
        return dict(zip(texts, self.contents.vectors, strict=True))

    def of_topic(self, key: str, lang: str | None = None) -> Entry | None:
        """The first entry of a topic, of several the one in `lang`."""
        numbers = self._topics.get(key, ())
        found = [self.entries[number] for number in numbers]
        return next((entry for entry in found if entry.lang == lang), found[0] if found else None)

    def question_cosines(self, id: str, others: Sequence[str]) -> list[float]:
        """How near an entry's question is to those of others, all by their ids: about 0 for unrelated ones whatever
        the encoder, 1 for itself. Raises KeyError for one not here.
        """
        rows = self._starts[[self._numbers[one] for one in (id, *others)]]
        asked, *found = self.contents.vectors[rows]
        cosines = np.array([vector @ asked for vector in found], dtype=np.float32)
        return list(map(float, normalised_cosine(cosines, self.contents.floor)))

    def section(self, entry: Entry) -> tuple[Entry, ...]:
        """The passages of its section of a document, in their order; the entry alone where it is all of it."""
        return self._sections.get(entry.id, (entry,))

    def exact(self, text: str, lang: str | None = None, on: date | None = None) -> Entry | None:
        """For whomever: the entry with a phrasing identical to `text`; of several the one in `lang`, then the first
        given.
        """
        rows = self.exact_rows(text, on)
        same = [row for row in rows if self.entry(row).lang == lang]
        return self.entry((same or rows)[0]) if rows else None

    def exact_rows(
        self, text: str, on: date | None = None, audience: frozenset[str] | None = None
    ) -> list[int]:
        """Rows, in order, whose normalised phrase is that of `text`, of entries as `allowed_rows` has them."""
        key = identity_key(text)
        start = int(np.searchsorted(self._sorted, key, side="left"))
        end = int(np.searchsorted(self._sorted, key, side="right"))
        wanted = normalise(text) if end > start else ""
        rows = sorted(self._order[start:end].tolist())
        return [r for r in rows if self._is_same(r, wanted) and self._is_allowed(r, on, audience)]

    def allowed_rows(self, on: date | None, audience: frozenset[str] | None = None) -> Rows | None:
        """Rows of entries that are valid on that day and for this audience; None where that is all of them."""
        asked = on, audience if self._restricted else None
        if asked == (None, None):
            return None
        if (kept := self._allowed.get(asked)) is None:
            if len(self._allowed) >= _KEPT:
                self._allowed.clear()
            kept = self._allowed[asked] = self._rows_of(*asked)
        return kept if kept.count < len(kept.mask) else None

    def _rows_of(self, on: date | None, audience: frozenset[str] | None) -> Rows:
        entries = np.ones(len(self.entries), dtype=np.bool_)
        if on is not None:
            entries &= (self._from <= on.toordinal()) & (on.toordinal() <= self._to)
        if audience is not None:
            entries &= [_is_for(entry, audience) for entry in self.entries]
        return Rows(entries[self.contents.rows[:, 0]])

    def _is_same(self, row: int, wanted: str) -> bool:
        return self.contents.rows[row, 1] != PASSAGE and normalise(self.text(row)) == wanted

    def _is_allowed(self, row: int, on: date | None, audience: frozenset[str] | None) -> bool:
        number = self.contents.rows[row, 0]
        valid = on is None or bool(self._from[number] <= on.toordinal() <= self._to[number])
        return valid and (audience is None or _is_for(self.entries[number], audience))


def build_bundle(
    folder: Path,
    entries: Sequence[Entry],
    vectors_by_text: Mapping[str, Vectors],
    *,
    encoder_fingerprint: str,
    revision: int,
    progress: Progress | None = None,
) -> Bundle:
    """Write the bundle and open it, in place of whatever lay in `folder`.

    `vectors_by_text`: float32 [dim], unit length, for the `texts` of every entry; more do no harm. An entry
    whose passage has no vector is found by its phrasings alone. Raises `BundleError` if a phrasing has none.
    """
    rows = list(_rows(entries, vectors_by_text))
    texts = [entries[n].passage if place == PASSAGE else entries[n].phrases[place] for n, place in rows]
    vectors = _vectors(texts, vectors_by_text)
    contents = Contents(
        encoder_fingerprint=encoder_fingerprint,
        revision=revision,
        floor=_floor(vectors),
        entries=tuple(entries),
        rows=np.array(rows, dtype=np.int32).reshape(-1, 2),
        identities=np.array([identity_key(text) for text in texts], dtype=np.uint64),
        vectors=vectors,
        index=FaissIndex.build(vectors, progress=progress),
        lexical=Lexical.build([tokens(text) for text in texts]),
    )
    with publish(folder) as work:
        write(work, contents)
    return Bundle.open(folder, encoder_fingerprint=encoder_fingerprint)


def _text(entry: Entry, place: int) -> str:
    """As `entry.phrases[place]`, which makes all of them anew."""
    if place == PASSAGE:
        return entry.passage
    return entry.alternatives[place - 1] if place else entry.question


def _is_for(entry: Entry, audience: frozenset[str]) -> bool:
    return not entry.audience or not audience.isdisjoint(entry.audience)


def identity_key(text: str) -> np.uint64:
    """The first 64 bits of the identity."""
    return np.uint64(int(identity(text)[:16], 16))


def _rows(entries: Sequence[Entry], vectors_by_text: Mapping[str, Vectors]) -> Iterator[tuple[int, int]]:
    """(entry, text) of every row; a phrasing that an entry repeats stands once."""
    for number, entry in enumerate(entries):
        places = {phrase: place for place, phrase in reversed(list(enumerate(entry.phrases)))}
        yield from ((number, place) for place in sorted(places.values()))
        if entry.passage and entry.passage in vectors_by_text:
            yield number, PASSAGE


def _vectors(texts: Sequence[str], vectors_by_text: Mapping[str, Vectors]) -> Vectors:
    missing = sum(text not in vectors_by_text for text in texts)
    if missing:
        raise BundleError(f"{missing} phrasings have no vector: encode the texts of every entry first")
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    return np.stack([vectors_by_text[text] for text in texts]).astype(np.float32, copy=False)


def _floor(vectors: Vectors) -> float:
    """The mean cosine of two rows, which is the squared length of the mean vector."""
    return float(np.square(vectors.mean(axis=0)).sum()) if len(vectors) else 0.0


def _validity(entries: Sequence[Entry]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last valid day of each entry as ordinals."""
    first = [(entry.valid_from or date.min).toordinal() for entry in entries]
    last = [(entry.valid_to or date.max).toordinal() for entry in entries]
    return np.array(first, dtype=np.int64), np.array(last, dtype=np.int64)
