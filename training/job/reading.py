"""How far the frozen layers are with the texts, before the first step: a minute for ten thousand of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def counted(tell: Callable[[int], None]) -> Iterator[None]:
    """Tells how many texts have passed a model's embeddings. Torch says so to whoever asks: its hook for profilers."""
    from torch.nn.modules.module import register_module_forward_hook

    done = 0

    def passed(module: Any, _: Any, states: Any) -> None:
        nonlocal done
        if hasattr(module, "word_embeddings"):
            done += len(states)
            tell(done)

    handle = register_module_forward_hook(passed)
    try:
        yield
    finally:
        handle.remove()
