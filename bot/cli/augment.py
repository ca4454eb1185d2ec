"""`kefu eval augment`: what learning from changed copies of a bot's examples does to which score."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from bot.app import encodings_of, examples, load_definition
from bot.cli import names
from bot.cli.page import Tell, document, english, kept, paragraph, percent, points, section, table
from bot.cli.progress import shown
from bot.cli.report import Figures, check_place, made_with, page_of, work_folder, write_report
from bot.definition import BotDefinition
from bot.errors import KefuError
from bot.inference.child import Progress, run_training
from bot.inference.encodings import HomeEncodings
from bot.settings import Settings
from training import noise
from training.release import BASE

CHANGES = ("typo", "keyboard", "pinyin", "mixed", "synonym", "traditional", "full_width", "upper")
HINT = "Is Kefu installed with its `train` extra?"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`changes`: none are CHANGES. `translate`: by the generator of the settings. `most`: examples looked at."""

    changes: Sequence[str] = ()
    translate: bool = False
    most: int = 1_000
    release: str | None = None
    report: Path | None = None


def run(settings: Settings, wanted: Wanted) -> None:
    """Raises KefuError for what is wrong with folder, release, generator or report."""
    if wanted.report:
        check_place(wanted.report)
    plan = _plan(settings, wanted)
    definition = load_definition(settings.bot, memory=settings.documents)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        _write_work(work, plan, definition)
        encodings = encodings_of(settings, definition)
        found = asyncio.run(_measured(encodings, wanted, work, progress))
    console = Console()
    console.print(_table(found))
    console.print(_gains(found, lambda name: name, english), highlight=False)
    if wanted.report:
        made = made_with({"source": wanted.release or encodings.source})
        figures = {**found, **made, "kind": "augmentation"}
        write_report(wanted.report, figures, lambda told: _page(told, definition))
        click.echo(f"Wrote {wanted.report} and {page_of(wanted.report)}.")


def _plan(settings: Settings, wanted: Wanted) -> dict[str, Any]:
    back = None
    if wanted.translate:
        if settings.generator_url is None or settings.generator_model is None:
            hint = "Set KEFU_GENERATOR_URL and KEFU_GENERATOR_MODEL, or leave --translate out."
            raise KefuError("There is no generator to translate with.", hint=hint)
        key = settings.generator_key.get_secret_value() if settings.generator_key else None
        back = {"url": settings.generator_url, "model": settings.generator_model, "key": key}
    for name in wanted.changes:
        if name not in noise.CHANGES:
            raise KefuError(f"There is no change `{name}`.", hint=f"Known: {', '.join(noise.CHANGES)}.")
    return {"changes": list(wanted.changes or CHANGES), "most": wanted.most, "back_translation": back}


def _write_work(work: Path, plan: Mapping[str, Any], definition: BotDefinition) -> None:
    place = work / "plan.json"
    place.touch(mode=0o600)  # there may be a key in it
    place.write_text(json.dumps(plan), encoding="utf-8")
    rows = ({"text": text, "label": label, "lang": lang} for text, label, lang in examples(definition))
    with (work / "examples.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


async def _measured(encodings: HomeEncodings, wanted: Wanted, work: Path, progress: Progress) -> Figures:
    folder = await encodings.made(wanted.release or BASE, progress=progress)
    arguments = ["--encoder", str(folder), "--work", str(work)]
    await run_training("augment", arguments, progress=progress, hint=HINT)
    found: Figures = json.loads(await asyncio.to_thread((work / "ablation.json").read_text, "utf-8"))
    return found


def _called(name: str, tell: Tell) -> str:
    own = {
        "clean": ("as it is", "原文"),
        "none": ("no copies", "不加副本"),
        "all": ("all of them", "全部"),
        "translated": ("translated there and back", "回译"),
    }
    return tell(*own[name]) if name in own else names.change(name, tell)


def _table(found: Mapping[str, Any]) -> Table:
    head = (Column(name, justify="right") for name in ("copies", *found["columns"]))
    made = Table(Column("learned", no_wrap=True), *head, box=None)
    for row in found["rows"]:
        made.add_row(row["learned"], str(row["copies"]), *_shares(row, found["columns"]))
    return made


def _shares(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    return [percent(row["accuracy"][name]["value"]) if name in row["accuracy"] else "" for name in columns]


def _gains(found: Mapping[str, Any], called: Callable[[str], str], tell: Tell) -> str:
    """What chance does not explain."""
    said = [
        f"{called(row['learned'])}{tell(' on ', '：')}{called(asked)} {100 * one['value']:+.1f} "
        f"({100 * one['low']:+.1f} {tell('to', '至')} {100 * one['high']:+.1f})"
        for row in found["rows"]
        for asked, one in row["gain"].items()
        if one["low"] > 0 or one["high"] < 0
    ]
    if not said:
        return tell("Nothing that chance does not explain.", "没有超出偶然范围的变化。")
    return tell("Beyond chance, in points: ", "超出偶然范围（百分点）：") + "; ".join(said) + tell(".", "。")


def _page(found: Mapping[str, Any], definition: BotDefinition) -> str:
    called = definition.name
    en, zh = (called.get(lang, next(iter(called.values()))) for lang in ("en", "zh"))
    about = (
        f"{found['examples']} examples of {found['labels']} intents, in {found['folds']} folds.",
        f"{found['labels']} 个意图的 {found['examples']} 条例句，{found['folds']} 折交叉验证。",
    )
    return document(
        (f"{en}: learning from changed copies", f"{zh}：从改写副本学习"), about, lambda t: _parts(found, t)
    )


def _parts(found: Mapping[str, Any], tell: Tell) -> list[str]:
    asked = [_called(name, tell) for name in found["columns"]]
    head = (tell("learned too", "额外学习"), tell("copies", "副本数"), *asked)
    body = [
        (kept(_called(row["learned"], tell)), str(row["copies"]), *_shares(row, found["columns"]))
        for row in found["rows"]
    ]
    explained = tell(
        "Share of held-out examples whose intent is named, as they are and after each change, in percent. Copies that "
        "read as their text does (another script, width or case) are none: the bot reads both alike.",
        "留出例句的意图识别率（%），分别为原文与各种改动之后。字形、全半角、大小写的改动读来与原文相同，因此不产生副本。",
    )
    spoken = [
        f"{_called(row['learned'], tell)}: "
        + ", ".join(
            f"{names.language(lang, tell)} {percent(one['value'])} %"
            for lang, one in row["languages"].items()
        )
        for row in found["rows"]
    ]
    whole = [
        paragraph(explained),
        table(head, body, numbers=range(1, len(head))),
        paragraph(_gains(found, partial(_called, tell=tell), tell)),
    ]
    return [
        section(tell("What copies do", "副本的作用"), *whole),
        section(tell("By language, as they are", "按语言（原文）"), points(spoken)),
    ]
