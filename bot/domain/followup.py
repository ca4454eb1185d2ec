"""Messages that lean on the turn before: "and for a credit card?", 那信用卡呢？

Such a message is searched for in its contextual form: the customer's previous question and this message in one
text. Which messages lean is read off their surface; whether the contextual form helped is decided by the evidence.
"""

from __future__ import annotations

import re

_OPENERS = re.compile(
    r"^(?:and|also|but|or|what about|how about|what if|then|so|same for|ok(?:ay)?,? and)\b", re.IGNORECASE
)
_POINTERS = re.compile(
    r"\b(?:it|its|that|this|they|them|these|those|one|ones|there|then|instead|otherwise|the same)\b",
    re.IGNORECASE,
)
_OPENERS_ZH = re.compile(
    r"^(?:那|那么|还有|另外|如果是|要是|换成|然后|再问|那如果|哪|同样|它|这个|那个|这|这样)"
)
_POINTERS_ZH = re.compile(r"(?:呢[？?。!！]*$|它|这个|那个|这种|那种|这样的话|这笔|这张|上面|刚才)")
_WORD = re.compile(r"[A-Za-z0-9']+")
_HAN = re.compile(r"[\u3400-\u9fff]")

MAX_WORDS = 12
MAX_HAN = 18
FRAGMENT_WORDS = 4
FRAGMENT_HAN = 8
"""A message this short may lean without any sign of it ("how long?", 要收费吗)."""


def leans(text: str) -> bool:
    """True where the message bears a sign that it continues the one before."""
    words, han = len(_WORD.findall(text)), len(_HAN.findall(text))
    if han:
        return han <= MAX_HAN and bool(_OPENERS_ZH.search(text) or _POINTERS_ZH.search(text))
    return words <= MAX_WORDS and bool(_OPENERS.search(text) or _POINTERS.search(text))


def fragment(text: str) -> bool:
    """True where the message is so short that it may lean without a sign."""
    words, han = len(_WORD.findall(text)), len(_HAN.findall(text))
    return 0 < han <= FRAGMENT_HAN if han else 0 < words <= FRAGMENT_WORDS


def contextual(previous: str, text: str) -> str:
    """The form that is searched for: the question before, then this message."""
    return f"{previous.strip()} {text.strip()}"
