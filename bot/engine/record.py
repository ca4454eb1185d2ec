"""The end of a turn: reply, outbox row and trace in one transaction, then everybody is shown what was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.decision import REFUSE, Answer, Clarify, Decision, Generate, Handoff
from bot.engine.desk import Desk
from bot.engine.draft import Draft
from bot.engine.evidence import Scene
from bot.engine.speak import Said
from bot.inference.grounding.objections import told
from bot.inference.understanding import Live, Understanding
from bot.store import ledger
from bot.store.spending import Spent
from connectors.port import Frame

TRACED_HITS = 5
"""More than are offered to a customer, and as many as anyone reads: a trace is stored with every reply."""

MENDED = "slips mended"
"""Said in a trace where the message was not read as it was typed; a trace quotes no customer."""
RERANKED = "reranked"
"""Said in a trace where a reranker weighed the answers."""
VERIFIED = "verified"
"""Said in a trace where a verifier read the answer."""


@dataclass(frozen=True, slots=True)
class Record:
    """Why the turn ended as it did; `timings` in ms; `bound`: how sure the bot had to be to answer."""

    live: Live
    decision: Decision
    seen: Understanding | None
    timings: Mapping[str, float]
    bound: float


async def commit(desk: Desk, scene: Scene, said: Said, record: Record | None) -> None:
    """Raises Conflict where a person holds the conversation, or the message is answered already."""
    reply = ledger.Reply(
        conversation=scene.conversation,
        seq=scene.seq,
        fence=scene.fence,
        turn=scene.turn,
        messages=(_message(said.draft),),
        attempt=said.attempt,
        trace=_trace(scene, said, record) if record else None,
        lang=scene.heard.lang,
        escalate=said.draft.escalation,
    )
    await _commit(desk, reply)


async def announce_late(desk: Desk, scene: Scene, text: str) -> None:
    """A durable message that the answer will follow; the message stays owed. Raises Conflict."""
    notice = ledger.Draft(text, role="system")
    await _commit(
        desk,
        ledger.Reply(scene.conversation, scene.seq, scene.fence, f"{scene.turn}-late", (notice,), late=True),
    )


async def _commit(desk: Desk, reply: ledger.Reply) -> None:
    now = desk.clock.now()
    committed = await desk.store.write(lambda session: ledger.commit_reply(session, reply, now))
    for message in committed.messages:
        desk.bus.publish(
            Frame("final", reply.conversation, seq=message.seq, turn=reply.turn, message=message)
        )
    if reply.escalate is not None:
        desk.bus.publish(Frame("status", reply.conversation, status=committed.status))


def _message(draft: Draft) -> ledger.Draft:
    return ledger.Draft(
        draft.text,
        quick_replies=draft.quick_replies,
        citations=draft.citations,
        rateable=draft.rateable,
        topic=draft.topic,
    )


def _trace(scene: Scene, said: Said, record: Record) -> ledger.TraceRecord:
    seen, live = record.seen, record.live
    return ledger.TraceRecord(
        release=live.release,
        bundle=live.knowledge,
        decision=f"{kind(record.decision)} by {said.by}",
        reason=_reason(record) + told(said.withheld),
        lang=scene.heard.lang,
        confidence=None if isinstance(record.decision, Handoff) else record.decision.confidence,
        intents=[{"name": i.name, "probability": round(i.probability, 4)} for i in seen.intents]
        if seen
        else (),
        hits=_hits(seen) if seen else (),
        timings={name: round(ms, 2) for name, ms in record.timings.items()},
        contextual=bool(seen and seen.contextual),
        **_taken([*scene.taken, *said.spent]),
        entities=[{"kind": e.kind, "start": e.start, "end": e.end, "source": e.source} for e in seen.entities]
        if seen
        else (),
        bound=record.bound if seen and _weighed(record.decision) else None,
    )


def _taken(spent: Sequence[Spent]) -> dict[str, int]:
    """The sums; nothing where nobody was asked that counts."""
    names = ("prompt_tokens", "completion_tokens", "cost") if spent else ()
    return {name: sum(getattr(one, name) for one in spent) for name in names}


def _reason(record: Record) -> str:
    seen, reason = record.seen, record.decision.reason
    if seen is None:
        return reason
    marks = [MENDED] * bool(seen.read) + [RERANKED] * seen.reranked + [VERIFIED] * seen.verified
    return ", ".join((reason, *marks))


def _weighed(decision: Decision) -> bool:
    """Whether it was made by how sure the bot was of an answer: what is identical or a greeting needs no bound."""
    if isinstance(decision, Answer):
        return decision.response == REFUSE
    return not isinstance(decision, Handoff)


def kind(decision: Decision) -> str:
    """Its name, for traces and for whoever counts."""
    match decision:
        case Answer():
            return "answer"
        case Generate():
            return "generate"
        case Clarify():
            return "clarify"
        case Handoff():
            return "handoff"


def _hits(seen: Understanding) -> list[dict[str, Any]]:
    """Best candidates first. The stored phrasing is ours, not the customer's: it may stand in a trace."""
    found = {hit.entry.id: hit for hit in seen.hits}
    return [
        {
            "id": c.entry,
            "key": c.key,
            "confidence": round(c.confidence, 4),
            "dense": round(found[c.entry].dense, 4),
            "lexical": round(found[c.entry].lexical, 4),
            "coverage": round(found[c.entry].coverage, 4),
            "phrase": found[c.entry].phrase,
        }
        for c in seen.candidates[:TRACED_HITS]
    ]
