"""/knowledge: stored questions with their answers. What changes here is live within seconds, without a restart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from bot.api.access import StoredEntry, Wanted
from bot.api.cursors import page, unpack
from bot.api.errors import RequestError
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import PLAIN, ById, Data, Given, Line, Page, Paging, Shown
from bot.definition import Problem, read_row
from bot.definition.schema import MAX_ANSWER, MAX_PHRASE
from retrieval.types import Entry

ROUTES = Routes("knowledge", "Stored questions with their answers.")

Lang = Literal["zh", "en"]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PHRASE, pattern=PLAIN)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ANSWER, pattern=PLAIN)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=PLAIN)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,63}$")]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s<>\"]+$")]


class KnowledgeEntry(Shown):
    """`id` stays through every change."""

    id: str
    source: str = Field(
        description="`api`, or the file it came from; `folder:` begins those of the bot folder."
    )
    key: str = Field(description="The topic, the same in every language.")
    lang: str
    question: str
    answer: str
    title: str
    intent: str | None
    alternatives: list[str]
    valid_from: date | None
    valid_to: date | None
    url: str | None
    audience: list[str] = Field(description="Who may hear it; empty: everybody.")
    revision: int = Field(
        description="Knowledge revision of its last change; see `/status` for the live one."
    )
    active: bool = Field(description="False: taken out, and never said.")
    created_at: datetime
    updated_at: datetime


class KnowledgeContent(Given):
    """What an entry says. The rules are those of a row of a knowledge file."""

    question: Phrase
    answer: Text
    title: Phrase | None = Field(None, description="What its button says when the bot asks which is meant.")
    intent: Name | None = Field(None, description="The intent of the bot folder it belongs to.")
    alternatives: list[Phrase] = Field([], max_length=500, description="Other ways to ask the same.")
    valid_from: date | None = None
    valid_to: date | None = Field(None, description="Last day, inclusive.")
    url: Url | None = Field(None, description="Where the customer can read on.")
    audience: list[Name] = Field(
        [], max_length=20, description="Who may hear it: channels of one of these names. Empty: everybody."
    )


class NewKnowledge(KnowledgeContent):
    key: Key | None = Field(None, description="The topic; made from the question where it is left out.")
    lang: Lang | None = Field(None, description="Told by the question's script where it is left out.")


class KnowledgeChange(Given):
    """What is left out stays; null takes away what may be missing."""

    question: Phrase | None = None
    answer: Text | None = None
    title: Phrase | None = None
    intent: Name | None = None
    alternatives: list[Phrase] | None = Field(None, max_length=500)
    valid_from: date | None = None
    valid_to: date | None = None
    url: Url | None = None
    audience: list[Name] | None = Field(None, max_length=20)


class KnowledgeFilter(Paging):
    source: Line | None = Field(None, description="All of one source.")
    key: Key | None = Field(None, description="All of one topic.")
    lang: Lang | None = None
    intent: Name | None = None
    text: Line | None = Field(None, description="A part of question or answer.")
    active: bool = Field(True, description="False: what was taken out.")


class Removed(Shown):
    id: str
    revision: int = Field(description="Knowledge revision from which on it is never said.")


@ROUTES.get("/knowledge")
async def list_knowledge(call: Call, query: KnowledgeFilter) -> Page[KnowledgeEntry]:
    """List entries, those that match every filter."""
    after = unpack(query, 1)
    wanted = Wanted(query.source, query.key, query.lang, query.intent, query.active, query.text)
    found = await call.rows.entries(wanted, after=after[0] if after else "", limit=query.limit + 1)
    return page([_shown(entry) for entry in found], query.limit, lambda entry: [entry.id])


@ROUTES.post("/knowledge", status=201, problems=(409,))
async def create_knowledge(call: Call, body: NewKnowledge) -> Data[KnowledgeEntry]:
    """Create an entry, of the source `api`.

    An entry that was removed and has the same key and language comes back under its old id.
    """
    said = body.model_dump(mode="json", exclude={"key"}) | {"id": body.key}
    return Data(data=_shown(await call.rows.add_entry(_checked(call, said))))


@ROUTES.get("/knowledge/{id}")
async def read_knowledge(call: Call, path: ById) -> Data[KnowledgeEntry]:
    """Read one entry."""
    return Data(data=_shown(await call.rows.entry(path.id)))


@ROUTES.put("/knowledge/{id}", problems=(409,))
async def replace_knowledge(call: Call, path: ById, body: KnowledgeContent) -> Data[KnowledgeEntry]:
    """Replace all that an entry says.

    Entries of the bot folder are changed in its files; those of an ingested file change until the file comes again.
    """

    def change(stored: StoredEntry) -> Entry:
        return _checked(call, _name(stored) | body.model_dump(mode="json"))

    return Data(data=_shown(await call.rows.change_entry(path.id, change)))


@ROUTES.patch("/knowledge/{id}", problems=(409,))
async def change_knowledge(call: Call, path: ById, body: KnowledgeChange) -> Data[KnowledgeEntry]:
    """Change a part of what an entry says, as `PUT` changes all of it."""

    def change(stored: StoredEntry) -> Entry:
        before = KnowledgeEntry.model_validate(stored).model_dump(
            mode="json", include=set(KnowledgeContent.model_fields)
        )
        return _checked(call, _name(stored) | before | body.model_dump(mode="json", exclude_unset=True))

    return Data(data=_shown(await call.rows.change_entry(path.id, change)))


@ROUTES.delete("/knowledge/{id}", problems=(409,))
async def remove_knowledge(call: Call, path: ById) -> Data[Removed]:
    """Remove an entry: it is no answer any more. Creating it again brings it back."""
    return Data(data=Removed(id=path.id, revision=await call.rows.remove_entry(path.id)))


def _checked(call: Call, said: Mapping[str, Any]) -> Entry:
    """By the rules for a row of a file: one way to be right. Raises RequestError."""
    raw = {name: value for name, value in said.items() if value not in (None, "", [])}
    [row] = call.house.new_checks().apply([read_row(raw, "body", 0)])
    if isinstance(row, Problem):
        raise RequestError(422, "invalid", f"body: {row.message} {row.hint}".strip())
    return row.entry


def _name(stored: StoredEntry) -> dict[str, Any]:
    return {"id": stored.key, "lang": stored.lang}


def _shown(stored: StoredEntry) -> KnowledgeEntry:
    return KnowledgeEntry.model_validate(stored)
