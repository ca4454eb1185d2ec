"""A second reading where the bot is not sure: do the likeliest answers state what is asked for? What comes of it is one
more piece of evidence, and the same rules decide once more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from bot.domain.decision import (
    CLOSE,
    NOT_SURE,
    SEVERAL,
    UNANSWERED,
    Candidate,
    Decision,
    Generate,
    decide,
    least_sure,
)
from bot.domain.followup import leans
from bot.domain.several import questions
from bot.engine.desk import Desk
from bot.engine.evidence import Scene
from bot.engine.passages import sayable
from bot.engine.thought import Thought
from bot.inference.answered import verified_by
from bot.inference.grounding.verifier import Verifier
from bot.inference.understanding import Live

log = logging.getLogger(__name__)

SURE = 0.99
"""From here on nobody is asked: of the example bots' own questions hardly one is wrong then."""
LIKELY = 0.05
"""Less likely answers are not read."""
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
    reader = _Reader(desk, desk.verifier, live, now + min(desk.limits.verifier_s, SHARE * (scene.due - now)))
    if first.decision.reason == SEVERAL:
        if await _each_answered(reader, first):
            return first
        # Two answers of which one is beside the point are worse than one: the message is taken as one question.
        whole = replace(first.evidence, parts=())
        first = replace(
            first, seen=replace(seen, verified=True), evidence=whole, decision=decide(whole, desk.policy)
        )
    told: dict[str, float] = {}
    thought = first
    while (one := _next(thought, told)) is not None:
        evidence = await reader.evidence(asked, one)
        if evidence is None:
            break
        told[one.key] = evidence
        thought = _decided_anew(desk, first, told)
    return thought


@dataclass(frozen=True, slots=True)
class _Reader:
    desk: Desk
    verifier: Verifier
    live: Live
    until: float

    async def evidence(self, question: str, one: Candidate) -> float | None:
        """As the verifier's; None as well where the time is over, or the answer is nothing to be read."""
        entry = self.live.by_id.get(one.entry)
        said = sayable(entry) if entry is not None else None
        if said is None or self.until - self.desk.clock.monotonic() < LEAST_S:
            return None
        found = await self.verifier.evidence(question, said.answer, title=said.question, deadline=self.until)
        if found is None:
            log.info("an answer was not verified in time")
        return found


async def _each_answered(reader: _Reader, first: Thought) -> bool:
    """Whether each question of a message that asks several is still answered once its own answer was read."""
    for text, part in zip(questions(first.heard.text), first.evidence.parts, strict=True):
        best = part.candidates[0]
        if best.exact or best.confidence >= SURE:
            continue
        told = await reader.evidence(text, best)
        if told is None:
            return True
        after = verified_by({best.key: told}, part.candidates)
        if after[0].key != best.key or after[0].confidence < least_sure(part, reader.desk.policy):
            return False
    return True


def _next(thought: Thought, told: dict[str, float]) -> Candidate | None:
    """The answer that should be read next: the one that is about to be said without being sure, and where none is, the
    likeliest that nobody read.
    """
    candidates = thought.evidence.candidates
    if not candidates or len(told) == MOST:
        return None
    if _says_one(thought.decision):
        best = candidates[0]
        return best if best.key not in told and best.confidence < SURE else None
    reason = getattr(thought.decision, "reason", None)
    if reason not in _OPEN or (reason == CLOSE and thought.evidence.terse):
        return None  # what says too little means several things, whoever reads it
    return next((one for one in candidates if one.key not in told and one.confidence >= LIKELY), None)


def _says_one(decision: Decision) -> bool:
    return isinstance(decision, Generate) and len(decision.entries) == 1


def _decided_anew(desk: Desk, first: Thought, told: dict[str, float]) -> Thought:
    assert first.seen is not None
    candidates = verified_by(told, first.seen.candidates)
    weighed = replace(first.evidence, candidates=candidates)
    seen = replace(first.seen, candidates=candidates, verified=True)
    return replace(first, seen=seen, evidence=weighed, decision=decide(weighed, desk.policy))
