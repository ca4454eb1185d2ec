"""Whatever is typed, what is read of it stands in its order, and nothing but letters changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retrieval.slips.mender import Mender
from retrieval.text import as_read

TEXTS = ["how long does a transfer take", "block my credit card", "我的信用卡丢了怎么办", "手续费是多少"] * 3
MENDER = Mender.of(TEXTS)
WORDS = [
    *("trnasfer", "TRANSFR", "crdit", "card", "Kowalski", "62220212", "a@b.cn", "12.50"),
    *("新用卡", "手续费", "é", " ", "，", "\u200b"),
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=12).map(" ".join))
def test_places_rise_within_the_text_and_digits_stay(typed: str) -> None:
    found = MENDER.read(typed)
    if found is None:
        return
    assert len(found.came) == len(found.text)
    assert list(found.came) == sorted(found.came)
    assert all(0 <= place < len(typed) for place in found.came)
    read = as_read(typed)
    assert [c for c in found.text if not c.isalpha()] == [c for c in read if not c.isalpha()]
    assert found.text != read
