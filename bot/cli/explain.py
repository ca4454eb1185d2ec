"""Why the bot said what it said, from the trace that was committed with the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.app import Bot
from bot.store import ledger


async def explain(console: Console, bot: Bot, conversation: str, seq: int) -> None:
    async with bot.desk.store.read() as session:
        trace = await ledger.trace(session, conversation, seq)
    if trace is None:
        console.print("[dim]No trace was kept.[/]")
        return
    sure = "" if trace.confidence is None else f", confidence {trace.confidence:.2f}"
    timings = ", ".join(f"{name} {ms:.0f} ms" for name, ms in trace.timings.items())
    leaning = ", read with the question before" if trace.contextual else ""
    console.print(
        f"[magenta]{trace.decision}[/]: {escape(trace.reason)}{sure}{leaning}; {timings}", highlight=False
    )
    intents = ", ".join(f"{i['name']} {i['probability']:.2f}" for i in trace.intents)
    console.print(f"[dim]intents: {escape(intents)}[/]", highlight=False)
    if trace.hits:
        console.print(_hits(trace.hits))


def _hits(hits: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, header_style="dim", style="dim", pad_edge=False)
    for name in ("topic", "confidence", "cosine", "BM25", "covered", "phrasing that matched"):
        table.add_column(name, overflow="fold")
    for hit in hits:
        numbers = [f"{hit[k]:.2f}" for k in ("confidence", "dense", "lexical", "coverage")]
        table.add_row(escape(str(hit["key"])), *numbers, escape(str(hit["phrase"])))
    return table
