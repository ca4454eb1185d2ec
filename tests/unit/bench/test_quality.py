"""The quality bench on data of our own: two intents, three threads, four pairs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import bench._intents
import bench._tuned
from bench import NoData, Options
from bench.__main__ import main
from bench._scope import banking77_oos, kind_figures
from bench._tuned import Tell, Tuned, tune
from bench.quality import _wanted, run
from retrieval.embed import Vectors
from retrieval.testing import HashEncoder
from tests.tiny_encoder import tiny_encoder
from training.examples import Labelled
from training.tuning.recipes import Recipe, recipe_for

PLACES = [
    "Leeds",
    "York",
    "Bath",
    "Truro",
    "Wells",
    "Ely",
    "Ripon",
    "Derby",
    "Perth",
    "Stirling",
    "Bangor",
    "Newry",
]
TRAVEL = [f"book a train to {place}" for place in PLACES]
MONEY = [f"why was I charged a fee in {place}?" for place in PLACES]
THREADS = {
    "How do I freeze my card?": ["My card must be frozen", "freezing cards", "freeze the lost card"],
    "What does a transfer cost?": ["transfer costs", "the cost of transferring", "What do transfers cost"],
    "When are you open?": ["opening hours", "which hours are you open", "Are you open on Sunday"],
}
PAIRS = [
    ("卡丢了怎么办", "我的卡丢了"),
    ("转账手续费", "转账要手续费吗"),
    ("几点开门", "你们几点开门"),
    ("怎么开户", "我想开户"),
]


class Counting(HashEncoder):
    """Counts the texts that it is given."""

    seen = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.seen += len(texts)
        return super().encode(texts)


def write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    labelled = [(text, "travel") for text in TRAVEL] + [(text, "money") for text in MONEY]
    rows: list[dict[str, Any]] = [
        {"text": text, "label": label, **({"leak": True} if text == TRAVEL[0] else {})}
        for text, label in labelled
    ]
    for name in ("banking77/train", "banking77/test", "clinc150/train", "clinc150/test"):
        write(folder, name, rows)
    lower = [{**row, "text": row["text"].lower()} for row in rows if rows.index(row) % 12 < 10]
    write(folder, "banking77/dialoglue_train_10", lower)
    write(folder, "smp2017_ecdt/train_develop", rows)
    foreign = [
        {"text": f"{word} {word} 99", "label": "oos"} for word in ("zebra", "quark", "volcano", "oboe")
    ]
    write(folder, "clinc150/oos_train", foreign[:2])
    write(folder, "clinc150/oos_test", foreign[2:])
    threads = [
        {"id": n, "question": q, "rephrasings_a": r * 2, "rephrasings_b": r, "answers": [f"{q} {r[0]}", r[1]]}
        for n, (q, r) in enumerate(THREADS.items())
    ]
    write(folder, "stackfaq/threads", threads)
    pairs = [{"sentence1": a, "sentence2": b, "label": "1"} for a, b in PAIRS]
    pairs.append({"sentence1": PAIRS[0][0], "sentence2": "天气好", "label": "0"})
    for name in ("train_few_all", "dev_few_all", "test_public"):
        write(folder, f"fewclue_bustm/{name}", pairs)
    return folder


def options(tmp_path: Path, data: Path | None, *only: str) -> Options:
    return Options(lambda _text: None, data, frozenset(only), cache=tmp_path / "cache")


def test_without_its_data_it_says_so_and_exits_with_3(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["quality"])
    assert result.exit_code == 3
    with pytest.raises(NoData, match="hwu64"):
        run(options(tmp_path, tmp_path, "hwu64_full"), encoder=HashEncoder())


def test_intents_come_with_floor_and_spread(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench._intents, "FOLDS", 2)
    keys = ("banking77_full_head", "banking77_10_head", "smp2017")
    figures = run(options(tmp_path, data, *keys), encoder=HashEncoder())
    assert set(figures) == {
        *keys, *(f"{key}_floor" for key in keys), "banking77_full_head_clean",
        "banking77_10_head_draws", "banking77_10_head_draws_spread", "smp2017_spread",
    }  # fmt: skip
    assert figures["banking77_full_head"] == 100.0
    assert figures["banking77_10_head"] >= 90.0
    assert figures["smp2017"] >= 90.0


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder that is tuned in milliseconds."""
    quick = {"epochs": 2, "rate": 1e-2, "layers": 1, "threads": 1}
    monkeypatch.setattr(bench._tuned, "recipe_for", lambda method, own: recipe_for(method, {**quick, **own}))
    return tiny_encoder(tmp_path / "tiny")


def test_a_tuned_encoder_is_the_mean_of_seeds_and_each_is_kept(
    tmp_path: Path, data: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Recipe] = []

    def counted(folder: Path, train: Labelled, recipe: Recipe, *, tell: Tell) -> Tuned:
        runs.append(recipe)
        if len(runs) == 3:
            raise KeyboardInterrupt
        return tune(folder, train, recipe, tell=tell)

    monkeypatch.setattr(bench._tuned, "tune", counted)
    asked = options(tmp_path, data, "banking77_10")
    with pytest.raises(KeyboardInterrupt):  # broken off in the third run
        run(asked, encoder=HashEncoder(), base=base)
    figures = run(asked, encoder=HashEncoder(), base=base)
    assert [recipe.seed for recipe in runs] == [0, 1, 2, 2, 1, 2]
    assert {recipe.method for recipe in runs} == {"contrastive"}
    ends = ("", "_spread", "_draws", "_draws_spread", "_floor")
    assert set(figures) == {f"banking77_10{end}" for end in ends}
    assert figures["banking77_10"] >= 75.0  # its words alone tell the two apart
    assert run(asked, encoder=HashEncoder(), base=base) == figures
    assert len(runs) == 6
    monkeypatch.setattr(bench._tuned, "SHARES", {"full": 0.0, "contrastive": 0.0})
    run(asked, encoder=HashEncoder(), base=base)
    assert len(runs) == 11  # another way to judge: nothing kept is of use


def test_a_whole_split_is_tuned_in_full(tmp_path: Path, data: Path, base: Path) -> None:
    figures = run(options(tmp_path, data, "banking77_full"), encoder=HashEncoder(), base=base)
    assert set(figures) == {f"banking77_full{end}" for end in ("", "_spread", "_clean", "_floor")}
    assert figures["banking77_full"] >= 75.0


def test_a_tuned_encoder_learns_what_is_foreign(tmp_path: Path, data: Path, base: Path) -> None:
    asked = options(tmp_path, data, "clinc150_oos_auroc")
    figures = run(asked, encoder=HashEncoder(), base=base)
    measures = ("auroc", "recall", "recall_1pt")
    ends = ("", "_spread", "_floor")
    assert set(figures) == {f"clinc150_oos_{name}{end}" for name in measures for end in ends}
    assert figures["clinc150_oos_auroc"] >= 75.0
    assert run(asked, encoder=HashEncoder(), base=base) == figures  # as kept


@pytest.mark.parametrize(
    ("asked", "owner"),
    [
        ("banking77_full", "banking77_full"),
        ("banking77_full_clean", "banking77_full"),
        ("banking77_full_head", "banking77_full_head"),
        ("banking77_full_head_clean", "banking77_full_head"),
        ("stackfaq_cold_r5_floor", "stackfaq_r5"),
        ("banking7", None),
    ],
)
def test_only_what_is_asked_for_is_measured(asked: str, owner: str | None) -> None:
    """A head is minutes quicker than a tuned encoder whose key begins like its own."""
    parts = dict.fromkeys(
        [("banking77_full",), ("banking77_full_head",), ("stackfaq_r5", "stackfaq_cold_r5")], dict[str, float]
    )
    assert _wanted(Options(print, only=frozenset({asked})), parts) == [k for k in parts if owner in k]


def test_scope_is_measured_with_out_of_scope_examples(tmp_path: Path, data: Path) -> None:
    figures = run(options(tmp_path, data, "clinc150_oos_auroc_head"), encoder=HashEncoder())
    assert figures["clinc150_oos_auroc_head"] >= 90.0
    assert {"clinc150_oos_recall_head", "clinc150_oos_auroc_floor"} <= set(figures)


def test_near_and_far_questions_are_told_apart_on_rows_of_the_right_side(tmp_path: Path, data: Path) -> None:
    def row(text: str, label: str | None, *, wrong: bool = False) -> dict[str, Any]:
        told = {"text": text, "label": "shifted", "label_banking77": label}
        return {**told, "scope_wrong": True} if wrong else told  # as the files have it

    own = [row(text, "travel") for text in TRAVEL] + [row(text, "money") for text in MONEY]
    strange = [row(f"{word} {word} 99", "other") for word in ("zebra", "quark", "volcano", "oboe")]
    misplaced = [row("ticket to York", "travel", wrong=True), row("nothing", None)]
    write(data, "banking77_oos/train", own)
    write(data, "banking77_oos/test", [*own, *misplaced])
    write(data, "banking77_oos/id_oos_train", strange[:2])
    write(data, "banking77_oos/id_oos_test", [*strange[2:], *misplaced])
    write(data, "banking77_oos/ood_oos_test", [{"text": "tuba tuba 98", "label": "oos"}])
    scoped = banking77_oos(options(tmp_path, data))
    assert (len(scoped.own), [len(kind) for kind in scoped.foreign.values()]) == (len(own), [2, 1])
    figures = run(options(tmp_path, data, "banking77_oos_near_auroc_head"), encoder=HashEncoder())
    assert figures["banking77_oos_near_auroc_head"] >= 90.0
    assert figures["banking77_oos_far_auroc_head"] >= 90.0


def test_retrieval_is_compared_with_words_alone_and_vectors_alone(tmp_path: Path, data: Path) -> None:
    figures = run(
        options(tmp_path, data, "stackfaq_r5", "stackfaq_cold_r5", "bustm_r1"), encoder=HashEncoder()
    )
    for key in ("stackfaq_r5", "stackfaq_cold_r5", "bustm_r1"):
        assert figures[f"{key}_floor"] == max(figures[f"{key}_dense"], figures[f"{key}_bm25"])
    assert figures["bustm_r1"] == 100.0  # as each asks for a sentence that holds its own words
    assert figures["stackfaq_r5"] == 100.0  # as there are only three threads


def test_vectors_are_made_once(tmp_path: Path, data: Path) -> None:
    first, second = Counting(), Counting()
    same = [run(options(tmp_path, data, "bustm_r1"), encoder=encoder) for encoder in (first, second)]
    assert same[0] == same[1]
    assert first.seen == len({text for pair in PAIRS for text in pair} | {"天气好"})
    assert second.seen == 0


def test_recall_is_read_where_in_scope_accuracy_is_95() -> None:
    """Of 20 in-scope messages one is wrong: nothing right may be rejected."""
    right = np.array([True] * 19 + [False])
    inside = np.linspace(0.0, 0.38, 20, dtype=np.float32)
    outside = np.array([0.1, 0.35, 0.37, 0.9], dtype=np.float32)
    figures = kind_figures("k", right, inside=inside, outside=outside)
    assert figures["k_recall"] == 50.0  # above .36, the largest of those that are right
    wrong = kind_figures("k", np.array([True] * 18 + [False] * 2), inside=inside, outside=outside)
    assert wrong["k_recall"] == 0.0  # 90 percent even if nothing is rejected
    assert kind_figures("k", right, inside=inside * 0, outside=outside)["k_auroc"] == 100.0
