"""The switch between generators, and what it says when something is missing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import pytest

from bot.errors import SettingsError
from bot.inference import weights
from bot.inference.faulty import FaultyServer, hang_first, telling
from bot.inference.generators import KINDS, find_adapter, find_model, make_generator
from bot.inference.grounding.served import ServedVerifier
from bot.inference.grounding.verifier import LocalVerifier
from bot.inference.upstream import Upstream
from bot.inference.weights import Packed
from bot.models import local_models, verifier_of
from bot.observer import UNOBSERVED
from bot.settings import Settings
from retrieval.model_folder import sha256_file
from tests.tiny_generator import tiny_gguf

URL = "http://127.0.0.1:9/v1"


async def test_each_kind_can_be_made_without_loading_or_connecting(tmp_path: Path) -> None:
    local = await asyncio.to_thread(find_model, None, cache=tmp_path, setting="KEFU_GENERATOR_MODEL")
    made = [make_generator(kind, servers=[Upstream(URL, "m")], local=local) for kind in KINDS]
    assert [generator.name for generator in made] == ["extractive", "openai:m", f"local:{weights.GEMMA.name}"]
    assert not await asyncio.to_thread(os.listdir, tmp_path)
    for generator in made:
        await generator.close()


@pytest.mark.parametrize(
    ("kind", "words"), [("openai", "KEFU_GENERATOR_URL"), ("magic", "extractive, openai, local")]
)
def test_what_is_missing_is_named(kind: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_generator(kind)
    assert words in str(caught.value)


def test_a_model_that_is_not_there_is_named_with_those_that_could_be(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        find_model("no/such/file.gguf", cache=tmp_path, setting="KEFU_X")
    assert str(caught.value) == (
        "no/such/file.gguf is not a file. KEFU_X names a GGUF file, or one of gemma-270m, qwen-1.5b."
    )


def test_the_key_is_in_no_repr() -> None:
    server = Upstream(URL, "m", key="sk-secret")
    generator = make_generator("openai", servers=[server])
    assert "sk-secret" not in repr(generator) + generator.name + repr(server)


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packed:
    """A stand-in of 22 small packages, whose own code must not run."""
    parts = tuple((f"kefu_part{n}", f"part{n:02}.bin") for n in range(1, 23))
    whole = hashlib.sha256()
    for number, (package, name) in enumerate(parts):
        (tmp_path / "packages" / package / "data").mkdir(parents=True)
        (tmp_path / "packages" / package / "__init__.py").write_text("raise RuntimeError('ran')", "utf-8")
        (tmp_path / "packages" / package / "data" / name).write_bytes(bytes([number]) * 1_000)
        whole.update(bytes([number]) * 1_000)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    model = Packed("small", whole.hexdigest(), parts, "llm-small")
    monkeypatch.setitem(weights.PACKED, "small", model)
    return model


def test_a_model_of_many_parts_is_joined_in_their_order(tmp_path: Path, packed: Packed) -> None:
    assert find_model("small", cache=tmp_path, setting="KEFU_X").name == "small"
    whole = weights.weights(tmp_path, packed).read_bytes()
    assert whole == b"".join(bytes([number]) * 1_000 for number in range(22))


def test_a_missing_package_is_named_with_what_to_do(tmp_path: Path, packed: Packed) -> None:
    shutil.rmtree(tmp_path / "packages" / "kefu_part7")
    with pytest.raises(SettingsError) as caught:
        find_model("small", cache=tmp_path, setting="KEFU_X")
    assert "kefu_part7" in caught.value.message
    assert "kefu[llm-small]" in caught.value.hint


def test_the_joined_file_is_enough(tmp_path: Path, packed: Packed) -> None:
    weights.weights(tmp_path, packed)
    shutil.rmtree(tmp_path / "packages")
    assert find_model("small", cache=tmp_path, setting="KEFU_X").name == "small"
    assert weights.weights(tmp_path, packed) == weights.place(tmp_path, packed)


def test_damaged_weights_are_joined_anew_and_whole_ones_left_alone(tmp_path: Path) -> None:
    path = weights.place(tmp_path, weights.GEMMA)
    path.parent.mkdir()
    path.write_bytes(b"GGUF, and then rubbish")
    assert weights.weights(tmp_path) == path
    written = path.stat().st_mtime_ns
    assert sha256_file(path) == weights.GEMMA.sha256
    assert weights.weights(tmp_path) == path
    assert path.stat().st_mtime_ns == written
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_weights_that_are_not_the_tested_ones_are_refused(tmp_path: Path, packed: Packed) -> None:
    with pytest.raises(SettingsError, match="do not hold the model"):
        weights.weights(tmp_path, replace(packed, parts=packed.parts[::-1]))
    assert not any((tmp_path / "generators").iterdir())


def test_who_was_taught_to_answer_is_told_by_the_file(tmp_path: Path) -> None:
    assert weights.has_chat_template(tiny_gguf(tmp_path / "chat.gguf", chat=True))
    assert not weights.has_chat_template(tiny_gguf(tmp_path / "base.gguf"))
    (tmp_path / "empty.gguf").touch()
    assert not weights.has_chat_template(tmp_path / "empty.gguf")


def test_a_model_that_is_generator_and_verifier_is_loaded_once(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "chat.gguf", chat=True)
    given: dict[str, Any] = {"bot": tmp_path, "cache": tmp_path, "verifier": str(file)}
    generator, verifier = local_models(Settings(**given, generator="local", generator_model=str(file)))
    assert generator is verifier is not None
    assert verifier.name == "chat"
    generator, verifier = local_models(Settings(**given))
    assert (generator, verifier is None) == (None, False)
    with pytest.raises(SettingsError, match="KEFU_VERIFIER names a GGUF file"):
        local_models(Settings(**{**given, "verifier": "qwen-15b"}))


def test_what_a_verifier_was_taught_is_loaded_beside_it(tmp_path: Path) -> None:
    model, adapter = tmp_path / "chat.gguf", tmp_path / "adapter.gguf"
    model.touch()
    given: dict[str, Any] = {"bot": tmp_path, "cache": tmp_path, "verifier": str(model)}
    with pytest.raises(SettingsError, match=r"adapter\.gguf is not a file") as told:
        local_models(Settings(**given, verifier_adapter=adapter))
    assert "--task verifier" in str(told.value.hint)
    adapter.touch()
    generator, verifier = local_models(
        Settings(**given, verifier_adapter=adapter, generator="local", generator_model=str(model))
    )
    assert generator is verifier is not None
    assert verifier.adapter == adapter
    assert find_adapter(str(model), None) is None


def test_what_comes_along_for_the_verifier_fits_its_model() -> None:
    """Qwen2.5-1.5B has 28 layers of 1,536; of the upper 16 five matrices are adapted."""
    path = find_adapter("qwen-1.5b", None)
    assert path is not None
    file = gguf.GGUFReader(path)
    assert file.fields["general.architecture"].contents() == "qwen2"
    assert file.fields["adapter.type"].contents() == "lora"
    pairs = {
        tensor.name.removesuffix(".lora_a"): tensor for tensor in file.tensors if tensor.name.endswith("a")
    }
    assert {int(name.split(".")[1]) for name in pairs} == set(range(12, 28))
    assert len(pairs) == 16 * 5
    assert pairs["blk.27.attn_q.weight"].shape.tolist() == [1_536, 8]


async def test_a_verifier_is_on_servers_in_this_process_or_nowhere(tmp_path: Path) -> None:
    file = await asyncio.to_thread(tiny_gguf, tmp_path / "chat.gguf", chat=True)
    given: dict[str, Any] = {"bot": tmp_path, "cache": tmp_path}
    at: dict[str, Any] = {
        "generator_url": "http://127.0.0.1:9/v1",
        "verifier_model": "judge",
        "verifier_taught": True,
    }
    there = Settings(**given, **at, verifier="openai")
    assert local_models(there) == (None, None)
    served = verifier_of(there, UNOBSERVED, local=None)
    assert isinstance(served, ServedVerifier)
    assert served.name == "openai:judge"
    local = await asyncio.to_thread(find_model, str(file), cache=tmp_path, setting="KEFU_VERIFIER")
    here = verifier_of(Settings(**given), UNOBSERVED, local=local)
    assert isinstance(here, LocalVerifier)
    assert verifier_of(Settings(**given), UNOBSERVED, local=None) is None
    for one in (served, here):
        await one.close()


async def test_servers_of_a_verifier_share_its_time(tmp_path: Path) -> None:
    """One that hangs leaves the other enough of it; where there is one, it has all."""
    given: dict[str, Any] = {"bot": tmp_path, "cache": tmp_path, "verifier": "openai", "verifier_model": "m"}
    async with FaultyServer() as hanging, FaultyServer() as well:
        hanging.behaviour, well.behaviour = hang_first, telling({"Yes": -0.01, "No": -5.0})
        for urls, found in ((f"{hanging.url},{well.url}", True), (hanging.url, False)):
            settings = Settings(**given, generator_url=urls, verifier_timeout_s=1.0)
            verifier = verifier_of(settings, UNOBSERVED, local=None)
            assert verifier is not None
            await verifier.open()
            told = await verifier.evidence("q", "p", deadline=time.monotonic() + 1.0)
            assert (told is not None) == found
            await verifier.close()
