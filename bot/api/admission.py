"""Who may ask, and how much."""

from __future__ import annotations

from aiohttp import hdrs, web

from bot.api.access import Rows
from bot.api.errors import RequestError
from bot.api.house import Call, House
from bot.api.keys import Keys
from connectors.limits import RateLimit


class Admission:
    """By key; `per_minute` requests of each, a sixth of them at once. 0: no limit."""

    def __init__(self, house: House, keys: Keys, *, per_minute: int) -> None:
        self._house, self._keys = house, keys
        self._limit = RateLimit(per_minute, burst=max(1, per_minute // 6))

    def __call__(self, request: web.Request) -> Call:
        """Raises RequestError: 401, 403, 429."""
        caller = self._keys.caller(request)
        if wait := self._limit.wait(caller.name):
            headers = {hdrs.RETRY_AFTER: str(int(wait) + 1)}
            raise RequestError(429, "rate_limited", "Too much at once: wait a moment.", headers=headers)
        self._limit.spend(caller.name)
        desk = self._house.desk
        return Call(self._house, Rows(desk.store, desk.clock, caller))
