"""A client of the HTTP API that believes no answer which the OpenAPI document does not describe."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from tests.integration.server.process import Server

V1 = "/api/v1"
Json = dict[str, Any]


def check(document: Json, method: str, path: str, answer: ClientResponse, body: object) -> None:
    """Status, content type, headers and body are those that the document promises."""
    operation = _operation(document, method, path)
    assert str(answer.status) in operation["responses"], (method, path, answer.status, body)
    described = operation["responses"][str(answer.status)]
    schema = described["content"][answer.content_type]["schema"]
    whole = {**schema, "components": document["components"]}
    errors = list(OAS31Validator(whole, format_checker=oas31_format_checker).iter_errors(body))
    assert not errors, (method, path, answer.status, errors[0].message)
    for name in described.get("headers", ()):
        assert name in answer.headers, (method, path, answer.status, name)


def _operation(document: Json, method: str, path: str) -> Json:
    for template, operations in document["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: Json = operations[method.lower()]
            return found
    raise AssertionError(f"{method} {path} is not described")


@dataclass
class Api:
    session: ClientSession
    document: Json

    async def ask(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Any:
        """The checked body. `path` comes after /api/v1; `more`: json, params, data."""
        where = V1 + path
        async with self.session.request(method, where, headers=headers, **more) as answer:
            body = await answer.json()
            assert answer.status == status, (method, where, answer.status, body)
            check(self.document, method, answer.url.raw_path, answer, body)
        return body

    async def data(self, method: str, path: str, **more: Any) -> Any:
        return (await self.ask(method, path, **more))["data"]

    async def refused(self, method: str, path: str, status: int, **more: Any) -> str:
        """The error's code."""
        body = await self.ask(method, path, status=status, **more)
        assert set(body) == {"error"}
        assert set(body["error"]) == {"code", "message"}
        return str(body["error"]["code"])

    async def all(self, path: str, *, limit: int, **params: str) -> list[Json]:
        """Every item, page by page."""
        items: list[Json] = []
        after: dict[str, str] = {}
        while True:
            query = {"limit": str(limit), **params, **after}
            page = await self.ask("GET", path, params=query)
            assert len(page["data"]) <= limit
            items += page["data"]
            if page["next"] is None:
                return items
            after = {"after": page["next"]}


@asynccontextmanager
async def opened(server: Server, *, key: str | None = None) -> AsyncIterator[Api]:
    headers = {"Authorization": f"Bearer {key or server.key}"}
    async with ClientSession(server.url, headers=headers) as session:
        async with session.get("/openapi.json") as answer:
            document = await answer.json()
        yield Api(session, document)
