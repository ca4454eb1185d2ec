"""How well entities are found on texts that were not learned from: files in, files out.

In (`work`): as `training.entities.task` leaves it. Out (`out`): result.json, of which `judged` says what is in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embed import Tokens
from retrieval.errors import EncoderError
from retrieval.onnx_encoder import OnnxEncoder
from training.bootstrap import interval
from training.entities.finder import Finder, seen, with_all_forms
from training.entities.fit import Strength, fit_tagger
from training.entities.learn import ON, PART
from training.entities.marks import Annotated
from training.entities.measure import Counts, by_kind, count
from training.entities.phrases import said_in
from training.entities.plain import fit_plain, of_layer
from training.entities.recognise import Recognisers
from training.entities.spec import Example, Span
from training.entities.tagger import Tagger
from training.entities.task import RESULT, EntityTask, Told, read_task
from training.errors import SourceError
from training.progress import Report
from training.tap import DEPTHS, tap_at

LAST = 1.0
"""Depth of the floor: where whoever takes an encoder as it is looks."""
FOLDS = 5
"""Of the examples, where there are no texts to judge by."""
STRENGTHS = (10.0, 3.0, 30.0)
"""Of states, among which texts to choose by decide; without such the first."""
WORST = 20
TIMED = 200


def judge_task(work: Path, out: Path, *, encoder: Path, report: Report) -> None:
    """`encoder`: its folder. Raises SourceError."""
    task = read_task(work)
    try:
        tap = tap_at(encoder, (*DEPTHS, LAST))
        opened = OnnxEncoder.open(encoder, threads=1, tap=tap)
        found = judged(task, Sight(opened, len(tap.outputs)), report=report)
    except EncoderError as error:
        raise SourceError(str(error)) from error
    found["encoder"] = {"fingerprint": opened.fingerprint, "dim": opened.dim}
    out.mkdir(parents=True, exist_ok=True)
    (out / RESULT).write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")


@dataclass(slots=True)
class Sight:
    """States of tokens, `layers` of them side by side, each text read once."""

    encoder: OnnxEncoder
    layers: int
    known: dict[str, Tokens] = field(default_factory=dict)

    def read(self, texts: Sequence[str], *, report: Report) -> None:
        missing = sorted({text for text in texts if text not in self.known}, key=len)
        for start in range(0, len(missing), PART):
            part = missing[start : start + PART]
            self.known.update(zip(part, self.encoder.encode_tokens(part)[1], strict=True))
            report("states", start + len(part), len(missing), "reading texts")

    def tokens(self, text: str) -> Tokens:
        """As the bot reads it: of the first layer."""
        known = self.known[text]
        return Tokens(known.places, known.states[:, : self.encoder.dim])

    def rows(self, task: EntityTask, examples: Sequence[Example]) -> list[Annotated]:
        """As a tagger is taught them: all layers."""
        recognisers, said = Recognisers(with_all_forms(task.kinds)), said_in(examples, task.kinds)
        return [
            Annotated(seen(e.text, self.known[e.text], recognisers.hits(e.text, ON), said, own=e), e.spans)
            for e in examples
        ]


def judged(task: EntityTask, sight: Sight, *, report: Report) -> dict[str, Any]:
    """`figures`, `languages` and `floor`: shares; `micro_f1`: with its interval; `kinds`, the weakest first; `worst`
    texts; `latency_ms`; `fit_seconds`; `strength`.
    """
    every = [*task.train, *task.valid, *task.test]
    sight.read([told.example.text for told in every], report=report)
    begun = time.perf_counter()
    strength = _chosen(task, sight, report=report)
    own, floor, finder = _verdicts(task, sight, strength, report=report)
    seconds = time.perf_counter() - begun
    report("judging", 0, 1, "judging texts")
    rows = np.array([[c.right, c.there, c.found] for c in (count(v.there, v.found) for v in own)])
    bound = interval(rows, lambda sums: 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1))
    return {
        "figures": _figures(own),
        "micro_f1": {"value": bound.value, "low": bound.low, "high": bound.high, "n": bound.n},
        "floor": _figures(floor),
        "languages": {
            lang: _figures([v for v in own if v.told.lang == lang])
            for lang in sorted({v.told.lang for v in own})
        },
        "kinds": _kinds(own, floor),
        "worst": list(_worst(own)),
        "latency_ms": _latency(finder, sight, [v.told.example.text for v in own][:TIMED]),
        "fit_seconds": round(seconds, 1),
        "strength": strength.states,
        "folds": 0 if task.test else FOLDS,
    }


@dataclass(frozen=True, slots=True)
class Verdict:
    told: Told
    found: tuple[Span, ...]

    @property
    def there(self) -> tuple[Span, ...]:
        return self.told.example.spans


def _chosen(task: EntityTask, sight: Sight, *, report: Report) -> Strength:
    """By the texts to choose by; of two that do as well the first."""
    found = [Strength(states=states) for states in STRENGTHS]
    if not task.valid:
        return found[0]

    def f1(strength: Strength) -> float:
        report("choosing", found.index(strength), len(found), "choosing how strongly weights are held")
        return _micro(_asked(_learned(task, sight, strength, task.train), sight, task.valid)).f1

    return max(found, key=f1)


def _verdicts(
    task: EntityTask, sight: Sight, strength: Strength, *, report: Report
) -> tuple[list[Verdict], list[Verdict], Finder]:
    """Ours, and the floor's, of the same texts; and what found the last of ours."""
    own: list[Verdict] = []
    floor: list[Verdict] = []
    parts = list(_parts(task))
    for number, (learned, asked) in enumerate(parts):
        report("tagger", number, len(parts), "learning entities")
        finder = _learned(task, sight, strength, learned)
        own += _asked(finder, sight, asked)
        floor += _floor(task, sight, learned=learned, asked=asked)
    return own, floor, finder


def _parts(task: EntityTask) -> Iterator[tuple[Sequence[Told], Sequence[Told]]]:
    """Learned and asked. A text stays in one fold, however often it is there."""
    if task.test:
        yield task.train, task.test
        return
    texts = list(dict.fromkeys(told.example.text for told in task.train))
    order = np.random.default_rng(0).permutation(len(texts))
    fold = {texts[place]: number % FOLDS for number, place in enumerate(order)}
    for number in range(min(FOLDS, len(texts))):
        inside = [told for told in task.train if fold[told.example.text] == number]
        yield [told for told in task.train if fold[told.example.text] != number], inside


def _learned(task: EntityTask, sight: Sight, strength: Strength, learned: Sequence[Told]) -> Finder:
    examples = [told.example for told in learned]
    rows = of_layer(sight.rows(task, examples), 0, sight.encoder.dim)
    return Finder(task.kinds, fit_tagger(rows, strength, said=said_in(examples, task.kinds)))


def _asked(finder: Finder, sight: Sight, asked: Sequence[Told]) -> list[Verdict]:
    return [Verdict(told, _spans(finder, sight, told.example.text)) for told in asked]


def _spans(finder: Finder, sight: Sight, text: str) -> tuple[Span, ...]:
    return tuple(Span(e.start, e.end, e.kind) for e in finder.find(text, sight.tokens(text), ON))


def _floor(
    task: EntityTask, sight: Sight, *, learned: Sequence[Told], asked: Sequence[Told]
) -> list[Verdict]:
    def last(some: Sequence[Told]) -> list[Annotated]:
        rows = sight.rows(task, [told.example for told in some])
        return of_layer(rows, sight.layers - 1, sight.encoder.dim)

    plain: Tagger = fit_plain(last(learned))
    found = plain.find([row.text for row in last(asked)])
    return [Verdict(told, tuple(spans)) for told, spans in zip(asked, found, strict=True)]


def _micro(found: Sequence[Verdict]) -> Counts:
    return sum((count(v.there, v.found) for v in found), Counts())


def _figures(found: Sequence[Verdict]) -> dict[str, float]:
    whole, kinds = _micro(found), _by_kind(found)
    return {
        "texts": len(found),
        "entities": whole.there,
        "precision": whole.precision,
        "recall": whole.recall,
        "micro_f1": whole.f1,
        "macro_f1": float(np.mean([one.f1 for one in kinds.values()])) if kinds else 1.0,
    }


def _by_kind(found: Sequence[Verdict]) -> dict[str, Counts]:
    return by_kind([(v.there, v.found) for v in found])


def _kinds(own: Sequence[Verdict], floor: Sequence[Verdict]) -> list[dict[str, Any]]:
    plain: Mapping[str, Counts] = _by_kind(floor)
    rows = [
        {
            "kind": kind,
            "there": one.there,
            "found": one.found,
            "precision": one.precision,
            "recall": one.recall,
            "f1": one.f1,
            "floor_f1": plain.get(kind, Counts()).f1 if one.there else 0.0,
        }
        for kind, one in _by_kind(own).items()
    ]
    return sorted(rows, key=lambda row: (row["f1"], row["kind"]))


def _worst(found: Sequence[Verdict]) -> Iterator[dict[str, Any]]:
    """Texts in which most is missed or wrong."""

    def wrong(one: Verdict) -> int:
        return len(set(one.there) ^ set(one.found))

    for one in sorted(filter(wrong, found), key=wrong, reverse=True)[:WORST]:
        text = one.told.example.text

        def named(spans: set[Span], text: str = text) -> list[dict[str, str]]:
            return [{"kind": s.kind, "text": text[s.start : s.end]} for s in sorted(spans)]

        there, told = set(one.there), set(one.found)
        yield {
            "line": one.told.line,
            "text": text,
            "missed": named(there - told),
            "wrong": named(told - there),
        }


def _latency(finder: Finder, sight: Sight, texts: Sequence[str]) -> dict[str, float]:
    """Of texts one at a time: the whole way, and what comes after the encoder."""
    times = []
    for text in texts:
        begun = time.perf_counter()
        _, (tokens,) = sight.encoder.encode_tokens([text])
        encoded = time.perf_counter()
        finder.find(text, Tokens(tokens.places, tokens.states[:, : sight.encoder.dim]), ON)
        times.append((time.perf_counter() - begun, time.perf_counter() - encoded))
    whole, after = 1e3 * np.array(times).T
    return {
        "texts": len(texts),
        "median": float(np.median(whole)),
        "p95": float(np.percentile(whole, 95)),
        "finder_median": float(np.median(after)),
    }
