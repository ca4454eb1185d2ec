"""What was said to each question whose facts are known, as a table of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bot.cli.page import Drawn, Tell, kept, lines, table


def told(rows: Sequence[Mapping[str, Any]], tell: Tell) -> str:
    """In their order. Sentences that nothing supports stand out."""
    head = [
        "",
        tell("question", "问题"),
        tell("said", "所答"),
        tell("unsupported", "无依据"),
        tell("source, and what was cited", "来源与引用"),
        tell("why", "原因"),
        tell("withheld", "拦下"),
        tell("ms", "毫秒"),
        tell("id", "编号"),
    ]
    return table(
        head, [_cells(row, tell) for row in rows], numbers=(6, 7), search=tell("Find a question", "查找问题")
    )


def _cells(row: Mapping[str, Any], tell: Tell) -> list[str]:
    sources = (
        ", ".join(row["sources"]) if row["answerable"] else tell("none: there is no answer", "无：没有答案")
    )
    return [
        _mark(row, tell),
        row["question"],
        lines(row["reply"].splitlines()),
        lines(row["unsupported"]),
        lines([sources, *row["cited"]]),
        row["reason"],
        str(row["withheld"] or ""),
        f"{row['last_ms']:.0f}",
        kept(row["id"]),
    ]


def _mark(row: Mapping[str, Any], tell: Tell) -> Drawn:
    kind, sign = ("good", "✓") if row["good"] else ("bad", "✗")
    word = tell("answered", "已答") if row["answered"] else tell("not answered", "未答")
    return Drawn(f'<b class="keep {kind}">{sign} {escape(word)}</b>')
