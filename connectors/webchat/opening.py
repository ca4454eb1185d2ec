"""From hello to welcome: whose session it is, and what the page is told first."""

from __future__ import annotations

from connectors.errors import Refused
from connectors.port import Status
from connectors.webchat import render
from connectors.webchat.frames import Hello
from connectors.webchat.goodbye import NO_HELLO, Goodbye
from connectors.webchat.house import House
from connectors.webchat.tokens import Session


def session_of(hello: Hello, house: House) -> Session:
    """A new one without a token. Raises `SessionError` for a token that is forged or too old."""
    if hello.token is None:
        return house.tokens.begin()
    return house.tokens.read(hello.token, instance=house.instance)


def greeting(house: House, session: Session, seq: int, status: Status) -> bytes:
    """The welcome frame. Each renews the token."""
    token, expires_at = house.tokens.issue(session, instance=house.instance)
    return render.welcome(
        house.gateway.profile(),
        token=token,
        expires_at=expires_at,
        conversation=session.conversation,
        seq=seq,
        status=status,
        per_minute=house.options.per_minute,
    )


def no_hello() -> Goodbye:
    return Goodbye(NO_HELLO, "no hello", last=render.error(Refused("no_hello", "Say hello first.")))
