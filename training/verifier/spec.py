"""What the tuning of a verifier is asked to do: read from JSON or YAML, and every word of it known. Torch-free."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from retrieval.model_folder import EMBEDDED
from training.language.spec import Count, ModelSpec, Share
from training.spec import Positive, parse, read_body

METHOD = "verifier"
NOTHING = "nothing"


class VerifierSpec(ModelSpec):
    """On the upper layers of a language model that chats. `base`: `embedded`, or a GGUF file with a chat template;
    `batch`: answers a step, each with all of its messages.
    """

    start: Annotated[str, Field(min_length=1)] = EMBEDDED
    """What it has learned before and goes on from: `embedded` (what comes with Kefu for the base, if anything does), an
    adapter's file for the same base, of the same rank and layers; or `nothing`.
    """
    rank: Count = 8
    alpha: Positive = 16.0
    rate: Positive = 3e-4
    first: Annotated[int, Field(ge=0)] | Share = 0.43
    """The first layer that is adapted: its number from 0, or a share of the layers."""
    smoothing: Share = 0.04
    """How far from certainty the right answer is taken to be: a message may have been sorted wrongly."""
    max_length: Annotated[int, Field(ge=64)] = 1_536
    """Tokens that are read at once; an answer with messages beyond that is read in parts."""
    judged: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the topics that are held out, and that both models are asked."""

    @property
    def method(self) -> str:
        return METHOD


def read_verifier_spec(path: Path | None) -> VerifierSpec:
    """JSON, or YAML (.yml, .yaml); None: nothing is asked for. Raises `SpecError`."""
    return parse(VerifierSpec, read_body(path), name=str(path)) if path else VerifierSpec()
