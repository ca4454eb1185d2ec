"""/escalations: conversations that wait for a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from bot.api.cursors import page, unpack_moment
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import ById, Data, Page, Paging, Shown
from connectors.port import Frame

ROUTES = Routes("escalations", "Conversations that wait for a person.")


class Escalation(Shown):
    id: str
    conversation: str
    seq: int = Field(description="Number of the message that led to it.")
    reason: str
    lang: str | None
    last_text: str = Field(description="The customer's last words.")
    at: datetime
    age: timedelta = Field(exclude=True)

    @property
    def place(self) -> tuple[str, str]:
        return self.at.isoformat(), self.id


class Closed(Shown):
    id: str
    conversation: str = Field(description="The bot answers in it again.")


@ROUTES.get("/escalations")
async def list_escalations(call: Call, query: Paging) -> Page[Escalation]:
    """List who waits for a person, the longest waiting first."""
    found = await call.rows.open_cases(after=unpack_moment(query), limit=query.limit + 1)
    return page([Escalation.model_validate(case) for case in found], query.limit, lambda case: case.place)


@ROUTES.post("/escalations/{id}/close", problems=(409,))
async def close_escalation(call: Call, path: ById) -> Data[Closed]:
    """Close a case: the bot answers in its conversation again."""
    conversation = await call.rows.close_case(path.id)
    call.desk.bus.publish(Frame("status", conversation, status="bot"))
    return Data(data=Closed(id=path.id, conversation=conversation))
