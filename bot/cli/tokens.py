"""`kefu eval explain`: the parts of a text that spoke for its intent, and against it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from bot.app import encodings_of, load_definition
from bot.cli.evaluation_page import Shown, page
from bot.cli.figures import scaled
from bot.cli.progress import shown
from bot.cli.rehearsal import rehearsing
from bot.cli.report import check_place, made_with, page_of, work_folder, write_report
from bot.definition import BotDefinition
from bot.inference.child import Progress, run_training
from bot.settings import Settings
from training.evaluation import Evaluation, to_json

STRONG = 0.5
"""Of the largest share, from which on a token is set in bold."""
FAINT = 1 / 6
"""Below it a token has no colour."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """`release`: None is the live one. `label`: None is the likeliest one of each text."""

    texts: Sequence[str]
    release: str | None = None
    label: str | None = None
    report: Path | None = None


def run(settings: Settings, asked: Asked) -> None:
    """Raises KefuError for what is wrong with folder, home, label or report."""
    if asked.report:
        check_place(asked.report)
    definition = load_definition(settings.bot, memory=settings.documents)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        plan = [{"text": text, "label": asked.label} for text in asked.texts]
        (work / "plan.json").write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")
        name, rows = asyncio.run(_explained(definition, settings, asked, work, progress))
    console = Console()
    for row in rows:
        show(console, row)
    if asked.report:
        _write(asked.report, definition, name, rows)
        click.echo(f"Wrote {asked.report} and {page_of(asked.report)}.")


async def _explained(
    definition: BotDefinition, settings: Settings, asked: Asked, work: Path, progress: Progress
) -> tuple[str, Rows]:
    """The release that was looked at, and what `training.attribute` found. torch runs in a child."""
    async with rehearsing(definition, settings, release=asked.release, progress=progress) as bot:
        live = bot.host.current()
        folder = await asyncio.to_thread(encodings_of(settings, definition).folder, live.name)
        heads = settings.home / "releases" / live.heads.name
        arguments = ["--encoder", str(folder), "--heads", str(heads), "--work", str(work)]
        hint = "Is Kefu installed with its `train` extra?"
        await run_training("attribute", arguments, progress=progress, hint=hint)
        text = await asyncio.to_thread((work / "attributions.json").read_text, "utf-8")
        found: Rows = json.loads(text)
        return live.name, found


def show(console: Console, row: Mapping[str, Any]) -> None:
    console.print(
        f"{row['label']}  {100 * row['probability']:.1f} %", style="bold", highlight=False, markup=False
    )
    line = Text()
    for token, share in scaled(row):
        line.append(token, style=_style(share))
    console.print(line)
    strongest = sorted(row["tokens"], key=lambda pair: -abs(pair[1]))[:5]
    said = "  ".join(f"{token.strip()} {share:+.2f}" for token, share in strongest if token.strip())
    console.print(said, style="dim", highlight=False, markup=False)
    way = f"logit {row['baseline']:+.2f} without the text, {row['logit']:+.2f} with it; words add {row['words']:+.2f}"
    console.print(way, style="dim", highlight=False)


def _style(share: float) -> str:
    """Green and underlined for the label, red and struck through against it."""
    if abs(share) < FAINT:
        return ""
    return ("bold " if abs(share) >= STRONG else "") + ("green underline" if share > 0 else "red strike")


def _write(report: Path, definition: BotDefinition, release: str, rows: Rows) -> None:
    found = Evaluation({}, {"attributions": rows})
    made = made_with({"source": release})
    called = definition.name
    en, zh = (called.get(lang, next(iter(called.values()))) for lang in ("en", "zh"))
    about = (f"Release {release}, {made['made']}.", f"发布版本 {release}，{made['made']}。")
    whole = Shown((f"{en}: why", f"{zh}：原因"), about, found, made=made["versions"])
    write_report(report, {**to_json(found), **made, "kind": "explanation"}, lambda _: page(whole))
