"""A circuit breaker: whoever failed again and again is left alone for a while, and then tried once.

    closed --failures in a row--> open --rest is over--> one trial --done--> closed
                                    ^------------------- failed, longer rest

One of our own: the one library that is kept up and knows asyncio lets everybody in at once where one trial is
meant, and takes no clock.
"""

from __future__ import annotations

from collections.abc import Callable

FAILURES = 5
"""In a row."""
FIRST_REST_S, MOST_REST_S = 5.0, 60.0
"""A rest doubles with each trial that fails."""


class Breaker:
    """Used on one event loop. `told(open)`: called as it opens and closes. `now`: seconds, monotonic."""

    def __init__(self, now: Callable[[], float], told: Callable[[bool], None] = lambda _: None) -> None:
        self._now, self._told = now, told
        self._age = 0
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._until: float | None = None
        self._trial = False

    @property
    def is_open(self) -> bool:
        return self._until is not None

    def admit(self) -> int | None:
        """A ticket to report the outcome with, exactly once; None: not now."""
        if self._until is not None:
            if self._trial or self._now() < self._until:
                return None
            self._trial = True
        return self._age

    def succeeded(self, ticket: int) -> None:
        if ticket != self._age:
            return
        self._failures = 0
        if self._until is not None:
            self._until, self._trial, self._rest_s = None, False, FIRST_REST_S
            self._age += 1
            self._told(False)

    def failed(self, ticket: int, *, rest_s: float | None = None) -> None:
        """`rest_s`: it asked to be left alone for so long, which counts whatever came before."""
        if ticket != self._age:
            return
        self._failures += 1
        if self._until is not None:
            self._rest_s = min(2 * self._rest_s, MOST_REST_S)
        elif self._failures < FAILURES and rest_s is None:
            return
        was_open, self._trial = self.is_open, False
        self._until = self._now() + (self._rest_s if rest_s is None else rest_s)
        self._age += 1  # what was admitted before says nothing of what comes after
        if not was_open:
            self._told(True)

    def released(self, ticket: int) -> None:
        """Nothing was learned: the customer left."""
        if ticket == self._age:
            self._trial = False
