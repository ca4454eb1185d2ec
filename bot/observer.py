"""What happens inside, told to whoever counts. A port: engine, door and store know nothing of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Generation:
    """One request to a generator server. `end`: done, given_up (nobody listened any more), or what went wrong.

    Tokens are the server's own count; where it did not say, 0 of the prompt and the pieces of text that came.
    """

    server: str
    model: str
    end: str
    prompt_tokens: int
    completion_tokens: int
    first_s: float | None
    """Seconds until the first piece; None: there was none."""
    cost: int = 0
    """Millionths of what prices are in; 0 where the server has none."""


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

    def generated(self, generation: Generation) -> None:
        """A request to a generator server ended."""
        ...

    def rests(self, server: str, model: str, resting: bool) -> None:
        """A generator server is asked nothing for a while, or is asked again."""
        ...

    def fell_back(self) -> None:
        """The generator failed, and the stored answer was said."""
        ...

    def said_again(self) -> None:
        """What was composed for the same question before was said, and no generator asked."""
        ...


class Unobserved:
    """Nobody counts."""

    def received(self, channel: str, *, duplicate: bool) -> None: ...

    def turned(self, outcome: str, *, seconds: float) -> None: ...

    def encoded(self, texts: int, *, seconds: float) -> None: ...

    def written(self, code: str, *, seconds: float) -> None: ...

    def switched(self, end: str) -> None: ...

    def generated(self, generation: Generation) -> None: ...

    def rests(self, server: str, model: str, resting: bool) -> None: ...

    def fell_back(self) -> None: ...

    def said_again(self) -> None: ...


UNOBSERVED = Unobserved()
