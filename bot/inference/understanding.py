"""From vectors to evidence: intents, hits and calibrated candidates. Runs in the encoder's thread; touches no I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from bot.domain.decision import HANDOFF, SOCIAL, Candidate, IntentScore
from retrieval.bundle import Bundle
from retrieval.embed import Vectors
from retrieval.search import search
from retrieval.text import tokens
from retrieval.types import Entry, Hit, Query
from training.apply import FLOOR, HITS, OUT_OF_SCOPE, Heads, Reading, candidate_features

TOP_INTENTS = 3
CLEAR = 0.6
"""A short message that stands on its own this well is not read as the continuation of another."""
FOREIGN = 0.85
"""A fragment that is surely out of scope ("what is the weather") continues nothing."""
JOINED_SHARE = 0.8
LEANING_LOGIT = 3.0
"""Added to the log-odds of answers to a message that leans. The calibrator saw only messages that stand alone; the
contextual form, two messages in one, looks less like any stored question. Chosen on the example bank's dialogues."""
SPOKEN = (*SOCIAL, HANDOFF)
SPOKEN_SURELY = 0.8


@dataclass(frozen=True, slots=True)
class Live:
    """One release and one bundle: what a whole turn is pinned to."""

    release: str
    heads: Heads
    bundle: Bundle
    by_id: Mapping[str, Entry] = field(repr=False)
    """The bundle's entries by the database's ids."""

    @property
    def knowledge(self) -> str:
        """Name of the bundle, for traces."""
        return f"{self.bundle.revision}-{self.bundle.encoder_fingerprint[:12]}"


@dataclass(frozen=True, slots=True)
class Ask:
    """A message as understanding sees it. `contextual`: its form with the question before, where it may lean."""

    text: str
    lang: str
    on: date
    contextual: str | None = None
    leaning: bool = False
    """It bears a sign that it leans: both forms are encoded in one forward. Else the contextual form is made only
    where the message says too little by itself."""
    answered_key: str | None = None
    """Topic of the answer before: a message that leans on it asks for something else."""

    @property
    def texts(self) -> list[str]:
        """What is encoded in the first forward, as a rule the only one."""
        return [self.text, self.contextual] if self.contextual and self.leaning else [self.text]


@dataclass(frozen=True, slots=True)
class Understanding:
    """Evidence with what the trace keeps. Intents and candidates come best first."""

    intents: tuple[IntentScore, ...]
    candidates: tuple[Candidate, ...]
    hits: tuple[Hit, ...]
    contextual: bool
    out_of_scope: float = 0.0
    """Probability that nothing the bot knows is meant."""

    @property
    def best(self) -> float:
        return self.candidates[0].confidence if self.candidates else 0.0


def understand(live: Live, ask: Ask, vectors: Vectors) -> Understanding:
    """`vectors`: float32 [1 or 2, dim], of `ask.texts`."""
    plain = _read(live, ask, ask.text, vectors[0])
    return in_context(live, ask, plain, vectors[1]) if len(vectors) > 1 and not _settled(plain) else plain


def needs_context(ask: Ask, plain: Understanding) -> bool:
    """A fragment that says too little by itself is read together with the question before."""
    unclear = plain.best < CLEAR and plain.out_of_scope < FOREIGN
    return bool(ask.contextual) and not ask.leaning and not _settled(plain) and unclear


def in_context(live: Live, ask: Ask, plain: Understanding, vector: Vectors) -> Understanding:
    """`plain` and the contextual form, weighed together. `vector`: float32 [dim], of the contextual form."""
    assert ask.contextual is not None
    joined = _read(live, ask, ask.contextual, vector)
    hits = tuple({hit.entry.id: hit for hit in (*plain.hits, *joined.hits)}.values())
    candidates = _continued(joined, plain, ask.answered_key)
    other = replace(joined, contextual=True, candidates=candidates, hits=hits)
    return plain if plain.best >= CLEAR and plain.best >= other.best else other


def _settled(seen: Understanding) -> bool:
    """Nothing before it could change what an identical question or a "thanks" means."""
    return bool(seen.hits and seen.hits[0].exact) or _is_social(seen)


def _is_social(seen: Understanding) -> bool:
    """A "thanks, that is all" leans on nothing."""
    return (
        bool(seen.intents) and seen.intents[0].name in SPOKEN and seen.intents[0].probability >= SPOKEN_SURELY
    )


def _continued(joined: Understanding, plain: Understanding, answered: str | None) -> tuple[Candidate, ...]:
    """Candidates of both forms, without the topic that was answered before: who asks on asks for something else."""
    alone = {c.entry: c.confidence for c in plain.candidates}
    together = {c.entry: c.confidence for c in joined.candidates}
    found = {c.entry: c for c in (*plain.candidates, *joined.candidates) if c.key != answered}
    sure = [
        replace(c, confidence=_weighed(together.get(e, 0.0), alone.get(e, 0.0)), exact=False)
        for e, c in found.items()
    ]
    return tuple(sorted(sure, key=lambda c: -c.confidence))


def _weighed(together: float, alone: float) -> float:
    """Probability from both forms' log-odds; continuing a conversation makes an answer likelier."""
    logit = JOINED_SHARE * _logit(together) + (1.0 - JOINED_SHARE) * _logit(alone) + LEANING_LOGIT
    return 1.0 / (1.0 + math.exp(-logit))


def _logit(probability: float) -> float:
    p = min(max(probability, FLOOR), 1.0 - FLOOR)
    return math.log(p / (1.0 - p))


def _read(live: Live, ask: Ask, text: str, vector: Vectors) -> Understanding:
    [reading] = live.heads.read(vector[None], [text])
    hits = tuple(search(live.bundle, Query(text, vector, ask.lang, ask.on), k=HITS))
    return Understanding(
        tuple(IntentScore(*pair) for pair in reading.intents.top(TOP_INTENTS)),
        _candidates(live, hits, reading, terms=len(tokens(text)), lang=ask.lang),
        hits,
        contextual=False,
        out_of_scope=reading.intents.get(OUT_OF_SCOPE),
    )


def _candidates(
    live: Live, hits: tuple[Hit, ...], reading: Reading, *, terms: int, lang: str
) -> tuple[Candidate, ...]:
    """By calibrated confidence; an identical question stays first whatever the numbers say."""
    sure = [0.0] * len(hits)
    if live.heads.calibrator is not None and hits:
        features = candidate_features(hits, reading=reading, terms=terms, lang=lang)
        sure = [float(c) for c in live.heads.calibrator.confidence(features)]
    found = [
        Candidate(h.entry.id, h.entry.key, h.entry.intent, c, h.exact)
        for h, c in zip(hits, sure, strict=True)
    ]
    return tuple(sorted(found, key=lambda c: (not c.exact, -c.confidence)))
