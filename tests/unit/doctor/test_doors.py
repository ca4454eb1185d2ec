"""Generator and port, against real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from bot.api.site import CSP
from bot.clock import SystemClock
from bot.inference.faulty import FaultyServer, refusing, saying, telling
from bot.store.db import Database
from bot.store.spending import Spent, add
from tests.unit.doctor.conftest import Place


@contextmanager
def serving(make: Callable[[], web.Application]) -> Iterator[int]:
    """A server in a thread of its own: the doctor waits where it is called."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(make(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield int(runner.addresses[0][1])
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def answering(
    path: str, body: object, *, headers: dict[str, str] | None = None
) -> Callable[[], web.Application]:
    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") == "Bearer wrong":
            return web.json_response({"error": "no such key: wrong"}, status=401)
        return web.json_response(body, headers=headers)

    def make() -> web.Application:
        app = web.Application()
        app.router.add_get(path, answer)
        return app

    return make


def use_openai(monkeypatch: pytest.MonkeyPatch, port: int, *, key: str = "right") -> None:
    monkeypatch.setenv("KEFU_GENERATOR", "openai")
    monkeypatch.setenv("KEFU_GENERATOR_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("KEFU_GENERATOR_MODEL", "small")
    monkeypatch.setenv("KEFU_GENERATOR_KEY", key)


MODELS = {"object": "list", "data": [{"id": "small", "object": "model", "created": 0, "owned_by": "us"}]}


def test_a_generator_server_that_has_the_model(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering("/v1/models", MODELS)) as port:
        use_openai(monkeypatch, port)
        assert place.doctor()["generator"] == ("ok", f"http://127.0.0.1:{port}/v1 answers and has small. ")
        monkeypatch.setenv("KEFU_GENERATOR_MODEL", "large")
        assert place.doctor()["generator"][0] == "warning"


def test_a_key_that_is_refused_is_not_repeated(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering("/v1/models", MODELS)) as port:
        use_openai(monkeypatch, port, key="wrong")
        state, text = place.doctor()["generator"]
    assert (state, text) == (
        "wrong",
        f"http://127.0.0.1:{port}/v1: The generator server answered with status 401. Check KEFU_GENERATOR_KEY.",
    )


def test_a_generator_server_that_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    use_openai(monkeypatch, 9)
    assert place.doctor()["generator"] == (
        "wrong",
        "http://127.0.0.1:9/v1: The connection to the generator server failed. "
        "Is it running at KEFU_GENERATOR_URL?",
    )


async def test_a_server_that_lists_no_models_is_asked_for_a_word() -> None:
    from bot.errors import GeneratorError
    from bot.inference.completions import ChatServer
    from bot.inference.upstream import Bounds, Upstream

    async with FaultyServer() as server:
        generator = ChatServer(Upstream(server.url, "small"), Bounds())
        server.behaviour = saying("Hello.")
        assert await generator.probe()
        assert server.requests[0]["max_tokens"] == 1
        server.behaviour = refusing(401)
        with pytest.raises(GeneratorError, match="status 401"):
            await generator.probe()
        await generator.close()


def test_weights_that_are_missing_are_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_GENERATOR", "local")
    monkeypatch.setenv("KEFU_GENERATOR_MODEL", "/nowhere/model.gguf")
    assert "/nowhere/model.gguf is not a file" in place.doctor()["generator"][1]


def test_a_verifier_that_is_missing_is_named_beside_the_generator(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEFU_VERIFIER", "/nowhere/model.gguf")
    assert "/nowhere/model.gguf is not a file" in place.doctor()["generator"][1]
    monkeypatch.setenv("KEFU_VERIFIER_ADAPTER", "/nowhere/adapter.gguf")
    assert "/nowhere/adapter.gguf is not a file" in place.doctor()["generator"][1]


def test_a_verifier_on_a_server_is_tried_as_it_will_be_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside stored answers: its server need not word any."""
    server = FaultyServer()
    server.behaviour = telling({"Yes": -0.1, "No": -2.4})

    async def complete(request: web.Request) -> web.StreamResponse:
        return await server.behaviour(server, request)

    def make() -> web.Application:
        app = answering("/v1/models", MODELS)()
        app.router.add_post("/v1/chat/completions", complete)
        return app

    with serving(make) as port:
        monkeypatch.setenv("KEFU_VERIFIER", "openai")
        monkeypatch.setenv("KEFU_GENERATOR_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("KEFU_VERIFIER_MODEL", "small")
        state, text = place.doctor()["generator"]
        assert state == "ok"
        assert text.endswith(f"http://127.0.0.1:{port}/v1 reads with small before the bot answers. ")
        for behaviour, words in (
            (saying("Yes"), "does not tell how likely its words are"),
            (telling({"<think>": -0.01}), "begins with neither Yes nor No"),
        ):
            server.behaviour = behaviour
            state, text = place.doctor()["generator"]
            assert state == "wrong"
            assert words in text
        monkeypatch.setenv("KEFU_VERIFIER_MODEL", "large")
        state, text = place.doctor()["generator"]
        assert (state, "Check KEFU_VERIFIER_MODEL" in text) == ("warning", True)


def test_a_port_that_is_free_taken_or_ours(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering("/", {}, headers={"Content-Security-Policy": CSP})) as port:
        monkeypatch.setenv("KEFU_PORT", str(port))
        assert place.doctor()["port"] == ("ok", f"a Kefu answers at 127.0.0.1:{port}. ")
    assert place.doctor()["port"] == ("ok", f"127.0.0.1:{port} is free. ")
    with serving(answering("/", {})) as port:
        monkeypatch.setenv("KEFU_PORT", str(port))
        assert place.doctor()["port"][0] == "wrong"


def test_an_address_of_another_machine(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_PORT", "8000")
    monkeypatch.setenv("KEFU_HOST", "192.0.2.7")
    assert place.doctor()["port"] == ("wrong", "192.0.2.7 is no address of this machine. Check KEFU_HOST.")


def test_what_was_spent_today_stands_beside_what_may_be(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.doctor()["spending"] == ("ok", "stored sentences take no tokens. ")

    async def spend() -> None:
        store = Database(f"sqlite:///{place.database}")
        await store.open()
        today = SystemClock().now().date()
        await store.write(lambda session: add(session, today, [Spent(3, 900, 300, 1_250_000, "small")]))
        await store.close()

    asyncio.run(spend())
    use_openai(monkeypatch, 9)
    said = "generators took 1,200 tokens"
    assert place.doctor()["spending"] == ("ok", f"{said} today (UTC), at a cost of 1.25. ")
    monkeypatch.setenv("KEFU_GENERATOR_TOKENS_PER_DAY", "1000")
    state, text = place.doctor()["spending"]
    assert state == "warning"
    assert text.startswith(f"{said} of 1,000 today (UTC)")
