"""The models that word answers and read them before they are said, and what they took."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from bot.doctor.finding import Finding, Skipped, ok, warning, wrong
from bot.doctor.setup import Setup
from bot.errors import KefuError
from bot.inference.upstream import Bounds, Upstream
from bot.settings import SERVED

if TYPE_CHECKING:
    from bot.inference.completions import ChatServer

PATIENCE_S = 3.0
T = TypeVar("T")


def generator(setup: Setup) -> Iterator[Finding]:
    match setup.settings.generator:
        case "extractive":
            yield ok("stored sentences; nothing is needed.")
        case "openai":
            for server in setup.settings.generator_servers:
                yield _server(Upstream(*server), "KEFU_GENERATOR_MODEL")
        case "local":
            yield _weights(setup, setup.settings.generator_model, "KEFU_GENERATOR_MODEL")
    yield from _verifier(setup)


def _verifier(setup: Setup) -> Iterator[Finding]:
    model = setup.settings.verifier
    if model == SERVED:
        for server in setup.settings.verifier_servers:
            yield _reads(Upstream(*server))
    elif model is not None:
        from bot.inference.generators import find_adapter

        find_adapter(model, setup.settings.verifier_adapter)
        yield _weights(setup, model, "KEFU_VERIFIER")


def _server(upstream: Upstream, setting: str) -> Finding:
    async def ask(server: ChatServer) -> bool:
        return await server.probe()

    url, model = upstream.url, upstream.model
    try:
        listed = _asked(upstream, ask)
    except KefuError as error:  # the other servers are asked all the same
        return wrong(f"{url}: {error.message}", error.hint)
    if not listed:
        return warning(f"{url} answers and does not list {model}.", f"Check {setting}.")
    return ok(f"{url} answers and has {model}.")


def _reads(upstream: Upstream) -> Finding:
    """As the verifier asks: a server may have the model, and not tell how likely its words are."""
    from bot.inference.completions import Chat
    from bot.inference.first_word import Words, log_odds
    from bot.inference.grounding.verifier import NO, YES, as_judged
    from bot.inference.heard import Heard

    async def ask(server: ChatServer) -> float | None:
        words: Words = []
        chat = Chat(as_judged("Are you open on Sundays?", "We are open every day."), 1, words)
        async with aclosing(server.say(chat, Heard(words))) as pieces, asyncio.timeout(PATIENCE_S):
            async for _ in pieces:
                pass
        return log_odds(words, YES, NO)

    url, model = upstream.url, upstream.model
    found = _server(upstream, "KEFU_VERIFIER_MODEL")
    if found.state != "ok":
        return found
    try:
        odds = _asked(upstream, ask)
    except TimeoutError:
        return warning(
            f"{url} took longer than {PATIENCE_S:.0f} s for a word of {model}.",
            "Then no answer is verified: give KEFU_VERIFIER_TIMEOUT_S more, or the model a faster machine.",
        )
    except KefuError as error:
        return wrong(f"{url}: {error.message}", error.hint)
    if odds is None:
        return wrong(
            f"{model} at {url} begins with neither Yes nor No.", "A model that thinks first is no verifier."
        )
    return ok(f"{url} reads with {model} before the bot answers.")


def _asked(upstream: Upstream, ask: Callable[[ChatServer], Awaitable[T]]) -> T:
    from bot.inference.completions import ChatServer

    async def once() -> T:
        server = ChatServer(upstream, Bounds())
        try:
            return await ask(server)
        finally:
            await server.close()

    return asyncio.run(once())


def spending(setup: Setup) -> Iterator[Finding]:
    """What generators took today, beside what they may."""
    from bot.engine.purse import Budget, money
    from bot.store.glance import glance
    from bot.store.spending import of_day

    if setup.settings.generator == "extractive" and setup.settings.verifier != SERVED:
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
