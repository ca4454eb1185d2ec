"""What to do with a message, given the evidence. Pure: the same evidence gives the same decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard

from bot.domain.policy import Policy

SOCIAL = ("greet", "thanks", "goodbye", "identity", "capabilities")
HANDOFF = "handoff"
OUT_OF_SCOPE = "out_of_scope"
REFUSE = "refuse"
MAX_OPTIONS = 3
CLOSE, UNSURE = "several answers are close", "likely, but not sure enough for the promise"
SEVERAL = "several questions, each with an answer"
PARTLY = "several questions, not each with an answer"
NOT_SURE = "not sure enough"
UNANSWERED = "sounds like what is known, but is not answered by it"


@dataclass(frozen=True, slots=True)
class IntentScore:
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored answer that may be right. `confidence`: calibrated probability that it is."""

    entry: str
    key: str
    intent: str | None
    confidence: float
    exact: bool = False


def by_topic(candidates: Sequence[Candidate]) -> dict[str, float]:
    """How likely each topic is, of candidates that come best first."""
    return {one.key: one.confidence for one in reversed(candidates)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that `decide` looks at. Intents and candidates come best first."""

    intents: tuple[IntentScore, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    wordless: bool = False
    """Nothing but symbols or blanks: there is nothing to understand."""
    chosen: str | None = None
    """Id of the entry whose quick reply was pressed."""
    wants_person: bool = False
    """The button for a person was pressed, or a stored phrase for it was typed."""
    none_of_these: bool = False
    waiting: bool = False
    """The conversation already waits for a person."""
    asked_before: bool = False
    """The bot's last turn was a question which of several was meant."""
    terse: bool = False
    """The message says so little that it may mean several things."""
    refused: bool = False
    """The message says no more than that something is not wanted, and the best candidate is about wanting it."""
    out_of_scope: float = 0.0
    """Probability that nothing the bot knows is meant."""
    least: float = 0.0
    """How sure the bot must be to answer, by what its own texts taught it."""
    calibrated: bool = True
    """False while no calibrator exists: then intent and retrieval must agree."""
    parts: tuple[Evidence, ...] = ()
    """Of each question of a message that asks several."""
    parts_read: bool = False
    """Answers to these questions were read beside them: what holds is said, though not each has an answer."""
    bound: float | None = None
    """From which confidence on the bot may answer in the message's language by its promise; None: it makes none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Say a stored answer (`entry`) or a stored response (`response`) as it is."""

    reason: str
    entry: str | None = None
    response: str | None = None
    confidence: float | None = None
    offer_person: bool = False


@dataclass(frozen=True, slots=True)
class Generate:
    """Compose from these entries, best first; the first one's stored answer is the fallback."""

    reason: str
    entries: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Clarify:
    """Ask which of these is meant."""

    reason: str
    entries: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Handoff:
    """Pass the conversation to a person."""

    reason: Literal["asked", "button"]


Decision = Answer | Generate | Clarify | Handoff


def decide(evidence: Evidence, policy: Policy) -> Decision:
    """The order of the rules is the order of certainty: what was pressed, what is identical, what is likely."""
    return (
        _explicit(evidence)
        or _social(evidence, policy)
        or _several(evidence, policy)
        or _informed(evidence, policy)
    )


def _explicit(e: Evidence) -> Decision | None:
    if e.wordless:
        return Answer("nothing to understand", response="empty")
    if e.wants_person:
        return _hand_over(e, "button")
    if e.none_of_these:
        return Answer("none of the offered answers", response=REFUSE, offer_person=True)
    if e.chosen:
        return Answer("chosen by the customer", entry=e.chosen, confidence=1.0)
    if e.candidates and e.candidates[0].exact:
        return Answer("identical to a stored question", entry=e.candidates[0].entry, confidence=1.0)
    return None


def _social(e: Evidence, policy: Policy) -> Decision | None:
    if not e.intents:
        return None
    top = e.intents[0]
    if top.name == HANDOFF and top.probability >= policy.handoff:
        return _hand_over(e, "asked")
    if top.name in SOCIAL and top.probability >= policy.social:
        return Answer(f"intent {top.name}", response=top.name, confidence=top.probability)
    return None


def _hand_over(e: Evidence, reason: Literal["asked", "button"]) -> Decision:
    if e.waiting:
        return Answer("already waiting for a person", response="handoff_already")
    return Handoff(reason)


def _several(e: Evidence, policy: Policy) -> Decision | None:
    """Where every question of a message has an answer of its own, all are said together. Of questions that were read
    one answer may do for several, and some may have none; not the first, which tells what the others are about.
    """
    found = [_explicit(part) or _informed(part, policy) for part in e.parts]
    said = [one for one in found if _is_answer(one)]
    keys = {c.entry: c.key for part in e.parts for c in part.candidates}
    topics: dict[str | None, str] = {}
    for one in said:
        topics.setdefault(keys.get(entry := _entry(one)), entry)
    entries = tuple(topics.values())
    whole = len(said) == len(found)
    read = e.parts_read and bool(found) and _is_answer(found[0])
    if not read and not (whole and len(entries) == len(found) > 1):
        return None
    return Generate(SEVERAL if whole else PARTLY, entries, min(one.confidence or 0.0 for one in said))


def _entry(one: Generate | Answer) -> str:
    entry = one.entries[0] if isinstance(one, Generate) else one.entry
    assert entry is not None
    return entry


def _is_answer(decision: Decision) -> TypeGuard[Generate | Answer]:
    return isinstance(decision, Generate) or (isinstance(decision, Answer) and decision.entry is not None)


def _informed(e: Evidence, policy: Policy) -> Decision:
    if not e.candidates:
        return Answer("nothing found", response=REFUSE, confidence=0.0, offer_person=True)
    best = e.candidates[0]
    if e.refused and (_any(e.candidates) >= policy.answer or not e.calibrated):
        return _ask_or_refuse(e, _topics(e.candidates))
    rivals = _rivals(e, policy)
    if not e.calibrated:
        return _uncalibrated(e, best, policy)
    if e.out_of_scope >= max(policy.foreign, best.confidence):
        return Answer("out of scope", response=REFUSE, confidence=best.confidence, offer_person=True)
    if best.confidence >= least_sure(e, policy) and (len(rivals) == 1 or e.asked_before):
        return Generate("confident", (best.entry,), best.confidence)
    if best.confidence >= policy.answer and len(rivals) == 1:
        known = _topics(e.candidates) if e.out_of_scope < policy.scope else ()
        return _ask_or_refuse(e, known, reason=UNANSWERED if e.bound is None else UNSURE)
    if e.terse and e.out_of_scope < policy.scope:
        rivals = max(rivals, _topics(e.candidates), key=len)
    return _ask_or_refuse(e, rivals)


def least_sure(e: Evidence, policy: Policy) -> float:
    """How sure the bot must be of an answer to give it."""
    return max(policy.answer, e.least) if e.bound is None else e.bound


def _uncalibrated(e: Evidence, best: Candidate, policy: Policy) -> Decision:
    """Without a calibrator there are no confidences: intent and retrieval must agree, or the customer chooses. Nor are
    there any bounds: who promises something lets the customer choose.
    """
    if _agrees(best, e.intents) and e.bound is None:
        return Generate("intent and retrieval agree", (best.entry,), best.confidence)
    known = e.intents and e.intents[0].name != OUT_OF_SCOPE and e.out_of_scope < policy.scope
    return _ask_or_refuse(e, _topics(e.candidates) if known else ())


def _agrees(best: Candidate, intents: tuple[IntentScore, ...]) -> bool:
    return bool(intents) and best.intent == intents[0].name


def _rivals(e: Evidence, policy: Policy) -> tuple[Candidate, ...]:
    """The best and those close to it, one a topic."""
    least, close = (policy.terse_clarify, policy.terse_close) if e.terse else (policy.clarify, policy.close)
    floor = max(least, e.candidates[0].confidence * close)
    return _topics([c for c in e.candidates if c.confidence >= floor])


def _any(candidates: Sequence[Candidate]) -> float:
    """How likely one of them is right: they share one probability, and of what is not wanted several speak."""
    return sum(candidate.confidence for candidate in candidates)


def _topics(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The best candidate of each topic, best first, as many as can be offered."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        best.setdefault(candidate.key, candidate)
    return tuple(best.values())[:MAX_OPTIONS]


def _ask_or_refuse(e: Evidence, rivals: tuple[Candidate, ...], *, reason: str = CLOSE) -> Decision:
    confidence = e.candidates[0].confidence
    if len(rivals) >= 2 and not e.asked_before:
        return Clarify(reason, tuple(c.entry for c in rivals), confidence)
    return Answer(NOT_SURE, response=REFUSE, confidence=confidence, offer_person=True)
