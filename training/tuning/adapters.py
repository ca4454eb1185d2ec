"""LoRA and AdaLoRA on the trained layers' attention (peft), and the weights that they come to.

Hu et al. 2022, LoRA; Zhang et al. 2023, AdaLoRA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.tuning.body import Body
from training.tuning.recipes import Recipe

NAME = "default"
_ATTENTION = ("attention", "attn")
_ORTHOGONAL = 0.5
"""Weight of what keeps AdaLoRA's matrices orthogonal."""
_AVERAGES = ("ipt", "exp_avg_ipt", "exp_avg_unc")


class Adapters:
    """Matrices of low rank beside frozen weights; with `adalora` their rank goes where it matters."""

    def __init__(self, body: Body, recipe: Recipe, steps: int) -> None:
        from peft import AdaLoraConfig, LoraConfig
        from peft.tuners.adalora import AdaLoraModel
        from peft.tuners.lora import LoraModel

        common = {
            "target_modules": _targets(body),
            "lora_alpha": recipe.alpha,
            "lora_dropout": recipe.dropout,
        }
        self._inner = body.inner
        self._adaptive: Any = None
        if recipe.method == "lora":
            LoraModel(body.inner, LoraConfig(r=recipe.rank, **common), NAME)
            return
        config = AdaLoraConfig(
            init_r=recipe.rank + recipe.rank // 2,
            target_r=recipe.rank,
            tinit=steps // 10,
            tfinal=max(steps * 3 // 10, 1),
            deltaT=max(steps // 100, 1),
            total_step=max(steps, 2),
            **common,
        )
        self._adaptive = AdaLoraModel(body.inner, config, NAME)

    def penalty(self) -> Tensor | None:
        """How far AdaLoRA's matrices are from orthogonal, weighed."""
        if self._adaptive is None:
            return None
        parts = []
        for name, value in self._inner.named_parameters():
            if f"lora_A.{NAME}" in name or f"lora_B.{NAME}" in name:
                product = value @ value.T if "lora_A" in name else value.T @ value
                parts.append(
                    torch.linalg.matrix_norm(product - torch.eye(len(product), device=product.device))
                )
        return _ORTHOGONAL * torch.stack(parts).mean()

    def stepped(self, step: int) -> None:
        """After the optimizer's step, while gradients are there."""
        if self._adaptive is not None:
            self._adaptive.update_and_allocate(step)

    def state(self) -> tuple[dict[str, Tensor], Any]:
        """What AdaLoRA remembers of gradients, and which ranks it has left."""
        if self._adaptive is None:
            return {}, None
        allocator = self._adaptive.rankallocator
        tensors = {f"{part}:{name}": t for part in _AVERAGES for name, t in getattr(allocator, part).items()}
        return tensors, self._adaptive.peft_config[NAME].rank_pattern

    def restore(self, tensors: Mapping[str, Tensor], pattern: Any) -> None:
        if self._adaptive is None:
            return
        for part in _AVERAGES:
            own = {k.partition(":")[2]: v.clone() for k, v in tensors.items() if k.partition(":")[0] == part}
            setattr(self._adaptive.rankallocator, part, own)
        self._adaptive.peft_config[NAME].rank_pattern = pattern


def merged(inner: nn.Module) -> dict[str, Tensor]:
    """The model's weights by the names that it has without adapters; these stay as they are."""
    added = {
        f"{name}.weight": module.get_delta_weight(NAME).detach()
        for name, module in inner.named_modules()
        if hasattr(module, "get_delta_weight")
    }
    found = {}
    for name, value in inner.state_dict().items():
        if "lora_" in name or ".ranknum." in name:
            continue
        plain = name.replace(".base_layer.", ".")
        found[plain] = value + added[plain] if plain in added else value
    return found


def _targets(body: Body) -> list[str]:
    """Names of the linear layers of attention in what is trained."""
    trained = {id(part) for layer in body.trained for part in layer.modules()}
    found = [
        name
        for name, module in body.inner.named_modules()
        if isinstance(module, nn.Linear)
        and id(module) in trained
        and any(word in name.lower() for word in _ATTENTION)
    ]
    if not found:
        raise TrainingError(
            f"No linear layers of attention were found in a {type(body.inner).__name__}: take the method full"
        )
    return found
