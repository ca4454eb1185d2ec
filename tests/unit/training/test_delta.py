"""What an encoder learned, as a small folder: what can be wrong with it is said before anything is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from retrieval.delta import TENSORS, Delta, is_delta, read_delta
from retrieval.errors import EncoderError
from retrieval.model_folder import locate, sha256_file
from training.delta import WEIGHTS, added, apply, factored, load, read_factors
from training.errors import SourceError

BASE = {"m": np.eye(4, 3, dtype=np.float32), "b": np.zeros(4, dtype=np.float32)}


def half(*shape: int) -> np.ndarray:
    return np.full(shape, 0.5, dtype=np.float16)


def packed(folder: Path, base: Path, **tensors: np.ndarray) -> Path:
    """A delta of `base` with these tensors, `__` for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name.replace("__", "."): values for name, values in tensors.items()}, folder / TENSORS)
    (folder / "trained.json").write_text('["0123456789abcdef"]\n', "utf-8")
    files = {n: (sha256_file(folder / n), (folder / n).stat().st_size) for n in (TENSORS, "trained.json")}
    Delta(sha256_file(base / WEIGHTS), files, 1, 1.0, 1.0, {"release": "r"}).write(folder)
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    save_file(BASE, folder / WEIGHTS, metadata={"format": "pt"})
    return folder


@pytest.fixture
def delta(tmp_path: Path, base: Path) -> Path:
    return packed(tmp_path / "bot" / "encoder", base, m__a=half(1, 3), m__b=half(4, 1), b__d=half(4))


def flip(path: Path, at: int = -1) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def test_what_was_learned_is_added(delta: Path, base: Path) -> None:
    apply(delta, base)
    made = load(base / WEIGHTS)
    assert np.array_equal(made["m"], BASE["m"] + 0.25)
    assert np.array_equal(made["b"], BASE["b"] + 0.5)
    assert json.loads((base / "trained.json").read_text()) == ["0123456789abcdef"]


@pytest.mark.parametrize("file", [TENSORS, "trained.json"])
def test_a_flipped_byte_is_found_before_anything_is_changed(delta: Path, base: Path, file: str) -> None:
    flip(delta / file)
    before = (base / WEIGHTS).read_bytes()
    with pytest.raises(SourceError, match=f"{file} has changed since it was made. Bring the folder back"):
        apply(delta, base)
    assert (base / WEIGHTS).read_bytes() == before


def test_a_file_cut_short_is_found_at_once(delta: Path) -> None:
    (delta / TENSORS).write_bytes(b"version https://git-lfs")
    with pytest.raises(EncoderError, match="not as long as it was"):
        read_delta(delta)


def test_another_base_is_refused(delta: Path, base: Path) -> None:
    flip(base / WEIGHTS)
    with pytest.raises(
        SourceError, match="belongs to another encoder than the one that comes with this Kefu"
    ):
        apply(delta, base)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"x__a": half(1, 3), "x__b": half(4, 1)}, "x of the difference is no part of the base"),
        ({"m__a": half(1, 4), "m__b": half(4, 1)}, r"m is \(4, 3\), and what is to be added to it \(4, 4\)"),
        ({"m__a": half(2, 3), "m__b": half(4, 1)}, "lacks one of its two factors, or they do not fit"),
        ({"m__a": half(1, 3)}, "lacks one of its two factors"),
        ({"b__d": half(3)}, r"b is \(4,\), and what is to be added to it \(3,\)"),
        ({"b__d": half(4).astype(np.float32)}, "b.d is float32 with 1 axes"),
        ({"b__d": half(4, 1)}, "b.d is float16 with 2 axes"),
        ({"b__x": half(4)}, "b.x is float16 with 1 axes"),
        ({"b__d": np.array([0, 0, 0, np.nan], dtype=np.float16)}, "b.d holds what is no number"),
        ({"b__d": np.array([0, 0, 0, np.inf], dtype=np.float16)}, "b.d holds what is no number"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, base: Path, tensors: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        apply(packed(tmp_path / "encoder", base, **tensors), base)


def test_what_is_no_safetensors_file_is_refused(delta: Path) -> None:
    (delta / TENSORS).write_bytes(b"\x80\x04\x95pickle")
    with pytest.raises(SourceError, match="cannot be read"):
        read_factors(delta)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"files": {}}', '{"files": {"delta.safetensors": 1}}']
)
def test_a_damaged_description_says_what_to_do(delta: Path, text: str) -> None:
    (delta / "delta.json").write_text(text)
    with pytest.raises(EncoderError, match="kefu releases pack"):
        read_delta(delta)


def test_another_format_is_refused(delta: Path) -> None:
    body = json.loads((delta / "delta.json").read_text())
    (delta / "delta.json").write_text(json.dumps(body | {"format": 2}))
    with pytest.raises(EncoderError, match="of another version of Kefu"):
        read_delta(delta)


def test_a_tuned_encoder_with_a_number_that_is_none_is_refused() -> None:
    broken = {**BASE, "m": np.full((4, 3), np.nan, dtype=np.float32)}
    with pytest.raises(SourceError, match="holds what is no number"):
        factored(BASE, broken, 4)


def test_shapes_are_compared_before_they_are_added() -> None:
    with pytest.raises(SourceError, match="to be added"):
        added(BASE, {"m.d": half(12)})


def test_its_place_in_the_cache_is_told_by_its_content_alone(delta: Path, base: Path, tmp_path: Path) -> None:
    first = locate(tmp_path, str(delta))
    assert first.parent == tmp_path / "encoders"
    copy = packed(tmp_path / "elsewhere", base, m__a=half(1, 3), m__b=half(4, 1), b__d=half(4))
    (copy / "card.md").write_text("说明", encoding="utf-8")
    assert locate(tmp_path, str(copy)) == first
    other = packed(tmp_path / "other", base, b__d=half(4))
    assert locate(tmp_path, str(other)) not in (first, locate(tmp_path))
    assert is_delta(delta)
    assert not is_delta(base)


def test_finding_its_place_reads_no_weights(
    delta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start of the server does this, and nothing large may hang on it."""
    read: list[str] = []
    whole = Path.read_bytes

    def watched(path: Path) -> bytes:
        read.append(path.name)
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    locate(tmp_path, str(delta))
    assert TENSORS not in read
