"""The report of `kefu eval retrieval` as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.cli.page import bar, cards, data_files, document, lines, paragraph, percent, points, section, table

Figures = dict[str, Any]
NAMES = {"hybrid": "Kefu's search", "bm25": "words alone (BM25)", "dense": "vectors alone"}


def page(figures: Figures) -> str:
    corpus, queries = figures["data"]["corpus"], figures["data"]["queries"]
    about = (
        f"{queries['used']} queries against {corpus['used']} answers. Encoder {figures['encoder']['source']}, "
        f"{figures['made']}."
    )
    return document(f"Search: {queries['file']} in {corpus['file']}", about, _parts(figures))


def _parts(figures: Figures) -> Iterator[str]:
    ours = figures["figures"]["hybrid"]
    yield cards(
        [
            *((f"{percent(ours[f'recall_{k}'])} %", f"recall@{k}") for k in (1, 5, 10)),
            (f"{percent(ours['mrr'])} %", "mean reciprocal rank"),
            (f"{figures['search_ms']['median']:.1f} ms", "a search, median"),
        ]
    )
    if figures["notes"]:
        yield section("To know first", points(figures["notes"]))
    yield section("Three ways to search", _methods(figures))
    yield section("Worst queries", _worst(figures))
    yield section("What was measured", data_files(figures["data"]), _how(figures))


def _methods(figures: Figures) -> str:
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    parts = {"all": figures["figures"], "not stored": figures["without_stored"], **languages}
    rows = [
        (
            name if method == "hybrid" else "",
            str(part["queries"]) if method == "hybrid" else "",
            label,
            bar(part[method]["recall_1"], width=90),
            *(percent(part[method][key]) for key in ("recall_1", "recall_5", "recall_10", "mrr")),
        )
        for name, part in parts.items()
        if part
        for method, label in NAMES.items()
    ]
    head = ("", "queries", "search", "", "recall@1 %", "recall@5 %", "recall@10 %", "MRR %")
    return table(head, rows, numbers=(1, 4, 5, 6, 7))


def _worst(figures: Figures) -> str:
    if not figures["worst"]:
        return paragraph("Every right answer stands first.")
    return table(
        ("query (line)", "expected", "found instead", "place", "words", "vectors"),
        [
            (
                lines([f"{row['text']} ({row['line']})"]),
                lines(one["question"] for one in row["expected"]),
                lines(one["question"] for one in row["found"]),
                *(str(row["places"][method] or "over 100") for method in NAMES),
            )
            for row in figures["worst"]
        ],
        numbers=(3, 4, 5),
    )


def _how(figures: Figures) -> str:
    took = figures["search_ms"]
    return points(
        [
            f"A search without its encoding, on this machine: median {took['median']:.1f} ms, 95th percentile "
            f"{took['p95']:.1f} ms. The whole took {figures['seconds']:.0f} s.",
            f"Encoder {figures['encoder']['fingerprint']}",
            "Seeds: " + ", ".join(f"{name} {seed}" for name, seed in figures["seeds"].items()),
            "Versions: " + ", ".join(f"{name} {number}" for name, number in figures["versions"].items()),
        ]
    )
