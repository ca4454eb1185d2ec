from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.bundle import Bundle, build_bundle
from retrieval.errors import BundleError
from retrieval.search import search
from tests.unit.retrieval.samples import ALL, ENCODER, HOURS_EN, LOST_EN, ask, build


def reopen(folder: Path) -> Bundle:
    return Bundle.open(folder, encoder_fingerprint=ENCODER.fingerprint)


def test_a_bundle_is_what_it_was_when_it_is_opened_again(tmp_path: Path) -> None:
    built = build(tmp_path / "b", revision=7)
    opened = reopen(tmp_path / "b")
    assert opened.revision == built.revision == 7
    assert opened.entries == ALL
    query = ask("lost card", "en")
    assert search(opened, query) == search(built, query)


def test_vectors_that_are_all_compared_lie_by_dimension_and_stay_on_disk(tmp_path: Path) -> None:
    vectors = build(tmp_path / "b").contents.vectors
    assert vectors.flags.f_contiguous
    assert not vectors.flags.c_contiguous
    assert not vectors.flags.owndata


def test_nothing_else_is_left_beside_it(tmp_path: Path) -> None:
    build(tmp_path / "b")
    build(tmp_path / "b", [HOURS_EN])
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert reopen(tmp_path / "b").entries == (HOURS_EN,)


def test_an_open_bundle_survives_its_files(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b")
    shutil.rmtree(tmp_path / "b")
    assert search(bundle, ask("card stolen", "en"))[0].entry == LOST_EN


def test_a_failed_build_leaves_what_was_there(tmp_path: Path) -> None:
    build(tmp_path / "b")
    with pytest.raises(BundleError, match="no vector"):
        build_bundle(tmp_path / "b", [HOURS_EN], {}, encoder_fingerprint=ENCODER.fingerprint, revision=2)
    assert reopen(tmp_path / "b").revision == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    build(tmp_path / "b")
    with pytest.raises(BundleError, match="another encoder"):
        Bundle.open(tmp_path / "b", encoder_fingerprint="else")


def test_a_missing_bundle_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="build it from the database"):
        reopen(tmp_path / "b")


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    build(tmp_path / "b")
    for name in json.loads((tmp_path / "b" / "manifest.json").read_text())["files"]:
        shutil.copytree(tmp_path / "b", tmp_path / "c")
        (tmp_path / "c" / name).unlink()
        with pytest.raises(BundleError):
            reopen(tmp_path / "c")
        shutil.rmtree(tmp_path / "c")


def test_a_bundle_of_another_format_is_refused(tmp_path: Path) -> None:
    build(tmp_path / "b")
    path = tmp_path / "b" / "manifest.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(BundleError):
        reopen(tmp_path / "b")


def test_a_phrasing_that_an_entry_repeats_stands_once(tmp_path: Path) -> None:
    twice = replace(HOURS_EN, alternatives=(HOURS_EN.question, "opening hours"))
    bundle = build(tmp_path / "b", [twice])
    assert [bundle.text(row) for row in range(len(bundle.contents.rows))] == [
        HOURS_EN.question, "opening hours", HOURS_EN.passage,
    ]  # fmt: skip


def test_questions_are_near_by_a_scale_that_is_no_encoders_own(tmp_path: Path) -> None:
    built = build(tmp_path / "b")
    wide = replace(built.contents, floor=0.0)
    assert built.contents.floor > 0
    ids = [entry.id for entry in ALL]
    ours, raw = (np.array(Bundle(one).question_cosines(ids[0], ids)) for one in (built.contents, wide))
    assert ours[0] == pytest.approx(1)
    floor = built.contents.floor
    assert ours == pytest.approx((raw - floor) / (1 - floor), abs=1e-5)
