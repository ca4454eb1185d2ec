"""How much a bot folder has to go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bot.definition.model import RESERVED, BotDefinition
from retrieval.text import normalise


@dataclass(frozen=True, slots=True)
class Census:
    """Counts by language, and what to look at again."""

    examples: Mapping[str, Mapping[str, int]]
    """Language -> intent -> number of examples."""
    pairs: Mapping[str, int]
    """Language -> questions with answers."""
    topics: int
    """Distinct ids of knowledge rows."""
    linked: int
    """Topics that have an answer in every language of the bot."""
    ambiguous: tuple[str, ...]
    """Phrasings that stand under several topics: none of them can be answered as identical."""
    unanswered: tuple[str, ...]
    """Intents, other than the reserved ones, that no knowledge row names."""

    def intents_with(self, least: int) -> dict[str, int]:
        """Language -> number of intents that have at least `least` examples."""
        return {lang: sum(n >= least for n in intents.values()) for lang, intents in self.examples.items()}


def census(definition: BotDefinition) -> Census:
    examples = {
        lang: {intent.name: len(intent.examples.get(lang, ())) for intent in definition.intents.values()}
        for lang in definition.languages
    }
    topics: dict[str, set[str]] = {}
    for row in definition.knowledge:
        topics.setdefault(row.entry.key, set()).add(row.entry.lang)
    return Census(
        examples=examples,
        pairs=Counter(row.entry.lang for row in definition.knowledge),
        topics=len(topics),
        linked=sum(langs >= set(definition.languages) for langs in topics.values()),
        ambiguous=_ambiguous(definition),
        unanswered=_unanswered(definition),
    )


def _ambiguous(definition: BotDefinition) -> tuple[str, ...]:
    places: dict[tuple[str, str], set[str]] = {}
    for row in definition.knowledge:
        for phrase in row.entry.phrases:
            places.setdefault((row.entry.lang, normalise(phrase)), set()).add(row.entry.key)
    return tuple(phrase for (_, phrase), keys in places.items() if len(keys) > 1)


def _unanswered(definition: BotDefinition) -> tuple[str, ...]:
    named = {row.entry.intent for row in definition.knowledge}
    return tuple(intent for intent in definition.intents if intent not in named | RESERVED)
