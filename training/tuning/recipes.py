"""How an encoder is tuned: every figure that may be chosen, and what each method chooses. No torch.

What was tried for these defaults, on validation data alone, stands in docs/adr/0007.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from training.errors import TrainingError

Method = Literal["contrastive", "full", "lora", "adalora"]
METHODS: tuple[Method, ...] = get_args(Method)

_Share = Annotated[float, Field(ge=0, lt=1)]
_Weight = Annotated[float, Field(ge=0)]
_Above = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Recipe:
    """`recipe_for` makes one; a value out of its bounds raises pydantic's `ValidationError`."""

    method: Method
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    layers: _Count = 4
    """Upper layers that are trained. All below stay as they are, and the embeddings always do."""
    epochs: _Count = 4
    batch: Annotated[int, Field(ge=2)] = 32
    """Texts a step; over all devices."""
    rate: _Above = 1e-4
    """Learning rate of the encoder (AdamW) after warm-up; it falls linearly to nothing."""
    head_rate: _Above = 2e-3
    decay: _Weight = 0.01
    """Weight decay; never of biases, norms and heads."""
    warmup: _Share = 0.06
    """Share of the steps in which the rates rise."""
    clip: _Above = 1.0
    """Largest norm of all gradients together."""
    dropout: _Share = 0.1
    """In the trained layers."""
    cutoff: _Share = 0.0
    """Share of the tokens whose states are blank where the trained layers begin: others each time a text is seen (Shen
    et al. 2020). Not of a model that cannot be taken apart.
    """
    average: _Share = 0.0
    """How much of the weights' running mean a step leaves as it is; what is judged and saved is that mean. 0: none."""
    blend: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the way from the weights that it begins with to those that training comes to, or to their mean; what is
    judged and saved is that blend. 1: all that was learned.
    """
    scale: _Above = 16.0
    """Logits are scale x unit vector . row of the label."""
    smoothing: _Share = 0.05
    contrast: _Weight = 0.0
    """Weight of the supervised contrastive loss beside the classifier's."""
    temperature: _Above = 0.1
    """Of cosines in both contrastive losses."""
    per_label: _Count = 4
    """Texts of one label that stand together in a batch where `contrast` counts."""
    keep: _Weight = 0.0
    """Weight of the pull towards the untrained encoder's vectors, on texts of `retrieval` and `anchors`."""
    names: bool = True
    """Whether the name of a label counts as one text of it more."""
    near: _Weight = 0.0
    """How much a text's nearest neighbours count beside the classifier (see `training.neighbours`)."""
    max_length: Annotated[int, Field(ge=8)] = 128
    """Tokens of a text that training sees."""
    patience: Annotated[int, Field(ge=0)] = 2
    """Epochs without a better first metric before training stops; 0: never before its end."""
    rank: _Count = 16
    """Of the matrices that `lora` trains, and that `adalora` ends with on average."""
    alpha: _Above = 32.0
    """Their product counts alpha / rank times."""
    threads: Annotated[int, Field(ge=0)] = 0
    """Threads of a CPU; 0: as many as torch takes. Another number gives other last digits."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Of products in the trained layers; auto: bf16 on a GPU or CPU that multiplies in it, float32 elsewhere. Weights,
    logits and vectors are float32 always.
    """
    keep_mb: Annotated[int, Field(ge=0)] = 2_000
    """Memory for states of frozen layers. What needs more lies in a file that is mapped."""
    keep_disk_mb: Annotated[int, Field(ge=0)] = 20_000
    """Room for that file. What needs more runs the frozen layers anew for each batch."""


DEFAULTS: Mapping[Method, Mapping[str, Any]] = {
    "full": {"layers": 6, "epochs": 5, "cutoff": 0.1, "average": 0.998},
    "contrastive": {"epochs": 6, "contrast": 0.5, "cutoff": 0.1, "near": 0.5},
    "lora": {"rate": 1e-3, "layers": 6},
    "adalora": {"rate": 2e-3, "layers": 6},
}
"""Where a method differs from `Recipe`."""


def recipe_for(method: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The method's recipe with some values of one's own. Raises `TrainingError` that names every wrong one."""
    if method not in METHODS:
        raise TrainingError(f"There is no method {method!r} of tuning: {', '.join(METHODS)}")
    try:
        return Recipe(**{"method": method, **DEFAULTS[method], **(overrides or {})})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise TrainingError(f"The recipe cannot be followed: {wrong}") from error
