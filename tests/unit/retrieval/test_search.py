from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from retrieval.bundle import Bundle
from retrieval.index import Rows
from retrieval.search import search, search_all, top_rows
from retrieval.types import Entry, Query
from tests.unit.retrieval.samples import ALL, ENCODER, HOURS_EN, LOST_EN, LOST_ZH, SPRING, ask, build


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[Bundle]:
    found = build(tmp_path / "bundle")
    yield found
    found.close()


def ids(bundle: Bundle, query: Query, k: int = 8) -> list[str]:
    return [hit.entry.id for hit in search(bundle, query, k)]


def test_an_identical_phrasing_is_first_whatever_the_vectors_say(bundle: Bundle) -> None:
    wrong = ENCODER.encode([HOURS_EN.question])[0]
    first = search(bundle, Query("My card is GONE!", wrong, "en"))[0]
    assert first.entry == LOST_EN
    assert first.exact
    assert first.phrase == "my card is gone"
    assert first.dense < 0.9


def test_of_identical_phrasings_the_one_in_the_language_of_the_query_is_first(tmp_path: Path) -> None:
    english = Entry("a", "atm", "en", "ATM", "A cash machine.")
    bundle = build(tmp_path / "b", [english, replace(english, id="b", lang="zh", answer="自动取款机。")])
    assert ids(bundle, ask("atm?", "zh")) == ["b", "a"]
    assert ids(bundle, ask("atm?", "en")) == ["a", "b"]
    assert all(hit.exact for hit in search(bundle, ask("atm?", "zh")))
    assert bundle.exact("atm", "zh") == bundle.entries[1]
    assert bundle.exact("atm", None) == bundle.entries[0]


def test_evidence_comes_with_a_hit(bundle: Bundle) -> None:
    first = search(bundle, ask("report a lost card", "en"))[0]
    assert first.entry == LOST_EN
    assert not first.exact
    assert first.phrase == LOST_EN.question
    assert first.dense == pytest.approx(
        float(ENCODER.encode(["report a lost card"])[0] @ ENCODER.encode([first.phrase])[0])
    )
    assert first.lexical > 0
    assert first.coverage == 1.0
    assert first.passage == pytest.approx(
        float(ENCODER.encode(["report a lost card"])[0] @ ENCODER.encode([LOST_EN.passage])[0])
    )
    assert 0 < first.passage_coverage <= 1.0


def test_words_of_the_answer_find_its_entry(bundle: Bundle) -> None:
    assert ids(bundle, ask("9 to 17 on working days", "en"))[0] == HOURS_EN.id


def test_without_vectors_of_passages_phrasings_alone_are_searched(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b", passages=False)
    hits = search(bundle, ask("lost card", "en"))
    assert hits[0].entry == LOST_EN
    assert {hit.passage for hit in hits} == {0.0}


def test_entries_come_once_and_best_first(bundle: Bundle) -> None:
    hits = search(bundle, ask("lost card", "en"))
    assert len({hit.entry.id for hit in hits}) == len(hits) == len(ALL)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(search(bundle, ask("lost card"), k=2)) == 2


@pytest.mark.parametrize(
    ("on", "found"),
    [
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
        (None, True),
    ],
)
def test_an_answer_is_found_on_its_days_alone(bundle: Bundle, on: date | None, found: bool) -> None:
    assert (SPRING.id in ids(bundle, ask(SPRING.question, "en", on))) is found
    assert (bundle.exact(SPRING.question, "en", on) == SPRING) is found


@pytest.mark.parametrize(
    ("audience", "found"),
    [
        (None, ["all", "vip"]),
        (frozenset(), ["all"]),
        ({"staff"}, ["all"]),
        ({"staff", "vip"}, ["all", "vip"]),
    ],
)
def test_an_answer_is_found_by_its_audience_alone(
    tmp_path: Path, audience: frozenset[str] | None, found: list[str]
) -> None:
    same = "What does a safe cost?"
    for_all = Entry("all", "safe", "en", same, "Ask at the desk.")
    vip = Entry("vip", "safe-vip", "en", same, "Nothing.", audience=("vip", "gold"))
    bundle = build(tmp_path / "b", [vip, for_all, HOURS_EN])
    who = audience if audience is None else frozenset(audience)
    for on in (None, date(2026, 3, 1)):
        for text in (same, "a safe, please"):
            seen = search(bundle, replace(ask(text, "en", on), audience=who))
            assert sorted({hit.entry.id for hit in seen} - {HOURS_EN.id}) == found
    assert Bundle.open(tmp_path / "b", encoder_fingerprint=ENCODER.fingerprint).entries == bundle.entries


def test_another_language_ranks_below_but_is_not_left_out(tmp_path: Path) -> None:
    english = Entry("a", "atm", "en", "ATM limit 5000", "")
    chinese = Entry("b", "atm", "zh", "ATM limit 5000", "")
    bundle = build(tmp_path / "b", [english, chinese, HOURS_EN])
    assert ids(bundle, ask("ATM limit 500", "zh"))[0] == "b"
    assert ids(bundle, ask("ATM limit 500", "en"))[:2] == ["a", "b"]


@pytest.mark.parametrize("text", ["", "？？？", "zzzz qqqq"])
def test_any_text_can_be_searched(bundle: Bundle, text: str) -> None:
    assert len(search(bundle, ask(text))) == len(ALL)


def test_an_empty_knowledge_base_has_a_bundle(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b", [])
    assert search(bundle, ask("hello", "en", date(2026, 1, 1))) == []
    assert bundle.exact("hello", "en", None) is None
    assert bundle.vectors_by_text() == {}


def test_texts_without_letters_can_be_stored(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b", [Entry("a", "a", "en", "???", "")])
    assert ids(bundle, ask("???")) == ["a"]
    assert search(bundle, ask("hello"))[0].lexical == 0


def test_chinese_is_found_by_its_characters(bundle: Bundle) -> None:
    assert ids(bundle, ask("我的卡丢了", "zh"))[0] == LOST_ZH.id


def test_vectors_are_given_back_by_text(bundle: Bundle) -> None:
    known = bundle.vectors_by_text()
    assert set(known) == {text for entry in ALL for text in entry.texts}
    assert np.array_equal(known["card stolen"], ENCODER.encode(["card stolen"])[0])


@pytest.mark.parametrize("cells", [1, 40, 1_000_000])
def test_queries_that_are_asked_together_find_what_each_finds_alone(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    texts = ["lost card", "我的卡丢了", SPRING.question, "", "zzzz qqqq", LOST_EN.question, LOST_ZH.question]
    days = [None, date(2026, 3, 1), date(2026, 4, 1)]
    queries = [ask(text, lang, day) for text in texts for lang in (None, "zh", "en") for day in days]
    alone = [search(bundle, query, 3) for query in queries]
    monkeypatch.setattr("retrieval.search.CELLS", cells)
    together = search_all(bundle, queries, 3)
    assert [[(h.entry.id, h.phrase, h.exact) for h in hits] for hits in together] == [
        [(h.entry.id, h.phrase, h.exact) for h in hits] for hits in alone
    ]
    for one, other in zip(together, alone, strict=True):
        for hit, same in zip(one, other, strict=True):
            assert (hit.score, hit.dense, hit.lexical, hit.coverage, hit.passage, hit.passage_coverage) == (
                pytest.approx(
                    (
                        same.score,
                        same.dense,
                        same.lexical,
                        same.coverage,
                        same.passage,
                        same.passage_coverage,
                    ),
                    abs=1e-5,
                )
            )


def test_days_on_which_nothing_is_valid_find_nothing(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b", [SPRING])
    assert search_all(bundle, [ask(SPRING.question, "en", date(2020, 1, 1))] * 2) == [[], []]


@pytest.mark.parametrize("rows", [5, 64, 1000, 50_000])
@pytest.mark.parametrize("share", [0.0, 0.001, 1.0])
def test_the_best_scores_are_found_among_any_number(rows: int, share: float) -> None:
    rng = np.random.default_rng(rows)
    scores = (rng.random(rows) * (rng.random(rows) < share)).astype(np.float32)
    mask = rng.random(rows) < 0.5
    for where, allowed in ((None, np.ones(rows, bool)), (Rows(mask), mask)):
        found = top_rows(scores, 64, where)
        kept = np.where(allowed, scores, 0)
        best = np.sort(kept[kept > 0])[::-1][:64]
        assert np.array_equal(np.sort(scores[found])[::-1], best)
        assert allowed[found].all()
