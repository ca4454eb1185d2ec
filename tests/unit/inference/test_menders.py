"""Words of a bot that were counted are kept between starts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.inference import menders
from bot.inference.menders import KEPT, find_mender
from retrieval.slips.mender import Mender

ENGLISH = ("Block my credit card.", "I lost my credit card in London.", "How much is the fee?")
TEXTS = [*ENGLISH, "查询我的账户余额", "信用卡挂失"] * 2
ASKED = [
    "block my credut card",
    "crdit card fee",
    "how much is teh fee",
    "查询我的帐户余额",
    "信用咔挂失",
    "hello",
    "",
]


def never(texts: object) -> Mender:
    raise AssertionError("it was counted again")


def test_what_was_counted_is_not_counted_again_and_mends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = find_mender(tmp_path / "menders", TEXTS)
    told = [made.read(text) for text in ASKED]
    assert any(told)
    monkeypatch.setattr(Mender, "of", never)
    kept = find_mender(tmp_path / "menders", TEXTS)
    assert [kept.read(text) for text in ASKED] == told
    assert kept.counted() == made.counted()


def test_other_texts_are_counted_and_the_oldest_give_way(tmp_path: Path) -> None:
    for number in range(KEPT + 2):
        found = find_mender(tmp_path, [*TEXTS, f"number {number}"])
    assert found.counted()["words"]["number"] == 1
    assert len(list(tmp_path.iterdir())) == KEPT


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"{}", b"0\n{}"])
def test_a_damaged_file_is_told_and_made_again(
    damage: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = find_mender(tmp_path, TEXTS)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        assert find_mender(tmp_path, TEXTS).counted() == made.counted()
    assert "counted again" in caplog.text
    assert file.read_bytes() == whole


def test_a_changed_count_is_noticed(tmp_path: Path) -> None:
    made = find_mender(tmp_path, TEXTS)
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"card": 4', b'"card": 9'))
    assert find_mender(tmp_path, TEXTS).counted() == made.counted()


def test_where_nothing_can_be_kept_it_works_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(contents: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(menders, "publish_files", full)
    assert find_mender(tmp_path, TEXTS).read("block my credut card") is not None
    assert list(tmp_path.iterdir()) == []
