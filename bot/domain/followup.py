"""Messages that lean on the turn before: "and for a credit card?", 那信用卡呢？

Such a message is searched for in its contextual form: the customer's previous question and this message in one
text. Which messages lean is read off their surface; whether the contextual form helped is decided by the evidence.
"""

from __future__ import annotations

import re

from retrieval.text import normalise, tokens

_OPENERS = re.compile(
    r"^(?:and|also|but|or|what about|how about|what if|then|so|same for|ok(?:ay)?,? and)\b", re.IGNORECASE
)
_POINTERS = re.compile(
    r"\b(?:it|its|that|they|them|these|those|ones|then|instead|otherwise|the same)\b"
    r"|\bthis\b(?! (?:morning|afternoon|evening|week|month|year|time)\b)"
    r"|\bone\b(?=\W*$|[,.;:!?])"  # "a new one?", not "one year"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!hello )(?<!hi )\bthere\b(?! (?:is|are|was)\b|'s\b)",
    re.IGNORECASE,
)
_OPENERS_ZH = re.compile(r"^(?:那如果|那么|那|还有|另外|如果是|要是|换成|然后|再问|哪|同样|它|这个|这样|这)")
_ELSE_ZH = re.compile(r"^(?:那(?![个种张样])|还有|另外|如果|要是|换成)|呢[？?。!！]*$")
_POINTERS_ZH = re.compile(r"(?:呢[？?。!！]*$|它|这个|那个|这种|那种|这样的话|这笔|这张|上面|刚才)")
_WORD = re.compile(r"[A-Za-z0-9']+")
_HAN = re.compile(r"[\u3400-\u9fff]")

MAX_WORDS = 16
MAX_HAN = 22
FRAGMENT_TERMS = 5
FRAGMENT_HAN = 14
"""A message that says this little may lean without any sign of it ("Which papers do I need?", 要收费吗). Of 2 and 11,
3 and 11, 4 and 12, these and none at all, these came out best on dialogues written for that (docs/adr/0021).
"""
TERSE_TERMS = 3
TERSE_HAN = 6
"""A message that says this little may mean several things ("my loan", 利率)."""


def leans(text: str) -> bool:
    """True where the message bears a sign that it continues the one before."""
    text = normalise(text)
    words, han = len(_WORD.findall(text)), len(_HAN.findall(text))
    if han:
        return han <= MAX_HAN and bool(_OPENERS_ZH.search(text) or _POINTERS_ZH.search(text))
    return words <= MAX_WORDS and bool(_OPENERS.search(text) or _POINTERS.search(text))


def changes(text: str) -> bool:
    """True where the message says that it goes on to something else: "and abroad?", "what if ...", 那信用卡呢."""
    text = normalise(text)
    return bool((_ELSE_ZH if _HAN.search(text) else _OPENERS).search(text))


def changed_to(text: str) -> frozenset[str]:
    """Terms of what the message goes on to: those of 金卡 in 那金卡呢. Empty where it goes on to nothing, or names
    nothing.
    """
    if not changes(text):
        return frozenset()
    text = normalise(text)
    if not _HAN.search(text):
        return frozenset(tokens(_OPENERS.sub("", text)))
    return frozenset(tokens(_ELSE_ZH.sub("", _OPENERS_ZH.sub("", text))))


def fragment(text: str) -> bool:
    """True where the message says so little that it may lean without a sign."""
    return _says_at_most(text, terms=FRAGMENT_TERMS, han=FRAGMENT_HAN)


def terse(text: str) -> bool:
    """True where the message says so little that it may mean several things."""
    return _says_at_most(text, terms=TERSE_TERMS, han=TERSE_HAN)


def _says_at_most(text: str, *, terms: int, han: int) -> bool:
    text = normalise(text)
    if count := len(_HAN.findall(text)):
        return count <= han
    return bool(_WORD.search(text)) and len(set(tokens(text))) <= terms


def contextual(previous: str, text: str) -> str:
    """The form that is searched for: the question before, then this message."""
    return f"{previous.strip()} {text.strip()}"
