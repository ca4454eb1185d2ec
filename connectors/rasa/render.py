"""A committed message as Rasa's clients know them. Keys without a value are left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from connectors.port import Message
from connectors.rasa.parse import payload

_BLANK_LINE = re.compile(r"\n\s*\n")


def messages(message: Message, recipient: str) -> Sequence[dict[str, Any]]:
    """One for each paragraph; the buttons are under the last one."""
    parts = [part.strip() for part in _BLANK_LINE.split(_unmarked(message))]
    shown: list[dict[str, Any]] = [{"recipient_id": recipient, "text": part} for part in parts if part]
    if message.quick_replies:
        shown = shown or [{"recipient_id": recipient}]
        shown[-1]["buttons"] = [
            {"title": reply.label, "payload": payload(message.seq, reply.value)}
            for reply in message.quick_replies
        ]
    return shown


def _unmarked(message: Message) -> str:
    """Without the numbers of sources, which these clients cannot show."""
    if not message.citations:
        return message.text
    marks = "|".join(str(citation.mark) for citation in message.citations)
    return re.sub(rf" ?\[(?:{marks})\]", "", message.text)
