"""Signed sessions: a token names one conversation of one channel instance, and grows too old."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from connectors.errors import Refused

LIFETIME = timedelta(days=30)
_SALT = b"kefu.webchat.session.v1"
_SHORTEST_KEY = 32


class SessionError(Refused):
    """`session_invalid` or `session_expired`: say hello without a token."""


@dataclass(frozen=True, slots=True)
class Session:
    """`conversation` is the public id; `id` is what message ids are unique within. 128 random bits each."""

    conversation: str
    id: str


class _Signer(TimestampSigner):
    def __init__(self, *args: Any, clock: Callable[[], float], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class Tokens:
    """HMAC-SHA256 by itsdangerous. `keys[0]` signs, all of them verify: put a new key in front to rotate.

    `clock` gives seconds since 1970. Raises ValueError for keys of fewer than 32 characters.
    """

    def __init__(
        self,
        keys: Sequence[str],
        *,
        lifetime: timedelta = LIFETIME,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not keys or any(len(key) < _SHORTEST_KEY for key in keys):
            raise ValueError(
                f"A signing key has at least {_SHORTEST_KEY} characters: take secrets.token_urlsafe(32)."
            )
        self._lifetime = lifetime
        self._clock = clock
        self._serializer = URLSafeTimedSerializer(
            list(reversed(keys)),  # itsdangerous signs with the last one
            salt=_SALT,
            signer=_Signer,
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac", "clock": clock},
        )

    def begin(self) -> Session:
        return Session(secrets.token_urlsafe(16), secrets.token_urlsafe(16))

    def issue(self, session: Session, *, instance: str) -> tuple[str, datetime]:
        """The token, and when it will be too old."""
        signed = self._serializer.dumps([instance, session.conversation, session.id])
        expires_at = datetime.fromtimestamp(int(self._clock()), UTC) + self._lifetime
        return str(signed), expires_at

    def read(self, token: str, *, instance: str) -> Session:
        """Raises `SessionError`. A token of another instance is invalid here."""
        try:
            payload, signed_at = self._serializer.loads(token, return_timestamp=True)
        except (BadData, ValueError):  # ValueError: text that is not UTF-8 at all
            raise _invalid() from None
        # Compared here and not by itsdangerous, which takes a clock set back by a second for an expiry.
        if self._clock() - signed_at.timestamp() > self._lifetime.total_seconds():
            raise SessionError("session_expired", "The session is too old: say hello without a token.")
        match payload:
            case [str(where), str(conversation), str(name)] if where == instance:
                return Session(conversation, name)
            case _:
                raise _invalid()


def _invalid() -> SessionError:
    return SessionError("session_invalid", "The token is not one of ours: say hello without a token.")
