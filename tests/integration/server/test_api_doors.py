"""Who may ask, and what happens to those who ask wrongly: one shape of error, and the server goes on."""

from __future__ import annotations

import gzip
import json

import pytest
from aiohttp import ClientSession
from openapi_spec_validator import validate

from tests.integration.server.api import V1, Api, opened
from tests.integration.server.process import Server


async def test_the_document_is_openapi(api: Api) -> None:
    validate(api.document)
    assert api.document["openapi"].startswith("3.1")
    names = [o["operationId"] for path in api.document["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("key", ["x", "x" * 43, "Basic", "é" * 40])
async def test_a_wrong_key_opens_nothing(server: Server, key: str) -> None:
    async with opened(server) as good:
        document = good.document
    for path, operations in document["paths"].items():
        for method in operations:
            headers = {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
            async with (
                ClientSession(server.url) as session,
                session.request(method, path.replace("{id}", "1"), headers=headers) as answer,
            ):
                assert answer.status == 401, (method, path)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert set(await answer.json()) == {"error"}
    assert key not in server.words or key == "x"


async def test_no_key_opens_nothing(server: Server) -> None:
    async with ClientSession(server.url) as session:
        for headers in ({}, {"Authorization": server.key}, {"Authorization": f"Basic {server.key}"}):
            async with session.get(f"{V1}/status", headers=headers) as answer:
                assert answer.status == 401


ODD_IDS = ("..%2f..%2fetc", "%00", "' OR 1=1 --", "1;DROP TABLE knowledge", "x" * 3_000, "%ff%fe", "客服")


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_id_that_is_none_is_not_found(api: Api, odd: str) -> None:
    for resource in ("/knowledge/{}", "/conversations/{}", "/conversations/{}/messages"):
        async with api.session.get(V1 + resource.format(odd)) as answer:
            assert answer.status == 404, resource
            assert set(await answer.json()) == {"error"}


ODD_CURSORS = ("x", "' OR 1=1", "WyJhIl0", "W10", "WyIyMDI2LTAxLTAxIiwiAAAiXQ", "bnVsbA", "é", "A" * 400)


@pytest.mark.parametrize("path", ["/knowledge", "/conversations", "/escalations"])
@pytest.mark.parametrize("odd", [*ODD_CURSORS, "A" * 401])
async def test_a_cursor_that_is_none_is_refused(api: Api, path: str, odd: str) -> None:
    if (path, odd) == ("/knowledge", "WyJhIl0"):
        return  # ["a"]: a place there could be
    assert await api.refused("GET", path, 422, params={"after": odd}) in ("bad_cursor", "invalid")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "nothing=1", "lang=fr", "text=%00"]
)
async def test_a_query_that_is_not_described_is_refused(api: Api, query: str) -> None:
    assert await api.refused("GET", f"/knowledge?{query}", 422) == "invalid"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b'{"text": NaN}', 422, "invalid"),
        (b'{"text": "\xff"}', 400, "bad_json"),
        (b'{"text": "\\ud83d"}', 400, "bad_json"),
        (b"[" * 100_000, 400, "bad_json"),
        (b'{"text":' * 20_000 + b"1" + b"}" * 20_000, 400, "bad_json"),
        (b"1" * 5_000, 400, "bad_json"),
        (b'{"text": "' + b"x" * 300_000 + b'"}', 413, "http_413"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(api: Api, body: bytes, status: int, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert await api.refused("POST", "/search", status, data=body, headers=headers) == code
    assert (await api.data("GET", "/status"))["version"]


async def test_a_bomb_does_not_go_off(api: Api) -> None:
    body = gzip.compress(b'{"text": "' + b"x" * 50_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with api.session.post(f"{V1}/search", data=body, headers=headers) as answer:
        assert 400 <= answer.status < 500


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
async def test_a_body_of_another_kind_is_refused(api: Api, kind: str) -> None:
    body = json.dumps({"text": "Hello"}).encode()
    headers = {"Content-Type": kind}
    assert await api.refused("POST", "/search", 415, data=body, headers=headers) == "not_json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/knowledge", 405),
        ("DELETE", "/status", 405),
        ("GET", "/search", 405),
        ("TRACE", "/status", 405),
        ("GET", "/nothing", 404),
        ("POST", "/nothing", 404),
        ("GET", "/../../openapi.json/x", 404),
    ],
)
async def test_what_is_not_there_says_so_in_the_one_shape(
    api: Api, method: str, path: str, status: int
) -> None:
    async with api.session.request(method, V1 + path) as answer:
        assert answer.status == status
        assert set(await answer.json()) == {"error"}
        assert ("Allow" in answer.headers) == (status == 405)
