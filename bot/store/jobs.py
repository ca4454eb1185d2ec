"""A unit of work that waits for its thread, and what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bot.store.session import Unit, run_here


@dataclass(slots=True, eq=False)
class Job:
    unit: Unit[Any]
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    value: Any = None
    error: Exception | None = None


def attempt(unit: Unit[Any], connection: Connection) -> Outcome:
    try:
        return Outcome(value=run_here(unit, connection))
    except Exception as error:
        return Outcome(error=error)


def resolve(job: Job, outcome: Outcome) -> None:
    if job.done.done():
        return
    if outcome.error is None:
        job.done.set_result(outcome.value)
    else:
        job.done.set_exception(outcome.error)
