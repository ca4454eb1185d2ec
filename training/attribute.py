"""Which tokens spoke for a label: Integrated Gradients (Sundararajan, Taly, Yan 2017) over token embeddings.

Each token's share of the way from a text without content (padding in place of its tokens) to the text, in the head's
logit of the label: the shares add up to the difference of the two logits (completeness). What the words beside the
vector add is no embedding's, and told apart. torch and captum.

In (`work`): plan.json ([{"text", "label" or null, "truth"?}]). Out: attributions.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.text import as_read
from training.apply import IntentHead, load_heads
from training.errors import TrainingError
from training.export import load, shape_of
from training.progress import Report

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

ATTRIBUTIONS = "attributions.json"
STEPS = (50, 200)
"""Points of the way that are looked at; the second number where the first leaves too much unexplained."""
TOLERANCE = 0.05
"""Of the difference of logits, that the shares may miss it by."""
BATCH = 16


def attribute_texts(encoder: Path, heads: Path, work: Path, *, report: Report) -> list[dict[str, Any]]:
    """`encoder`: a sentence-transformers folder; `heads`: a folder of `training.lesson`. Raises TrainingError."""
    plan: list[dict[str, Any]] = json.loads((work / "plan.json").read_text(encoding="utf-8"))
    try:
        head = load_heads(heads).intent
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{heads} cannot be read ({error})") from error
    report("attributing", 0, len(plan), "loading the encoder")
    explain = Explainer(load(str(encoder)), head)
    found = []
    for number, row in enumerate(plan, 1):
        truth = {"truth": row["truth"]} if row.get("truth") else {}
        found.append({**explain(row["text"], row.get("label")), **truth})
        report("attributing", number, len(plan), "looking at tokens")
    (work / ATTRIBUTIONS).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return found


class Explainer:
    """Of one encoder and one head."""

    def __init__(self, model: SentenceTransformer, head: IntentHead) -> None:
        import torch

        if not head.labels:
            raise TrainingError("The bot knows no intents: there is no label to explain")
        self._head, self._shape = head, shape_of(model)
        transformer: Any = model[0]
        self._tokenizer: Any = model.tokenizer
        self._inner = transformer.auto_model
        self._weight = torch.from_numpy(np.ascontiguousarray(head.weight / head.scale))
        self._bias = torch.from_numpy(head.bias - (head.weight / head.scale) @ head.mean)

    def __call__(self, text: str, label: str | None = None) -> dict[str, Any]:
        """{"text", "label", "probability", "logit", "baseline", "words", "delta", "tokens": [[token, share], ...]}.

        Without a label of the likeliest one. The tokens are the text as it is read, in pieces. Raises TrainingError.
        """
        import torch

        read = as_read(text)
        ids, mask, spans = self._encoded(read)
        with torch.no_grad():
            full = self._inner.get_input_embeddings()(ids)
            vector = self._pooled(full, mask)
            place = self._place(label, vector, text)
            empty = self._without(ids, spans)
            logits = self._logits(torch.cat([full, empty]), mask.expand(2, -1))[:, place].tolist()
        shares, delta = self._shares(full, empty, mask, place, apart=logits[0] - logits[1])
        return {
            "text": text,
            "label": self._head.labels[place],
            "probability": float(self._head.probabilities(vector.numpy(), [text])[0, place]),
            "logit": logits[0],
            "baseline": logits[1],
            "words": self._words(text, place),
            "delta": delta,
            "tokens": pieces(read, spans, shares),
        }

    def _encoded(self, text: str) -> tuple[torch.Tensor, torch.Tensor, list[tuple[int, int]]]:
        """Ids [1, length], mask, and the place of each token in the text; (0, 0) for what is none of it."""
        prefix = self._shape.prefix
        found = self._tokenizer(
            prefix + text,
            return_offsets_mapping=True,
            return_tensors="pt",
            truncation=True,
            max_length=self._shape.max_length,
        )
        spans = [
            (max(a - len(prefix), 0), max(b - len(prefix), 0)) for a, b in found["offset_mapping"][0].tolist()
        ]
        return found["input_ids"], found["attention_mask"], spans

    def _place(self, label: str | None, vector: torch.Tensor, text: str) -> int:
        if label is None:
            return int(self._head.probabilities(vector.numpy(), [text])[0].argmax())
        if label not in self._head.places:
            raise TrainingError(f"There is no intent `{label}`. Known: {', '.join(self._head.labels[:20])}")
        return self._head.places[label]

    def _without(self, ids: torch.Tensor, spans: Sequence[tuple[int, int]]) -> torch.Tensor:
        """Embeddings with padding in place of the text; the prefix and what marks its ends stay."""
        import torch

        own = torch.tensor([[end > start for start, end in spans]])
        found: torch.Tensor = self._inner.get_input_embeddings()(torch.where(own, self._shape.pad_id, ids))
        return found

    def _pooled(self, embeddings: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float32 [n, length, hidden] -> unit vectors [n, dim], as the exported graph gives them."""
        import torch

        states = self._inner(inputs_embeds=embeddings, attention_mask=mask).last_hidden_state
        if self._shape.pooling == "cls":
            return torch.nn.functional.normalize(states[:, 0], dim=-1)
        weight = mask.unsqueeze(-1).to(states.dtype)
        return torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1), dim=-1)

    def _logits(self, embeddings: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float32 [n, labels], of the vectors alone."""
        return self._pooled(embeddings, mask.expand(len(embeddings), -1)) @ self._weight.T + self._bias

    def _shares(
        self, full: torch.Tensor, empty: torch.Tensor, mask: torch.Tensor, place: int, *, apart: float
    ) -> tuple[list[float], float]:
        """The share of each token, and by how much they miss `apart` together."""
        from captum.attr import IntegratedGradients

        found: list[float] = []
        delta = 0.0
        for steps in STEPS:
            shares = IntegratedGradients(lambda e: self._logits(e, mask)).attribute(
                full, empty, target=place, n_steps=steps, internal_batch_size=BATCH
            )
            found = shares.sum(-1)[0].tolist()
            delta = sum(found) - apart
            if abs(delta) <= TOLERANCE * abs(apart):
                break
        return found, delta

    def _words(self, text: str, place: int) -> float:
        if self._head.words is None:
            return 0.0
        return self._head.share * float(self._head.words.margins([text])[0, place])


def pieces(text: str, spans: Sequence[tuple[int, int]], shares: Sequence[float]) -> list[tuple[str, float]]:
    """The text cut where its tokens end; tokens of one character (bytes of a rare one) are one piece.

    What was cut off beyond the encoder's length is a piece without a share.
    """
    found: list[tuple[str, float]] = []
    done = 0
    for (start, end), share in zip(spans, shares, strict=True):
        if end <= start:
            continue
        if end <= done and found:
            found[-1] = (found[-1][0], found[-1][1] + share)
            continue
        found.append((text[done:end], share))
        done = end
    return [*found, (text[done:], 0.0)] if done < len(text) else found
