"""All routes of the API, and the document that describes them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence

from aiohttp import hdrs, web

from bot.api.errors import Handler
from bot.api.house import House
from bot.api.openapi import document
from bot.api.routing import JSON, Admit
from bot.api.v1 import RESOURCES


def api_routes(house: House, admit: Admit) -> Sequence[web.RouteDef]:
    """Before all others: a bot's pages take every path that is left."""
    operations = [operation for routes in RESOURCES for operation in routes.operations]
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for operation in operations:
        methods[operation.path].add(operation.method)
    described = json.dumps(document(RESOURCES, version=house.about.version), ensure_ascii=False).encode()

    async def openapi(_: web.Request) -> web.StreamResponse:
        return web.Response(body=described, content_type=JSON)

    return [
        web.get("/openapi.json", openapi),
        *(web.route(o.method, _any_segment(o.path), o.bind(admit)) for o in operations),
        *(web.route(hdrs.METH_ANY, _any_segment(p), _only(allowed)) for p, allowed in methods.items()),
        web.route(hdrs.METH_ANY, "/api/{rest:.*}", _nothing),
    ]


def _any_segment(path: str) -> str:
    """aiohttp's own pattern leaves out braces, which a file's name may hold."""
    return re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", path)


def _only(allowed: set[str]) -> Handler:
    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed)

    return refuse


async def _nothing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound
