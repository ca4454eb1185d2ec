"""/healthz, /readyz, /metrics: for whoever keeps the server running. They tell nothing of customers, and ask no key."""

from __future__ import annotations

from aiohttp import hdrs, web

from bot.api.errors import RequestError
from bot.monitoring.metrics import CONTENT_TYPE
from bot.monitoring.watch import Watch

NOT_STORED = {hdrs.CACHE_CONTROL: "no-store"}


def health_routes(watch: Watch) -> list[web.RouteDef]:
    async def alive(_: web.Request) -> web.StreamResponse:
        return web.json_response({"data": {"alive": True}}, headers=NOT_STORED)

    async def ready(_: web.Request) -> web.StreamResponse:
        if missing := await watch.missing():
            words = " ".join(f"{name}: {reason}" for name, reason in missing.items())
            raise RequestError(503, "not_ready", f"Missing: {words}", headers=NOT_STORED)
        degraded = watch.degraded()
        data = {"ready": True} | ({"degraded": degraded} if degraded else {})
        return web.json_response({"data": data}, headers=NOT_STORED)

    async def metrics(_: web.Request) -> web.StreamResponse:
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE, **NOT_STORED}
        return web.Response(body=await watch.page(), headers=headers)

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]
