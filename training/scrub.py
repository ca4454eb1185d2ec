"""Personal data that has a form of its own is masked: numbers of cards, accounts, identity cards and telephones, and
e-mail addresses. Names and postal addresses have none: they stay, and a data card says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate

Span = tuple[int, int]
"""First character, and the one after the last."""

KINDS = ("email", "iban", "card", "national_id", "phone")
REGIONS = ("CN", "US")
"""Where a telephone number without a country's code is thought to be from."""

_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
"""As long as addresses may be: a text without one is read in proportion to its length."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_DIGITS = re.compile(r"(?<![0-9])[0-9]+(?:[ -][0-9]+)*(?![0-9])")
_CARD_DIGITS = range(13, 20)
_NATIONAL_ID = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
"""Of mainland China, also where letters touch it."""
WIDE = {ord(wide): ord(wide) - 0xFEE0 for wide in map(chr, range(0xFF01, 0xFF5F))} | {0x3000: 0x20}
"""Full-width letters and digits, as Chinese keyboards write them, to plain ones: places stay where they are."""


def scrub(text: str) -> tuple[str, Counter[str]]:
    """The text with `[card]`, `[email]` ... in place of what was found, and how often each kind was. Idempotent."""
    found: Counter[str] = Counter()
    while True:
        before = text
        for kind, places in FINDERS.items():
            text, count = _masked(text, f"[{kind}]", places)
            if count:
                found[kind] += count
        if text == before:
            return text, found


def _masked(text: str, mask: str, places: Callable[[str], Iterator[Span]]) -> tuple[str, int]:
    spans = list(places(text.translate(WIDE)))
    for start, end in reversed(spans):
        text = text[:start] + mask + text[end:]
    return text, len(spans)


def _emails(text: str) -> Iterator[Span]:
    return (match.span() for match in _EMAIL.finditer(text))


def _ibans(text: str) -> Iterator[Span]:
    """Words may follow without a mark: the longest beginning whose checksum holds."""
    from stdnum import iban

    for match in _IBAN.finditer(text):
        said = match.group()
        ends = (end for end in range(len(said), 14, -1) if said[end - 1] not in " -")
        if (end := next((end for end in ends if iban.is_valid(said[:end])), None)) is not None:
            yield match.start(), match.start() + end


def _cards(text: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        yield from _cards_in(match.group(), match.start())


def _cards_in(digits: str, start: int) -> Iterator[Span]:
    """Of groups of digits that stand together, the longest rows of them with a right check digit (Luhn)."""
    from stdnum import luhn

    groups = re.split("[ -]", digits)
    starts = list(accumulate((len(group) + 1 for group in groups), initial=0))
    first = 0
    while first < len(groups):
        for last in range(min(first + max(_CARD_DIGITS), len(groups)), first, -1):
            number = "".join(groups[first:last])
            if len(number) in _CARD_DIGITS and luhn.is_valid(number) and set(number) != {"0"}:
                yield start + starts[first], start + starts[last] - 1
                first = last - 1
                break
        first += 1


def _national_ids(text: str) -> Iterator[Span]:
    """Of mainland China: the last place is a check digit (GB 11643, ISO 7064 MOD 11-2)."""
    from stdnum.iso7064 import mod_11_2

    return (match.span() for match in _NATIONAL_ID.finditer(text) if mod_11_2.is_valid(match.group().upper()))


def _phones(text: str) -> Iterator[Span]:
    from phonenumbers import PhoneNumberMatcher

    if not any(char.isdigit() for char in text):
        return
    spans = [match.span() for match in _MOBILE.finditer(text)]
    for region in REGIONS:
        spans += [(match.start, match.end) for match in PhoneNumberMatcher(text, region)]
    yield from _apart(spans)


def _apart(spans: list[Span]) -> Iterator[Span]:
    """What overlaps becomes one."""
    end = -1
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first < end:
            merged[-1] = merged[-1][0], max(end, last)
        else:
            merged.append((first, last))
        end = merged[-1][1]
    yield from merged


FINDERS: dict[str, Callable[[str], Iterator[Span]]] = dict(
    zip(KINDS, (_emails, _ibans, _cards, _national_ids, _phones), strict=True)
)
"""Where each kind stands in a text that was translated by `WIDE`."""
