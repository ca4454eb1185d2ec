"""What every answer and every question of the API has in common."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")

PLAIN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""Text without control characters, other than tabs and line ends."""
MAX_PAGE = 200


class Given(BaseModel):
    """What a client sends: nothing but what is described."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Shown(BaseModel):
    """What a client gets. Made from a record of the same field names: `Shown.model_validate(record)`."""

    model_config = ConfigDict(frozen=True, from_attributes=True, hide_input_in_errors=True)


class Data(Shown, Generic[T]):
    """The envelope of every answer that is one thing."""

    data: T


class Page(Shown, Generic[T]):
    """The envelope of every answer that is a list."""

    data: list[T]
    next: str | None = Field(description="Send it as `after` for the next page; null: this is the last one.")


class Problem(Shown):
    code: str = Field(description="Stable, for machines.")
    message: str = Field(description="For people.")


class Error(Shown):
    """The one shape of every error."""

    error: Problem


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~:=@+-]{1,200}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PLAIN)]


class ById(Given):
    id: Id = Field(description="As a list or an earlier answer gave it.")


class Paging(Given):
    after: Annotated[str, StringConstraints(max_length=400)] | None = Field(
        None, description="`next` of the page before; without it the first page."
    )
    limit: int = Field(50, ge=1, le=MAX_PAGE, description="Items a page.")
