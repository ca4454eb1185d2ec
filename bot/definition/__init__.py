"""The bot folder as frozen dataclasses: `load(folder)`.

A folder holds `bot.yml` (who the bot is), `intents.yml` (examples of what people want), `responses.yml` (what
it says beside answers), `knowledge/` (questions with answers, documents). Errors are `DefinitionError`, one line each.
"""

from bot.definition.knowledge import (
    Checks,
    is_knowledge,
    knowledge_files,
    look_into,
    read_knowledge,
    read_row,
    unknown_kind,
)
from bot.definition.load import load
from bot.definition.model import (
    FOLDER,
    LANGUAGES,
    RESERVED,
    BotDefinition,
    ChannelSpec,
    Intent,
    KnowledgeRow,
    PolicyOverrides,
    Problem,
)
from bot.definition.prose import is_document

__all__ = [
    "FOLDER",
    "LANGUAGES",
    "RESERVED",
    "BotDefinition",
    "ChannelSpec",
    "Checks",
    "Intent",
    "KnowledgeRow",
    "PolicyOverrides",
    "Problem",
    "is_document",
    "is_knowledge",
    "knowledge_files",
    "load",
    "look_into",
    "read_knowledge",
    "read_row",
    "unknown_kind",
]
