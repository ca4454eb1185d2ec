"""Written back: adapted weights change, everything else stays to the byte, and llama.cpp says what torch says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.inference.llama import Llama
from tests.tiny_generator import tiny_folder, tiny_gguf
from training.errors import TrainingError
from training.generator.spec import GeneratorSpec
from training.generator.tokens import Taught
from training.generator.tuner import GeneratorTuner
from training.language.base import Base, load_base
from training.language.gguf_file import GgufFile, _interleaved, _parted

SPEC = GeneratorSpec(rate=0.01, epochs=150, batch=4, dropout=0.0, precision="float32")
PROMPT = "Facts: fee. Answer:"
ANSWER = " Nine yuan.\n"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GeneratorTuner, Any]:
    """(the base's file, a tuner that has learned one answer by heart, its tokenizer)"""
    import torch

    path = tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")
    base = load_base(str(path), dtype=torch.float32)
    ids = Taught(
        tuple(base.tokenizer(PROMPT).input_ids),
        tuple(base.tokenizer(ANSWER, add_special_tokens=False).input_ids),
    )
    tuner = GeneratorTuner(base, [ids] * 4, [], SPEC, threads=1)
    for _ in tuner.run():
        pass
    return path, tuner, base.tokenizer


def arrays(pairs: Any) -> Any:
    return ((name, np.ascontiguousarray(one.numpy())) for name, one in pairs)


def test_only_adapted_weights_change_and_the_file_says_what_torch_says(
    tuned: tuple[Path, GeneratorTuner, Any], tmp_path: Path
) -> None:
    import gguf

    path, tuner, tokenizer = tuned
    file = GgufFile(path)
    file.write(tmp_path / "new.gguf", file.places(arrays(tuner.plain())), arrays(tuner.merged()))
    old, new = gguf.GGUFReader(path), gguf.GGUFReader(tmp_path / "new.gguf")
    ours = [name for name in new.fields if not name.startswith("GGUF.")]
    assert ours == [name for name in old.fields if not name.startswith("GGUF.")]
    assert all(new.fields[name].contents() == old.fields[name].contents() for name in ours)
    stored = {tensor.name: tensor for tensor in new.tensors}
    assert list(stored) == [tensor.name for tensor in old.tensors]
    for tensor in old.tensors:
        adapted = tensor.name.startswith("blk.") and "norm" not in tensor.name
        same = stored[tensor.name].data.tobytes() == tensor.data.tobytes()
        assert same != adapted, tensor.name
        assert not adapted or stored[tensor.name].tensor_type == gguf.GGMLQuantizationType.Q8_0
    assert tuner.say(tokenizer(PROMPT).input_ids, most=20) == ANSWER.rstrip("\n")
    said: list[str] = []
    model = Llama(tmp_path / "new.gguf")

    def hear(piece: str) -> bool:
        said.append(piece)
        return True

    model.complete(PROMPT, hear, max_tokens=20)
    model.close()
    assert "".join(said) == ANSWER.rstrip("\n")


def test_weights_that_are_not_the_files_are_never_written_back(
    tuned: tuple[Path, GeneratorTuner, Any],
) -> None:
    path, tuner, _ = tuned
    other = ((name, one[::-1].copy()) for name, one in arrays(tuner.plain()))
    with pytest.raises(TrainingError, match="cannot be written back"):
        GgufFile(path).places(other)


@pytest.mark.parametrize("body", [b"", b"GGUF", b"no model at all" * 50])
def test_what_is_no_gguf_file_is_said_to_be_none(tmp_path: Path, body: bytes) -> None:
    import torch

    path = tmp_path / "broken.gguf"
    path.write_bytes(body)
    with pytest.raises(TrainingError, match="cannot be read"):
        load_base(str(path), dtype=torch.float32)
    with pytest.raises(TrainingError, match="cannot be read as a GGUF file"):
        GgufFile(path)
    with pytest.raises(TrainingError, match="is not a file"):
        load_base(str(tmp_path / "gone.gguf"), dtype=torch.float32)


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    import torch

    folder = tiny_folder(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")
    with pytest.raises(TrainingError, match="cannot be read as a language model"):
        load_base(str(folder), dtype=torch.float32)


def test_a_folder_has_no_file_to_write_back_to(tmp_path: Path) -> None:
    import torch

    base = load_base(str(tiny_folder(tmp_path / "m")), dtype=torch.float32)
    assert isinstance(base, Base)
    assert base.gguf is None


@pytest.mark.parametrize("heads", [0, 1, 2, 4])
def test_rows_that_were_turned_for_the_file_are_turned_back(heads: int) -> None:
    weight = np.arange(24 * 3, dtype=np.float32).reshape(24, 3)
    turned = _interleaved(weight, heads)
    assert (_parted(turned, heads) == weight).all()
    assert bool((turned == weight).all()) == (heads == 0)
