"""What goes out and comes in: the generator, the widget, the port."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.doctor.finding import Finding, Skipped, ok, warning, wrong
from bot.doctor.setup import Setup
from bot.errors import KefuError
from bot.inference.upstream import Bounds, Upstream

PATIENCE_S = 3.0


def generator(setup: Setup) -> Iterator[Finding]:
    match setup.settings.generator:
        case "extractive":
            yield ok("stored sentences; nothing is needed.")
        case "openai":
            yield from _servers(setup)
        case "local":
            yield _weights(setup, setup.settings.generator_model, "KEFU_GENERATOR_MODEL")
    if (model := setup.settings.verifier) is not None:
        from bot.inference.generators import find_adapter

        find_adapter(model, setup.settings.verifier_adapter)
        yield _weights(setup, model, "KEFU_VERIFIER")


def _servers(setup: Setup) -> Iterator[Finding]:
    for server in setup.settings.generator_servers:
        yield _server(Upstream(*server))


def _server(upstream: Upstream) -> Finding:
    from bot.inference.completions import ChatServer

    async def ask() -> bool:
        server = ChatServer(upstream, Bounds())
        try:
            return await server.probe()
        finally:
            await server.close()

    url, model = upstream.url, upstream.model
    try:
        listed = asyncio.run(ask())
    except KefuError as error:  # the other servers are asked all the same
        return wrong(f"{url}: {error.message}", error.hint)
    if not listed:
        return warning(f"{url} answers and does not list {model}.", "Check KEFU_GENERATOR_MODEL.")
    return ok(f"{url} answers and has {model}.")


def spending(setup: Setup) -> Iterator[Finding]:
    """What generators took today, beside what they may."""
    from bot.engine.purse import Budget, money
    from bot.store.glance import glance
    from bot.store.spending import of_day

    if setup.settings.generator == "extractive":
        yield ok("stored sentences take no tokens.")
        return
    if setup.is_new:
        yield ok("nothing was spent yet.")
        return
    if setup.schema() != "current":
        raise Skipped("the database is not of this Kefu's schema")
    settings, today = setup.settings, datetime.now(UTC).date()
    taken = glance(settings.database_url, lambda session: of_day(session, today))
    budget = Budget(settings.generator_tokens_per_day, settings.generator_cost_per_day)
    tokens = f"{taken.tokens:,} tokens" + (f" of {budget.tokens:,}" if budget.tokens is not None else "")
    cost = f"{money(taken.cost):.2f}" + (f" of {budget.cost}" if budget.cost is not None else "")
    said = f"generators took {tokens} today (UTC), at a cost of {cost}"
    if budget.allows(taken):
        yield ok(f"{said}.")
    else:
        yield warning(
            f"{said}: stored answers are said.", "Raise KEFU_GENERATOR_TOKENS_PER_DAY or _COST_PER_DAY."
        )


def _weights(setup: Setup, model: str | None, setting: str) -> Finding:
    from bot.inference.generators import find_model
    from bot.inference.local_model import DEFAULT
    from bot.inference.weights import PACKED, place
    from retrieval.model_folder import sha256_file

    cache = setup.settings.cache
    made = find_model(model, cache=cache, setting=setting)
    asyncio.run(made.close())
    packed = PACKED.get(model or DEFAULT)
    if packed is None or not (path := place(cache, packed)).exists():
        return ok(f"local:{made.name} is there.")
    if sha256_file(path) != packed.sha256:
        return warning(f"{path} has changed.", "The next start makes it again.")
    return ok(f"local:{made.name} is whole.")


def widget(setup: Setup) -> Iterator[Finding]:
    from bot.api.site import find_widget

    yield ok(f"{find_widget() / 'kefu.js'}.")


def port(setup: Setup) -> Iterator[Finding]:
    host, number = setup.settings.host, setup.settings.port
    where = f"{host}:{number}"
    if not number:
        yield ok("a free one is taken at the start.")
    elif not _is_here(host):
        yield wrong(f"{host} is no address of this machine.", "Check KEFU_HOST.")
    elif not _is_taken(host, number):
        yield from _free(setup, where)
    elif _is_ours(setup):
        yield ok(f"a Kefu answers at {where}.")
    else:
        yield wrong(
            f"another program has {where}.", "Choose another one: KEFU_PORT, or --port of `kefu serve`."
        )


def _free(setup: Setup, where: str) -> Iterator[Finding]:
    if setup.served():
        hint = "It was given another one, or it is still starting: see its log."
        yield warning(f"a server runs on this home, but not at {where}.", hint)
    else:
        yield ok(f"{where} is free.")


def _is_here(host: str) -> bool:
    """Tried with a port of the system's choice: the real one is left alone, in case a server wants it now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _is_taken(host: str, number: int) -> bool:
    try:
        socket.create_connection((_near(host), number), timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True


def _is_ours(setup: Setup) -> bool:
    """By the policy that each of a Kefu's answers carries, whatever its pages and channels are."""
    from bot.api.site import CSP

    settings = setup.settings
    link = http.client.HTTPConnection(_near(settings.host), settings.port, timeout=PATIENCE_S)
    try:
        link.request("HEAD", "/")
        return link.getresponse().headers["Content-Security-Policy"] == CSP
    except (OSError, http.client.HTTPException):  # what is not ours may answer anything, or nothing
        return False
    finally:
        link.close()


def _near(host: str) -> str:
    """Where a server that listens everywhere is reached."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
