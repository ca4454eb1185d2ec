"""What unit vectors of a batch lose by standing where they stand."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def supervised_contrastive(vectors: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """[n, dim], [n] -> mean over the rows that have another of their label (Khosla et al. 2020, L_out)."""
    same, other = _pairs(labels)
    logits = (vectors @ vectors.T / temperature).masked_fill(~(same | other), -torch.inf)
    logs = functional.log_softmax(logits, dim=-1)
    return _mean(-logs, same)


def info_nce(vectors: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """[n, dim], [n] -> mean over the rows that have another of their key (van den Oord et al. 2018).

    Each such pair stands against all texts of other keys: another text of the same key is never a negative.
    """
    same, other = _pairs(keys)
    logits = vectors @ vectors.T / temperature
    against = torch.logsumexp(logits.masked_fill(~other, -torch.inf), dim=-1, keepdim=True)
    return _mean(functional.softplus(against - logits), same)


def pull(vectors: Tensor, before: Tensor) -> Tensor:
    """[n, dim] twice -> mean squared distance between where each was and where it is now."""
    return (vectors - before).square().sum(dim=-1).mean()


def _pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """bool [n, n]: another row of the same label, a row of another label."""
    alike = labels[:, None] == labels[None, :]
    return alike & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~alike


def _mean(losses: Tensor, same: Tensor) -> Tensor:
    """Over the pairs of each row, then over the rows that have any; 0 where none has."""
    pairs = same.sum(dim=-1)
    rows = losses.masked_fill(~same, 0.0).sum(dim=-1) / pairs.clamp(min=1)
    return rows.sum() / (pairs > 0).sum().clamp(min=1)
