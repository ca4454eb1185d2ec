"""Laws of bundles: the same words come first, damage shows, rebuilding keeps, threads agree."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.bundle import Bundle, build_bundle
from retrieval.errors import BundleError
from retrieval.search import search
from retrieval.text import normalise
from retrieval.types import Entry, Query
from tests.unit.retrieval.samples import ALL, ENCODER, ask, build

PHRASES = st.text(alphabet="abc 卡丢了？!.怎么 ATM12", min_size=1, max_size=12).filter(str.strip)


@st.composite
def knowledge(draw: st.DrawFn) -> list[Entry]:
    lists = draw(st.lists(st.lists(PHRASES, min_size=1, max_size=4), min_size=1, max_size=8))
    langs = st.sampled_from(["zh", "en"])
    return [
        Entry(
            str(number),
            str(number),
            draw(langs),
            first,
            draw(st.sampled_from(["", "An answer.", "答案"])),
            alternatives=tuple(rest),
        )
        for number, (first, *rest) in enumerate(lists)
    ]


def rebuild(folder: Path, entries: list[Entry], known: Bundle | None = None) -> Bundle:
    """Encodes only what the bundle before does not know."""
    vectors = known.vectors_by_text() if known else {}
    missing = [text for entry in entries for text in entry.texts if text not in vectors]
    vectors.update(zip(missing, ENCODER.encode(missing), strict=True))
    return build_bundle(folder, entries, vectors, encoder_fingerprint=ENCODER.fingerprint, revision=1)


def assert_own_words_come_first(bundle: Bundle) -> None:
    for entry in bundle.entries:
        for phrase in entry.phrases:
            first = search(bundle, Query(f"{phrase} ", ENCODER.encode([phrase])[0], entry.lang))[0]
            assert first.exact
            assert normalise(phrase) in map(normalise, first.entry.phrases)
            assert first.entry.lang == entry.lang
            found = bundle.exact(phrase, entry.lang)
            assert found is not None
            assert found.lang == entry.lang


@settings(max_examples=30)
@given(knowledge(), knowledge())
def test_every_stored_phrasing_is_first_for_itself_also_after_a_rebuild(
    one: list[Entry], other: list[Entry]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        bundle = rebuild(Path(place, "a"), one)
        assert_own_words_come_first(bundle)
        assert_own_words_come_first(rebuild(Path(place, "b"), one[1:] + other, bundle))


@settings(max_examples=30)
@given(knowledge())
def test_a_rebuild_from_its_own_vectors_finds_the_same(entries: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as place:
        bundle = rebuild(Path(place, "a"), entries)
        again = build_bundle(
            Path(place, "b"),
            entries,
            bundle.vectors_by_text(),
            encoder_fingerprint=ENCODER.fingerprint,
            revision=2,
        )
        for text in ("卡丢了", "abc 1", ""):
            assert search(again, ask(text)) == search(bundle, ask(text))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "b"
    build(folder)
    return folder


@settings(max_examples=150)
@given(st.data())
def test_a_changed_byte_anywhere_is_noticed(stored: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(p for p in stored.rglob("*") if p.is_file())))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[place] ^ data.draw(st.integers(1, 255))
    try:
        path.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
        with pytest.raises(BundleError):
            Bundle.open(stored, encoder_fingerprint=ENCODER.fingerprint)
    finally:
        path.write_bytes(whole)
    Bundle.open(stored, encoder_fingerprint=ENCODER.fingerprint).close()


@settings(max_examples=40)
@given(st.data())
def test_a_file_cut_short_is_noticed(stored: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(p for p in stored.rglob("*") if p.is_file())))
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.raises(BundleError):
            Bundle.open(stored, encoder_fingerprint=ENCODER.fingerprint)
    finally:
        path.write_bytes(whole)


def test_threads_find_what_one_thread_finds(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b")
    texts = [phrase for entry in ALL for phrase in entry.phrases] * 20
    days = [date(2026, 3, number % 28 + 1) for number in range(len(texts))]
    queries = [ask(text, "en", day) for text, day in zip(texts, days, strict=True)]

    def find(query: Query) -> list[tuple[str, float]]:
        return [(hit.entry.id, hit.score) for hit in search(bundle, query)]

    alone = [find(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(find, queries)) == alone
    assert np.isfinite([score for found in alone for _, score in found]).all()
