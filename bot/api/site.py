"""Static files: the bot's own page and the widget's script, under a strict Content-Security-Policy."""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path
from string import Template

from aiohttp import web

from bot.api.errors import Handler
from bot.errors import HomeError

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
FRESH = {"Cache-Control": "no-cache"}
"""Kept by browsers, asked for anew each time: a new widget is seen at once."""

PLAIN = Path(__file__).with_name("plain")
SNIPPET = '<script src="{origin}/widget/kefu.js" data-channel="{channel}" async></script>'


async def security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: on every response, errors too. A page that embeds the widget brings its own policy."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def find_widget() -> Path:
    """The built widget: inside the installed package, else in the checkout. Raises HomeError with the mend."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "static" / "widget", package.parent / "web" / "dist" / "widget"):
        if (folder / "kefu.js").is_file():
            return folder
    raise HomeError(
        "The widget has not been built.", hint="Run `make web` in the checkout.", code="no_widget"
    )


def site_routes(
    site: Path | None, widget: Path, *, name: str, lang: str, channel: str | None
) -> list[web.AbstractRouteDef]:
    """/widget/*, and the bot folder's site at /: where it has none, a page with the bot's name and its chat, if
    it has one."""
    routes: list[web.AbstractRouteDef] = [web.get("/widget/{name:.+}", files(widget))]
    if site is not None:
        return [*routes, web.get("/{name:.*}", files(site))]
    if channel is None:
        return routes
    front = web.get("/", _plain_page(name=name, lang=lang, channel=channel))
    return [*routes, front, web.get("/{name:(?:base|plain)\\.css}", files(PLAIN))]


def files(folder: Path) -> Handler:
    """Serves what lies in the folder. aiohttp's own static routes answer a missing file outside of middlewares."""

    async def serve(request: web.Request) -> web.StreamResponse:
        path = await asyncio.to_thread(_find, folder, request.match_info["name"] or "index.html")
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=FRESH)

    return serve


def _find(folder: Path, name: str) -> Path | None:
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, ValueError):  # a name too long, or with a NUL
        return None


def _plain_page(*, name: str, lang: str, channel: str) -> Handler:
    page = Template((PLAIN / "index.html").read_text(encoding="utf-8"))

    async def serve(request: web.Request) -> web.StreamResponse:
        snippet = SNIPPET.format(origin=f"{request.scheme}://{request.host}", channel=channel)
        words = {"name": name, "lang": lang, "channel": channel, "snippet": snippet}
        text = page.substitute({key: escape(word) for key, word in words.items()})
        return web.Response(text=text, content_type="text/html", headers=FRESH)

    return serve
