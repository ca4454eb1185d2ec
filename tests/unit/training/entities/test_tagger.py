"""What marked examples teach: the random field's sums are right, what it finds is whole and comes back from disk."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from retrieval.embed import Tokens
from training.entities.entity import atoms
from training.entities.fit import Strength, _Batch, _of_chunk, fit_tagger
from training.entities.marks import Annotated, Marked, marked, reach
from training.entities.spec import Span
from training.entities.tagger import NEVER, Tagger, allowed, load_tagger, save_tagger, spans, tagged

CITIES, NAMES = ("rome", "paris", "oslo", "new york", "京都"), ("li", "wang", "ann", "bo", "mei lan")


def tokens(text: str) -> Tokens:
    """Two characters a token, with states that say nothing of their words."""
    places = [(at, min(at + 2, len(text))) for at in range(0, len(text), 2)]
    states = np.array([[len(places), at] for at, _ in places], dtype=np.float32).reshape(-1, 2)
    return Tokens(np.array(places, dtype=np.int32).reshape(-1, 2), states)


def example(city: str, name: str) -> tuple[str, tuple[Span, ...]]:
    text = f"fly from {city} with {name} now"
    at = text.index(name, len(city) + 9)
    return text, (Span(9, 9 + len(city), "city"), Span(at, at + len(name), "name"))


def rows() -> list[Annotated]:
    found = [example(city, name) for city, name in product(CITIES, NAMES)]
    return [Annotated(marked(text, tokens(text)), named) for text, named in found]


@pytest.fixture(scope="module")
def learned() -> Tagger:
    return fit_tagger(rows(), Strength(1.0, 0.1))


def test_what_was_taught_is_found_in_texts_that_were_not_seen(learned: Tagger, tmp_path: Path) -> None:
    text = "fly from tokyo with sam now"
    assert learned.find([marked(text, tokens(text))]) == [[Span(9, 14, "city"), Span(20, 23, "name")]]
    save_tagger(tmp_path, learned, {"examples": 25})
    again = load_tagger(tmp_path)
    assert again.kinds == ("city", "name")
    one = [marked(text, tokens(text))]
    assert np.array_equal(again.scores(one), learned.scores(one))


def test_texts_that_are_read_together_come_out_as_each_alone(learned: Tagger) -> None:
    texts = [
        "fly from rome with li now",
        "",
        "？",
        "with bo from",
        "fly",
        "paris " * 40,
        "from new york with ann",
    ]
    together = [marked(text, tokens(text)) for text in texts]
    alone = [learned.find([one])[0] for one in together]
    assert learned.find(together) == alone
    assert [bool(found) for found in alone][:2] == [True, False]
    assert learned.find([]) == []
    scores = np.concatenate([learned.scores([one]) for one in together])
    assert learned.scores(together) == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_no_row_of_tags_is_likelier_than_the_one_that_is_found(seed: int) -> None:
    """Also where nothing is found without a look at all rows."""
    rng = np.random.default_rng(seed)
    table = allowed(2)
    first = (rng.normal(size=5) + table[0]).astype(np.float32)
    follows = (rng.normal(size=(5, 5)) + table[1:]).astype(np.float32)
    zeros = np.zeros((3, 2, 5), np.float32)
    zeros[1, 0] = rng.normal(size=5)
    bias = np.array([rng.uniform(0, 6), 0, 0, 0, 0], np.float32)
    ones, none = np.ones(2, np.float32), np.zeros((0, 5), np.float32)
    tagger = Tagger(("a", "b"), 0 * ones, ones, zeros, {}, none, bias, first, follows)
    text = marked("a b c d", tokens("a b c d"))
    scores = tagger.scores([text])

    def total(row: tuple[int, ...]) -> float:
        steps = sum(float(follows[a, b]) for a, b in pairwise(row))
        return float(first[row[0]]) + steps + sum(float(scores[at, tag]) for at, tag in enumerate(row))

    best = max(product(range(5), repeat=4), key=total)
    assert tagger.find([text]) == [list(spans(text.places, best, ("a", "b")))]


def test_the_same_rows_give_the_same_tagger(learned: Tagger) -> None:
    again = fit_tagger(rows(), Strength(1.0, 0.1))
    assert np.array_equal(again.states, learned.states)
    assert np.array_equal(again.marks, learned.marks)


def test_a_row_is_unlikely_by_the_sum_over_all_rows_of_tags() -> None:
    import torch

    rng = np.random.default_rng(3)
    scores = torch.tensor(rng.normal(size=(1, 4, 5)), dtype=torch.float32)
    table = torch.from_numpy(allowed(2))
    first, follows = torch.tensor(rng.normal(size=5), dtype=torch.float32) + table[0], table[1:] + 0.1
    tags = torch.tensor([[0, 1, 2, 3]])

    def total(row: tuple[int, ...]) -> float:
        steps = sum(float(follows[a, b]) for a, b in pairwise(row))
        return float(first[row[0]]) + steps + sum(float(scores[0, at, tag]) for at, tag in enumerate(row))

    every = np.logaddexp.reduce([total(row) for row in product(range(5), repeat=4)])
    said = _of_chunk(scores, tags, torch.tensor([4]), first=first, follows=follows)
    assert float(said) == pytest.approx(every - total((0, 1, 2, 3)), abs=1e-3)


def test_padding_of_shorter_texts_counts_for_nothing() -> None:
    import torch

    scores = torch.zeros((2, 3, 3))
    scores[0, 1:] = 99.0  # beyond the first text's end
    first, follows = torch.zeros(3), torch.zeros((3, 3))
    both = _of_chunk(
        scores, torch.zeros((2, 3), dtype=torch.int64), torch.tensor([1, 3]), first=first, follows=follows
    )
    assert float(both) == pytest.approx(4 * np.log(3), abs=1e-4)


def test_an_inside_follows_only_its_own_kind() -> None:
    table = allowed(2)  # O, B-a, I-a, B-b, I-b
    assert [bool(blocked) for blocked in table[0] < 0] == [False, False, True, False, True]
    assert [tag for tag in range(5) if table[1 + tag, 2] == 0] == [1, 2]
    assert [tag for tag in range(5) if table[1 + tag, 4] == 0] == [3, 4]
    assert table.min() == NEVER


def test_tags_and_places_are_two_ways_to_say_the_same() -> None:
    text = "pay 1,200.50 to 王小明 in 北京"
    named = (Span(4, 12, "amount"), Span(16, 19, "name"), Span(23, 25, "city"))
    places, kinds = atoms(text), ("amount", "city", "name")
    assert tuple(spans(places, tagged(places, named, kinds), kinds)) == named
    assert list(spans([(0, 1), (1, 2)], [1, 1], kinds)) == [Span(0, 1, "amount"), Span(1, 2, "amount")]
    assert list(spans([(0, 1), (2, 3)], [1, 4], kinds)) == [Span(0, 1, "amount"), Span(2, 3, "city")]


def test_an_atom_has_the_mean_of_its_tokens_and_shares_a_longer_one() -> None:
    told = Tokens(
        np.array([[0, 2], [2, 5], [5, 8]], dtype=np.int32), np.array([[1], [3], [7]], dtype=np.float32)
    )
    text = Marked([(0, 5), (5, 6), (6, 8)], told, "abc", [()] * 3)
    assert text.states[:, 0].tolist() == [2.0, 7.0, 7.0]
    assert reach([text, text])[0].tolist() == [0, 2, 2, 3, 5, 5]


def test_what_the_encoder_did_not_read_is_not_tagged() -> None:
    told = Tokens(np.array([[0, 3]], dtype=np.int32), np.ones((1, 2), np.float32))
    assert marked("one two three", told).places == [(0, 3)]
    nothing = Tokens(np.zeros((0, 2), np.int32), np.zeros((0, 2), np.float32))
    assert marked("one", nothing).places == []


def test_examples_without_a_mark_teach_that_nothing_is_named(learned: Tagger) -> None:
    text = "how are you"
    tagger = fit_tagger([Annotated(marked(text, tokens(text)), ())])
    assert (tagger.kinds, tagger.find([marked(text, tokens(text))])) == ((), [[]])
    assert learned.find([Marked((), tokens(""), (), ())]) == [[]]


def test_a_batch_holds_all_atoms_in_the_order_of_its_texts() -> None:
    some = sorted(rows()[:3], key=lambda row: len(row.text.places))
    batch = _Batch.of(
        some, {"0=from": 0}, (np.zeros(2, np.float32), np.ones(2, np.float32)), ("city", "name")
    )
    assert batch.lengths == [len(row.text.places) for row in some]
    assert batch.seen.shape == (sum(batch.lengths), 6)
    assert int((batch.marks == 0).sum()) == 3
