"""The report of `kefu train` as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.cli.page import (
    bar,
    cards,
    data_files,
    document,
    lines,
    paragraph,
    percent,
    points,
    reliability,
    section,
    table,
)

Figures = dict[str, Any]


def page(figures: Figures) -> str:
    whole, files = figures["figures"], figures["data"]
    about = (
        f"{files['train']['used']} texts of {files['train']['labels']} labels learned, {whole['texts']} judged. "
        f"Encoder {figures['encoder']['source']}, method {figures['method']}, {figures['made']}."
    )
    return document(f"Understanding: {files['test']['file']}", about, _parts(figures))


def _parts(figures: Figures) -> Iterator[str]:
    whole = figures["figures"]
    ece, latency = figures["calibration"]["ece"], figures["latency_ms"]
    yield cards(
        [
            (f"{percent(whole['accuracy'])} %", "accuracy (= micro F1)"),
            (f"{percent(whole['macro_f1'])} %", "macro F1"),
            (f"{percent(ece)} %", "calibration error"),
            (f"{latency['median']:.1f} ms", "a text, median"),
        ]
    )
    if figures["notes"]:
        yield section("To know first", points(figures["notes"]))
    yield section("In parts", _split(figures))
    if scope := figures["scope"]:
        yield section(f"Out of scope: {figures['oos_label']}", *_scope(scope))
    yield section("Most confused", *_confusions(figures))
    yield section("Labels, weakest first", _labels(figures))
    yield section("Do probabilities mean what they say?", *_calibration(figures))
    yield section("What was measured", data_files(figures["data"]), _how(figures))


def _split(figures: Figures) -> str:
    languages = figures["languages"] if len(figures["languages"]) > 1 else {}
    parts = {"all": figures["figures"], "without leaks": figures["without_leaks"], **languages}
    rows = [
        (name, str(part["texts"]), *(percent(part[key]) for key in ("accuracy", "macro_f1", "micro_f1")))
        for name, part in parts.items()
        if part
    ]
    return table(("", "texts", "accuracy %", "macro F1 %", "micro F1 %"), rows, numbers=range(1, 5))


def _scope(scope: Figures) -> Iterator[str]:
    yield cards(
        [
            (f"{percent(scope['auroc'])} %", "AUROC"),
            (f"{percent(scope['recall_accepted'])} %", "found, 95 % of the rest let through"),
            (f"{percent(scope['recall_right'])} %", "found, 95 % of the rest let through and right"),
        ]
    )
    yield paragraph(
        f"{scope['outside']} texts out of scope against {scope['inside']} in scope; {scope['trained']} examples of "
        "what is out of scope were learned from. All other figures on this page are of texts in scope, with nothing "
        "rejected."
    )


def _confusions(figures: Figures) -> Iterator[str]:
    pairs = figures["confusions"]
    if not pairs:
        yield paragraph("Nothing was confused.")
        return
    most = pairs[0]["count"]
    yield table(
        ("is", "taken for", "texts", "", "the surest of them (line)"),
        [
            (
                pair["truth"],
                pair["named"],
                str(pair["count"]),
                bar(pair["count"] / most, width=90),
                lines(f"{_short(one['text'])} ({one['line']})" for one in pair["examples"]),
            )
            for pair in pairs
        ],
        numbers=(2,),
    )


def _short(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _labels(figures: Figures) -> str:
    rows = [
        (
            row["label"],
            bar(row["f1"]),
            *(percent(row[key]) for key in ("f1", "precision", "recall")),
            str(row["support"]),
            str(row["trained"]),
        )
        for row in figures["labels"]
    ]
    head = ("label", "", "F1 %", "precision %", "recall %", "tested", "learned")
    return table(head, rows, numbers=range(2, 7))


def _calibration(figures: Figures) -> Iterator[str]:
    bins = [row for row in figures["calibration"]["bins"] if row["texts"]]
    yield reliability([(row["probability"], row["right"], row["texts"]) for row in bins])
    yield table(
        ("probability", "texts", "said, on average %", "right %"),
        [
            (
                f"{row['from']:.1f} to {row['to']:.1f}",
                str(row["texts"]),
                percent(row["probability"]),
                percent(row["right"]),
            )
            for row in bins
        ],
        numbers=(1, 2, 3),
    )


def _how(figures: Figures) -> str:
    held, latency = figures["held_out"], figures["latency_ms"]
    by = "the validation file" if held["by"] == "valid" else "held-out folds of the training file"
    return points(
        [
            f"Temperature and share of words were chosen on {by}: {percent(held['accuracy'])} % right there.",
            f"Latency of {latency['texts']} texts, one at a time on this machine: median {latency['median']:.1f} ms, "
            f"95th percentile {latency['p95']:.1f} ms, {latency['head_median']:.2f} ms of it after the encoder.",
            f"Took {figures['seconds']:.0f} s, {figures['fit_seconds']:.0f} s of them for fitting.",
            f"Encoder {figures['encoder']['fingerprint']}",
            "Seeds: " + ", ".join(f"{name} {seed}" for name, seed in figures["seeds"].items()),
            "Versions: " + ", ".join(f"{name} {number}" for name, number in figures["versions"].items()),
        ]
    )
