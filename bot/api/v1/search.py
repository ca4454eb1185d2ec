"""/search: what the bot would find for a text, with its scores and what it would do. Nothing is stored."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import PLAIN, Data, Given, Shown
from bot.api.v1.knowledge import Lang
from bot.domain.decision import Candidate, Decision, Handoff
from bot.engine.probe import Probe, probe
from bot.engine.record import kind
from connectors.port import MAX_TEXT
from retrieval.types import Hit

ROUTES = Routes("search", "What the bot would find for a text.")


class SearchText(Given):
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=PLAIN)]
    lang: Lang | None = Field(None, description="Where the text's script does not tell the language.")


class LikelyIntent(Shown):
    name: str
    probability: float


class Found(Shown):
    """One candidate with all evidence. Scores of different kinds are not comparable with one another."""

    id: str
    key: str
    lang: str
    question: str
    phrase: str = Field(description="The stored phrasing that matched best.")
    confidence: float = Field(description="Calibrated probability that it is the right answer; what decides.")
    score: float = Field(description="Fused, for ranking alone.")
    dense: float = Field(description="Cosine of the best phrasing.")
    lexical: float = Field(description="BM25 of the best phrasing.")
    coverage: float = Field(description="Share of the text's lexical weight that the phrasing holds.")
    passage: float = Field(description="Cosine of title and answer.")
    exact: bool = Field(description="The text is the stored question, word for word.")


class SearchResult(Shown):
    lang: str
    decision: str = Field(description="What the bot would do: answer, generate, clarify or handoff.")
    reason: str
    confidence: float | None
    out_of_scope: float = Field(description="Probability that nothing the bot knows is meant.")
    intents: list[LikelyIntent]
    candidates: list[Found] = Field(description="Best first.")
    release: str
    revision: int = Field(description="Knowledge revision that was searched.")


@ROUTES.post("/search")
async def search_knowledge(call: Call, body: SearchText) -> Data[SearchResult]:
    """Show what the bot would find for a text, and what it would do."""
    found = await probe(call.desk, body.text, locale=body.lang)
    return Data(
        data=SearchResult(
            lang=found.lang,
            decision=kind(found.decision),
            reason=found.decision.reason,
            confidence=_confidence(found.decision),
            out_of_scope=found.seen.out_of_scope if found.seen else 0.0,
            intents=[LikelyIntent.model_validate(i) for i in found.seen.intents] if found.seen else [],
            candidates=_candidates(found),
            release=found.live.release,
            revision=found.live.bundle.revision,
        )
    )


def _confidence(decision: Decision) -> float | None:
    return None if isinstance(decision, Handoff) else decision.confidence


def _candidates(found: Probe) -> list[Found]:
    if found.seen is None:
        return []
    hits = {hit.entry.id: hit for hit in found.seen.hits}
    return [_found(candidate, hits[candidate.entry]) for candidate in found.seen.candidates]


def _found(candidate: Candidate, hit: Hit) -> Found:
    scores = {name: getattr(hit, name) for name in ("score", "dense", "lexical", "coverage", "passage")}
    return Found(
        id=candidate.entry,
        key=candidate.key,
        lang=hit.entry.lang,
        question=hit.entry.question,
        phrase=hit.phrase,
        confidence=candidate.confidence,
        exact=hit.exact,
        **scores,
    )
