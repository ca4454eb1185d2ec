"""Where tuning runs: one CPU without anything in between, or GPUs and several processes by accelerate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import deterministic

from training.errors import TrainingError

_filling: Any = deterministic  # its one setting is a property that type checkers do not see


def precision(wanted: str, *, device: str, bf16: bool) -> str:
    """float32 or bf16. `wanted`: auto, float32, bf16; `device`: cpu, cuda, ...; `bf16`: whether it multiplies in it.

    A CPU that does not can emulate it, slowly, if it is told to. Raises `TrainingError` for a GPU that cannot.
    """
    if wanted == "auto":
        return "bf16" if bf16 else "float32"
    if wanted == "bf16" and device == "cuda" and not bf16:
        raise TrainingError("This GPU does not compute in bf16: set precision to auto")
    return wanted


class Devices:
    """This process's part of the work: `rank` of `world`. Several must be started from outside, as by
    `accelerate launch` or `torchrun`; each then calls the same methods with the same arguments.
    """

    def __init__(self, wanted: str) -> None:
        from accelerate import PartialState

        gpu = torch.cuda.is_available()
        place = PartialState(cpu=not gpu)
        self.rank, self.world = place.process_index, place.num_processes
        self.device: torch.device = place.device
        self.precision = precision(wanted, device=self.device.type, bf16=_has_bf16(self.device))
        self._accelerator: Any = None
        if self.world > 1 or self.device.type != "cpu":
            self._accelerator = _accelerator(self.precision, self.device)

    def prepare(self, net: nn.Module) -> nn.Module:
        """To be called in the net's place."""
        return net if self._accelerator is None else self._accelerator.prepare_model(net)

    def share(self, rows: Any) -> Any:
        """This process's part of a batch: each row is one process's; a batch of fewer rows is everybody's."""
        return rows[self.rank :: self.world] if len(rows) >= self.world else rows

    def weight(self, rows: int) -> float:
        """What the mean over this process's part counts, so that the mean over processes is the batch's."""
        own = len(range(self.rank, rows, self.world))
        return own * self.world / rows if rows >= self.world else 1.0

    def computing(self) -> AbstractContextManager[Any]:
        """Mixed precision, if any, for what is computed inside."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def backward(self, loss: Tensor) -> None:
        if self._accelerator is None:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            self._accelerator.backward(loss)

    def clip(self, parameters: Iterable[Tensor], most: float) -> None:
        clip = nn.utils.clip_grad_norm_ if self._accelerator is None else self._accelerator.clip_grad_norm_
        clip(parameters, most)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    has = torch.cpu.get_capabilities()
    return any(has.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _accelerator(named: str, device: torch.device) -> Any:
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs

    # A batch is of one task: the heads of the others get no gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    mixed = "bf16" if named == "bf16" else "no"
    return Accelerator(mixed_precision=mixed, cpu=device.type == "cpu", kwargs_handlers=[unused])


@contextmanager
def exact() -> Iterator[None]:
    """The same sums each time, whatever the caller has set."""
    before = torch.are_deterministic_algorithms_enabled(), _filling.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    # What is read before it is written would be a bug of ours, and filling costs a hundredth of each step.
    _filling.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        _filling.fill_uninitialized_memory = before[1]


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Raises `TrainingError` where memory is out."""
    try:
        yield
    except MemoryError as error:
        raise _full(what) from error
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and not any(word in str(error) for word in _FULL):
            raise
        raise _full(what) from error


_FULL = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


def _full(what: str) -> TrainingError:
    return TrainingError(
        f"Out of memory while {what}: set the recipe's batch, max_length, layers or keep_mb to less"
    )
