"""What one page has been shown: decides of each thing that happens whether the page is to see it. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from connectors.port import Frame, Message

_TURNS = 8
"""Finished turns remembered: late provisional frames come close behind their turn."""


class Timeline:
    """Committed messages pass once each, by rising `seq`. Provisional text passes only from its beginning,
    and never after the committed message of its turn."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        """Number of the newest committed message the page has."""
        self._begun = False
        self._shown: set[tuple[str, int]] = set()
        self._done: OrderedDict[str, int] = OrderedDict()
        self._typing = False

    def admits_message(self, message: Message) -> bool:
        if message.seq <= self.last:
            return False
        self.last = message.seq
        if message.role != "customer":
            self._begun = True
            self._finish(message.turn or "", attempt=message.attempt)
        return True

    def admits(self, frame: Frame) -> bool:
        match frame.kind:
            case "final":
                return frame.message is not None and self.admits_message(frame.message)
            case "delta":
                return self._admits_delta(frame.turn, attempt=frame.attempt)
            case "withdraw":
                self._begun = True
                return self._take_back((frame.turn, frame.attempt))
            case "typing":
                self._typing = frame.on
                self._begun = self._begun or frame.on
            case "read":
                self._begun = True
            case _:
                pass
        return True

    def interrupted(self, conversation: str) -> Iterator[Frame]:
        """Frames were missed: what takes back all that is provisional."""
        for turn, attempt in sorted(self._shown):
            yield Frame("withdraw", conversation, turn=turn, attempt=attempt)
        if self._typing:
            yield Frame("typing", conversation, on=False)
        self._shown.clear()
        self._typing = self._begun = False

    def _admits_delta(self, turn: str, *, attempt: int) -> bool:
        # Turns of one conversation never overlap, and each opens with `read` or `typing`: a page that has
        # seen neither came in mid-answer, and half a sentence may say the opposite of the whole.
        if not self._begun or attempt <= self._done.get(turn, -1):
            return False
        self._shown.add((turn, attempt))
        return True

    def _take_back(self, shown: tuple[str, int]) -> bool:
        known = shown in self._shown
        self._shown.discard(shown)
        return known

    def _finish(self, turn: str, *, attempt: int) -> None:
        self._shown = {key for key in self._shown if key[0] != turn}
        self._done[turn] = attempt
        if len(self._done) > _TURNS:
            self._done.popitem(last=False)
