"""The report of `kefu train` as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.cli import figures as shown
from bot.cli import names
from bot.cli.page import (
    Both,
    Tell,
    cards,
    data_files,
    document,
    paragraph,
    percent,
    points,
    section,
    table,
    to_know_first,
)
from training.evaluation import Evaluation, from_json

Figures = dict[str, Any]


def page(figures: Figures, notes: Sequence[Both]) -> str:
    whole, files = figures["figures"], figures["data"]
    learned, labels, source = files["train"]["used"], files["train"]["labels"], figures["encoder"]["source"]
    title, method, made = files["test"]["file"], figures["method"], figures["made"]
    return document(
        (f"Understanding: {title}", f"理解能力：{title}"),
        (
            f"{learned} texts of {labels} labels learned, {whole['texts']} judged. "
            f"Encoder {source}, method {method}, {made}.",
            f"学习 {labels} 个标签的 {learned} 条文本，评测 {whole['texts']} 条。"
            f"编码器 {source}，方法 {method}，{made}。",
        ),
        lambda tell: _parts(figures, notes, tell),
    )


def _parts(figures: Figures, notes: Sequence[Both], tell: Tell) -> Iterator[str]:
    whole, latency = figures["figures"], figures["latency_ms"]
    measured = from_json({"metrics": figures["metrics"], "details": {"tests": figures["tests"]}})
    yield cards(
        [
            _card("intent.accuracy", tell("accuracy (= micro F1)", "准确率（即微平均 F1）"), measured),
            _card("intent.macro_f1", tell("macro F1", "宏平均 F1"), measured),
            _card("intent.ece", tell("calibration error", "校准误差"), measured),
            (f"{latency['median']:.1f} ms", tell("a text, median", "每条文本，中位数")),
        ]
    )
    yield from to_know_first(notes, tell)
    yield section(tell("All figures", "全部指标"), *shown.metrics(measured, None, tell))
    yield section(tell("In parts", "分项"), _split(figures, tell), shown.by_language(measured, None, tell))
    if scope := figures["scope"]:
        title = tell("Out of scope", "范围外")
        yield section(f"{title}: {figures['oos_label']}", *_scope(scope, whole["texts"], tell))
    yield section(tell("Most confused", "最易混淆"), *shown.confusions(figures, tell))
    yield section(tell("Labels, weakest first", "各标签，从弱到强"), *shown.labels(figures, tell))
    asked = tell("Do probabilities mean what they say?", "概率是否名副其实？")
    yield section(asked, *shown.calibration(figures, tell))
    if drawn := shown.learning(figures.get("epochs", ()), tell):
        yield section(tell("Learning curve", "学习曲线"), drawn)
    if rows := figures.get("attributions"):
        yield section(tell("Why: tokens that spoke for it", "原因：起作用的词元"), *shown.tokens(rows, tell))
    yield section(
        tell("What was measured", "测量依据"), data_files(figures["data"], tell), _how(figures, tell)
    )


def _card(name: str, called: str, measured: Evaluation) -> tuple[str, str, str]:
    one = measured.metrics[name]
    return names.number(name, one.value), called, names.between(name, one)


def _split(figures: Figures, tell: Tell) -> str:
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    parts = {
        tell("all", "全部"): figures["figures"],
        tell("without leaks", "去除泄漏"): figures["without_leaks"],
        **{names.language(lang, tell): part for lang, part in languages.items()},
    }
    rows = [
        (name, str(part["texts"]), *(percent(part[key]) for key in ("accuracy", "macro_f1", "micro_f1")))
        for name, part in parts.items()
        if part
    ]
    head = (
        *("", tell("texts", "文本"), tell("accuracy %", "准确率 %")),
        *(tell("macro F1 %", "宏平均 F1 %"), tell("micro F1 %", "微平均 F1 %")),
    )
    return table(head, rows, numbers=range(1, 5))


def _scope(scope: Figures, inside: int, tell: Tell) -> Iterator[str]:
    yield cards(
        [
            (f"{percent(scope['auroc'])} %", "AUROC"),
            (
                f"{percent(scope['recall_accepted'])} %",
                tell("found, 95 % of the rest let through", "放行其余 95 % 时识别出"),
            ),
            (
                f"{percent(scope['recall_right'])} %",
                tell("found, 95 % of the rest let through and right", "放行且判对其余 95 % 时识别出"),
            ),
        ]
    )
    yield shown.scope_curve(scope, tell)
    yield paragraph(
        tell(
            f"{scope['outside']} texts out of scope against {inside} in scope; {scope['trained']} examples of what is "
            "out of scope were learned from. All other figures here are of texts in scope, with nothing rejected.",
            f"范围外文本 {scope['outside']} 条，范围内 {inside} 条；训练中有 {scope['trained']} 条范围外示例。"
            "本页其余指标均针对范围内文本，且不拒答。",
        )
    )


def _held_out(figures: Figures, tell: Tell) -> list[str]:
    """Nothing where there were too few texts to hold any out."""
    held = figures["held_out"]
    if held["accuracy"] is None:
        return []
    by, share = tell(*_HELD_OUT[held["by"]]), percent(held["accuracy"])
    return [
        tell(
            f"Temperature and share of words were chosen on {by}: {share} % right there.",
            f"温度与词汇权重由{by}选定，在其上正确率 {share} %。",
        )
    ]


def _how(figures: Figures, tell: Tell) -> str:
    latency = figures["latency_ms"]
    times = f"{latency['median']:.1f} / {latency['p95']:.1f} ms"
    return points(
        [
            *_held_out(figures, tell),
            tell(
                f"Latency of {latency['texts']} texts, one at a time on this machine, median and 95th percentile: "
                f"{times}, {latency['head_median']:.2f} ms of it after the encoder.",
                f"在本机逐条测量 {latency['texts']} 条文本的延迟，中位数与第 95 百分位：{times}，"
                f"其中编码器之后 {latency['head_median']:.2f} ms。",
            ),
            tell(
                f"Took {figures['seconds']:.0f} s, {figures['fit_seconds']:.0f} s of them for fitting.",
                f"共用时 {figures['seconds']:.0f} 秒，其中拟合 {figures['fit_seconds']:.0f} 秒。",
            ),
            f"{tell('Encoder', '编码器')} {figures['encoder']['fingerprint']}",
            f"{tell('Seeds', '随机种子')}: "
            + ", ".join(f"{n} {seed}" for n, seed in figures["seeds"].items()),
            f"{tell('Versions', '版本')}: " + ", ".join(f"{n} {v}" for n, v in figures["versions"].items()),
        ]
    )


_HELD_OUT = {
    "valid": ("the validation file", "验证文件"),
    "folds": ("held-out folds of the training file", "训练文件的留出折"),
    "tenth": ("a held-out part of the training file", "训练文件中留出的一部分"),
}
