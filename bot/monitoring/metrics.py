"""Counts of what happens, for Prometheus. Labels are few and known beforehand: no ids, no text of a customer."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.observer import Generation

CONTENT_TYPE = CONTENT_TYPE_LATEST
SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TEXTS = (1, 2, 4, 8, 16, 32, 64)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

GAUGES = {
    "encoder_queue": "Texts that wait for the encoder.",
    "lanes_busy": "Conversations with a message under way or waiting.",
    "unanswered": "Messages acknowledged and not answered; counted up to 10,000.",
    "unanswered_oldest_seconds": "How long the oldest of them has been waiting.",
    "outbox_pending": "Messages of the bot that nobody has confirmed as seen; counted up to 10,000.",
    "escalations_open": "Conversations that wait for a person; counted up to 10,000.",
    "generator_tokens_today": "Tokens that generators read and wrote today (UTC).",
    "generator_cost_today": "What generators cost today (UTC), in what prices are in.",
    "generator_budget_used_up": "1: what generators may take in a day is used up, stored answers are said.",
    "knowledge_revision": "Knowledge revision of the database.",
    "knowledge_revision_live": "Knowledge revision that is searched.",
    "answers": "Answers that are searched.",
    "release_degraded": "1: another release answers than the one that was promoted.",
    "database_up": "1: the database answered when it was asked for this page.",
}

PROMISES = {
    "bound": "How sure the bot has to be to answer, by its promise; above 1: it answers nothing from understanding.",
    "missing": "Phrasings it lacks before it can promise; 0 beside a bound above 1: more alone would not do.",
    "answered": "Answers of what is live that were held against the promise, an hour after they were given.",
    "wrong": "Those of them that got a thumb down, or were followed by a call for a person.",
    "slipped": "1: the promise is broken, as sure as it was made.",
}


class Metrics:
    """An `Observer`, and the page of what it saw. A registry of its own: two bots in a process do not mix."""

    def __init__(self, *, version: str) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info("kefu_build", "What is running.", registry=registry).info({"version": version})
        self._received = Counter(
            "kefu_messages_received",
            "Customers' messages stored.",
            ["channel", "duplicate"],
            registry=registry,
        )
        self._turns = Counter("kefu_turns", "Turns by what came of them.", ["outcome"], registry=registry)
        self._turn = Histogram(
            "kefu_turn_seconds", "From taking a message up to its commit.", buckets=LONG, registry=registry
        )
        self._batch = Histogram(
            "kefu_encoder_batch_texts", "Texts in a batch of the encoder.", buckets=TEXTS, registry=registry
        )
        self._encoding = Histogram(
            "kefu_encoder_batch_seconds", "A batch of the encoder.", buckets=SHORT, registry=registry
        )
        self._writes = Histogram(
            "kefu_store_write_seconds",
            "From handing a write over to its end, by its end.",
            ["end"],
            buckets=SHORT,
            registry=registry,
        )
        self._requests = Counter(
            "kefu_http_requests", "HTTP requests by route.", ["method", "route", "status"], registry=registry
        )
        self._request = Histogram(
            "kefu_http_request_seconds", "Answering a request.", ["route"], buckets=LONG, registry=registry
        )
        self._switches = Counter(
            "kefu_release_switches",
            "Releases that were to go live while the server ran or as it started, by what came of it.",
            ["end"],
            registry=registry,
        )
        self._generations = Counter(
            "kefu_generator_requests",
            "Requests to generator servers by what came of them.",
            ["server", "model", "end"],
            registry=registry,
        )
        self._tokens = Counter(
            "kefu_generator_tokens",
            "Tokens read (prompt) and written (completion) by generator servers.",
            ["server", "model", "side"],
            registry=registry,
        )
        self._first = Histogram(
            "kefu_generator_first_token_seconds",
            "From asking a generator server to its first word.",
            ["server"],
            buckets=LONG,
            registry=registry,
        )
        self._rests = Gauge(
            "kefu_generator_resting",
            "1: the generator server failed again and again, or asked for it, and is asked nothing for a while.",
            ["server", "model"],
            registry=registry,
        )
        self._fallbacks = Counter(
            "kefu_generator_fallbacks",
            "Answers for which the generator failed and the stored one was said.",
            registry=registry,
        )
        self._again = Counter(
            "kefu_generator_reused",
            "Answers that were composed for the same question before, for which no generator was asked.",
            registry=registry,
        )
        self._release = Info("kefu_release", "What answers.", registry=registry)
        self._sockets = Gauge(
            "kefu_sockets", "Open connections of a channel.", ["channel"], registry=registry
        )
        self._promises = {
            name: Gauge(f"kefu_promise_{name}", about, ["lang"], registry=registry)
            for name, about in PROMISES.items()
        }
        self._gauges = {
            name: Gauge(f"kefu_{name}", about, registry=registry) for name, about in GAUGES.items()
        }

    def received(self, channel: str, *, duplicate: bool) -> None:
        self._received.labels(channel, str(duplicate).lower()).inc()

    def turned(self, outcome: str, *, seconds: float) -> None:
        self._turns.labels(outcome).inc()
        self._turn.observe(seconds)

    def encoded(self, texts: int, *, seconds: float) -> None:
        self._batch.observe(texts)
        self._encoding.observe(seconds)

    def written(self, code: str, *, seconds: float) -> None:
        self._writes.labels(code).observe(seconds)

    def switched(self, end: str) -> None:
        self._switches.labels(end).inc()

    def generated(self, generation: Generation) -> None:
        server, model = generation.server, generation.model
        self._generations.labels(server, model, generation.end).inc()
        self._tokens.labels(server, model, "prompt").inc(generation.prompt_tokens)
        self._tokens.labels(server, model, "completion").inc(generation.completion_tokens)
        if generation.first_s is not None:
            self._first.labels(server).observe(generation.first_s)

    def rests(self, server: str, model: str, resting: bool) -> None:
        self._rests.labels(server, model).set(resting)

    def fell_back(self) -> None:
        self._fallbacks.inc()

    def said_again(self) -> None:
        self._again.inc()

    def answers_with(self, *, release: str, heads: str, encoder: str) -> None:
        """`encoder`: its fingerprint."""
        self._release.info({"release": release, "heads": heads, "encoder": encoder[:12]})

    def requested(self, method: str, route: str, status: int, *, seconds: float | None) -> None:
        """`route` is the route's pattern, never the path; `seconds` is None for what stays open."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        if seconds is not None:
            self._request.labels(route).observe(seconds)

    def set(self, gauges: Mapping[str, float], *, sockets: Mapping[str, int]) -> None:
        """`gauges`: names of `GAUGES`."""
        for name, value in gauges.items():
            self._gauges[name].set(value)
        for channel, count in sockets.items():
            self._sockets.labels(channel).set(count)

    def promise(self, lang: str, numbers: Mapping[str, float]) -> None:
        """`numbers`: names of `PROMISES`."""
        for name, value in numbers.items():
            self._promises[name].labels(lang).set(value)

    def page(self) -> bytes:
        """Prometheus' text format. Blocking: it reads /proc."""
        return generate_latest(self._registry)
