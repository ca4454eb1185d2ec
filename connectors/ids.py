"""Ids of messages whose client does not choose one in the message itself."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

from connectors.errors import Malformed

IDEMPOTENCY_KEY = "Idempotency-Key"
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def message_id(key: str | None) -> str:
    """The id that an `Idempotency-Key` header stands for: the same for the same key. Without one: a new id.

    Raises `Malformed` `bad_key` for a key that is empty, longer than 255 characters, or not printable ASCII.
    """
    if key is None:
        return secrets.token_urlsafe(16)
    if MESSAGE_ID.fullmatch(key):
        return key
    if not _KEY.fullmatch(key):
        raise Malformed("bad_key", f"'{IDEMPOTENCY_KEY}' has 1 to 255 printable ASCII characters.")
    return urlsafe_b64encode(sha256(key.encode()).digest()).decode().rstrip("=")
