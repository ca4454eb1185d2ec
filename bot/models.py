"""From settings to the models that word a bot's answers and read them before they are said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.inference.generator import Generator
from bot.inference.generators import find_adapter, find_model, make_generator, make_verifier
from bot.inference.grounding.meaning import Meaning
from bot.inference.grounding.verifier import Verifier
from bot.inference.local_model import LocalModel
from bot.inference.upstream import Bounds, Price, Upstream
from bot.observer import Observer
from bot.settings import SERVED, Server, Settings


def local_models(settings: Settings) -> tuple[LocalModel | None, LocalModel | None]:
    """Of the generator and of the verifier, in this process; one that is both is loaded once."""
    find = partial(find_model, cache=settings.cache, threads=settings.generator_threads)
    generator = verifier = None
    if settings.verifier not in (None, SERVED):
        adapter = find_adapter(settings.verifier, settings.verifier_adapter)
        verifier = find(settings.verifier, adapter=adapter, setting="KEFU_VERIFIER")
    if settings.generator == "local":
        same = verifier is not None and settings.verifier == settings.generator_model
        generator = verifier if same else find(settings.generator_model, setting="KEFU_GENERATOR_MODEL")
    return generator, verifier


def generator_of(
    settings: Settings, observer: Observer, meaning: Meaning, *, local: LocalModel | None
) -> Generator:
    served = settings.generator == SERVED
    return make_generator(
        settings.generator,
        local=local,
        servers=_priced(settings, settings.generator_servers) if served else (),
        bounds=_bounds(settings),
        observer=observer,
        meaning=meaning,
    )


def verifier_of(settings: Settings, observer: Observer, *, local: LocalModel | None) -> Verifier | None:
    servers = _priced(settings, settings.verifier_servers) if settings.verifier == SERVED else ()
    # A reading is nothing but a first token: all the time is for it, and several servers share that.
    first_s = settings.verifier_timeout_s / max(1, len(servers))
    return make_verifier(
        local=local,
        servers=servers,
        bounds=replace(_bounds(settings), first_token_s=first_s),
        taught=settings.verifier_taught,
        observer=observer,
    )


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        first_token_s=settings.generator_first_token_s,
        between_tokens_s=settings.generator_between_tokens_s,
        in_flight=settings.generator_in_flight,
        waiting=settings.generator_waiting,
    )


def _priced(settings: Settings, servers: Sequence[Server]) -> list[Upstream]:
    pairs = zip(servers, settings.generator_prices, strict=True)
    return [Upstream(*server, Price(*price)) for server, price in pairs]
