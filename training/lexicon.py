"""Words of customer service in Chinese and English, by what they mean: to swap one for another in a text.

Our own, and short: each line holds words that may stand for one another in nearly any sentence of a customer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Lang = Literal["zh", "en"]

_CONCEPTS = """
卡 | card
银行卡 卡片 | bank card
信用卡 | credit card
借记卡 储蓄卡 | debit card
账户 账号 户头 | account
密码 口令 | password, passcode
验证码 校验码 | verification code, security code
手机 电话 | phone
手机号 手机号码 电话号码 | phone number
应用 软件 客户端 | app
网站 官网 | website
网点 营业厅 支行 | branch
自动取款机 取款机 柜员机 | atm, cash machine
客服 客户服务 | customer service, support
转账 汇款 | transfer
贷款 借款 | loan
利息 | interest
利率 | interest rate, rate
手续费 服务费 | fee, charge
余额 | balance
账单 对账单 | statement, bill
额度 限额 | limit
订单 单子 | order
快递 包裹 | parcel, package
发货 寄出 | ship, send out
退货 | return
退款 退钱 | refund
换货 | exchange
优惠券 代金券 优惠码 | coupon, voucher
发票 | invoice
地址 | address
尺码 尺寸 | size
会员 | member
积分 | points
短信 信息 | text message, sms
邮箱 邮件 | email, mail
登录 登陆 | log in, sign in
注册 | sign up, register
取消 撤销 | cancel
修改 更改 改 | change
申请 | apply
丢了 丢失 不见了 弄丢了 | lost
坏了 | broken
多少钱 几块钱 | how much
怎么 如何 怎样 | how
多久 多长时间 几天 | how long
能不能 可不可以 能否 | can i
想要 想 | want to, would like to
需要 得 | need to, have to
马上 立刻 立即 | right away, immediately
现在 目前 | now, at the moment
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A known word in a text: where it begins and ends, and what else may stand there."""

    start: int
    end: int
    same: tuple[str, ...]
    """Other words of its language for it."""
    other: tuple[str, ...]
    """Words of the other language for it."""


def places(text: str) -> list[Place]:
    """The known words of a text, in their order; of several that overlap the longest. Case does not matter."""
    known = _words()
    return [
        Place(found.start(), found.end(), *known[found.group().casefold()])
        for found in _pattern().finditer(text)
    ]


@lru_cache(maxsize=1)
def _words() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """word -> others of its language, and words of the other language."""
    found = {}
    for zh, en in _concepts():
        for own, other in ((zh, en), (en, zh)):
            for word in own:
                found[word] = (tuple(one for one in own if one != word), other)
    return found


def _concepts() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for line in _CONCEPTS.strip().splitlines():
        zh, _, en = line.partition("|")
        yield tuple(zh.split()), tuple(word.strip() for word in en.split(","))


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    longest = sorted(_words(), key=len, reverse=True)
    told = [rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else word for word in longest]
    return re.compile("|".join(told), re.IGNORECASE)
