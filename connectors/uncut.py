"""A write that has begun is finished, whoever goes away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


async def uncut(call: Coroutine[Any, Any, _T]) -> _T:
    """A caller that is cancelled waits for the end: its answer is lost, the row is not."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
