"""What handlers work with, and one request's call of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.api.access import Rows
from bot.api.waits import Waits
from bot.definition import Checks
from bot.engine.desk import Desk
from connectors.port import Gateway


@dataclass(frozen=True, slots=True)
class About:
    """What does not change while the server runs."""

    version: str
    python: str
    started_at: datetime
    channels: tuple[str, ...]
    """Instances of bot.yml."""


@dataclass(frozen=True, slots=True)
class House:
    desk: Desk
    gateway: Gateway
    waits: Waits
    about: About
    new_checks: Callable[[], Checks]
    """The bot folder's rules for a row of knowledge, for one request's rows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a caller who may ask."""

    house: House
    rows: Rows

    @property
    def desk(self) -> Desk:
        return self.house.desk
