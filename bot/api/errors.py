"""One JSON shape for every HTTP error: {"error": {"code", "message"}}.

RequestError (a KefuError) is what the API itself refuses; `status` says how. What else is raised:

NotFound               404
Conflict               409
StoreError bad_text    422
ConnectorError         as `connectors.http` has it
any other KefuError    503, with Retry-After
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.errors import Conflict, KefuError, NotFound
from connectors.errors import ConnectorError
from connectors.http import status_of

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_S = 2.0
"""When to try again after a fault that may pass."""


class RequestError(KefuError):
    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[Any, str] | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers: dict[str, str] = dict(headers or {})


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever a handler raises becomes the one shape; details of a fault of ours stay in the log."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _shape(error.status, f"http_{error.status}", error.reason, headers=_kept(error))
    except RequestError as error:
        return _shape(error.status, error.code, error.message, headers=error.headers)
    except ConnectorError as error:
        return _shape(status_of(error), error.code, error.message, headers=_again(error.retry_after))
    except KefuError as error:
        return _ours(request, error)
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _shape(500, "internal", "Something went wrong on our side.")


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}


def _ours(request: web.Request, error: KefuError) -> web.Response:
    if isinstance(error, NotFound):
        return _shape(404, error.code, str(error))
    if isinstance(error, Conflict):
        return _shape(409, error.code, str(error))
    if error.code == "bad_text":
        return _shape(422, error.code, str(error))
    log.warning("%s %s: %s", request.method, request.path, error.code)
    return _shape(503, error.code, str(error), headers=_again(RETRY_S))


def _again(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}


def _shape(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
