"""An evaluation as a page: of a training job, of a release, or of a release beside the live one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.cli import figures, names, steady_figures, told_figures
from bot.cli.page import Both, Tell, cards, document, points, section, to_know_first
from bot.cli.promise_figures import confidence, promise
from bot.cli.train_entities_page import entity_figures
from training.evaluation import Evaluation

FIRST = ("answers.right", "told.answered", "told.abstained", "told.supported", "told.right_source",
         "same_answer.typo", "negation.told_apart", "intent.accuracy", "intent.macro_f1",
         "sentiment.accuracy", "retrieval.recall@1",
         "retrieval.mrr", "scope.auroc", "intent.ece", "latency.ms", "size.mb")  # fmt: skip
"""Figures that a reader looks for, in this order; those that there are stand on top."""
CLASSES = ("intent", "sentiment")


@dataclass(frozen=True, slots=True)
class Shown:
    """`live`: what it is compared with; `history`: {"epoch", "loss", ...} each; `card`: of the data set."""

    title: Both
    about: Both
    evaluation: Evaluation
    live: Evaluation | None = None
    history: Sequence[Mapping[str, Any]] = ()
    card: Mapping[str, Any] | None = None
    notes: Sequence[Both] = field(default=())
    """What a reader should know first, as it was said on the terminal."""
    made: Mapping[str, str] = field(default_factory=dict)
    """What the figures depend on: versions, seeds, fingerprints."""


def page(shown: Shown) -> str:
    return document(shown.title, shown.about, lambda tell: _parts(shown, tell))


def _parts(shown: Shown, tell: Tell) -> Iterator[str]:
    whole, live, details = shown.evaluation, shown.live, shown.evaluation.details
    if whole.metrics:
        yield _on_top(whole, tell)
    yield from to_know_first(shown.notes, tell)
    if whole.metrics:
        yield section(tell("All figures", "全部指标"), *figures.metrics(whole, live, tell))
    if spoken := figures.by_language(whole, live, tell):
        yield section(tell("By language", "按语言"), spoken)
    if rows := details.get("answers", {}).get("rows"):
        asked = live is not None and live.same_test(whole, "answers.right")
        before = live.details.get("answers", {}).get("rows", ()) if live and asked else ()
        yield section(tell("Question by question", "逐题结果"), figures.answers(rows, before, tell))
    if rows := details.get("told", {}).get("rows"):
        yield section(
            tell("Answer by answer, the worst first", "逐条回答，最差的在前"), told_figures.told(rows, tell)
        )
    if "promise" in details:
        yield section(tell("The promise", "所作的承诺"), *promise(details["promise"], tell))
    if "confidence" in details:
        title = tell("Do confidences mean what they say?", "把握是否名副其实？")
        yield section(title, *confidence(details["confidence"], tell))
    if details.get("changes"):
        yield section(tell("In another form", "换一种写法"), *steady_figures.changes(whole, live, tell))
    if rows := details.get("negation"):
        yield section(tell("Negation", "否定"), *steady_figures.negation(rows, tell))
    if details.get("fairness"):
        yield section(tell("For whom", "对谁更好"), *steady_figures.fairness(details["fairness"], tell))
    if "entities" in details:
        yield section(tell("Entities", "实体识别"), *entity_figures(details["entities"], tell))
    for task in CLASSES:
        if task in details:
            yield from _classes(task, details[task], tell)
    if drawn := figures.scope_curve(details.get("scope", {}), tell):
        yield section(tell("Out of scope", "范围外"), drawn)
    if drawn := figures.learning(shown.history, tell):
        yield section(tell("Learning curve", "学习曲线"), drawn)
    if rows := details.get("attributions"):
        yield section(
            tell("Why: tokens that spoke for it", "原因：起作用的词元"), *figures.tokens(rows, tell)
        )
    if shown.card is not None:
        yield section(tell("Data", "数据"), *figures.card(shown.card, tell))
    yield section(tell("What was measured", "测量依据"), points(_made(shown)))


def _on_top(whole: Evaluation, tell: Tell) -> str:
    chosen = [name for name in FIRST if name in whole.metrics]
    return cards(
        (
            names.number(name, whole.metrics[name].value),
            f"{tell(*names.FAMILIES[names.family(name)])}{tell(': ', '：')}{names.title(name, tell)}",
            names.between(name, whole.metrics[name]),
        )
        for name in chosen
    )


def _classes(task: str, details: Mapping[str, Any], tell: Tell) -> Iterator[str]:
    called = tell(*names.FAMILIES[task]) + tell(": ", "：")
    yield section(f"{called}{tell('most confused', '最易混淆')}", *figures.confusions(details, tell))
    yield section(
        f"{called}{tell('labels, weakest first', '各标签，从弱到强')}", *figures.labels(details, tell)
    )
    asked = tell("do probabilities mean what they say?", "概率是否名副其实？")
    yield section(f"{called}{asked}", *figures.calibration(details, tell))


def _made(shown: Shown) -> Iterator[str]:
    yield from (f"{name} {value}" for name, value in shown.made.items())
    yield from (f"tests.{family} {sha}" for family, sha in shown.evaluation.tests.items())
