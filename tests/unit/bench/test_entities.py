"""The entities bench on a bot and sets of our own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import bench.entities
from bench import NoData, Options
from bench.entities import run
from retrieval.model_folder import locate
from tests.tiny import letters

BOT = """
entities: {city: }
examples:
  en: ['to [Rome](city) now', 'to [Oslo](city) now', 'from [Rome](city)', 'from [Oslo](city)', 'to me']
  zh: ['去[北京](city)', '到[北京](city)', '去[成都](city)', '到[成都](city)', 到了]
"""
TESTS = [
    {"text": "to Rome", "lang": "en", "entities": [{"start": 3, "end": 7, "kind": "city"}]},
    {"text": "去成都", "lang": "zh", "entities": [{"start": 1, "end": 3, "kind": "city"}]},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for bot in bench.entities.BOTS:
        place = tmp_path / "examples" / bot
        (place / "tests").mkdir(parents=True)
        (place / "bot.yml").write_text("name: {en: A, zh: A}\nwelcome: {en: Hi, zh: Hi}\n", encoding="utf-8")
        (place / "entities.yml").write_text(BOT, encoding="utf-8")
        rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in TESTS)
        (place / "tests" / "entities.jsonl").write_text(rows, encoding="utf-8")
    encoder = locate(tmp_path, letters(tmp_path))
    monkeypatch.setattr(bench.entities, "ROOT", tmp_path)
    monkeypatch.setattr(bench.entities, "encoder_folder", lambda _: encoder)
    return tmp_path


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


def slots(city: str, fold: int) -> dict[str, object]:
    span = {"span": [3, 3 + len(city)], "text": city}
    return {"text": f"to {city} then", "fold": fold, "slots": {"city": span}}


def test_own_bots_need_no_data(folder: Path) -> None:
    said: list[str] = []
    figures = run(Options(said.append, cache=folder / "cache"))
    assert figures["entities_bank_f1"] == figures["entities_bank_f1_zh"] == 100.0
    assert figures.keys() >= {"entities_shop_f1", "entities_shop_f1_floor", "entities_shop_f1_folds"}
    assert not any(key.startswith(("nlupp", "multidogo")) for key in figures)
    assert said[-1].endswith("--data DIR")
    (folder / "examples" / "bank" / "tests" / "entities.jsonl").unlink()
    with pytest.raises(NoData, match=r"entities\.jsonl is not there"):
        run(Options(said.append, only=frozenset({"entities_bank_f1"}), cache=folder / "cache"))


def test_public_sets_are_judged_on_other_rows_than_those_learned(folder: Path) -> None:
    data = folder / "data"
    rows: list[dict[str, object]] = [
        slots(city, fold) for fold, city in enumerate(["rome", "oslo", "lima", "bern", "graz"] * 4)
    ]
    rows.append({"text": "nothing in it", "fold": 3})
    for domain in bench.entities.NLUPP:
        write(data / "nlupp" / f"{domain}.jsonl.gz", rows)
    for split in ("train", "test"):
        said: list[dict[str, object]] = [
            {"domain": domain, "text": f"fly  to new {city} soon", "slots": "O O city city O"}
            for domain in bench.entities.MULTIDOGO
            for city in ("york", "delhi", "town")
        ]
        empty: dict[str, object] = {"domain": "media", "text": None, "slots": None}
        write(data / "multidogo" / f"sentence_{split}.jsonl.gz", [*said, empty])
    heard: list[str] = []
    only = frozenset({"nlupp_f1", "multidogo_f1"})
    first = run(Options(heard.append, data, only, folder / "cache"))
    assert first["nlupp_f1"] == first["nlupp_banking_f1"] == 100.0
    assert first["multidogo_f1"] == 100.0
    assert first.keys() >= {"nlupp_f1_floor", "multidogo_media_f1_floor"}
    heard.clear()
    assert run(Options(heard.append, data, only, folder / "cache")) == first
    assert not any("states of" in line for line in heard)
    with pytest.raises(NoData):
        run(Options(heard.append, None, only, folder / "cache"))
