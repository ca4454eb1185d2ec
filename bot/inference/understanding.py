"""From vectors to evidence: intents, hits and calibrated candidates. Runs in the encoder's thread; touches no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Protocol

import numpy as np

from bot.domain.decision import HANDOFF, SOCIAL, Candidate, IntentScore, by_topic
from bot.domain.followup import contextual
from bot.domain.policy import NEVER
from bot.inference.answered import answered, learned_by
from bot.inference.child import Progress
from bot.inference.continuing import Going, continued
from bot.inference.door import Door
from retrieval.bundle import Bundle
from retrieval.embed import Tokens, Vectors
from retrieval.search import search_all
from retrieval.slips.mender import Mender, Read
from retrieval.text import tokens
from retrieval.types import Entry, Hit, Query
from training.apply import HITS, OUT_OF_SCOPE, Found, Groups, Heads, candidate_features
from training.entities.entity import Entity
from training.entities.finder import NOTHING_NAMED, Finder
from training.lesson import LessonHeads
from training.promise import Promised

TOP_INTENTS = 3
CLEAR = 0.9
"""A message without a sign that it leans which is this clear by itself is not read as the continuation of another."""
FOREIGN = 0.7
"""One that is this surely out of scope ("what is the weather") is none either."""
LIKELY = 0.5
"""What one is by itself, likelier than not, it does not cease to be for what was said before it."""
SPOKEN = (*SOCIAL, HANDOFF)
SPOKEN_SURELY = 0.9
"""Less sure ones are read in context as well: 能用几年 looks like a question about the bot."""


class Reads(Protocol):
    """The encoder that serves, as whoever is live holds it: `bot.inference.reader.Reader`."""

    fingerprint: str
    door: Door

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding: ...

    async def embed(self, texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Live:
    """One release and one bundle: what a whole turn is pinned to. As long as anybody holds it, its reader serves."""

    name: str
    """Of the release in the registry."""
    reader: Reads = field(repr=False)
    heads: Heads
    bundle: Bundle
    by_id: Mapping[str, Entry] = field(repr=False)
    """The bundle's entries by the database's ids."""
    finder: Finder = field(default=NOTHING_NAMED, repr=False)
    mender: Mender | None = field(default=None, repr=False)
    """Of slips, by the words of these answers and examples; None: all is read as it was typed."""

    @classmethod
    def of(
        cls,
        name: str,
        reader: Reads,
        heads: Heads,
        bundle: Bundle,
        *,
        finder: Finder = NOTHING_NAMED,
        mender: Mender | None = None,
    ) -> Live:
        by_id = {entry.id: entry for entry in bundle.entries}
        return cls(name, reader, heads, bundle, by_id, finder, mender)

    @property
    def release(self) -> str:
        """Name of the release and of the heads that it has for these answers, for traces."""
        return f"{self.name}/{self.heads.name}"

    @property
    def promised(self) -> Promised | None:
        """What the heads keep; None where the bot promises nothing."""
        return self.heads.promised if isinstance(self.heads, LessonHeads) else None

    def bound(self, lang: str) -> float | None:
        """How sure the bot must be to answer in this language, by its promise; None where it makes none."""
        if self.promised is None:
            return None
        at = self.promised.bound(lang).at
        return NEVER if at is None else at

    def least(self, lang: str) -> float:
        """How sure the bot must be to answer in this language, by what its own texts say; 0 where they say nothing."""
        learned = learned_by(self.heads)
        return 0.0 if learned is None else learned.at_least(lang)

    def read(self, text: str) -> Read | None:
        """What a customer meant to write; None where that is what was typed. What stands in the knowledge word for word
        is no slip.
        """
        found = None if self.mender is None else self.mender.read(text)
        return None if found is None or self.bundle.exact_rows(text) else found

    def understand(
        self, asks: Sequence[Ask], vectors: Sequence[Vectors], tokens: Sequence[Tokens | None] = ()
    ) -> list[Understanding]:
        """`vectors`: float32 [1 or 2, dim] for each: of the message, and of `ask.previous` where there is one.
        `tokens`: of the message, where the finder wants them.
        """
        seen = _read(self, asks, [ask.said for ask in asks], [v[0] for v in vectors])
        again = [n for n, ask in enumerate(asks) if _needs_context(ask, seen[n])]
        forms = [contextual(asks[n].previous or "", asks[n].said) for n in again]
        joined = _read(self, [asks[n] for n in again], forms, [_both(vectors[n]) for n in again])
        for place, other in zip(again, joined, strict=True):
            seen[place] = _continued(asks[place], seen[place], other, self.bundle)
        told = tokens or [None] * len(asks)
        named = self.finder.find_all(
            [(ask.text, _as_typed(own, ask.read), ask.on) for ask, own in zip(asks, told, strict=True)]
        )
        return [
            replace(one, entities=found, read=ask.read.text if ask.read else None)
            if found or ask.read
            else one
            for one, found, ask in zip(seen, named, asks, strict=True)
        ]

    @property
    def knowledge(self) -> str:
        """Name of the bundle, for traces."""
        return f"{self.bundle.revision}-{self.bundle.encoder_fingerprint[:12]}"


@dataclass(frozen=True, slots=True)
class Ask:
    """A message as understanding sees it. `previous`: the question before, where this one may lean on it."""

    text: str
    lang: str
    on: date
    previous: str | None = None
    leaning: bool = False
    """It bears a sign that it leans. Else it is read in context only where it says too little by itself."""
    answered_key: str | None = None
    """Topic of the answer before: a message that leans on it asks for something else."""
    audience: frozenset[str] | None = None
    """Who asks: answers that are for others alone are not found. None: nothing is left out."""
    read: Read | None = None
    """What the message was meant to say, where slips in it were mended. `previous` stands here as it is read."""

    @property
    def said(self) -> str:
        """What is understood."""
        return self.text if self.read is None else self.read.text


@dataclass(frozen=True, slots=True)
class Understanding:
    """Evidence with what the trace keeps. Intents and candidates come best first."""

    intents: tuple[IntentScore, ...]
    candidates: tuple[Candidate, ...]
    hits: tuple[Hit, ...]
    contextual: bool
    out_of_scope: float = 0.0
    """Probability that nothing the bot knows is meant."""
    entities: tuple[Entity, ...] = ()
    """What the message names, in its order; of the message alone, whatever it leans on."""
    read: str | None = None
    """What the message was read as, where slips in it were mended."""
    reranked: bool = False
    """Whether a reranker weighed the candidates."""
    verified: bool = False
    """Whether a verifier read the first one."""
    vector: Vectors | None = field(default=None, repr=False, compare=False)
    """float32 [dim], of the text that was understood."""

    @property
    def settled(self) -> bool:
        """Nothing could change what an identical question or a "thanks, that is all" means."""
        return bool(self.hits and self.hits[0].exact) or self.social >= SPOKEN_SURELY

    @property
    def social(self) -> float:
        """How likely it is of those that no answer is looked for to, where that is likeliest; else 0."""
        first = self.intents[0] if self.intents else None
        return first.probability if first is not None and first.name in SPOKEN else 0.0

    @property
    def best(self) -> float:
        return self.candidates[0].confidence if self.candidates else 0.0

    @property
    def topics(self) -> dict[str, float]:
        """How likely each topic is meant."""
        return by_topic(self.candidates)

    @property
    def known(self) -> float:
        """That one of the candidates is right. "I lost my card" is clear, though not which card."""
        return sum(self.topics.values())


def _as_typed(tokens: Tokens | None, read: Read | None) -> Tokens | None:
    """Tokens of what was read, at their places in what was typed."""
    if tokens is None or read is None or not len(tokens.places):
        return tokens
    came = np.array(read.came, dtype=np.int32)
    first, last = (tokens.places - np.array([0, 1], dtype=np.int32)).clip(0, len(came) - 1).T
    return Tokens(np.stack([came[first], came[last] + 1], axis=1), tokens.states)


def _needs_context(ask: Ask, plain: Understanding) -> bool:
    """A message that leans, or a short one that is not clear by itself, is read with the question before."""
    if ask.previous is None or plain.settled:
        return False
    return ask.leaning or (plain.best < CLEAR and plain.out_of_scope < FOREIGN)


def _both(vectors: Vectors) -> Vectors:
    """float32 [2, dim] -> [dim]: two messages as one. No worse than encoding them in one text, which would be a second
    forward: the examples' questions come out the same (51 of 60, 44 of 52 and 47 of 60).
    """
    both = vectors.sum(axis=0)
    found: Vectors = both / np.linalg.norm(both)
    return found


def _continued(ask: Ask, plain: Understanding, joined: Understanding, bundle: Bundle) -> Understanding:
    """What both readings come to. A "hello again" that is a greeting sooner than anything else stays one, and a lost
    card is lost, whatever limit was spoken of before.
    """
    hits = tuple({hit.entry.id: hit for hit in (*plain.hits, *joined.hits)}.values())
    going = Going(
        ask.said, ask.lang, ask.answered_key, plain.candidates, joined.candidates, plain.out_of_scope
    )
    found = continued(going, bundle)
    other = replace(joined, contextual=True, candidates=found, hits=hits)
    stands = not ask.leaning and other.best < LIKELY <= plain.best
    return plain if stands or plain.social > other.best else other


def _read(
    live: Live, asks: Sequence[Ask], texts: Sequence[str], vectors: Sequence[Vectors]
) -> list[Understanding]:
    """What each text says by itself, in the language and on the day of its ask. `vectors`: float32 [dim] for each."""
    if not texts:
        return []
    readings = live.heads.read(np.stack(vectors), texts)
    queries = [
        Query(t, v, ask.lang, ask.on, ask.audience) for ask, t, v in zip(asks, texts, vectors, strict=True)
    ]
    hits = search_all(live.bundle, queries, k=HITS)
    found = [
        Found(own, reading, len(tokens(query.text)), query.lang or "")
        for query, reading, own in zip(queries, readings, hits, strict=True)
    ]
    sure = iter(_sure(live, texts, found).tolist())
    return [
        _understanding(query, one, list(islice(sure, len(one.hits))))
        for query, one in zip(queries, found, strict=True)
    ]


def _sure(live: Live, texts: Sequence[str], found: Sequence[Found]) -> Vectors:
    """float32 [hits]: how sure the bot is of each, one text after the other; 0 without a calibrator."""
    if live.heads.calibrator is None:
        return np.zeros(sum(len(text.hits) for text in found), dtype=np.float32)
    features = candidate_features(found)
    keys = [[hit.entry.key for hit in text.hits] for text in found]
    foreign = np.array([text.reading.foreignness for text in found], dtype=np.float32)
    sure = live.heads.calibrator.confidence(features, Groups.of(keys, foreign))
    if (learned := learned_by(live.heads)) is None:
        return sure
    return answered(learned, live.bundle.contents.lexical, texts, found, features=features, sure=sure)


def _understanding(query: Query, text: Found, sure: Sequence[float]) -> Understanding:
    intents = text.reading.intents
    return Understanding(
        tuple(IntentScore(*pair) for pair in intents.top(TOP_INTENTS)),
        _candidates(text.hits, sure),
        tuple(text.hits),
        contextual=False,
        out_of_scope=intents.get(OUT_OF_SCOPE),
        vector=query.vector,
    )


def _candidates(hits: Sequence[Hit], sure: Sequence[float]) -> tuple[Candidate, ...]:
    """By calibrated confidence; an identical question stays first whatever the numbers say."""
    found = [
        Candidate(h.entry.id, h.entry.key, h.entry.intent, c, h.exact)
        for h, c in zip(hits, sure, strict=True)
    ]
    return tuple(sorted(found, key=lambda c: (not c.exact, -c.confidence)))
