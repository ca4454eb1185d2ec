"""The API, version 1: one module a resource."""

from bot.api.v1 import conversations, escalations, knowledge, messages, search, sources, spending, status

RESOURCES = (
    knowledge.ROUTES,
    search.ROUTES,
    sources.ROUTES,
    conversations.ROUTES,
    messages.ROUTES,
    escalations.ROUTES,
    spending.ROUTES,
    status.ROUTES,
)
