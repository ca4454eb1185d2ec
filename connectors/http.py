"""What all channels over plain HTTP do alike: bodies with a limit, one shape of errors, other sites' pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import ceil
from typing import Any

from aiohttp import hdrs, web

from connectors.errors import ConnectorError, Malformed, Overloaded, Refused

BODY_WITHIN = 10.0
"""Seconds in which a request's body has to be there."""
PREFLIGHT_S = 600
"""Seconds for which a browser may remember that a page may send."""

_STATUS = {
    "too_large": 413,
    "session_invalid": 401,
    "session_expired": 401,
    "unauthorised": 401,
    "origin_refused": 403,
    "no_such_message": 404,
    "unknown_conversation": 409,
    "rate_limited": 429,
}
"""By code; any other `Refused` is 400, `Overloaded` 503, the rest 500."""


async def read_body(request: web.Request, *, limit: int) -> bytes:
    """Raises `Malformed` `too_large`, or `bad_frame` where the body does not come."""
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for piece in request.content.iter_any():
                data += piece
                if len(data) > limit:
                    raise Malformed("too_large", f"A request has at most {limit} bytes.")
    except TimeoutError:
        raise Malformed("bad_frame", "The request did not come to its end.") from None
    return bytes(data)


def bearer(request: web.Request, *, query: str) -> str | None:
    """The token of `Authorization: Bearer`, else of the address (`?query=`); None where there is none."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.query.get(query)


def status_of(problem: ConnectorError) -> int:
    if isinstance(problem, Refused | Overloaded):
        return _STATUS.get(problem.code, 503 if isinstance(problem, Overloaded) else 400)
    return 500


def error_body(problem: ConnectorError, *, ref: str | int | None = None) -> dict[str, Any]:
    """The one shape of every error. `ref`: what it is about, where the problem itself does not say."""
    body: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if ref is None and isinstance(problem, Malformed):
        ref = problem.ref
    if ref is not None:
        body["ref"] = ref
    if problem.retry_after is not None:
        body["retry_after"] = ceil(problem.retry_after * 10) / 10
    return body


def refusal(problem: ConnectorError, *, ref: str | int | None = None, **more: str) -> web.Response:
    """`more` stands beside `error` in the body."""
    body = {**more, "error": error_body(problem, ref=ref)}
    response = web.json_response(body, status=status_of(problem))
    if problem.retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(ceil(problem.retry_after))
    return response


def cors(request: web.Request) -> Mapping[str, str]:
    """Lets the page that asks read the answer. Only for pages that may; there are no cookies to be let through."""
    headers: dict[str, str] = {hdrs.VARY: hdrs.ORIGIN}
    if origin := request.headers.get(hdrs.ORIGIN):
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    return headers


def preflight(request: web.Request, *, methods: str, headers: str) -> web.Response:
    """The answer to a browser that asks whether a page may send."""
    response = web.Response(status=204, headers=cors(request))
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = methods
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = headers
    response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(PREFLIGHT_S)
    return response
