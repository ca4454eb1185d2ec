"""Prompts that begin alike, as one sequence: nothing of a prompt is lost, and its score is what it is by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_generator import tiny_gguf
from training.errors import TrainingError
from training.language.base import Base, load_base
from training.verifier.packing import packed, packs
from training.verifier.spec import VerifierSpec
from training.verifier.tuner import Lesson, VerifierTuner

PROMPTS = st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=8)
TEXTS = ("fee 9 yuan. fee?", "fee 9 yuan. fee", "fee 9 yuan. when do you open on sundays?", "lost")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    place = tiny_gguf(tmp_path_factory.mktemp("m") / "tiny.gguf", chat=True, verdicts=True)
    return load_base(str(place), dtype=torch.float32)


@given(PROMPTS, st.integers(1, 16))
def test_every_prompt_that_fits_is_in_one_pack_and_begins_with_what_all_begin_with(
    prompts: list[list[int]], room: int
) -> None:
    found = packs(prompts, max_length=room)
    whole = {
        row: [*pack.common, *own] for pack in found for row, own in zip(pack.rows, pack.branches, strict=True)
    }
    assert whole == {row: ids for row, ids in enumerate(prompts) if 0 < len(ids) <= room}
    assert sum(len(pack.rows) for pack in found) == len(whole)
    assert all(len(pack) <= room and all(pack.branches) for pack in found)


def test_what_is_common_stands_there_once() -> None:
    (pack,) = packs([[1, 2, 3], [1, 2, 4, 5], [1, 2]], max_length=9)
    assert (pack.common, pack.branches) == ((1,), ((2, 3), (2, 4, 5), (2,)))
    read = packed(pack, dtype=torch.float32, device=torch.device("cpu"))
    assert read.ids.tolist() == [[1, 2, 3, 2, 4, 5, 2]]
    assert read.positions.tolist() == [[0, 1, 2, 1, 2, 3, 1]]
    assert read.ends.tolist() == [2, 5, 6]
    assert (read.mask[0, 0] == 0).int().tolist()[4] == [1, 0, 0, 1, 1, 0, 0]


def told(base: Base, texts: Sequence[str] = TEXTS) -> Lesson:
    ids = tuple(tuple(base.tokenizer(text).input_ids) for text in texts)
    return Lesson(ids, tuple(n % 2 == 0 for n in range(len(texts))))


def test_a_packed_prompt_has_the_odds_that_it_has_by_itself(base: Base) -> None:
    model, tokens = base.model, base.tokenizer
    yes, no = (tokens(word, add_special_tokens=False).input_ids for word in ("Yes", "No"))
    lesson = told(base)
    with torch.no_grad():
        logits = [model(input_ids=torch.tensor([ids])).logits[0, -1] for ids in lesson.prompts]
    alone = [float(one[yes[0]] - one[no[0]]) for one in logits]
    tuner = VerifierTuner(base, [[lesson]], VerifierSpec(precision="float32", max_length=64), threads=1)
    assert tuner.odds(lesson.prompts) == pytest.approx(alone, abs=1e-5)
    assert tuner.odds(lesson.prompts, adapted=False) == pytest.approx(alone, abs=1e-5)
    assert tuner.too_long == 0


def test_what_cannot_be_learned_is_said_at_once(tmp_path: Path) -> None:
    fresh = load_base(str(tiny_gguf(tmp_path / "a.gguf", chat=True, verdicts=True)), dtype=torch.float32)
    with pytest.raises(TrainingError, match="no answer with messages"):
        VerifierTuner(fresh, [], VerifierSpec())
    long = told(fresh, ["a" * 200])
    with pytest.raises(TrainingError, match="`max_length`"):
        VerifierTuner(fresh, [[long]], VerifierSpec(max_length=64))
    with pytest.raises(TrainingError, match="2 layers: set `first`"):
        VerifierTuner(fresh, [[told(fresh)]], VerifierSpec(first=2))
