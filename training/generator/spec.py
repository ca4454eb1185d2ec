"""What the tuning of a generator is asked to do: read from JSON or YAML, and every word of it known. Torch-free."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from training.language.spec import Count, ModelSpec, Share
from training.spec import parse, read_body

METHOD = "generator"
Form = Literal["completion", "chat"]
"""How the model is asked: a text to go on with (the model in the server's process), or messages (a server)."""


class GeneratorSpec(ModelSpec):
    """On all linear layers of a language model. `base`: `embedded`, a GGUF file, a folder of safetensors, or a hub
    name: what it begins with.
    """

    form: Form = "completion"
    dropout: Share = 0.05
    examples: Annotated[int, Field(ge=8)] = 800
    """At the most so many are made of what the bot knows."""
    refusals: Annotated[float, Field(ge=0, le=0.5)] = 0.25
    """Share of examples whose passages do not hold the answer."""
    max_length: Annotated[int, Field(ge=32)] = 768
    """Tokens of an example; longer ones are left out."""
    judged: Count = 40
    """Questions that were held out and are put to the base and to what was tuned."""

    @property
    def method(self) -> str:
        return METHOD


def read_generator_spec(path: Path | None) -> GeneratorSpec:
    """JSON, or YAML (.yml, .yaml); None: nothing is asked for. Raises `SpecError`."""
    return parse(GeneratorSpec, read_body(path), name=str(path)) if path else GeneratorSpec()
