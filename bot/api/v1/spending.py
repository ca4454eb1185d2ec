"""/spending: what generators took and cost, by day and by conversation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from bot.api.access import Taken
from bot.api.cursors import page, unpack_day
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import ById, Data, Page, Paging, Shown
from bot.engine.purse import money

ROUTES = Routes("spending", "What generators took and cost.")


class Spending(Shown):
    """Sums. Tokens are the generator servers' own count."""

    requests: int
    prompt_tokens: int = Field(description="Read.")
    completion_tokens: int = Field(description="Written.")
    cost: Decimal = Field(description="By `KEFU_GENERATOR_PRICE`, in the money that it is in.")


class SpendingOfDay(Spending):
    day: date = Field(description="Of UTC.")
    model: str

    @property
    def place(self) -> tuple[str, str]:
        return self.day.isoformat(), self.model


@ROUTES.get("/spending")
async def list_spending(call: Call, query: Paging) -> Page[SpendingOfDay]:
    """List what generators took, by day and model, the newest day first. Answers that were given up count too."""
    found = await call.rows.spending_by_day(after=unpack_day(query), limit=query.limit + 1)
    shown = [SpendingOfDay(day=one.day, model=one.model, **_sums(one.taken)) for one in found]
    return page(shown, query.limit, lambda one: one.place)


@ROUTES.get("/conversations/{id}/spending")
async def read_conversation_spending(call: Call, path: ById) -> Data[Spending]:
    """Read what the answers of one conversation took; `requests` are the answers for which a generator was asked."""
    await call.rows.conversation(path.id)
    return Data(data=Spending(**_sums(await call.rows.spending_of(path.id))))


def _sums(taken: Taken) -> dict[str, int | Decimal]:
    return {
        "requests": taken.requests,
        "prompt_tokens": taken.prompt_tokens,
        "completion_tokens": taken.completion_tokens,
        "cost": money(taken.cost),
    }
