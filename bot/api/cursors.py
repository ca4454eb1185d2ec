"""Cursors: where a page ended, as a text that clients hand back unread."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.api.errors import RequestError
from bot.api.shapes import Page, Paging, Shown

S = TypeVar("S", bound=Shown)
_PARTS = TypeAdapter(list[str])


def page(items: Sequence[S], limit: int, place: Callable[[S], Sequence[str]]) -> Page[S]:
    """`items`: one more than `limit` where there is a next page. `place`: what names an item's place."""
    shown = list(items[:limit])
    return Page[S](data=shown, next=pack(*place(shown[-1])) if len(items) > limit else None)


def pack(*parts: str) -> str:
    return urlsafe_b64encode(_PARTS.dump_json(list(parts))).rstrip(b"=").decode()


def unpack(paging: Paging, count: int) -> list[str] | None:
    """The parts of `after`; None for the first page. Raises RequestError for what no page of ours said."""
    if paging.after is None:
        return None
    try:
        padded = paging.after + "=" * (-len(paging.after) % 4)
        parts = _PARTS.validate_json(urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, ValidationError):
        raise _foreign() from None
    if len(parts) != count or not all(part.isprintable() for part in parts):
        raise _foreign()
    return parts


def unpack_number(paging: Paging) -> int:
    """The place of an item that has a number; 0 for the first page."""
    parts = unpack(paging, 1)
    if parts is None:
        return 0
    if not parts[0].isdecimal() or len(parts[0]) > 18:
        raise _foreign()
    return int(parts[0])


def unpack_moment(paging: Paging) -> tuple[datetime, str] | None:
    """The place of an item that has a time and an id."""
    parts = unpack(paging, 2)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[0])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), parts[1]
    except (ValueError, OverflowError):
        raise _foreign() from None


def unpack_day(paging: Paging) -> tuple[date, str] | None:
    """The place of an item that has a day and a name."""
    parts = unpack(paging, 2)
    if parts is None:
        return None
    try:
        return date.fromisoformat(parts[0]), parts[1]
    except ValueError:
        raise _foreign() from None


def _foreign() -> RequestError:
    return RequestError(422, "bad_cursor", "`after` is not what `next` of a page said.")
