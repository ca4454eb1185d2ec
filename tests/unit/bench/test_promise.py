"""The promise bench on data of our own, and its splits on pools whose outcome is known."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench import NoData, Options
from bench.__main__ import main
from bench._promised import Pool, with_typos
from bench.promise import CALIBRATION, PROMISE, SPLITS, run, splits
from retrieval.testing import HashEncoder
from training.promise import Bound
from training.thresholds import learn_bound

PLACES = ("Leeds", "York", "Bath", "Truro", "Wells", "Ely", "Ripon", "Derby", "Perth", "Stirling")


def write(folder: Path, name: str, texts: Sequence[tuple[str, str]], key: str = "text") -> None:
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        for text, label in texts:
            stream.write(json.dumps({key: text, "label": label, "domain": "travel"}) + "\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    rows = [(f"book a train to {place}", "travel") for place in PLACES]
    rows += [(f"why a fee of ten in {place}?", "money") for place in PLACES]
    for name in ("banking77/train", "clinc150/train", "smp2017_ecdt/train_develop"):
        write(folder, name, rows)
    for name in ("banking77/test", "clinc150/test"):
        write(folder, name, [(f"please {text}", label) for text, label in rows])
    write(folder, "clinc150/oos_train", [("zebra zebra", "oos"), ("quark quark", "oos")])
    write(folder, "clinc150/oos_test", [("volcano", "oos"), ("oboe", "oos")])
    write(
        folder,
        "atec/train",
        [("花呗", "0"), ("借呗", "0"), ("怎么还", "0"), ("额度", "0"), ("冻结", "0")],
        "text1",
    )
    return folder


def test_each_set_is_told_of_and_the_smallest_counts(tmp_path: Path, data: Path) -> None:
    figures = run(Options(lambda _: None, data, cache=tmp_path / "cache"), encoder=HashEncoder())
    for name in ("clinc150", "banking77", "smp2017"):
        assert figures[f"texts_{name}"] in (22, 24)
        assert figures[f"coverage_{name}"] == 0  # too few texts to promise anything
        assert figures[f"kept_{name}"] == figures["splits"] == SPLITS
    assert figures["coverage"] == 0


def test_without_its_data_it_says_so(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["promise"]).exit_code == 3
    with pytest.raises(NoData, match="clinc150"):
        run(Options(lambda _: None, tmp_path), encoder=HashEncoder())


def test_a_threshold_is_judged_by_texts_that_it_was_not_picked_on() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(3000).astype(np.float32)
    texts = Pool(sure, rng.random(3000) < 1 - 0.4 * (1 - sure) ** 3)
    sizes: list[int] = []

    def all_of_it(part: Pool) -> Bound:
        sizes.append(len(part.sure))
        return Bound(0.0, len(part.sure))

    everything = splits(texts, all_of_it)
    assert sizes == [round(3000 * CALIBRATION)] * SPLITS
    assert {one.coverage for one in everything} == {1.0}
    assert not any(one.kept for one in everything)  # one in ten is wrong
    assert len({one.wrong for one in everything}) > SPLITS / 2
    careful = splits(texts, lambda part: learn_bound(part.sure, part.right, PROMISE))
    assert sum(one.kept for one in careful) >= SPLITS - 1
    assert 0.2 < np.mean([one.coverage for one in careful]) < 0.7


def test_a_quarter_of_the_texts_has_a_typo_and_always_the_same_ones() -> None:
    texts = [f"how do I get to {place} by train number {n}" for place in PLACES for n in range(40)]
    found = with_typos(texts)
    assert found == with_typos(texts)
    assert 0.2 < np.mean([one != other for one, other in zip(found, texts, strict=True)]) < 0.3
