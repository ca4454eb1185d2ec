"""A tuned encoder is packed, and made anew of that and the base: by the commands that a bot's author types."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from bot.app import encodings_of, open_bot
from bot.cli.main import kefu
from bot.definition import BotDefinition, load
from bot.settings import Settings, load_settings
from bot.store.db import Database
from retrieval.delta import Delta, read_delta
from retrieval.model_folder import GRAPH, locate, read_manifest, sha256_file
from retrieval.onnx_encoder import OnnxEncoder
from tests.integration.encoder.script import ROOT, run_encoder_verb
from tests.unit.definition.folders import BOT, folder
from tests.unit.training.shelf import add, draft
from training.delta import WEIGHTS
from training.reweigh import reweigh

pytestmark = pytest.mark.timeout(600)  # processes that load torch: a busy machine needs minutes
TEXTS = ["where is my card", "how much is it?", "我的卡丢了"]
MAKE = """
import sys
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file, save_file
from retrieval.model_folder import locate, read_manifest
from tests.tiny_encoder import tiny_encoder
from training.encoder import build_encoder, complete, with_graph
from training.progress import silent
from training.reweigh import reweigh
import shutil

place = Path(sys.argv[1])
cache = place / "cache"
made = build_encoder(cache, str(tiny_encoder(place / "bert", layers=2)))
made.rename(locate(cache))
rng = np.random.default_rng(3)
for name, rank in (("low", 2), ("high", 16)):
    tuned = place / name
    shutil.copytree(locate(cache), tuned)
    weights = load_file(tuned / "model.safetensors")
    for key, value in weights.items():
        if "encoder.layer.1" in key and value.ndim == 2:
            value += (.05 * rng.normal(size=(value.shape[0], rank)) @ rng.normal(size=(rank, value.shape[1])))
        elif "encoder.layer.1" in key:
            value += (.05 * rng.normal(size=value.shape))
    save_file(weights, tuned / "model.safetensors", metadata={"format": "pt"})
    (tuned / "encoder.onnx").unlink()
    complete(tuned, name=name, report=silent, like=locate(cache) if name == "low" else None)
shutil.copytree(place / "high", place / "again", ignore=shutil.ignore_patterns("encoder.onnx"))
assert reweigh(locate(cache), place / "again")
with_graph(place / "again", read_manifest(place / "high"))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`cache` with a tiny encoder in the embedded one's place, and `low` and `high`: tuned from it, by ranks."""
    place = tmp_path_factory.mktemp("made")
    command = [sys.executable, "-W", "ignore", "-c", MAKE, str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return place


@pytest.fixture
def bot(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made / "cache", tmp_path / "cache")
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KEFU_ENCODER", raising=False)
    monkeypatch.setenv("KEFU_ENCODER_THREADS", "1")
    place = tmp_path / "bot"
    place.mkdir()
    folder(place, intents="intents: {place: {examples: {en: [where is it, where are you]}}}")
    asyncio.run(_database(place))
    return place


async def _database(place: Path) -> None:
    database = Database(load_settings(bot=place).database_url)
    await database.open()
    await database.close()


def test_a_graph_after_that_of_the_base_gives_what_an_exported_one_gives(made: Path) -> None:
    base, high, again = (
        OnnxEncoder.open(folder).encode(TEXTS)
        for folder in (locate(made / "cache"), made / "high", made / "again")
    )
    assert np.array_equal(high, again)
    assert np.abs(base - again).max() > 0.01


def test_a_graph_is_not_taken_after_one_that_has_no_place_for_what_was_learned(
    made: Path, tmp_path: Path
) -> None:
    base = locate(made / "cache")
    work = shutil.copytree(made / "high", tmp_path / "work", ignore=shutil.ignore_patterns(GRAPH))
    weights = load_file(base / WEIGHTS)
    name = next(name for name in weights if name.endswith("layer.1.attention.self.query.weight"))
    for other in (weights[name][:-1], weights[name]):  # another shape; a base whose graph holds other weights
        like = shutil.copytree(base, tmp_path / f"like-{len(other)}")
        save_file({**weights, name: other + np.float32(0.5)}, like / WEIGHTS, metadata={"format": "pt"})
        assert not reweigh(like, work)
    assert not (work / GRAPH).exists()


def released(bot: Path, encoder: Path) -> str:
    trained = ["a" * 64, "b" * 64]
    return add(bot / ".kefu" / "releases", draft(encoder, trained=trained, settings={"blend": 0.5})).name


def pack(bot: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(kefu, ["releases", str(bot), "pack", *words], terminal_width=200)
    return done.exit_code, done.stdout, done.stderr


def test_a_bot_brings_along_what_a_release_learned(made: Path, bot: Path, tmp_path: Path) -> None:
    code, said, told = pack(bot, released(bot, made / "low"))
    assert code == 0, told
    assert "The bot answers with it once bot.yml has the line `encoder: encoder`." in said
    assert "Comparing vectors before and after" in told
    delta = read_delta(bot / "encoder", verify=True)
    assert delta.rank == 2
    assert min(delta.kept, delta.cosine) > 0.9999
    assert (delta.about["method"], delta.about["blend"]) == ("full", 0.5)
    assert (bot / "encoder" / "card.md").read_text("utf-8").count("卡片") == 1

    (bot / "bot.yml").write_text(BOT + "encoder: encoder\n", "utf-8")
    definition, settings = load(bot), load_settings(bot=bot)
    shutil.rmtree(bot / ".kefu")  # what trained it is gone: the folder is all that there is
    shown: list[str] = []
    asyncio.run(_asked(definition, settings, shown))
    assert any("Writing the ONNX graph" in text for text in shown)
    encodings = encodings_of(settings, definition)
    ours, theirs, base = (
        OnnxEncoder.open(place, threads=1).encode(TEXTS)
        for place in (encodings.folder("base"), made / "low", locate(tmp_path / "cache"))
    )
    assert (ours * theirs).sum(axis=1).min() > 0.9999
    assert (ours * base).sum(axis=1).max() < 0.9999
    assert encodings.trained("base") == {"a" * 16, "b" * 16}
    manifest = read_manifest(encodings.folder("base"), verify=True)
    stock = read_manifest(locate(tmp_path / "cache"))
    assert "trained.json" in manifest.files
    assert manifest.files["tokenizer.json"] == stock.files["tokenizer.json"]
    assert (manifest.dim, manifest.prefix, manifest.pooling) == (stock.dim, stock.prefix, stock.pooling)

    shown.clear()
    asyncio.run(_asked(definition, settings, shown))
    assert not any("Writing" in text for text in shown)


async def _asked(definition: BotDefinition, settings: Settings, shown: list[str]) -> None:
    def progress(text: str, _: int, __: int) -> None:
        shown.append(text)

    async with open_bot(definition, settings, progress=progress) as bot:
        live = bot.host.current()
        assert live.name == "base"
        found = await encodings_of(settings, definition).find("base", progress=progress)
        assert live.reader.fingerprint == found.fingerprint


def test_what_would_come_out_otherwise_is_not_written(made: Path, bot: Path) -> None:
    name = released(bot, made / "high")
    code, _, told = pack(bot, name, "--rank", "1")
    assert (code, "Name a higher rank (--rank 2)" in told.replace("\n", " ")) == (2, True), told
    assert not (bot / "encoder").exists()


def test_a_folder_that_is_none_of_ours_stays(made: Path, bot: Path) -> None:
    (bot / "encoder").mkdir()
    (bot / "encoder" / "notes.txt").write_text("mine")
    code, _, told = pack(bot, released(bot, made / "low"))
    assert (code, "is there and is no packed encoder" in told) == (2, True), told
    assert (bot / "encoder" / "notes.txt").read_text() == "mine"


def test_another_base_is_refused_and_leaves_nothing(bot: Path, tmp_path: Path) -> None:
    place = bot / "encoder"
    place.mkdir()
    save_file({"m__d": np.ones(4, np.float16)}, place / "delta.safetensors")
    file = place / "delta.safetensors"
    Delta("0" * 64, {file.name: (sha256_file(file), file.stat().st_size)}, 1, 1.0, 1.0).write(place)
    code, lines = run_encoder_verb("--out", str(tmp_path / "cache"), "--source", str(place))
    assert (code, "belongs to another encoder" in lines[-1]["text"]) == (1, True), lines
    assert not locate(tmp_path / "cache", str(place)).exists()
