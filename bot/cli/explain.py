"""Why the bot said what it said, from the trace that was committed with the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bot.app import Bot
from bot.engine.record import MENDED
from bot.inference.promised import sure
from bot.store import ledger
from bot.store.ledger import TraceRecord

NUMBERS = ("confidence", "dense", "lexical", "coverage")


async def explain(console: Console, bot: Bot, conversation: str, seq: int) -> None:
    async with bot.desk.store.read() as session:
        trace = await ledger.trace(session, conversation, seq)
        context = await ledger.context(session, conversation, seq, limit=1)
    if trace is None:
        console.print("  [dim]No trace was kept.[/]")
        return
    live = bot.host.current()
    learned = live.least(trace.lang or "") if live.release == trace.release else 0.0
    least = max(learned, bot.desk.policy.answer) if learned else None
    console.print(f"  [magenta]{trace.decision}[/]  {escape(_reason(trace, least))}", highlight=False)
    console.print(
        f"  [dim]release  {escape(trace.release)}, knowledge {escape(trace.bundle)}[/]", highlight=False
    )
    if (read := live.read(context.messages[-1].text)) and MENDED in trace.reason:
        console.print(f"  [dim]read as  {escape(read.text)}[/]", highlight=False)
    if trace.intents:
        intents = "  ".join(f"{i['name']} {i['probability']:.2f}" for i in trace.intents)
        console.print(f"  [dim]intents  {escape(intents)}[/]", highlight=False)
    if trace.entities:
        named = "  ".join(f"{e['kind']} {e['start']}-{e['end']} ({e['source']})" for e in trace.entities)
        console.print(f"  [dim]entities {escape(named)}[/]", highlight=False)
    if trace.hits:
        console.print(Padding(_hits(trace.hits), (0, 2)))


def _reason(trace: TraceRecord, least: float | None) -> str:
    """`least`: how sure the bot had to be where it promises nothing, as far as that is known."""
    known, bound = trace.confidence, (trace.bound, trace.lang) if trace.bound is not None else (least, None)
    how_sure = [] if known is None else [sure(known, *bound)]
    leaning = ["read with the question before"] if trace.contextual else []
    timings = [f"{name} {ms:.0f} ms" for name, ms in trace.timings.items()]
    return ", ".join([trace.reason, *how_sure, *leaning, *timings])


def _hits(hits: Sequence[Mapping[str, Any]]) -> Table:
    """Where the terminal is narrow, phrasings are cut: numbers stand in columns."""
    table = Table(box=None, header_style="dim", style="dim", pad_edge=False)
    table.add_column("topic", no_wrap=True, min_width=18)
    for name in ("confidence", "cosine", "BM25", "covered"):
        table.add_column(name, no_wrap=True, min_width=len(name), justify="right")
    table.add_column("phrasing that matched", no_wrap=True)
    for hit in hits:
        numbers = (f"{hit[name]:.2f}" for name in NUMBERS)
        table.add_row(escape(str(hit["key"])), *numbers, escape(str(hit["phrase"])))
    return table
