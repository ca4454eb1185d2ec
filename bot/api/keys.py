"""Who asks: bearer keys of the setting KEFU_API_KEYS."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from aiohttp import hdrs, web

from bot.api.access import Caller
from bot.api.errors import RequestError

_SCHEME = "Bearer"


class Keys:
    """Kept as digests: of one length, compared in constant time, and of no use to who sees them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def caller(self, request: web.Request) -> Caller:
        """Raises RequestError: 403 where no key is set, 401 where none of them is shown."""
        if not self._digests:
            raise RequestError(403, "api_closed", "The API is closed. The setting KEFU_API_KEYS opens it.")
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        shown = _digest(key.strip()) if scheme.casefold() == _SCHEME.casefold() else b""
        # Every key is compared: how long it takes says nothing of which one is close.
        known = [digest for digest in self._digests if hmac.compare_digest(digest, shown)]
        if not known:
            raise RequestError(
                401,
                "unauthorized",
                "Show a key of KEFU_API_KEYS: `Authorization: Bearer KEY`.",
                headers={hdrs.WWW_AUTHENTICATE: _SCHEME},
            )
        return Caller(f"key {hashlib.sha256(known[0]).hexdigest()[:8]}")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
