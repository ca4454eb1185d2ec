"""One JSON shape for every HTTP error: {"error": {"code", "message"}}."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import KefuError, NotFound

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever a handler raises becomes the one shape; details of a fault of ours stay in the log."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _shape(error.status, f"http_{error.status}", error.reason, headers=_kept(error))
    except NotFound as error:
        return _shape(404, error.code, str(error))
    except KefuError as error:
        log.warning("%s %s: %s", request.method, request.path, error.code)
        return _shape(503, error.code, str(error))
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _shape(500, "internal", "Something went wrong on our side.")


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}


def _shape(status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
