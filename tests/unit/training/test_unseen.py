"""What an encoder was trained on is not what it is judged by, as long as enough else is left."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from retrieval.types import Entry
from tests.unit.training.shelf import encoder_folder, job_folder
from training.apply import Floats
from training.calibrate import FOLDS, MIN_QUESTIONS, Material, split
from training.dataset import SPLITS, Row, Split, write_dataset
from training.heads import make_heads
from training.outcome import draft_of
from training.progress import silent
from training.spec import Spec, write_spec
from training.trained import of_dataset, read_trained, text_id, write_trained

TOPICS, PHRASES, DIM = 24, 5, 32


def phrase(topic: int, number: int) -> str:
    """Words that tell nothing: only a vector does."""
    chance = np.random.default_rng([topic, number])
    words = ("".join(chance.choice(list("abcdefghijklmnop"), 6)) for _ in range(4))
    return f"question {number} {' '.join(words)}"


TOPIC_OF = {phrase(topic, number): topic for topic in range(TOPICS) for number in range(PHRASES)}


def entries() -> list[Entry]:
    return [
        Entry(
            str(n),
            f"topic{n:02}",
            "en",
            phrase(n, 0),
            f"Answer {n}.",
            intent=f"intent{n % 6}",
            alternatives=tuple(phrase(n, m) for m in range(1, PHRASES)),
        )
        for n in range(TOPICS)
    ]


STRANGE = [(f"what about the weather {n}", "out_of_scope", "en") for n in range(8)]


def learned(kept_out: int) -> frozenset[str]:
    """All phrasings but the last `kept_out` of each topic."""
    texts = [phrase for entry in entries() for phrase in entry.phrases[: PHRASES - kept_out]]
    return frozenset(map(text_id, texts))


def material(trained: frozenset[str]) -> Material:
    return Material(STRANGE, entries(), {}, trained)


def test_without_training_all_are_asked_as_ever() -> None:
    assert material(frozenset()).unseen is None
    kept, asked = split(material(frozenset()), 1)
    answerable = [question for question in asked if question.kind == "answerable"]
    assert len(answerable) == len(kept)
    assert all(question.text.startswith("question 1 ") for question in answerable)


def test_only_what_was_kept_out_is_asked_and_each_once() -> None:
    some = material(learned(2))
    unseen = some.unseen
    assert unseen is not None
    asked = [question for fold in range(FOLDS) for question in split(some, fold, unseen)[1]]
    assert {question.text for question in asked} == unseen
    removed = Counter(q.text for q in asked if q.kind == "removed")
    answerable = Counter(q.text for q in asked if q.kind == "answerable")
    assert set(removed) == {text for text in unseen if text.startswith("question")}
    assert set(removed.values()) == set(answerable.values()) == {1}
    # Of a topic that is taken out in the fold of its text that text is not asked as answerable.
    assert len(answerable) > 2 * TOPICS / 2


def test_each_fold_is_asked_about_as_much() -> None:
    some = material(learned(2))
    counts = [sum(q.kind == "answerable" for q in split(some, fold, some.unseen)[1]) for fold in range(FOLDS)]
    assert max(counts) - min(counts) <= 4


def test_too_few_that_were_kept_out_are_not_relied_on() -> None:
    assert TOPICS < MIN_QUESTIONS
    assert material(learned(1)).unseen is None


def vectors(texts: Sequence[str], trained: frozenset[str]) -> Floats:
    """A trained text lies where its topic does, any other one wherever."""
    chance = np.random.default_rng(0)
    topics = chance.normal(size=(TOPICS, DIM))
    rows = []
    for text in texts:
        place = chance.normal(size=DIM)
        if text_id(text) in trained:
            place = topics[TOPIC_OF[text]] + 0.05 * place
        rows.append(place / np.linalg.norm(place))
    return np.array(rows, dtype=np.float32)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    every = [text for entry in entries() for text in entry.texts]
    names = [f"intent{n}" for n in range(6)]
    texts = list(dict.fromkeys([*every, *(text for text, _, _ in STRANGE), *names]))
    (tmp_path / "texts.json").write_text(json.dumps(texts), "utf-8")
    np.save(tmp_path / "vectors.npy", vectors(texts, learned(2)))
    (tmp_path / "entries.json").write_bytes(TypeAdapter(list[Entry]).dump_json(entries()))
    rows = ({"text": text, "label": label, "lang": lang} for text, label, lang in STRANGE)
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return tmp_path


def test_an_encoder_that_knows_its_texts_by_heart_is_not_believed(work: Path, tmp_path: Path) -> None:
    """Its vectors are perfect for what it was trained on, and noise for everything else."""
    for name in ("blind", "honest"):
        (tmp_path / name).mkdir()
    blind = make_heads(work, tmp_path / "blind", name="blind", report=silent)
    write_trained(work, learned(2))
    honest = make_heads(work, tmp_path / "honest", name="honest", report=silent)
    assert blind["judged_by"] == "texts that were held out"
    assert "not trained on" in honest["judged_by"]
    assert honest["held_out"]["intent_accuracy"] < blind["held_out"]["intent_accuracy"] - 0.2
    assert honest["held_out"]["auroc"] < blind["held_out"]["auroc"]
    assert honest["temperature"] > blind["temperature"]


def test_where_too_little_was_kept_out_the_card_says_so(work: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_trained(work, learned(1))
    card = make_heads(work, tmp_path / "out", name="x", report=silent)
    assert "better on them than on others" in card["judged_by"]


def test_what_was_trained_on_comes_back_and_is_no_text(tmp_path: Path) -> None:
    data = write_dataset(
        tmp_path / "data",
        {"intent": {"train": [Row("Where is it?", "a")], "test": [Row("other", "a")]}},
    )
    write_trained(tmp_path, of_dataset(data, "train"))
    assert read_trained(tmp_path) == {text_id("where is it")}
    assert "where" not in (tmp_path / "trained.json").read_text("utf-8").lower()
    assert read_trained(tmp_path / "data") == frozenset()


@pytest.mark.parametrize(("refit", "splits"), [(False, ["train"]), (True, ["train", "valid"])])
def test_a_release_to_be_says_what_its_encoder_was_trained_on(
    tmp_path: Path, refit: bool, splits: list[Split]
) -> None:
    parts: dict[Split, list[Row]] = {split: [Row(f"a {split} text", "a")] for split in SPLITS}
    data = write_dataset(tmp_path / "data", {"intent": parts})
    out = job_folder(tmp_path / "out", encoder_folder(tmp_path / "encoder"), data=data.hash)
    write_spec(out / "spec.json", Spec(method="full", refit=refit))
    assert draft_of(out, data=data).trained == {text_id(f"a {split} text") for split in splits}
    frozen = job_folder(tmp_path / "frozen", data=data.hash)
    assert not draft_of(frozen, data=data).trained


@pytest.mark.parametrize(
    ("recipe", "told"), [({"blend": 0.5}, {"blend": 0.5}), ({"blend": 1.0}, {}), ({}, {})]
)
def test_a_release_to_be_says_how_far_it_went(
    tmp_path: Path, recipe: dict[str, float], told: dict[str, float]
) -> None:
    out = job_folder(tmp_path / "out", encoder_folder(tmp_path / "encoder"))
    result = json.loads((out / "result.json").read_text("utf-8"))
    (out / "result.json").write_text(json.dumps({**result, "recipe": recipe}), "utf-8")
    assert draft_of(out).settings == told
