"""The few numbers that decide. All are calibrated probabilities, never raw similarities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

NEVER = 2.0
"""A bound above every probability: nothing is answered under it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds between 0 and 1, each settable under `policy:` in bot.yml."""

    answer: float = 0.25
    """At least this sure that the best candidate is right: say it, or ask whether it is meant where the bot's own texts
    taught it to be surer (`training.answerable`) or its promise has a bound.
    """
    clarify: float = 0.2
    """At least this sure of each of several candidates, and of none enough: ask which."""
    close: float = 0.8
    """The runner-up's probability as a share of the best's, from which on two answers count as close."""
    terse_clarify: float = 0.05
    terse_close: float = 0.12
    """The same two for a message that says so little that it may mean several things."""
    social: float = 0.5
    """Probability of a greeting, thanks or the like from which on it is answered as such."""
    scope: float = 0.4
    """Probability of being out of scope from which on a terse message is refused instead of asked about."""
    foreign: float = 0.85
    """Probability of being out of scope from which on even a likely answer is refused, unless it is surer than that."""
    handoff: float = 0.6
    """Probability of 'a person, please' from which on it is believed."""

    def override(self, numbers: Mapping[str, float]) -> Policy:
        known = {f.name for f in fields(self)}
        return replace(self, **{k: v for k, v in numbers.items() if k in known})
