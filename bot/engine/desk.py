"""What every turn works with. Put together once by `bot.app`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.clock import Clock
from bot.domain.policy import Policy
from bot.engine.answers import Answers
from bot.engine.purse import Purse
from bot.events import Bus
from bot.inference.generator import Generator, Rewriter
from bot.inference.grounding.verifier import Verifier
from bot.inference.understanding import Ask, Live, Understanding
from bot.observer import UNOBSERVED, Observer
from bot.store.db import Database

TERMINAL, TEST = "terminal", "test"
"""Channels of the house itself: `kefu chat`, and questions that are put to the bot to judge it."""


class Mind(Protocol):
    """`bot.inference.host.Host` as the engine sees it."""

    def current(self) -> Live: ...

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding: ...


class Voice(Protocol):
    """The bot folder as the engine sees it: what the bot is called and says."""

    @property
    def languages(self) -> tuple[str, ...]: ...

    def name(self, lang: str) -> str: ...

    def persona(self, lang: str) -> str:
        """How it speaks; empty where the folder says nothing of it."""
        ...

    def response(self, name: str, lang: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts of a turn."""

    turn_s: float = 8.0
    """So long after a message was accepted the customer is told that the answer will take longer."""
    by_channel: Mapping[str, float] = field(default_factory=dict)
    """The same where a channel has a time of its own, by its instance."""
    give_up_s: float = 60.0
    """A message that waited this long for the encoder is answered with an apology."""
    generator_s: float = 6.0
    """A generator may take so long, and no longer than is left of the turn; then the best stored answer is said."""
    verifier_s: float = 4.0
    """A verifier may read so long; then nothing comes of it."""
    history: int = 6
    """Earlier messages that a turn looks at."""

    def deadline(self, channel: str) -> float:
        return self.by_channel.get(channel, self.turn_s)


@dataclass(frozen=True, slots=True)
class Desk:
    store: Database
    mind: Mind
    generator: Generator
    voice: Voice
    bus: Bus
    clock: Clock
    policy: Policy
    limits: Limits
    purse: Purse
    observer: Observer = UNOBSERVED
    rewriter: Rewriter | None = None
    """Says follow-ups anew that are not understood; None: nobody does."""
    verifier: Verifier | None = None
    """Reads the answers that the bot is not sure of; None: nobody does."""
    answers: Answers = field(default_factory=Answers)
    audiences: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By channel: who its customers are."""

    def audience(self, channel: str) -> frozenset[str] | None:
        """Who hears what is said on a channel; the house itself hears everything: None."""
        return None if channel in (TERMINAL, TEST) else self.audiences.get(channel, frozenset())
