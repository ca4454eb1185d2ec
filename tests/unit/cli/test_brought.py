"""`kefu releases vectors`: a child process reads the bot folder, which brings along what came of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from bot.app import lesson_of
from bot.cli.main import kefu
from bot.definition import load
from bot.inference.vectors import BROUGHT, brought_vectors
from retrieval.model_folder import locate
from retrieval.onnx_encoder import OnnxEncoder
from tests.tiny import letters
from tests.unit.definition.folders import folder, knowledge

INTENTS = "intents: {place: {examples: {en: [where are you, where is the shop]}}}"


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    monkeypatch.setenv("KEFU_CACHE", str(cache))
    monkeypatch.setenv("KEFU_ENCODER", letters(cache))
    (tmp_path / "bot").mkdir()
    made = folder(tmp_path / "bot", intents=INTENTS)
    knowledge(made, "faq.jsonl", '{"id": "open", "question": "Are you open?", "answer": "From nine."}\n')
    return made


def run(bot: Path, *words: str) -> Result:
    return CliRunner().invoke(kefu, ["releases", str(bot), "vectors", *words], terminal_width=200)


def test_every_text_of_the_folder_is_written_as_the_encoder_reads_it(bot: Path, tmp_path: Path) -> None:
    done = run(bot)
    assert done.exit_code == 0, done.output
    encoder = OnnxEncoder.open(locate(tmp_path / "cache", str(tmp_path / "cache" / "letters")))
    texts = lesson_of(load(bot), encoder=encoder.fingerprint, trained=frozenset()).texts
    assert f"{len(texts)} texts, {len(texts)} of them read just now" in done.stdout
    found = brought_vectors(bot / BROUGHT, texts)
    assert list(found) == texts
    cosines = (np.stack(list(found.values())) * encoder.encode(texts)).sum(axis=1)
    assert cosines.min() > 0.999
    first = (bot / BROUGHT).read_bytes()
    assert run(bot, "base").exit_code == 0
    assert (bot / BROUGHT).read_bytes() == first, "the same folder gives the same bytes"


def test_a_release_that_is_not_there(bot: Path) -> None:
    done = run(bot, "nobody")
    assert done.exit_code == 2
    assert "nobody" in done.stderr
    assert not (bot / BROUGHT).exists()


def test_no_room(bot: Path) -> None:
    (bot / BROUGHT).mkdir()
    done = run(bot)
    assert done.exit_code == 2
    assert BROUGHT in done.stderr
