"""A bot folder in memory. Frozen; texts are by language code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.decision import HANDOFF, OUT_OF_SCOPE, SOCIAL
from retrieval.types import Entry
from training.entities.spec import Example, Specs
from training.promise import Promise

LANGUAGES = ("zh", "en")
FOLDER = "folder:"
"""Stands before a file's path within the bot folder in the name of its source in the database."""

RESERVED = frozenset({*SOCIAL, HANDOFF, OUT_OF_SCOPE})
"""Intents whose meaning is fixed: a response answers them, not knowledge."""

Texts = Mapping[str, str]
Variants = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Intent:
    name: str
    examples: Variants
    title: Texts = field(default_factory=dict)
    """What a button of this intent says; empty where the folder names none."""


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One way in: `instance` is its name in paths and in the ledger, `type` the connector."""

    instance: str
    type: str
    origins: tuple[str, ...] = ()
    """Web origins (`https://host[:port]`, or `*`) whose pages may embed it, beside the server's own."""
    reply_within: float | None = None
    """Of `rasa`: seconds for which a request waits for its answer; None: as the connector has it."""
    deadline: float | None = None
    """Seconds until its customers are told that the answer takes longer; None: as the settings have it."""
    audience: frozenset[str] = frozenset()
    """Who its customers are: they hear answers for them, beside those for everybody."""


@dataclass(frozen=True, slots=True)
class PolicyOverrides:
    """Thresholds that the folder sets itself, each 0..1: fields of `bot.domain.policy.Policy`."""

    values: Mapping[str, float] = field(default_factory=dict)

    def get(self, name: str, default: float) -> float:
        return self.values.get(name, default)


@dataclass(frozen=True, slots=True)
class KnowledgeRow:
    """One question as a file has it. `entry.key` is the row's id; `entry.id` is empty until it is stored."""

    entry: Entry
    file: str
    """As it was given; in a loaded definition relative to the bot folder."""
    line: int
    """0 in a document."""
    prose: bool = False
    """A passage of a document, not a row of a table."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of knowledge that cannot be used, and what to do about it. Line 0: the file as a whole."""

    file: str
    line: int
    message: str
    hint: str
    minor: bool = False
    """A part of a document that a person could miss; the rest of the file says what it says."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message} {self.hint}".strip()


@dataclass(frozen=True, slots=True)
class BotDefinition:
    """All that a bot folder says. `responses` is complete: built-in texts fill what the folder leaves out."""

    folder: Path
    name: Texts
    languages: tuple[str, ...]
    welcome: Texts
    suggestions: Variants
    channels: tuple[ChannelSpec, ...]
    policy: PolicyOverrides
    site: Path | None
    """Folder of static files to serve at `/`."""
    intents: Mapping[str, Intent]
    responses: Mapping[str, Variants]
    knowledge: tuple[KnowledgeRow, ...]
    promise: Promise | None = None
    """Of the answers that are given; None: the policy's thresholds decide, and nothing is promised."""
    persona: Texts = field(default_factory=dict)
    """How it speaks, for a language model."""
    entities: Specs = field(default_factory=dict)
    """Kinds of what customers name, and how each is found."""
    annotated: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    """By language: examples in which entities are marked, of intents and of `entities.yml`."""
    encoder: Path | None = None
    """Folder with what its encoder learned (`retrieval.delta`); None: it brings none along."""

    @property
    def intents_hash(self) -> str:
        """SHA-256 (hex) of what a head is fitted to: names and examples in order; titles do not count."""
        rows = [
            [intent.name, lang, *texts]
            for intent in self.intents.values()
            for lang, texts in intent.examples.items()
        ]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()

    def response(self, name: str, lang: str) -> tuple[str, ...]:
        """At least one variant, in the bot's first language where `lang` has none. Unknown name: KeyError."""
        variants = self.responses[name]
        return variants.get(lang) or variants[self.languages[0]]
