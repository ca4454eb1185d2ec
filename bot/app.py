"""The composition root: settings -> adapters -> a bot, and the aiohttp application around it."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from aiohttp import web

from bot.api.access import API
from bot.api.admission import Admission
from bot.api.counting import counting
from bot.api.errors import json_errors
from bot.api.health import health_routes
from bot.api.house import About, House
from bot.api.keys import Keys
from bot.api.routes import api_routes
from bot.api.site import find_widget, security_headers, site_routes
from bot.api.source_page import source_routes
from bot.api.waits import Waits
from bot.clock import Clock, SystemClock
from bot.definition import BotDefinition, ChannelSpec, Checks, load
from bot.documents import DocumentReader
from bot.domain.policy import Policy
from bot.engine.desk import Desk, Limits
from bot.engine.follow import Follower, read_wanted
from bot.engine.gateway import EngineGateway
from bot.engine.holders import keep_looking
from bot.engine.kept import keep_watching
from bot.engine.knowledge import read_knowledge, sync_folder
from bot.engine.lanes import Lanes
from bot.engine.purse import Budget, Purse
from bot.engine.sweep import keep_sweeping, sweep
from bot.engine.turn import take_turn
from bot.events import LocalBus
from bot.inference.child import Progress
from bot.inference.encodings import Encodings, HomeEncodings
from bot.inference.generator import Generator
from bot.inference.generators import rewriter_of
from bot.inference.grounding.meaning import EncoderMeaning
from bot.inference.host import Host
from bot.inference.learned import Named
from bot.inference.release import Lesson
from bot.inference.reranker import open_reranker
from bot.inference.vectors import BROUGHT
from bot.models import generator_of, local_models, verifier_of
from bot.monitoring.metrics import Metrics
from bot.monitoring.watch import Watch
from bot.observer import Observer
from bot.settings import Settings
from bot.store.db import Database
from connectors.port import Channel, Profile
from connectors.rasa import Rasa, RasaOptions
from connectors.webchat import Tokens, WebChat, WebChatOptions

CLOSE_PATIENCE_S = 5.0
MAX_REQUEST = 256 * 1024
PEER_SHARE = 10
"""Sessions of one address that may write at full rate: many customers may sit behind one."""


class FolderVoice:
    """A bot folder as the engine's `Voice`."""

    def __init__(self, definition: BotDefinition) -> None:
        self._definition = definition

    @property
    def languages(self) -> tuple[str, ...]:
        return self._definition.languages

    def name(self, lang: str) -> str:
        return self._definition.name.get(lang) or next(iter(self._definition.name.values()))

    def persona(self, lang: str) -> str:
        return self._definition.persona.get(lang, "")

    def response(self, name: str, lang: str) -> tuple[str, ...]:
        return self._definition.response(name, lang)


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that answers: what servers, the terminal and tests have in their hands."""

    definition: BotDefinition
    settings: Settings
    desk: Desk
    host: Host
    lanes: Lanes
    gateway: EngineGateway
    metrics: Metrics
    version: str
    secret: str
    """Signs web sessions."""


@asynccontextmanager
async def open_bot(
    definition: BotDefinition,
    settings: Settings,
    *,
    progress: Progress,
    encodings: Encodings | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Bot]:
    """Everything but the network: store, live release and bundle, lanes. Takes up nobody's messages.

    `encodings`: what releases answer with; default: those of the home.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        version = await asyncio.to_thread(metadata.version, "kefu")
        metrics = await asyncio.to_thread(Metrics, version=version)
        progress("Opening the database", 0, 0)
        store = await _open_store(settings, stack, metrics)
        await sync_folder(store, ((r.file, r.entry) for r in definition.knowledge), clock=clock)
        reranker = None
        if settings.reranker is not None:
            progress("Loading the reranker", 0, 0)
            reranker = await open_reranker(settings.cache, settings.reranker, progress=progress)
        host = Host(
            settings.home,
            encodings or encodings_of(settings, definition),
            examples=examples(definition),
            promise=definition.promise,
            named=named(definition),
            observer=metrics,
            reranker=reranker,
            brought=definition.folder / BROUGHT,
        )
        stack.push_async_callback(host.close)
        progress("Loading the encoder and checking the index", 0, 0)
        wanted = await read_wanted(store)
        await host.open(await read_knowledge(store), progress=progress, releases=wanted.order)
        local = await asyncio.to_thread(local_models, settings)
        generator = generator_of(settings, metrics, EncoderMeaning(host), local=local[0])
        stack.push_async_callback(generator.close)
        progress("Preparing the generator", 0, 0)
        await generator.open()
        verifier = verifier_of(settings, metrics, local=local[1])
        if verifier is not None:
            stack.push_async_callback(verifier.close)
            progress("Preparing the verifier", 0, 0)
            await verifier.open()
        desk = _furnish(definition, settings, store, host, generator=generator, clock=clock, observer=metrics)
        desk = replace(desk, verifier=verifier)
        lanes = Lanes(lambda conversation, seq: take_turn(desk, conversation, seq))
        stack.push_async_callback(lanes.close, patience=CLOSE_PATIENCE_S)
        watch = asyncio.create_task(Follower(store, host, clock=clock, wanted=wanted).run())
        stack.push_async_callback(_end, watch)
        secret = await asyncio.to_thread(settings.signing_secret)
        gateway = EngineGateway(desk, lanes, profile(definition))
        yield Bot(definition, settings, desk, host, lanes, gateway, metrics, version, secret)


@asynccontextmanager
async def recovering(bot: Bot) -> AsyncIterator[None]:
    """For the one process that owns the home: take up what was left unanswered, and what others changed."""
    await sweep(bot.desk, bot.lanes)
    tasks = [
        asyncio.create_task(keep_sweeping(bot.desk, bot.lanes)),
        asyncio.create_task(keep_looking(bot.desk)),
        asyncio.create_task(keep_watching(bot.desk)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            await _end(task)


def make_app(bot: Bot) -> web.Application:
    """The whole server as one application. Closing it ends the channels; the bot is the caller's to close."""
    middlewares = [counting(bot.metrics), json_errors]
    app = web.Application(middlewares=middlewares, client_max_size=MAX_REQUEST)
    app.on_response_prepare.append(security_headers)
    channels = make_channels(bot)
    house = _house(bot, channels)
    app.add_routes(health_routes(Watch(bot.desk, bot.host, bot.lanes, bot.metrics, channels)))
    app.add_routes(api_routes(house, _admission(house, bot.settings)))
    for channel in channels:
        app.add_routes(channel.routes())
    app.add_routes(source_routes(bot.desk.mind, bot.desk.clock))
    app.add_routes(_site(bot.definition))

    async def close_channels(_: web.Application) -> None:
        house.waits.close()
        await asyncio.gather(*(channel.close() for channel in channels))

    app.on_shutdown.append(close_channels)
    return app


def _house(bot: Bot, channels: Sequence[Channel]) -> House:
    about = About(
        version=bot.version,
        python=platform.python_version(),
        started_at=bot.desk.clock.now(),
        channels=(*(channel.instance for channel in channels), API),
    )
    intents, languages = frozenset(bot.definition.intents), bot.definition.languages
    return House(
        bot.desk, bot.gateway, Waits(bot.gateway), about, new_checks=lambda: Checks(intents, languages)
    )


def _admission(house: House, settings: Settings) -> Admission:
    keys = Keys(key.get_secret_value() for key in settings.api_keys)
    return Admission(house, keys, per_minute=settings.api_rate_per_minute)


def _site(definition: BotDefinition) -> list[web.AbstractRouteDef]:
    """A bot without a web chat has no page of its own to show."""
    lang = definition.languages[0]
    webchats = [spec.instance for spec in definition.channels if spec.type == "webchat"]
    return site_routes(
        definition.site,
        find_widget(),
        name=FolderVoice(definition).name(lang),
        lang=lang,
        channel=webchats[0] if webchats else None,
    )


def make_channels(bot: Bot) -> Sequence[Channel]:
    make = {"webchat": _webchat, "rasa": _rasa}
    return [make[spec.type](bot, spec) for spec in bot.definition.channels]


def _webchat(bot: Bot, spec: ChannelSpec) -> Channel:
    options = WebChatOptions(
        origins=(*spec.origins, *bot.settings.allowed_origins),
        trusted_proxies=bot.settings.trusted_proxies,
        per_minute=bot.settings.rate_per_minute,
        peer_per_minute=PEER_SHARE * bot.settings.rate_per_minute,
    )
    return WebChat(spec.instance, bot.gateway, tokens=Tokens([bot.secret]), options=options)


def _rasa(bot: Bot, spec: ChannelSpec) -> Channel:
    """Who names the token speaks for all its customers: the limit of an address is none of theirs."""
    token = bot.settings.rasa_token.get_secret_value() if bot.settings.rasa_token else None
    options = RasaOptions(
        token=token,
        origins=(*spec.origins, *bot.settings.allowed_origins),
        trusted_proxies=bot.settings.trusted_proxies,
        per_minute=bot.settings.rate_per_minute,
        peer_per_minute=0 if token else PEER_SHARE * bot.settings.rate_per_minute,
    )
    if spec.reply_within is not None:
        options = replace(options, reply_within=spec.reply_within)
    return Rasa(spec.instance, bot.gateway, secret=bot.secret, options=options)


def profile(definition: BotDefinition) -> Profile:
    return Profile(
        dict(definition.name), definition.languages, dict(definition.welcome), dict(definition.suggestions)
    )


def load_definition(folder: Path, *, memory: Path | None = None) -> BotDefinition:
    return load(folder, documents=DocumentReader(memory))


async def _open_store(settings: Settings, stack: AsyncExitStack, observer: Observer) -> Database:
    store = Database(settings.database_url, observer=observer)
    await store.open()
    stack.push_async_callback(store.close)
    return store


def encodings_of(settings: Settings, definition: BotDefinition) -> HomeEncodings:
    """Those of its home."""
    source = settings.base_encoder(definition.encoder)
    return HomeEncodings(settings.home / "releases", settings.cache, source, settings.encoder_threads)


def examples(definition: BotDefinition) -> list[tuple[str, str, str]]:
    """(text, label, language) of every example in the bot folder."""
    return [
        (text, intent.name, lang)
        for intent in definition.intents.values()
        for lang, texts in intent.examples.items()
        for text in texts
    ]


def lesson_of(definition: BotDefinition, *, encoder: str, trained: frozenset[str]) -> Lesson:
    """What heads are made from where nothing is known but the bot folder. `encoder`: its fingerprint."""
    entries = tuple(row.entry for row in definition.knowledge)
    return Lesson(tuple(examples(definition)), entries, encoder, trained, definition.promise)


def named(definition: BotDefinition) -> Named:
    """What customers name, in both languages alike."""
    return Named(definition.entities, tuple(e for found in definition.annotated.values() for e in found))


def _furnish(
    definition: BotDefinition,
    settings: Settings,
    store: Database,
    host: Host,
    *,
    generator: Generator,
    clock: Clock,
    observer: Observer,
) -> Desk:
    limits = Limits(
        turn_s=settings.turn_deadline_s,
        by_channel={c.instance: c.deadline for c in definition.channels if c.deadline is not None},
        generator_s=settings.generator_timeout_s,
        verifier_s=settings.verifier_timeout_s,
        history=settings.history_turns,
    )
    policy = Policy().override(definition.policy.values)
    voice = FolderVoice(definition)
    budget = Budget(settings.generator_tokens_per_day, settings.generator_cost_per_day)
    purse = Purse(store, clock, budget)
    audiences = {channel.instance: channel.audience for channel in definition.channels}
    return Desk(
        *(store, host, generator, voice, LocalBus(), clock, policy, limits, purse, observer),
        rewriter=rewriter_of(generator),
        audiences=audiences,
    )


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
