"""Which messages say no more than what is not wanted, and which only sound as if they did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.negation import refuses


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to block my card",
        "I dont want to block my card",
        "Don’t cancel my transfer",
        "please do not activate my card",
        "could you please not freeze my card",
        "I'm not asking how to close my account",
        "you don't need to replace my card",
        "I don't want my card blocked",
        "no need to send a new card",
        "I'd rather not close my account",
        "I never asked you to raise my limit",
        "please never call me about loans",
        "Never freeze my card without asking me",
        "we're not really complaining",
        "I am not closing my account",
        "I HAVEN'T LOST MY CARD",
        "my card was not stolen",
        "我不想挂失",
        "别挂失我的卡",
        "请不要冻结我的卡",
        "我不打算注销账户",
        "不用给我补卡",
        "我没说要注销信用卡",
        "我并不是想投诉",
        "卡没丢",
        "我没忘密码",
        "無需重置密碼",
        "我不要取消訂單",
        "预留手机号先不换",
    ],
)
def test_what_is_not_wanted(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can't log in",
        "never received my new card",
        "never seen that shop before",
        "I never use this card at night",
        "I'm not getting the code",
        "we are not receiving your letters",
        "I'm not recognising this payment",
        "why was my card not accepted",
        "my transfer has not arrived",
        "I haven't received my salary",
        "the ATM did not give me money",
        "didn't get my refund",
        "cannot activate my card",
        "my account need to be closed",
        "don't know how to block a card",
        "I don't want it anymore",
        "I don't need this card any longer, how do I cancel it",
        "I don't want to block my card, just freeze it",
        "do you mind if I don't come to the branch",
        "收不到验证码",
        "没收到",
        "登录不了",
        "密码不对",
        "还没发货",
        "人脸识别不过",
        "别人转账给我没到账",
        "别的银行的卡能还吗",
        "这张卡不想要了",
        "信用卡不想用了怎么销掉",
        "为什么刷卡不用输密码",
        "不想跑网点，App上能开户吗",
        "要不要手续费",
        "不要寄纸质账单了，改电子的",
        "",
    ],
)
def test_what_went_wrong_or_is_asked_for_is_none(text: str) -> None:
    assert not refuses(text)


@given(st.text(max_size=60) | st.text("don't want 不想要别,，.? ", max_size=60))
def test_any_text_is_one_or_the_other(text: str) -> None:
    assert refuses(text) in (True, False)
