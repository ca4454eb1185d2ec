"""The report of `kefu eval retrieval` as a page."""

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
    lines,
    paragraph,
    percent,
    points,
    section,
    table,
    to_know_first,
)
from bot.cli.plots import bar
from training.evaluation import from_json

Figures = dict[str, Any]
NAMES: dict[str, Both] = {
    "hybrid": ("Kefu's search", "Kefu 检索"),
    "bm25": ("words alone (BM25)", "仅词汇（BM25）"),
    "dense": ("vectors alone", "仅向量"),
}


def page(figures: Figures, notes: Sequence[Both]) -> str:
    corpus, queries = figures["data"]["corpus"], figures["data"]["queries"]
    source, made = figures["encoder"]["source"], figures["made"]
    return document(
        (f"Search: {queries['file']} in {corpus['file']}", f"检索：{queries['file']} / {corpus['file']}"),
        (
            f"{queries['used']} queries against {corpus['used']} answers. Encoder {source}, {made}.",
            f"在 {corpus['used']} 条答案中检索 {queries['used']} 个问题。编码器 {source}，{made}。",
        ),
        lambda tell: _parts(figures, notes, tell),
    )


def _parts(figures: Figures, notes: Sequence[Both], tell: Tell) -> Iterator[str]:
    measured = from_json({"metrics": figures["metrics"], "details": {"tests": figures["tests"]}})
    yield cards(
        [
            *(
                (names.number(name, one.value), names.title(name, tell), names.between(name, one))
                for name, one in measured.metrics.items()
                if names.lang(name) is None
            ),
            (f"{figures['search_ms']['median']:.1f} ms", tell("a search, median", "每次检索，中位数")),
        ]
    )
    yield from to_know_first(notes, tell)
    yield section(tell("All figures", "全部指标"), *shown.metrics(measured, None, tell))
    if spoken := shown.by_language(measured, None, tell):
        yield section(tell("By language", "按语言"), spoken)
    yield section(tell("Three ways to search", "三种检索方式"), _methods(figures, tell))
    yield section(tell("Worst queries", "最差的问题"), _worst(figures, tell))
    yield section(
        tell("What was measured", "测量依据"), data_files(figures["data"], tell), _how(figures, tell)
    )


def _methods(figures: Figures, tell: Tell) -> str:
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    parts = {
        tell("all", "全部"): figures["figures"],
        tell("not stored", "未收录"): figures["without_stored"],
        **{names.language(lang, tell): part for lang, part in languages.items()},
    }
    rows = [
        (
            name if method == "hybrid" else "",
            str(part["queries"]) if method == "hybrid" else "",
            tell(*label),
            bar(part[method]["recall_1"], width=90),
            *(percent(part[method][key]) for key in ("recall_1", "recall_5", "recall_10", "mrr")),
        )
        for name, part in parts.items()
        if part
        for method, label in NAMES.items()
    ]
    head = (
        *("", tell("queries", "问题"), tell("search", "检索方式"), ""),
        *("recall@1 %", "recall@5 %", "recall@10 %", "MRR %"),
    )
    return table(head, rows, numbers=(1, 4, 5, 6, 7))


def _worst(figures: Figures, tell: Tell) -> str:
    if not figures["worst"]:
        return paragraph(tell("Every right answer stands first.", "正确答案全部排在第一。"))
    head = (
        *(tell("query (line)", "问题（行号）"), tell("expected", "应为"), tell("found instead", "实际找到")),
        *(tell("place", "名次"), tell("words", "词汇"), tell("vectors", "向量")),
    )
    return table(
        head,
        [
            (
                lines([f"{row['text']} ({row['line']})"]),
                lines(one["question"] for one in row["expected"]),
                lines(one["question"] for one in row["found"]),
                *(str(row["places"][method] or tell("over 100", "100 名外")) for method in NAMES),
            )
            for row in figures["worst"]
        ],
        numbers=(3, 4, 5),
    )


def _how(figures: Figures, tell: Tell) -> str:
    took = figures["search_ms"]
    times = f"{took['median']:.1f} / {took['p95']:.1f} ms"
    return points(
        [
            tell(
                f"A search without its encoding, on this machine, median and 95th percentile: {times}. The whole took "
                f"{figures['seconds']:.0f} s.",
                f"在本机一次检索（不含编码），中位数与第 95 百分位：{times}。共用时 {figures['seconds']:.0f} 秒。",
            ),
            f"{tell('Encoder', '编码器')} {figures['encoder']['fingerprint']}",
            f"{tell('Seeds', '随机种子')}: "
            + ", ".join(f"{n} {seed}" for n, seed in figures["seeds"].items()),
            f"{tell('Versions', '版本')}: " + ", ".join(f"{n} {v}" for n, v in figures["versions"].items()),
        ]
    )
