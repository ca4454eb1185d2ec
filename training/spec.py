"""What a training job is asked to do: read from JSON or YAML, and every word of it known. Torch-free."""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from retrieval.model_folder import EMBEDDED
from training.errors import TrainingError
from training.noise import CHANGES

Method = Literal["head", "contrastive", "full", "lora", "adalora"]
METHODS: tuple[str, ...] = get_args(Method)
TASKS = ("intent", "retrieval", "sentiment")
T = TypeVar("T", bound=BaseModel)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SpecError(TrainingError):
    """A spec cannot be read, or says what nobody understands."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Search(_Part):
    """Better settings of the recipe, looked for by trial on the validation rows alone."""

    minutes: Positive = 10.0
    trials: Annotated[int, Field(ge=1)] | None = None
    """At most so many, whatever time is left."""


class BackTranslation(_Part):
    """Texts in the other of our languages and back, by an OpenAI-compatible server."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    """Up to `/v1`."""
    model: Annotated[str, Field(min_length=1)]


class Augment(_Part):
    """Changed copies of the training texts of intents and sentiment, to be learned too."""

    changes: tuple[str, ...] = ()
    """Names of `training.noise`."""
    copies: Annotated[int, Field(ge=1, le=10)] = 1
    """Of each text by each change."""
    back_translation: BackTranslation | None = None

    @field_validator("changes")
    @classmethod
    def _known(cls, changes: tuple[str, ...]) -> tuple[str, ...]:
        for name in changes:
            if name not in CHANGES:
                close = get_close_matches(name, CHANGES, 1)
                hint = f"is `{close[0]}` meant?" if close else f"known are {', '.join(CHANGES)}"
                raise ValueError(f"nobody knows the change `{name}`: {hint}")
        return changes


class Spec(_Part):
    """A job. Two jobs of one spec on the same data give the same hashes on one CPU, but for a search: it ends by the
    clock, unless `trials` end it first.
    """

    method: Method = "head"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    encoder: Annotated[str, Field(min_length=1)] = EMBEDDED
    """`embedded`, a sentence-transformers folder, or a hub name: what it begins with."""
    tasks: dict[Literal["intent", "retrieval", "sentiment"], Positive] | None = None
    """Weight of each in the loss; without it every task of the data set, by 1."""
    recipe: dict[str, JsonValue] = Field(default_factory=dict)
    """What shall be other than the method's own recipe has it."""
    patience: Annotated[int, Field(ge=0)] | None = None
    """Epochs without a better validation figure after which it ends early (0: never); without it, the recipe's."""
    precision: Literal["auto", "float32", "bf16"] | None = None
    """Without it, the recipe's: bf16 where the hardware has it."""
    learn: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of a bot's texts that are neither to choose nor to judge by, the share that its encoder learns from. By the
    others answers are calibrated: what was learned looks surer than it is.
    """
    refit: bool = False
    """Train on the validation rows too, afterwards, for as many epochs as were found to be best."""
    search: Search | None = None
    augment: Augment | None = None
    """Without it the texts are learned as they are."""
    int8: Literal["off", "auto"] = "off"
    """`auto`: the graph's matrices in 8 bits, where validation accuracy stays within `int8_tolerance`."""
    int8_tolerance: Annotated[float, Field(ge=0, le=100)] = 0.3
    """Points."""
    checkpoint_seconds: Positive = 120.0
    """At the most so much work is lost when the machine stops."""

    @model_validator(mode="after")
    def _apart(self) -> Spec:
        if self.method == "head" and self.augment and self.refit:
            raise ValueError(
                "`refit` does not go with `augment`: copies of a text would be judged by the text itself"
            )
        if self.method == "head" and self.learn < 1:
            raise ValueError("`learn` is for methods that tune the encoder: a head may learn from all texts")
        return self

    @property
    def overrides(self) -> dict[str, JsonValue]:
        """All that shall be other than the method's own recipe has it."""
        told: dict[str, JsonValue] = {
            "seed": self.seed,
            "patience": self.patience,
            "precision": self.precision,
        }
        return {**{name: value for name, value in told.items() if value is not None}, **self.recipe}

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of what decides the outcome."""
        unsaid = {"checkpoint_seconds"} if self.augment else {"checkpoint_seconds", "augment"}
        unsaid |= {"learn"} if self.learn == 1 else set()
        told = self.model_dump(mode="json", exclude=unsaid)
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_spec(path: Path) -> Spec:
    """JSON, or YAML (.yml, .yaml). Raises `SpecError`."""
    return parse_spec(read_body(path), name=str(path))


def read_body(path: Path) -> dict[str, Any]:
    """What the file says, whatever it means. Raises `SpecError`."""
    try:
        text = path.read_text(encoding="utf-8")
        body = yaml.safe_load(text) if path.suffix.lower() in (".yml", ".yaml") else json.loads(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecError(f"{path} cannot be read as a spec: {_short(error)}") from error
    if not isinstance(body, dict):
        raise SpecError(f'{path} is not a spec: write an object such as {{"method": "full"}}')
    return body


def parse_spec(body: dict[str, Any], *, name: str = "the spec") -> Spec:
    """As `parse`, of an encoder's spec."""
    return parse(Spec, body, name=name)


def parse(kind: type[T], body: dict[str, Any], *, name: str) -> T:
    """`name`: how a complaint calls it. Raises `SpecError`, which names each key that is wrong."""
    try:
        # As JSON: there a list may become a tuple and nothing else is bent into shape.
        return kind.model_validate_json(json.dumps(body, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as error:
        told = _complaints(error, kind) if isinstance(error, ValidationError) else _short(error)
        raise SpecError(f"{name}: {told}") from error


def write_spec(path: Path, spec: BaseModel) -> None:
    path.write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _complaints(error: ValidationError, whole: type[BaseModel]) -> str:
    return "; ".join(_complaint(one["type"], one["loc"], one["msg"], whole=whole) for one in error.errors())


def _complaint(kind: str, place: tuple[int | str, ...], message: str, *, whole: type[BaseModel]) -> str:
    key = ".".join(map(str, place)) or "it"
    if kind != "extra_forbidden":
        return f"`{key}`: {message[:1].lower()}{message[1:]}"
    parts: dict[object, type[BaseModel]] = {"search": Search, "augment": Augment}
    part = BackTranslation if "back_translation" in place[1:-1] else parts.get(place[0], whole)
    known = list(part.model_fields)
    close = get_close_matches(str(place[-1]), known, 1)
    return f"nobody knows `{key}`: " + (
        f"is `{close[0]}` meant?" if close else f"known are {', '.join(known)}"
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())
