"""Entities: micro F1 of kinds and both ends, exact to the character, beside a plain tagger on the same frozen encoder.

The example bots on the sentences in their `tests/entities.jsonl`, which were written apart from what they learn by;
NLU++ and MultiDoGO where `--data` names them. docs/benches.md says what each key means. In percent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import ROOT, NoData, Options
from bench._bank import encoder_folder
from bench._named import KeptStates, multidogo, nlupp
from bot.definition.load import load
from retrieval.onnx_encoder import OnnxEncoder
from training.entities.judge import LAST, Sight, judged
from training.entities.spec import Example, Span
from training.entities.task import EntityTask, Told
from training.progress import silent
from training.tap import DEPTHS, tap_at

BOTS = ("bank", "shop")
NLUPP = ("banking", "hotels")
MULTIDOGO = ("airline", "fastfood", "finance", "insurance", "media", "software")
Sets = Callable[[str, Options], tuple[list[Example], list[Example]]]


@dataclass(frozen=True, slots=True)
class Judge:
    states: KeptStates
    options: Options

    def own(self, bot: str) -> dict[str, float]:
        """The bot as it answers, on what was written apart; by language too, and on its own examples in folds."""
        definition = load(ROOT / "examples" / bot, knowledge=False)
        learned = [e for examples in definition.annotated.values() for e in examples]
        task = EntityTask(dict(definition.entities), _told(learned), test=_tests(bot))
        found = self._judged(bot, task)
        name = f"entities_{bot}_f1"
        languages = {f"{name}_{lang}": 100.0 * one["micro_f1"] for lang, one in found["languages"].items()}
        folds = self._judged(bot, EntityTask(task.kinds, task.train))
        return {
            name: _percent(found),
            **languages,
            f"{name}_floor": 100.0 * found["floor"]["micro_f1"],
            f"{name}_folds": _percent(folds),
        }

    def public(self, name: str, domains: Sequence[str], sets: Sets) -> dict[str, float]:
        """Each domain by itself, and the mean."""
        told: dict[str, float] = {}
        for domain in domains:
            learned, asked = sets(domain, self.options)
            found = self._judged(f"{name}_{domain}", EntityTask({}, _told(learned), test=_told(asked)))
            key = f"{name}_{domain}_f1"
            told |= {key: _percent(found), f"{key}_floor": 100.0 * found["floor"]["micro_f1"]}
            self.options.say(f"{key} {told[key]:.1f}, floor {told[f'{key}_floor']:.1f}")
        means = {s: float(np.mean([told[f"{name}_{d}_f1{s}"] for d in domains])) for s in ("", "_floor")}
        return {f"{name}_f1{suffix}": mean for suffix, mean in means.items()} | told

    def _judged(self, name: str, task: EntityTask) -> dict[str, Any]:
        texts = [told.example.text for told in (*task.train, *task.test)]
        sight = Sight(self.states.encoder, self.states.layers, self.states.of(name, texts))
        return judged(task, sight, report=silent)


def run(options: Options) -> dict[str, float]:
    """Raises `NoData` where a public set is asked for by name and is not there; else it is left out."""
    folder = encoder_folder(options)
    tap = tap_at(folder, (*DEPTHS, LAST))
    judge = Judge(KeptStates(OnnxEncoder.open(folder, tap=tap), len(tap.outputs), options), options)
    figures: dict[str, float] = {}
    for bot in BOTS:
        if _wanted(options, f"entities_{bot}"):
            figures |= judge.own(bot)
    for name, domains, sets in (("nlupp", NLUPP, nlupp), ("multidogo", MULTIDOGO, multidogo)):
        if _wanted(options, name) and (options.data or options.only):
            figures |= judge.public(name, domains, sets)
    if options.data is None and not options.only:
        options.say("NLU++ and MultiDoGO are left out: give the folder of the public data sets: --data DIR")
    return figures


def _wanted(options: Options, name: str) -> bool:
    return not options.only or any(key.startswith(name) for key in options.only)


def _percent(found: dict[str, Any]) -> float:
    return 100.0 * float(found["figures"]["micro_f1"])


def _told(examples: Iterable[Example]) -> tuple[Told, ...]:
    return tuple(Told(example, line, "en") for line, example in enumerate(examples, 1))


def _tests(bot: str) -> tuple[Told, ...]:
    path = ROOT / "examples" / bot / "tests" / "entities.jsonl"
    if not path.is_file():
        raise NoData(f"{path} is not there")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(
        Told(
            Example(row["text"], tuple(Span(e["start"], e["end"], e["kind"]) for e in row["entities"])),
            line,
            row["lang"],
        )
        for line, row in enumerate(rows, 1)
    )
