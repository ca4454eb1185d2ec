"""The bench's own door, and the search bench on a small scale."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import bench.search
import retrieval.index
from bench import NoData, Options
from bench.__main__ import main, names
from bench._million import TODAY, Million, _entries, _queries, _split
from retrieval.bundle import build_bundle
from retrieval.text import script_lang
from tests.unit.retrieval.samples import ENCODER


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments])
    return result.exit_code, result.output


def test_benches_are_found_by_name() -> None:
    assert "search" in names()
    assert not [name for name in names() if name.startswith("_")]
    code, output = invoke("nonsense")
    assert code == 2
    assert "search" in output


def test_figures_become_a_table_and_one_flat_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Options] = []

    def run(options: Options) -> dict[str, float]:
        asked.append(options)
        return {"identical_first": 99.5, "beside": 1.0}

    monkeypatch.setattr(bench.search, "run", run)
    target = tmp_path / "out" / "search.json"
    code, output = invoke("search", "--json", str(target), "--only", "identical_first, other")
    assert code == 0
    assert "identical_first" in output
    assert json.loads(target.read_text()) == {"identical_first": 99.5}
    assert asked[0].wants("other")
    assert not asked[0].wants("beside")


def test_a_bench_without_its_data_says_so_and_exits_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_options: Options) -> dict[str, float]:
        raise NoData("give --data")

    monkeypatch.setattr(bench.search, "run", run)
    assert invoke("search")[0] == 3


def test_only_the_keys_asked_for_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.search, "identical_first", lambda _options: 100.0)
    options = Options(lambda _text: None, only=frozenset(["identical_first"]))
    assert bench.search.run(options) == {"identical_first": 100.0}


@pytest.fixture
def million(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Million:
    """Five thousand rows behind a graph."""
    monkeypatch.setattr(retrieval.index, "EXACT_ROWS", 100)
    words = ["card", "account", "fee", "limit", "transfer", "卡", "账户", "费用", "限额", "转账"]
    texts = [
        f"{a} {b} {c}" for a in words for b in words for c in words[:4] if script_lang(a) == script_lang(c)
    ]
    stored, asked = _split(texts, ENCODER.encode(texts))
    entries, vectors = _entries(stored, 5000)
    bundle = build_bundle(
        tmp_path / "b", entries, vectors, encoder_fingerprint=ENCODER.fingerprint, revision=1
    )
    return Million(bundle, _queries(asked)[:60])


def test_a_small_million_is_made_of_both_languages_and_some_expired(million: Million) -> None:
    bundle = million.bundle
    assert abs(len(bundle.contents.rows) - 5000) <= 10
    assert (
        {entry.lang for entry in bundle.entries} == {"zh", "en"} == {query.lang for query in million.queries}
    )
    valid = bundle.allowed_rows(TODAY)
    assert valid is not None
    assert 0.9 < valid.count / len(valid.mask) < 1.0
    assert np.linalg.norm(bundle.contents.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_vector_path_is_compared_with_the_bare_index(million: Million) -> None:
    figures = bench.search.vector_path(million, Options(lambda _text: None))
    assert set(figures) == {"vector_overhead_1m", "recall10_1m", "vector_ms_1m", "vector_raw_ms_1m"}
    assert figures["recall10_1m"] > 0.9
    assert figures["vector_overhead_1m"] > 0.0
