"""What every `Meaning` keeps to: the adapter on the real door (an encoder that counts letters) and the shipped fake."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from bot.errors import Busy
from bot.inference.door import Door
from bot.inference.grounding.meaning import KEPT, UNRELATED, EncoderMeaning, Meaning
from bot.testing import WordMeaning
from retrieval.embed import Encoder, Vectors
from retrieval.testing import HashEncoder

SUBJECTS = ("encoder", "words")
FEE, TIME = "a new card costs ten yuan.", "delivery takes three working days."


class Counting:
    """An encoder that remembers what it read."""

    def __init__(self) -> None:
        self._encoder: Encoder = HashEncoder()
        self.dim, self.fingerprint = self._encoder.dim, self._encoder.fingerprint
        self.read: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.read.append(list(texts))
        return self._encoder.encode(texts)


class Narrow(Counting):
    """The same encoder with all of its vectors in a narrow cone: a cosine of c is .8 + .2 c."""

    def __init__(self) -> None:
        super().__init__()
        self.dim += 1

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = super().encode(texts)
        return np.insert(vectors * np.float32(0.2**0.5), 0, np.float32(0.8**0.5), axis=1)


class OneDoor:
    def __init__(self, door: Door) -> None:
        self.door = door


@pytest.fixture
def encoder() -> Counting:
    return Counting()


@pytest.fixture
async def door(encoder: Counting) -> AsyncIterator[Door]:
    door = Door(encoder)
    yield door
    await door.close()


@pytest.fixture(params=SUBJECTS)
def meaning(request: pytest.FixtureRequest, door: Door) -> Meaning:
    return EncoderMeaning(OneDoor(door)) if request.param == "encoder" else WordMeaning()


def soon() -> float:
    return time.monotonic() + 60


async def test_the_same_text_is_borne_out_whole_and_another_less(meaning: Meaning) -> None:
    same, other = await meaning.support(FEE, [FEE, TIME], deadline=soon())
    assert same == pytest.approx(1.0, abs=1e-5)
    assert 0.0 <= other < meaning.least <= same


async def test_each_source_has_its_number_in_their_order(meaning: Meaning) -> None:
    found = await meaning.support(FEE, [TIME, FEE, TIME], deadline=soon())
    assert len(found) == 3
    assert found[0] == found[2] < found[1]


async def test_any_text_may_be_asked_about(meaning: Meaning) -> None:
    for text in ("", "?", "\ud800", "长" * 5_000):
        (one,) = await meaning.support(text, [FEE], deadline=soon())
        assert 0.0 <= one <= 1.0


async def test_what_a_passage_says_is_read_once(door: Door, encoder: Counting) -> None:
    meaning = EncoderMeaning(OneDoor(door))
    await meaning.support("it costs ten yuan", [FEE, TIME, FEE], deadline=soon())
    await meaning.support("it takes three days", [FEE, TIME], deadline=soon())
    assert encoder.read == [["it costs ten yuan", *UNRELATED, FEE, TIME], ["it takes three days"]]


async def test_another_encoder_reads_everything_anew(door: Door, encoder: Counting) -> None:
    host = OneDoor(door)
    meaning = EncoderMeaning(host)
    await meaning.support("x", [FEE], deadline=soon())
    host.door = Door(second := Counting())
    await meaning.support("y", [FEE], deadline=soon())
    assert second.read == [["y", *UNRELATED, FEE]]
    await host.door.close()


async def test_encoders_that_only_differ_in_how_wide_they_spread_say_the_same(door: Door) -> None:
    narrow = Door(Narrow())
    wide, other = [
        await EncoderMeaning(OneDoor(one)).support(FEE, [FEE, TIME, FEE[:-10]], deadline=soon())
        for one in (door, narrow)
    ]
    await narrow.close()
    assert other == pytest.approx(wide, abs=1e-3)
    assert 0.0 < wide[2] < 1.0


async def test_no_more_than_so_many_sentences_are_kept(door: Door, encoder: Counting) -> None:
    meaning = EncoderMeaning(OneDoor(door))
    many = [f"sentence number {n}" for n in range(KEPT + 1)]
    for start in range(0, len(many), 500):
        await meaning.support("x", many[start : start + 500], deadline=soon())
    encoder.read.clear()
    await meaning.support("x", [many[0], many[-1]], deadline=soon())
    assert encoder.read == [["x", many[0]]]


async def test_too_late_is_busy(door: Door) -> None:
    with pytest.raises(Busy):
        await EncoderMeaning(OneDoor(door)).support("x", [FEE], deadline=time.monotonic() - 1)
