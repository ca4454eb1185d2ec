"""What a verifier is taught of a bot: its contrast sets, and beside them in each epoch a stored phrasing, which the
answer answers, and a message for an answer nearby, which it does not.

Prompts are made by what makes them for customers (`bot.inference.grounding.verifier`). What is near, the bot's
own search says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bot.app import Bot
from bot.definition.contrasts import Contrast
from bot.engine.passages import sayable
from bot.engine.probe import probe
from bot.inference.child import Progress
from bot.inference.grounding.verifier import as_judged, as_verifying
from retrieval.text import normalise
from retrieval.types import Entry
from training.language.examples import Origin, Source, Split, sides
from training.verifier.examples import Group, Told
from training.verifier.spec import VerifierSpec

NEAR = 5
"""Answers nearby that a message may be taken of."""
_TAKEN = "Messages for each answer: those that it answers, and those that it only just does not."
_BESIDE = "A stored phrasing, and a message for an answer nearby, for each answer in each epoch."
Name = tuple[str, str]
"""Key and language of an answer."""


async def gather(
    bot: Bot, contrasts: Sequence[Contrast], spec: VerifierSpec, *, progress: Progress
) -> tuple[Mapping[Split, Sequence[Group]], Origin]:
    """Raises Busy, InferenceError."""
    entries = {
        (e.key, e.lang): e for one in bot.host.current().bundle.entries if (e := sayable(one)) is not None
    }
    sets = {(one.key, one.lang): one for one in contrasts if (one.key, one.lang) in entries}
    side = sides((key for key, _ in sets), spec.seed, test=spec.judged)
    sets, leaks = _apart(sets, side)
    rng = np.random.default_rng(spec.seed)
    found: dict[Split, list[Group]] = {"train": [], "valid": [], "test": []}
    for number, (name, own) in enumerate(sets.items()):
        progress("Looking for answers nearby", number, len(sets))
        entry, held = entries[name], side[own.key] == "test"
        group = Group(f"{number:05}", own.key, own.lang, _contrasts(entry, own, plain=held))
        if not held:
            near = await _near(bot, entry, {other for other in sets if side[other[0]] != "test"})
            drawn = (_drawn(rng, entry, [sets[other] for other in near]) for _ in range(spec.epochs))
            group = replace(group, drawn=tuple(drawn))
        found[side[own.key]].append(group)
    return found, _origin(spec, found, leaks)


def _contrasts(entry: Entry, own: Contrast, *, plain: bool) -> tuple[Told, ...]:
    """`plain`: also as a model is asked that was not taught."""
    both = ((own.answered, True), (own.unanswered, False))
    found = [_told(entry, text, yes=yes) for texts, yes in both for text in texts]
    if not plain:
        return tuple(found)
    return tuple(replace(one, plain=tuple(as_verifying(one.text, entry.answer))) for one in found)


def _told(entry: Entry, text: str, *, yes: bool) -> Told:
    return Told(text, yes, tuple(as_judged(text, f"{entry.question} {entry.answer}")))


def _drawn(rng: np.random.Generator, entry: Entry, near: Sequence[Contrast]) -> tuple[Told, ...]:
    found = []
    if entry.alternatives:
        found.append(_told(entry, entry.alternatives[int(rng.integers(len(entry.alternatives)))], yes=True))
    if near:
        texts = near[int(rng.integers(len(near)))].answered
        found.append(_told(entry, texts[int(rng.integers(len(texts)))], yes=False))
    return tuple(found)


async def _near(bot: Bot, entry: Entry, others: set[Name]) -> list[Name]:
    """Of these what is found for the stored question, best first: in its language, and not what says the same."""
    seen = (await probe(bot.desk, entry.question, locale=entry.lang)).seen
    hits = [hit.entry for hit in seen.hits] if seen else []
    found = [
        (hit.key, hit.lang)
        for hit in hits
        if hit.lang == entry.lang and hit.key != entry.key and hit.answer != entry.answer
    ]
    return [name for name in dict.fromkeys(found) if name in others][:NEAR]


def _apart(
    sets: Mapping[Name, Contrast], side: Mapping[str, Split]
) -> tuple[dict[Name, Contrast], dict[str, int]]:
    """Messages to learn from that stand, word for word, among what was held out: they go, and with them answers that
    have none of either kind left.
    """
    held = {
        normalise(text)
        for one in sets.values()
        if side[one.key] == "test"
        for text in (*one.answered, *one.unanswered)
    }
    found, gone = dict(sets), 0
    for name, one in sets.items():
        if side[one.key] == "test":
            continue
        kept = [
            tuple(text for text in texts if normalise(text) not in held)
            for texts in (one.answered, one.unanswered)
        ]
        gone += len(one.answered) + len(one.unanswered) - sum(map(len, kept))
        found[name] = replace(one, answered=kept[0], unanswered=kept[1])
        if not all(kept):
            del found[name]
    return found, {"the same message in another split": gone} if gone else {}


def _origin(spec: VerifierSpec, found: Mapping[Split, Sequence[Group]], leaks: Mapping[str, int]) -> Origin:
    groups = [group for part in found.values() for group in part]
    counts = (
        ("contrasts", sum(len(group.contrasts) for group in groups), _TAKEN),
        ("knowledge", sum(len(one) for group in groups for one in group.drawn), _BESIDE),
    )
    sources = tuple(Source(name, "folder", rows, "the bot's own", taken) for name, rows, taken in counts)
    return Origin(spec.seed, sources, {}, leaks)
