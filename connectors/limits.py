"""How much one key may say: a token bucket kept as one number (GCRA), in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from connectors.errors import Overloaded

KEYS = 50_000
"""Keys remembered; the one that spoke longest ago is forgotten first. About 150 bytes each."""
FRAMES_PER_MINUTE = 3_000
FRAMES_BURST = 200
"""Any frames of one socket; above that its reading slows down, without an error."""

_ROUNDING = 1e-6


class RateLimit:
    """`per_minute` events for each key, `burst` at once. 0 a minute: no limit.

    What is kept for a key is the moment its bucket will be full again.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        burst: int,
        keys: int = KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._slack = (burst - 1) * self._interval
        self._keys = keys
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until `key` may speak; 0.0 is now. Asking costs nothing."""
        ahead = self._full_at.get(key, 0.0) - self._clock() - self._slack
        return ahead if self._interval and ahead > _ROUNDING else 0.0

    def spend(self, key: str) -> None:
        if not self._interval:
            return
        now = self._clock()
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._interval
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)

    def __len__(self) -> int:
        return len(self._full_at)


class Allowance(Protocol):
    """What a channel's options say: of one session and of one address, in a minute and at once. 0: no limit."""

    @property
    def per_minute(self) -> int: ...
    @property
    def burst(self) -> int: ...
    @property
    def peer_per_minute(self) -> int: ...
    @property
    def peer_burst(self) -> int: ...


class Limits:
    """Of one channel instance: by session, and by address since sessions are free to open."""

    def __init__(self, options: Allowance, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = RateLimit(options.per_minute, burst=options.burst, clock=clock)
        self._peer = RateLimit(options.peer_per_minute, burst=options.peer_burst, clock=clock)
        self._frames = RateLimit(FRAMES_PER_MINUTE, burst=FRAMES_BURST, clock=clock)

    def take(self, session: str, *, peer: str) -> None:
        """For what is stored. Raises `Overloaded` with `retry_after`; a refused try costs nothing."""
        wait = max(self._session.wait(session), self._peer.wait(peer))
        if wait:
            raise Overloaded("rate_limited", "Too much at once: wait a moment.", retry_after=wait)
        self._session.spend(session)
        self._peer.spend(peer)

    def pause(self, who: str) -> float:
        """For any frame: seconds for which the reader should not read on."""
        self._frames.spend(who)
        return self._frames.wait(who)
