"""The recognisers of a bot, joined: what has a form of its own, what its folder lists, numbers in its own patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from training.entities.amounts import amounts
from training.entities.dates import dates
from training.entities.entity import Entity, Found, apart, atoms, folded
from training.entities.phrases import Phrase, inflected, lengths, longest, phrase
from training.entities.spec import FORMS, PATTERN_SIGNS, Specs
from training.scrub import FINDERS, REGIONS, WIDE


class Recognisers:
    """Of one bot. Any string will do; time is in proportion to its length."""

    def __init__(self, specs: Specs) -> None:
        self._patterns = [(kind, compiled(p)) for kind, spec in specs.items() for p in spec.patterns]
        self._said = _phrases(specs)
        self._most = lengths(self._said)
        self._forms = [(kind, spec.recogniser) for kind, spec in specs.items() if spec.recogniser]
        self._forms.sort(key=lambda form: FORMS.index(form[1]))

    def find(self, text: str, on: date) -> tuple[Entity, ...]:
        """In order of their places, none over another: the bot's own patterns and lists before what anybody writes.

        `on`: the day on which it was written.
        """
        return apart(self.hits(text, on))

    def hits(self, text: str, on: date) -> list[Entity]:
        """All that is found, in the order in which it has its way where it overlaps. A phrase of a list that is part of
        something longer (the euros of 20 euros) comes last.
        """
        plain = folded(text)
        numbers = [
            entity(kind, text, Found(*match.span(), match.group().upper()), "pattern")
            for kind, pattern in self._patterns
            for match in pattern.finditer(plain)
        ]
        forms = [
            entity(kind, text, found, form)
            for kind, form in self._forms
            for found in RECOGNISERS[form](text, on)
        ]
        listed = [entity(kind, text, found, "list") for kind, found in self._listed(text, plain)]
        whole, parts = _parted(listed, forms)
        return [*numbers, *whole, *forms, *parts]

    def _listed(self, text: str, plain: str) -> Iterator[tuple[str, Found]]:
        if not self._said:
            return
        places = atoms(text)
        words = [plain[start:end] for start, end in places]
        for (kind, value), first, last in longest(self._said.get, self._most, words):
            yield kind, Found(places[first][0], places[last - 1][1], value)


def entity(kind: str, text: str, found: Found, source: str) -> Entity:
    return Entity(kind, text[found.start : found.end], found.start, found.end, found.value, source)


def compiled(pattern: str) -> re.Pattern[str]:
    """What a bot's pattern looks for in a text that is folded. Nothing in it can go back and forth."""
    body = "".join(PATTERN_SIGNS.get(sign) or re.escape(folded(sign)) for sign in pattern)
    return re.compile(rf"(?<![a-z0-9]){body}(?![a-z0-9])")


def _parted(listed: Sequence[Entity], forms: Sequence[Entity]) -> tuple[list[Entity], list[Entity]]:
    """Of `listed` what stands by itself, and what is part of something longer."""
    lengths: dict[int, int] = {}
    for one in forms:
        for place in range(one.start, one.end):
            lengths[place] = max(lengths.get(place, 0), one.end - one.start)
    found: tuple[list[Entity], list[Entity]] = [], []
    for one in listed:
        around = min(lengths.get(one.start, 0), lengths.get(one.end - 1, 0))
        found[around > one.end - one.start].append(one)
    return found


def _phrases(specs: Specs) -> dict[Phrase, tuple[str, str]]:
    """The words of every phrase -> (kind, name of the value); of two equal ones the first counts, and
    no plural takes what is listed.
    """
    plain: dict[Phrase, tuple[str, str]] = {}
    for kind, spec in specs.items():
        for name, said in spec.values.items():
            for words in filter(None, map(phrase, (name, *said))):
                plain.setdefault(words, (kind, name))
    found = dict(plain)
    for words, meant in plain.items():
        for form in inflected(words):
            found.setdefault(form, meant)
    return found


_DIGIT = re.compile(r"\d")


def _phones(text: str, _: date) -> Iterator[Found]:
    if not _DIGIT.search(text):
        return
    for start, end in FINDERS["phone"](text.translate(WIDE)):
        yield Found(start, end, _e164(text[start:end].translate(WIDE)))


def _e164(said: str) -> str | None:
    """Ten digits without a trunk prefix are an American number; others without a country's code a Chinese one."""
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

    digits = re.sub(r"\D", "", said)
    for region in reversed(REGIONS) if len(digits) == 10 and digits[0] != "0" else REGIONS:
        try:
            number = parse(said, region)
        except NumberParseException:
            continue
        if is_valid_number(number):
            return str(format_number(number, PhoneNumberFormat.E164))
    return None


def _cards(text: str, _: date) -> Iterator[Found]:
    if not _DIGIT.search(text):
        return
    plain = text.translate(WIDE)
    for start, end in FINDERS["card"](plain):
        yield Found(start, end, re.sub(r"\D", "", plain[start:end]))


def _emails(text: str, _: date) -> Iterator[Found]:
    if "@" in (plain := text.translate(WIDE)):
        for start, end in FINDERS["email"](plain):
            yield Found(start, end, plain[start:end].lower())


Recogniser = Callable[[str, date], Iterator[Found]]

RECOGNISERS: Mapping[str, Recogniser] = dict(
    zip(FORMS, (_emails, _cards, _phones, dates, lambda text, _: amounts(text)), strict=True)
)
