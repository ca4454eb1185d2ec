"""Personal data that has a form is masked, in both languages and as keyboards write it; other numbers stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.scrub import scrub


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的邮箱abc.d+e@qq.com谢谢", "我的邮箱[email]谢谢"),
        ("write to Jane@Example.co.uk.", "write to [email]."),
        ("打我电话13812345678谢谢", "打我电话[phone]谢谢"),
        ("打我电话１３８１２３４５６７８谢谢", "打我电话[phone]谢谢"),
        ("微信wx13812345678", "微信wx[phone]"),
        ("电话:010-62345678", "电话:[phone]"),
        ("my number is 138-1234-5678", "my number is [phone]"),
        ("call +44 20 7946 0958 or (415) 555-2671", "call [phone] or [phone]"),
        ("card 4111 1111 1111 1111 ends 12/29", "card [card] ends 12/29"),
        ("卡号4111-1111-1111-1111。", "卡号[card]。"),
        ("6222021234567890128", "[card]"),
        ("4111 1111 1111 1111 5 times", "[card] 5 times"),
        ("GB29 NWBK 6016 1331 9268 19 please", "[iban] please"),
        ("de89370400440532013000", "[iban]"),
        ("身份证11010519491231002x，", "身份证[national_id]，"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert scrub(text)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "my limit is 1000 and I paid 19.99 twice",
        "订单号202611260001什么时候到",
        "on 2026-01-02 at 03:04",
        "follow @kefu",
        "1234 5678 9012 3456 is no card: its check digit is wrong",
        "110105194912310021",
        "GB29 NWBK 6016 1331 9268 18",
        "version 10.0.0.1",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    masked, found = scrub(text)
    assert masked == text
    assert not found


def test_what_was_masked_is_counted_by_kind() -> None:
    _, found = scrub("a@b.cn, c@d.cn, 13812345678")
    assert found == {"email": 2, "phone": 1}


def _with_check_digit(digits: str) -> str:
    """Luhn, said another way than the library says it."""
    doubled = [int(d) * (2 - n % 2) for n, d in enumerate(reversed(digits))]
    return digits + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


SEPARATORS = st.sampled_from(["", " ", "-"])
AROUND = st.sampled_from(["", "我的卡", "card ", " please", "，", "\n", "ending 5 "])


@given(
    st.from_regex(r"[1-9][0-9]{11,17}", fullmatch=True),
    SEPARATORS,
    AROUND,
    st.sampled_from(["", "，谢谢", " thanks"]),
)
def test_no_right_card_number_comes_through(digits: str, mark: str, before: str, after: str) -> None:
    number = _with_check_digit(digits)
    parts = mark.join(number[at : at + 4] for at in range(0, len(number), 4))
    masked, found = scrub(before + parts + after)
    assert number[:12] not in masked.replace(" ", "").replace("-", "")
    assert sum(found.values()) >= 1


PARTS = st.sampled_from(["13812345678", "a@b.cn", " ", "4111111111111111", "-", "+44", "x", "卡", "[card]"])


@given(st.text() | st.lists(PARTS).map("".join))
def test_masking_twice_masks_no_more(text: str) -> None:
    once, _ = scrub(text)
    again, found = scrub(once)
    assert again == once
    assert not found
