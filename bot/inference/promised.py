"""What a promise comes to in each language, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.promise import Bound, Promised

NAMES = {"zh": "Chinese", "en": "English"}


@dataclass(frozen=True, slots=True)
class Told:
    """One language: what the bot does there, and whether it answers from understanding at all."""

    text: str
    answers: bool
    hint: str = ""


def told(promised: Promised, languages: Sequence[str]) -> Iterator[Told]:
    """In the order of `languages`."""
    for lang in languages:
        yield _told(promised.bound(lang), promised, NAMES.get(lang, lang))


def _told(bound: Bound, promised: Promised, name: str) -> Told:
    wrong = percent(promised.promise.wrong)
    if bound.at is not None:
        share = f"{percent(bound.coverage)} of the {bound.texts} texts that it was judged by"
        return Told(f"{name}: answers from {percent(bound.at)} sure on, {share}", answers=True)
    if bound.missing and bound.texts >= promised.promise.fewest:
        lacking = f"{bound.texts} texts with mistakes in them are too few for {wrong}: some {bound.missing} are lacking"
        hint = f"Write about {bound.missing} more phrasings of the answers, or promise less in bot.yml."
    elif bound.missing:
        lacking = f"{bound.missing} more phrasings are needed before {wrong} can be promised"
        hint = f"Write {bound.missing} more phrasings of the answers, or promise less in bot.yml."
    else:
        lacking = f"even the surest of {bound.texts} texts are wrong too often for {wrong}"
        hint = "Tell apart what is mixed up (`kefu eval`), or promise less in bot.yml."
    return Told(f"{name}: answers stored questions and buttons alone, as {lacking}", answers=False, hint=hint)


def slip(about: Mapping[str, Any]) -> str:
    """What an alert says (`bot.store.promises.Alert.about`)."""
    name = NAMES.get(about["lang"], about["lang"])
    customers = f"{about['wrong']} of {about['answered']} answers were wrong to their customers"
    return f"{name}: the promise slipped, {customers}, where {percent(about['promised'])} was promised"


def percent(share: float, digits: int = 0) -> str:
    """0.03 is "3 %", 0.005 is "0.5 %"."""
    shown = (
        f"{100 * share:.{digits}f}"
        if digits
        else f"{100 * share:.2g}"
        if share < 0.1
        else f"{100 * share:.0f}"
    )
    return f"{shown} %"


def sure(confidence: float, bound: float | None, lang: str | None) -> str:
    """How sure, and against what: "72 % sure; answers from 64 % on in Chinese"."""
    if bound is None:
        return f"{percent(confidence)} sure"
    where = f" in {NAMES.get(lang, lang)}" if lang else ""
    if bound > 1:
        return f"{percent(confidence)} sure; answers stored questions and buttons alone{where}"
    close = percent(confidence) == percent(bound) and confidence != bound
    digits = 2 if close else 0
    return f"{percent(confidence, digits)} sure; answers from {percent(bound, digits)} on{where}"
