"""A sentence-transformers model as one ONNX graph: token ids in, unit vectors out.

Pooling and the L2 norm are inside the graph, so that serving needs onnxruntime and tokenizers alone and
every caller gets the same vectors.
"""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentence_transformers import SentenceTransformer

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "vectors"
_POOLINGS = ("mean", "cls")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model says of itself and serving must know."""

    dim: int
    max_length: int
    pooling: str
    prefix: str
    pad_id: int
    pad_token: str


def load(source: str, *, attention: str | None = "eager") -> SentenceTransformer:
    """The model of a folder or hub name (`name@revision`), on the CPU, in evaluation mode. Raises
    `SourceError`. `attention`: eager is what the graph is written from; None the quickest that torch has.
    """
    from sentence_transformers import SentenceTransformer

    name, _, revision = (source, "", "") if Path(source).exists() else source.partition("@")
    try:
        model = SentenceTransformer(
            name,
            device="cpu",
            revision=revision or None,
            model_kwargs={"attn_implementation": attention} if attention else {},
        )
    except Exception as error:  # every library below raises its own kinds
        raise SourceError(f"{source} cannot be loaded as a sentence-transformers model: {error}") from error
    model.eval()
    return model


def shape_of(model: SentenceTransformer) -> Shape:
    """Raises `SourceError` for a model that is more than a transformer, mean or CLS pooling and a norm."""
    kinds = [type(module).__name__ for module in model]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise SourceError(
            f"The model's modules are {', '.join(kinds)}: only Transformer, Pooling, Normalize can be used"
        )
    pooling: Any = model[1]
    if pooling.pooling_mode not in _POOLINGS:
        raise SourceError(f"Pooling {pooling.pooling_mode} is not supported: {' or '.join(_POOLINGS)} is")
    limit = min(model.max_seq_length or 512, model.tokenizer.model_max_length)
    return Shape(
        dim=int(pooling.embedding_dimension),
        max_length=int(limit),
        pooling=pooling.pooling_mode,
        prefix=(model.prompts or {}).get("query") or "",
        pad_id=int(model.tokenizer.pad_token_id),
        pad_token=str(model.tokenizer.pad_token),
    )


def export(model: SentenceTransformer, path: Path) -> None:
    """Write the graph (weights inside). About 20 s."""
    write_graph(_with_pooling(model, shape_of(model).pooling), path, inputs=INPUTS, output=OUTPUT)


def write_graph(graph: Any, path: Path, *, inputs: Sequence[str], output: str) -> None:
    """A module over int64 [batch, length] for each of `inputs`: batch and length stay free, the weights lie inside."""
    import torch

    given = tuple(torch.ones((2, 9), dtype=torch.int64) for _ in inputs)
    batch, length = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("length", min=2, max=512)
    with quiet(), torch.inference_mode():
        torch.onnx.export(
            graph,
            given,
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=tuple({0: batch, 1: length} for _ in inputs),
            dynamo=True,
            external_data=False,
            optimize=True,
        )


def _with_pooling(model: SentenceTransformer, pooling: str) -> Any:
    import torch

    transformer: Any = model[0]

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = transformer.auto_model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.inner(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            if pooling == "cls":
                return torch.nn.functional.normalize(states[:, 0], dim=-1)
            weight = attention_mask.unsqueeze(-1).to(states.dtype)
            mean = (states * weight).sum(1) / weight.sum(1).clamp(min=1.0)
            return torch.nn.functional.normalize(mean, dim=-1)

    return Pooled().eval()


@contextmanager
def quiet() -> Iterator[None]:
    """The exporter prints its own progress on stdout, where our JSON lines go, and warns of its own
    deprecations.
    """
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        before = logging.root.manager.disable
        stack.callback(logging.disable, before)
        logging.disable(logging.WARNING)
        yield
