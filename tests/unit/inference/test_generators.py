"""The switch between generators, and what it says when something is missing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.inference import weights
from bot.inference.generators import KINDS, make_generator
from bot.inference.upstream import Upstream
from retrieval.model_folder import sha256_file

URL = "http://127.0.0.1:9/v1"


async def test_each_kind_can_be_made_without_loading_or_connecting(tmp_path: Path) -> None:
    made = [make_generator(kind, servers=[Upstream(URL, "m")], cache=tmp_path) for kind in KINDS]
    assert [generator.name for generator in made] == ["extractive", "openai:m", f"local:{weights.NAME}"]
    assert not await asyncio.to_thread(os.listdir, tmp_path)
    for generator in made:
        await generator.close()


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("openai", {}, "KEFU_GENERATOR_URL"),
        ("local", {"model": "no/such/file.gguf"}, "no/such/file.gguf is not a file"),
        ("magic", {}, "extractive, openai, local"),
    ],
)
def test_what_is_missing_is_named(kind: str, given: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        make_generator(kind, model=given.get("model"), cache=tmp_path)
    assert words in str(caught.value)


def test_the_key_is_in_no_repr(tmp_path: Path) -> None:
    server = Upstream(URL, "m", key="sk-secret")
    generator = make_generator("openai", servers=[server], cache=tmp_path)
    assert "sk-secret" not in repr(generator) + generator.name + repr(server)


def test_a_missing_package_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PARTS", (("kefu_no_such_package", "part00"),))
    with pytest.raises(SettingsError) as caught:
        make_generator("local", cache=tmp_path)
    assert "kefu_no_such_package" in caught.value.message
    assert "kefu[llm]" in caught.value.hint


def test_damaged_weights_are_joined_anew_and_whole_ones_left_alone(tmp_path: Path) -> None:
    path = weights.place(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"GGUF, and then rubbish")
    assert weights.weights(tmp_path) == path
    written = path.stat().st_mtime_ns
    assert sha256_file(path) == weights.SHA256
    assert weights.weights(tmp_path) == path
    assert path.stat().st_mtime_ns == written
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_weights_that_are_not_the_tested_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_PARTS", weights._PARTS[:1])
    with pytest.raises(SettingsError, match="do not hold the model"):
        weights.weights(tmp_path)
    assert not any((tmp_path / "generators").iterdir())
