"""What 8 bits cost the real encoder, and that the job's rule goes by it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.app import examples, load_definition
from retrieval.model_folder import GRAPH, TOKENIZER, read_manifest, sha256_file
from retrieval.onnx_encoder import OnnxEncoder
from tests.conftest import ROOT
from training.apply import IntentHead
from training.dataset import Row
from training.encoder import with_graph
from training.fit import fit_head
from training.job.place import Place
from training.job.quantise import eight_bits
from training.job.run import Run
from training.job.stop import Stop
from training.progress import silent
from training.spec import Spec

pytestmark = pytest.mark.encoder
EVERY = 3
"""Of the bank's examples one in so many is enough, and every second one of those is judged by."""


@pytest.fixture
def run(encoder_folder: Path, tmp_path: Path) -> Run:
    """A job that has come so far that its encoder lies in its place: here the stock one."""
    place = Place(tmp_path / "job")
    place.encoder.mkdir(parents=True)
    for name in (GRAPH, TOKENIZER):
        shutil.copyfile(encoder_folder / name, place.encoder / name)
    with_graph(place.encoder, read_manifest(encoder_folder))
    return Run(Spec(method="full", int8="auto"), place, encoder_folder, 1, silent, Stop())


@pytest.fixture
def judged(encoder_folder: Path) -> tuple[IntentHead, list[Row]]:
    rows = sorted(examples(load_definition(ROOT / "examples" / "bank")))[::EVERY]
    learned = [(text, label) for text, label, _ in rows[::2]]
    vectors = OnnxEncoder.open(encoder_folder).encode([text for text, _ in learned])
    known = {label for _, label in learned}
    held_out = [Row(text, label, lang) for text, label, lang in rows[1::2] if label in known]
    return fit_head(vectors, [label for _, label in learned]), held_out


def test_eight_bits_are_kept_where_they_cost_little_and_only_there(
    run: Run, judged: tuple[IntentHead, list[Row]]
) -> None:
    before = sha256_file(run.place.encoder / GRAPH)
    size = (run.place.encoder / GRAPH).stat().st_size
    told = eight_bits(run, {"intent": judged})
    assert told is not None
    found = told["valid_accuracy"]["intent"]
    lost = found["float32"] - found["int8"]
    assert abs(lost) < 3  # points of 400 texts; of 3,080 of BANKING77 it is nothing at all
    assert told["cosine"] > 0.99
    assert told["kept"] == (lost <= run.spec.int8_tolerance)
    after = (run.place.encoder / GRAPH).stat().st_size
    assert after < 0.6 * size if told["kept"] else sha256_file(run.place.encoder / GRAPH) == before
    assert eight_bits(run, {"intent": judged}) == told
