"""What every turn works with. Put together once by `bot.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.clock import Clock
from bot.domain.policy import Policy
from bot.engine.purse import Purse
from bot.events import Bus
from bot.inference.generator import Generator
from bot.inference.understanding import Ask, Live, Understanding
from bot.observer import UNOBSERVED, Observer
from bot.store.db import Database


class Mind(Protocol):
    """`bot.inference.host.Host` as the engine sees it."""

    def current(self) -> Live: ...

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding: ...


class Voice(Protocol):
    """The bot folder as the engine sees it: what the bot is called and says."""

    @property
    def languages(self) -> tuple[str, ...]: ...

    def name(self, lang: str) -> str: ...

    def response(self, name: str, lang: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts of a turn."""

    turn_s: float = 8.0
    """After this the customer is told that the answer will take longer."""
    give_up_s: float = 60.0
    """A message that waited this long for the encoder is answered with an apology."""
    generator_s: float = 6.0
    """After this the best stored answer is said instead."""
    history: int = 6
    """Earlier messages that a turn looks at."""


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
