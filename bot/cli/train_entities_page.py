"""The report of `kefu train --task entities` as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.cli import names
from bot.cli.page import (
    Both,
    Tell,
    cards,
    data_files,
    document,
    heading,
    lines,
    paragraph,
    percent,
    points,
    section,
    table,
    to_know_first,
)

Figures = dict[str, Any]


def page(figures: Figures, notes: Sequence[Both]) -> str:
    whole, files = figures["figures"], figures["data"]
    learned, kinds, source = files["train"]["used"], files["train"]["kinds"], figures["encoder"]["source"]
    title, made = files["test"]["file"], figures["made"]
    return document(
        (f"Entities: {title}", f"实体识别：{title}"),
        (
            f"{learned} texts with {kinds} kinds of entities learned, {whole['texts']} judged. "
            f"Encoder {source}, {made}.",
            f"学习 {learned} 条文本、{kinds} 类实体，评测 {whole['texts']} 条。编码器 {source}，{made}。",
        ),
        lambda tell: _parts(figures, notes, tell),
    )


def _parts(figures: Figures, notes: Sequence[Both], tell: Tell) -> Iterator[str]:
    whole, bound, latency = figures["figures"], figures["micro_f1"], figures["latency_ms"]
    between = f"{percent(bound['low'])} – {percent(bound['high'])} %"
    yield cards(
        [
            (f"{percent(whole['micro_f1'])} %", tell("micro F1", "微平均 F1"), between),
            (f"{percent(whole['macro_f1'])} %", tell("macro F1", "宏平均 F1")),
            (f"{percent(figures['floor']['micro_f1'])} %", tell("floor, micro F1", "基线微平均 F1")),
            (f"{latency['median']:.1f} ms", tell("a text, median", "每条文本，中位数")),
        ]
    )
    yield from to_know_first(notes, tell)
    yield section(tell("Figures", "指标"), *entity_figures(figures, tell))
    yield section(
        tell("What was measured", "测量依据"), data_files(figures["data"], tell), _how(figures, tell)
    )


def entity_figures(figures: Figures, tell: Tell) -> Iterator[str]:
    yield _split(figures, tell)
    yield from _meaning(tell)
    yield heading(tell("Kinds, weakest first", "各类实体，从弱到强"))
    yield _kinds(figures, tell)
    if figures["worst"]:
        yield heading(tell("Texts with most mistakes", "错误最多的文本"))
        yield _worst(figures, tell)


def _split(figures: Figures, tell: Tell) -> str:
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    parts = {
        tell("all", "全部"): figures["figures"],
        **{names.language(lang, tell): part for lang, part in languages.items()},
        tell("floor", "基线"): figures["floor"],
    }
    rows = [
        (
            *(name, str(part["texts"]), str(part["entities"])),
            *(percent(part[key]) for key in ("micro_f1", "macro_f1", "precision", "recall")),
        )
        for name, part in parts.items()
    ]
    head = (
        *("", tell("texts", "文本"), tell("entities", "实体"), tell("micro F1 %", "微平均 F1 %")),
        *(tell("macro F1 %", "宏平均 F1 %"), tell("precision %", "精确率 %"), tell("recall %", "召回率 %")),
    )
    return table(head, rows, numbers=range(1, 7))


def _meaning(tell: Tell) -> Iterator[str]:
    yield paragraph(
        tell(
            "An entity counts where its kind and both its ends are right, to the character. The floor is a linear "
            "classifier of each word's states in the same encoder's last layer, learned from the same texts.",
            "实体类别与起止位置逐字符完全正确才算对。基线是在同一编码器最后一层上、用相同文本训练的逐词线性分类器。",
        )
    )


def _kinds(figures: Figures, tell: Tell) -> str:
    rows = [
        (
            *(row["kind"], str(row["there"]), str(row["found"])),
            *(percent(row[key]) for key in ("precision", "recall", "f1", "floor_f1")),
        )
        for row in figures["kinds"]
    ]
    head = (
        *(
            tell("kind", "类别"),
            tell("there", "应有"),
            tell("found", "找到"),
            tell("precision %", "精确率 %"),
        ),
        *(tell("recall %", "召回率 %"), tell("F1 %", "F1 %"), tell("floor F1 %", "基线 F1 %")),
    )
    return table(head, rows, numbers=range(1, 7), search=tell("search kinds", "搜索类别"))


def _worst(figures: Figures, tell: Tell) -> str:
    def named(found: list[dict[str, str]]) -> str:
        return lines(f"{one['text']} ({one['kind']})" for one in found)

    rows = [
        (str(row["line"]), row["text"], named(row["missed"]), named(row["wrong"])) for row in figures["worst"]
    ]
    head = (tell("line", "行"), tell("text", "文本"), tell("missed", "漏掉"), tell("wrongly found", "误找"))
    return table(head, rows, numbers=(0,))


def _how(figures: Figures, tell: Tell) -> str:
    latency = figures["latency_ms"]
    times = f"{latency['median']:.1f} / {latency['p95']:.1f} ms"
    return points(
        [
            tell(
                f"Latency of {latency['texts']} texts, one at a time on this machine, median and 95th percentile: "
                f"{times}, {latency['finder_median']:.2f} ms of it after the encoder.",
                f"在本机逐条测量 {latency['texts']} 条文本的延迟，中位数与第 95 百分位：{times}，"
                f"其中编码器之后 {latency['finder_median']:.2f} ms。",
            ),
            tell(
                f"Took {figures['seconds']:.0f} s, {figures['fit_seconds']:.0f} s of them for fitting.",
                f"共用时 {figures['seconds']:.0f} 秒，其中拟合 {figures['fit_seconds']:.0f} 秒。",
            ),
            f"{tell('Encoder', '编码器')} {figures['encoder']['fingerprint']}",
            f"{tell('Versions', '版本')}: " + ", ".join(f"{n} {v}" for n, v in figures["versions"].items()),
        ]
    )
