"""The button that was pressed, as it was stored."""

from __future__ import annotations

from connectors.errors import Refused
from connectors.port import Gateway, QuickReply


async def pressed(gateway: Gateway, conversation: str, *, of: int, value: str) -> QuickReply:
    """A client cannot invent a button, nor another label for it. Raises `Refused` `no_such_message`."""
    page = await gateway.history_after(conversation, of - 1, limit=1) if of else ()
    for message in page:
        for reply in message.quick_replies:
            if message.seq == of and reply.value == value:
                return reply
    raise Refused("no_such_message", "There is no such message, or no such button under it.")
