"""A second reading where the bot is not sure: do the likeliest answers state what is asked for? What comes of it is one
more piece of evidence, and the same rules decide once more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.domain.decision import (
    CLOSE,
    NOT_SURE,
    SEVERAL,
    UNANSWERED,
    Candidate,
    Decision,
    Evidence,
    Generate,
    by_topic,
    decide,
)
from bot.domain.followup import leans
from bot.domain.several import questions
from bot.engine.desk import Desk
from bot.engine.evidence import Scene
from bot.engine.passages import sayable
from bot.engine.thought import Thought
from bot.inference.answered import verified_by
from bot.inference.generator import Bill
from bot.inference.grounding.verifier import Verifier
from bot.inference.understanding import Live

log = logging.getLogger(__name__)

SURE = 0.995
"""From here on nobody is asked: of the example bots' own questions hardly one is wrong then."""
LIKELY = 0.02
"""Less likely answers are not read."""
FAR = 0.005
"""Less likely for the whole of a message than this, an answer to a question of it is a stranger to it."""
MOST = 3
"""Answers that are read for a message."""
SHARE = 0.5
"""Of what is left of the turn: an answer has to be said, too."""
LEAST_S = 0.3
_OPEN = (UNANSWERED, CLOSE, NOT_SURE)
"""Why nothing was answered, where somebody who reads the answers may know better."""


async def verified(desk: Desk, live: Live, scene: Scene, first: Thought) -> Thought:
    """With the likeliest answers read beside the question, one after the other, where that could change what is
    decided; else the first.
    """
    seen = first.seen
    if desk.verifier is None or seen is None or live.promised is not None:
        return first
    asked, now = seen.read or first.heard.text, desk.clock.monotonic()
    if seen.contextual and leans(asked):
        return first  # "and for a credit card?" is no question that a reader could make sense of
    if desk.verifier.counted and not await desk.purse.allows():
        return first
    reader = _Reader(desk, desk.verifier, live, now + min(desk.limits.verifier_s, SHARE * (scene.due - now)))
    try:
        return await _thought_anew(reader, asked, first)
    finally:
        scene.taken.extend(await desk.purse.settle(reader.bill))


@dataclass(frozen=True, slots=True)
class _Reader:
    desk: Desk
    verifier: Verifier
    live: Live
    until: float
    bill: Bill = field(default_factory=list)

    async def evidence(self, question: str, one: Candidate) -> float | None:
        """As the verifier's; None as well where the time is over, or the answer is nothing to be read."""
        entry = self.live.by_id.get(one.entry)
        said = sayable(entry) if entry is not None else None
        if said is None or self.until - self.desk.clock.monotonic() < LEAST_S:
            return None
        found = await self.verifier.evidence(
            question, said.answer, title=said.question, deadline=self.until, bill=self.bill
        )
        if found is None:
            log.info("an answer was not verified in time")
        return found


async def _thought_anew(reader: _Reader, asked: str, first: Thought) -> Thought:
    """A message that asks several things is also read question by question: ahead of the whole where each has an answer
    of its own, and behind it where nothing answers the whole.
    """
    parts: tuple[Evidence, ...] | None = None
    if first.decision.reason == SEVERAL:
        if (parts := await _read_apart(reader, first)) in (None, first.evidence.parts):
            return first
        each = _decided(reader.desk, first, replace(first.evidence, parts=parts, parts_read=True))
        if each.decision.reason == SEVERAL:
            return each
        # Two answers of which one is beside the point are worse than one: the message is taken as one question.
    alone = replace(first.evidence, parts=())
    evidence, _ = await _read(reader, asked, alone)
    whole = first if evidence is alone and parts is None else _decided(reader.desk, first, evidence)
    if not first.evidence.parts or whole.decision.reason not in _OPEN:
        return whole
    parts = parts or await _read_apart(reader, first)
    return (
        whole
        if parts is None
        else _decided(reader.desk, whole, replace(evidence, parts=parts, parts_read=True))
    )


async def _read_apart(reader: _Reader, first: Thought) -> tuple[Evidence, ...] | None:
    """Each question of a message that asks several, beside its own answers; None where one was not read to the end.

    Taken out of a message a question may seem to be about something else ("and what is the least?"): answers that the
    message does not make one think of are read beside the whole of it.
    """
    found: list[Evidence] = []
    known = {key for key, sure in by_topic(first.evidence.candidates).items() if sure >= FAR}
    whole = first.heard.text
    for part, evidence in zip(questions(whole), first.evidence.parts, strict=True):
        beside = {one.key: part if one.key in known else whole for one in evidence.candidates}
        evidence, ended = await _read(reader, beside, evidence)
        if not ended:
            return None
        found.append(evidence)
    return tuple(found)


async def _read(
    reader: _Reader, beside: str | Mapping[str, str], evidence: Evidence
) -> tuple[Evidence, bool]:
    """With what was read; False where the reader had no opinion and no answer is vouched for by what it said before
    (which counts all the same). `beside`: what is asked, of all answers or by their topics.
    """
    told: dict[str, float] = {}
    weighed, decision = evidence, decide(evidence, reader.desk.policy)
    while (one := _next(evidence, weighed, decision, told)) is not None:
        asked = beside if isinstance(beside, str) else beside[one.key]
        if (found := await reader.evidence(asked, one)) is None:
            return weighed, _vouched(weighed, decision, told)
        told[one.key] = found
        weighed = replace(evidence, candidates=verified_by(told, evidence.candidates))
        decision = decide(weighed, reader.desk.policy)
    return weighed, True


def _next(before: Evidence, now: Evidence, decision: Decision, told: Mapping[str, float]) -> Candidate | None:
    """The answer that should be read next: the one that is about to be said without being sure; then the likeliest that
    nobody read, of those that were likely `before` anything was. Behind one that was read with a Yes, too: a neighbour
    may state it better.
    """
    if not now.candidates or len(told) == MOST:
        return None
    best = now.candidates[0]
    if _says_one(decision) and best.key not in told:
        return best if best.confidence < SURE else None
    reason = getattr(decision, "reason", None)
    if not _vouched(now, decision, told) and (reason not in _OPEN or (reason == CLOSE and now.terse)):
        return None  # what says too little means several things, whoever reads it
    return next((one for one in before.candidates if one.key not in told and one.confidence >= LIKELY), None)


def _vouched(now: Evidence, decision: Decision, told: Mapping[str, float]) -> bool:
    """One answer is about to be said, and it was read."""
    return _says_one(decision) and now.candidates[0].key in told


def _says_one(decision: Decision) -> bool:
    return isinstance(decision, Generate) and len(decision.entries) == 1


def _decided(desk: Desk, first: Thought, evidence: Evidence) -> Thought:
    """Anew, of what was read."""
    assert first.seen is not None
    seen = replace(first.seen, candidates=evidence.candidates, verified=True)
    return replace(first, seen=seen, evidence=evidence, decision=decide(evidence, desk.policy))
