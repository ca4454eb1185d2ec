"""The steps that turn packaged weights into a served graph, each alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from training import e5
from training.compact import compact, split_blocks
from training.errors import SourceError


def test_a_block_of_four_bits_is_scale_times_nibble_less_eight() -> None:
    low, high = np.arange(16, dtype=np.uint8), np.arange(15, -1, -1, dtype=np.uint8)
    raw = np.float16(0.5).tobytes() + (low | high << 4).tobytes()
    values = e5._values(raw, 32)
    assert values.tolist() == [*((low.astype(int) - 8) * 0.5), *((high.astype(int) - 8) * 0.5)]


def test_other_tensors_are_plain_floats() -> None:
    values = np.array([1.5, -2.25], dtype="<f4")
    assert e5._values(values.tobytes(), 2).tolist() == [1.5, -2.25]


def test_a_package_file_is_used_only_if_it_is_the_tested_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "somepackage").mkdir()
    (tmp_path / "somepackage" / "__init__.py").write_text("raise RuntimeError('their code must not run')")
    (tmp_path / "somepackage" / "data.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    digest = hashlib.sha256(b"weights").hexdigest()
    assert e5._package_file("somepackage", "data.bin", digest).read_bytes() == b"weights"
    (tmp_path / "somepackage" / "data.bin").write_bytes(b"other")
    with pytest.raises(SourceError, match="pinned version of somepackage"):
        e5._package_file("somepackage", "data.bin", digest)
    with pytest.raises(SourceError, match="`train` extra"):
        e5._package_file("no_such_package", "data.bin", digest)


def table(*, exact: bool) -> np.ndarray:
    rng = np.random.default_rng(0)
    whole = rng.integers(-8, 8, (20, 4, 32)).astype(np.float32)
    whole[..., 0] = -8
    whole[3, 1] = 0
    found = (whole * rng.random((20, 4, 1), dtype=np.float32)).astype(np.float32).reshape(20, 128)
    return found if exact else found + rng.normal(size=found.shape).astype(np.float32) * 1e-3


def test_weights_of_four_bits_are_split_without_loss_and_others_not_at_all() -> None:
    weights = table(exact=True)
    split = split_blocks(weights)
    assert split is not None
    whole, scales = split
    assert whole.min() >= -8
    assert whole.max() <= 7
    assert np.array_equal((whole.reshape(20, 4, 32) * scales[..., None]).reshape(20, 128), weights)
    assert split_blocks(table(exact=False)) is None
    assert split_blocks(weights[:, :100]) is None


@pytest.mark.parametrize("exact", [True, False])
def test_a_compacted_graph_gives_the_same_to_the_last_bit(exact: bool, tmp_path: Path) -> None:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 128])
    node = helper.make_node("Gather", ["table", "ids"], ["out"], axis=0)
    graph = helper.make_graph(
        [node], "g", [ids], [out], [numpy_helper.from_array(table(exact=exact), "table")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path = tmp_path / "graph.onnx"
    onnx.save(model, str(path))
    size = path.stat().st_size

    def run() -> np.ndarray:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"ids": np.array([3, 0, 19])})
        return np.asarray(found)

    before = run()
    assert compact(path) is exact
    assert np.array_equal(run(), before)
    assert (path.stat().st_size < size / 4) is exact
