"""What happens inside, told to whoever counts. A port: engine, door and store know nothing of metrics."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Called on the event loop, as it happens: returns at once, and never fails. Seconds are monotonic."""

    def received(self, channel: str, *, duplicate: bool) -> None:
        """A customer's message was stored."""
        ...

    def turned(self, outcome: str, *, seconds: float) -> None:
        """A turn ended: answer, generate, clarify, handoff; given_up (no longer the bot's); failed."""
        ...

    def encoded(self, texts: int, *, seconds: float) -> None:
        """One batch went through the encoder."""
        ...

    def written(self, code: str, *, seconds: float) -> None:
        """A unit of work ended: `ok`, the code of a StoreError, or `failed` for what the unit itself refused."""
        ...

    def switched(self, end: str) -> None:
        """Another release went live (`done`), or was to and cannot serve (`failed`)."""
        ...


class Unobserved:
    """Nobody counts."""

    def received(self, channel: str, *, duplicate: bool) -> None: ...

    def turned(self, outcome: str, *, seconds: float) -> None: ...

    def encoded(self, texts: int, *, seconds: float) -> None: ...

    def written(self, code: str, *, seconds: float) -> None: ...

    def switched(self, end: str) -> None: ...


UNOBSERVED = Unobserved()
