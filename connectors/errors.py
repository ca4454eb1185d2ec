"""Errors between channels and the engine.

ConnectorError
 ├─ Refused          the message itself is wrong: do not send it again as it is
 │   └─ Malformed    it could not be read
 ├─ Overloaded       try again after `retry_after` seconds
 └─ DeliveryError    a push channel could not deliver
     ├─ Transient    try again after `retry_after` seconds
     ├─ Quota        the provider's limit is reached until `retry_after` seconds have passed
     └─ Permanent    never will: dead letter
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of this package. `code` is stable and machine-readable, `message` is for people."""

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class Refused(ConnectorError):
    pass


class Malformed(Refused):
    """`ref` is the id (or number) that it was about, where that much could be read."""

    def __init__(self, code: str, message: str, *, ref: str | int | None = None) -> None:
        super().__init__(code, message)
        self.ref = ref


class Overloaded(ConnectorError):
    pass


class DeliveryError(ConnectorError):
    pass


class Transient(DeliveryError):
    pass


class Quota(DeliveryError):
    pass


class Permanent(DeliveryError):
    pass
