"""The shape of the files, as pydantic models.

Numbers are written as texts by `reader`; pydantic turns them into numbers where a field is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.definition.model import LANGUAGES
from bot.definition.sentences import suggestion
from bot.settings import Origin
from training.entities.spec import FORMS
from training.promise import Promise

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PERCENT = re.compile(r"^(\d{1,3}(?:\.\d{1,6})?) ?%$", re.ASCII)
MAX_PHRASE = 500
MAX_ANSWER = 8_000


def _printable(text: str) -> str:
    if found := _CONTROL.search(text):
        code = f"{ord(found.group()):04X}"
        raise PydanticCustomError("control", "holds the control character U+{code}", {"code": code})
    return text


def _known_language(code: str) -> str:
    if code not in LANGUAGES:
        raise PydanticCustomError("language", "unknown language")
    return code


def _numbered(key: object) -> object:
    return str(key) if type(key) is int else key


def _plain(limit: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=limit)


Lang = Annotated[str, AfterValidator(_known_language)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,63}$")]
Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}$")]
Phrase = Annotated[str, _plain(MAX_PHRASE), AfterValidator(_printable)]
Answer = Annotated[str, _plain(MAX_ANSWER), AfterValidator(_printable)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _percent(value: object) -> object:
    """3 % is 0.03."""
    if isinstance(value, str) and (number := _PERCENT.match(value.strip())):
        return round(float(number[1]) / 100.0, 9)
    return value


Percent = BeforeValidator(_percent)
Url = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^https?://[^\s<>\"]+$")
]
Key = Annotated[str, _plain(128), BeforeValidator(_numbered), AfterValidator(_printable)]
Phrases = dict[Lang, Annotated[list[Phrase], Field(min_length=1)]]


class Strict(BaseModel):
    """Unknown keys are errors, with the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: object) -> object:
        for key in value if isinstance(value, Mapping) else ():
            if key not in cls.model_fields:
                hint = suggestion(str(key), tuple(cls.model_fields))
                raise PydanticCustomError("unknown_key", "unknown key", {"key": str(key), "hint": hint})
        return value


Audience = Annotated[list[Name], Field(max_length=20)]
Seconds = Annotated[float, Field(ge=1, le=600, allow_inf_nan=False)]


class Channel(Strict):
    instance: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")] = "web"
    type: Annotated[str, StringConstraints(pattern=r"^(webchat|rasa)$")] = "webchat"
    origins: list[Origin] = []
    reply_within: Seconds | None = None
    deadline: Seconds | None = None
    audience: Audience = []


class PromiseSpec(Strict):
    """Of what is answered at most `wrong` is wrong, which is `sure`."""

    wrong: Annotated[float, Percent, Field(ge=0.001, le=0.5, allow_inf_nan=False)] = Promise().wrong
    sure: Annotated[float, Percent, Field(ge=0.5, le=0.9999, allow_inf_nan=False)] = Promise().sure


class Bot(Strict):
    name: dict[Lang, Phrase] = Field(min_length=1)
    languages: list[Lang] = Field(default=[*LANGUAGES], min_length=1)
    welcome: dict[Lang, Phrase] = Field(min_length=1)
    persona: dict[Lang, Phrase] = {}
    suggestions: dict[Lang, list[Phrase]] = {}
    channels: list[Channel] = Field(default=[Channel()], min_length=1)
    policy: dict[Name, Share] = {}
    promise: PromiseSpec | None = None
    site: Folder | None = None
    encoder: Folder | None = None


def _empty(value: object) -> object:
    return {} if value is None else value


Pattern = Annotated[
    str, StringConstraints(max_length=40, pattern=r"^\S*[#@*]\S*$"), AfterValidator(_printable)
]


class EntitySpec(Strict):
    """How one kind of entity is found; with nothing, by examples alone."""

    recognise: Annotated[str, StringConstraints(pattern=rf"^({'|'.join(FORMS)})$")] | None = None
    patterns: Annotated[list[Pattern], Field(max_length=50)] = []
    values: Annotated[dict[Key, Annotated[list[Phrase], Field(max_length=500)]], Field(max_length=5_000)] = {}


class Entities(Strict):
    """`entities.yml`: what customers name. Examples are texts with marks that stand under no intent."""

    entities: dict[Name, Annotated[EntitySpec, BeforeValidator(_empty)]] = {}
    examples: Phrases = {}


class IntentSpec(Strict):
    title: dict[Lang, Phrase] = {}
    examples: Phrases = Field(min_length=1)


class Intents(Strict):
    intents: dict[Name, IntentSpec] = {}


class Responses(Strict):
    responses: dict[str, dict[Lang, Annotated[list[Answer], Field(min_length=1)]]] = {}


class Knowledge(Strict):
    """One row. `lang` may be left out: the script of the question then tells."""

    id: Key | None = None
    lang: Lang | None = None
    question: Phrase
    answer: Answer
    title: Phrase | None = None
    intent: Name | None = None
    alternatives: Annotated[list[Phrase], Field(max_length=500)] = []
    valid_from: date | None = None
    valid_to: date | None = None
    url: Url | None = None
    audience: Audience = []

    @model_validator(mode="after")
    def _in_order(self) -> Knowledge:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise PydanticCustomError("order", "`valid_from` is after `valid_to`")
        return self
