"""/sources: where the knowledge came from."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from bot.api.cursors import page, unpack
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import Data, Given, Line, Page, Paging, Shown

ROUTES = Routes("sources", "Where the knowledge came from: files, and this API.")


class Source(Shown):
    source: str = Field(description="`api`, or the file; `folder:` begins those of the bot folder.")
    answers: int
    changed_at: datetime = Field(description="The newest change among them.")


class BySource(Given):
    source: Line = Field(description="As the list has it; `/` in it is written `%2F`.")


class RemovedSource(Shown):
    source: str
    removed: int = Field(description="Answers that were taken out.")
    revision: int = Field(description="Knowledge revision from which on they are never said.")


@ROUTES.get("/sources")
async def list_sources(call: Call, query: Paging) -> Page[Source]:
    """List sources with the number of their answers, by name."""
    after = unpack(query, 1)
    stock = [Source.model_validate(one) for one in await call.rows.sources()]
    behind = [one for one in stock if after is None or one.source > after[0]]
    return page(behind[: query.limit + 1], query.limit, lambda one: [one.source])


@ROUTES.delete("/sources/{source}", problems=(409,))
async def remove_source(call: Call, path: BySource) -> Data[RemovedSource]:
    """Take out all answers of a source. Those of the bot folder are taken out of its files."""
    report = await call.rows.remove_source(path.source)
    return Data(data=RemovedSource(source=path.source, removed=report.removed, revision=report.revision))
