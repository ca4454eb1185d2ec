"""Every request is counted: by the pattern of its route, since paths hold ids."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.api.errors import Handler


class Counts(Protocol):
    def requested(self, method: str, route: str, status: int, *, seconds: float | None) -> None: ...


def counting(counts: Counts) -> Middleware:
    """A middleware; the outermost, so that it sees the status which the client sees."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, status, stays = time.monotonic(), 500, False
        try:
            response = await handler(request)
            status, stays = response.status, _stays_open(response)
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            seconds = None if stays else time.monotonic() - began
            counts.requested(request.method, _pattern(request), status, seconds=seconds)

    return count


def _stays_open(response: web.StreamResponse) -> bool:
    return response.status == HTTPStatus.SWITCHING_PROTOCOLS or response.content_type == "text/event-stream"


def _pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "none" if resource is None else resource.canonical
