"""Whose conversation it is. A sender id is a claim and no proof; a conversation's id is never told to a client."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

_PURPOSE = "kefu.rasa.sender.v1"
_BYTES = 18


def conversation_of(sender: str, *, instance: str, key: str) -> str:
    """144 bits that nobody without the key can guess; the same for the same sender of the same channel."""
    named = "\0".join((_PURPOSE, instance, sender))
    digest = hmac.digest(key.encode(), named.encode(), "sha256")
    return urlsafe_b64encode(digest[:_BYTES]).decode()
