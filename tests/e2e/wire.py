"""What goes between a page and the real server, so that a test can hold it up, refuse it, or add to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, WebSocketRoute

from tests.e2e.chat import PATIENCE_MS

Frame = dict[str, Any]
ADDRESS = "**/channels/*/ws"


class Wire:
    """`sent` and `heard` have every frame of the page's and the server's, over all connections."""

    def __init__(self) -> None:
        self.sent: list[Frame] = []
        self.heard: list[Frame] = []
        self._news = asyncio.Event()
        self._here: WebSocketRoute | None = None
        self._held: Callable[[Frame], bool] = lambda _: False
        self._kept: list[str] = []
        self._refusals: list[str] = []

    @classmethod
    async def tap(cls, page: Page) -> Wire:
        """Call it before the page is opened."""
        wire = cls()
        await page.route_web_socket(ADDRESS, wire._join)
        return wire

    def hold(self, *kinds: str) -> None:
        """Frames of these kinds do not reach the page until `release`; those for a page that is gone are lost."""
        self._held = lambda frame: frame["type"] in kinds

    def release(self) -> None:
        self._held = lambda _: False
        kept, self._kept = self._kept, []
        for data in kept:
            self._to_page(data)

    def refuse(self, code: str) -> None:
        """The page's next message or choice does not reach the server."""
        self._refusals.append(code)

    def tell(self, **frame: object) -> None:
        """The page hears it as if it came from the server."""
        self._to_page(json.dumps(frame))

    def hellos(self) -> list[int]:
        return [frame["last_seq"] for frame in self.sent if frame["type"] == "hello"]

    def finals(self) -> list[int]:
        """Numbers of the committed messages that the server has sent, in order."""
        return [frame["seq"] for frame in self.heard if frame["type"] == "final"]

    async def until(self, said: Callable[[], bool]) -> None:
        """Returns when what has been said by then is enough."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not said():
                self._news.clear()
                await self._news.wait()

    def _join(self, here: WebSocketRoute) -> None:
        there = here.connect_to_server()
        self._here = here
        self._kept = []

        def from_page(data: str | bytes) -> None:
            frame: Frame = json.loads(data)
            self.sent.append(frame)
            if self._refusals and frame["type"] in ("message", "choice"):
                error = {"code": self._refusals.pop(), "message": "No.", "ref": frame["id"]}
                here.send(json.dumps({"type": "error", "error": error}))
            else:
                there.send(data)

        def from_server(data: str | bytes) -> None:
            frame: Frame = json.loads(data)
            self.heard.append(frame)
            self._news.set()
            if self._here is here and self._held(frame):
                self._kept.append(str(data))
            else:
                here.send(data)

        here.on_message(from_page)
        there.on_message(from_server)

    def _to_page(self, data: str) -> None:
        assert self._here is not None
        self._here.send(data)
