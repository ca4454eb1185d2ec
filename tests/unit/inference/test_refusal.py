"""What a model says when the passages hold no answer, and what only denies something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inference.grounding.refusal import is_refusal
from bot.inference.instructions import REFUSAL


@pytest.mark.parametrize(
    "sentence",
    [
        *REFUSAL.values(),
        "I don’t know.",
        "I'm sorry, I do not know the fee for that.",
        "I could not find the answer in the passages.",
        "I am not able to answer that.",
        "We don't have that information.",
        "I do not have any information about a Diamond card.",
        "The passages do not mention a five-year rate.",
        "The provided information doesn't say whether this applies abroad.",
        "The five-year rate is not stated in the passages.",
        "There is no information about Sundays.",
        "抱歉，我不知道。",
        "资料里没有提到五年期的利率。",
        "资料中未说明是否支持境外。",
        "根据现有信息无法确定。",
        "很抱歉，没有找到相关内容。",
        "没有相关信息。",
    ],
)
def test_models_say_in_many_ways_that_they_do_not_know(sentence: str) -> None:
    assert is_refusal(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "A stolen card cannot be reactivated.",
        "You do not need to know the card number.",
        "The fee does not include postage.",
        "Call us if you cannot find your card.",
        "We do not charge for that.",
        "The account cannot hold foreign currency.",
        "已挂失的卡不能恢复。",
        "不收取手续费。",
        "没有年费。",
        "未成年人需要监护人陪同。",
        "如果忘记密码，请到网点办理。",
        "",
    ],
)
def test_what_denies_something_is_no_refusal(sentence: str) -> None:
    assert not is_refusal(sentence)


@given(st.text(max_size=200))
def test_any_text_may_be_asked_about(text: str) -> None:
    assert is_refusal(text) in (True, False)
