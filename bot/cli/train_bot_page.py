"""The report of `kefu train FOLDER` as a page: what was trained, beside what is live, and what it was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bot.cli.evaluation_page import Shown, page
from bot.definition import BotDefinition
from retrieval.publish import publish_files
from training.dataset import CARD, Dataset
from training.evaluation import Evaluation
from training.outcome import RESULT
from training.release import Release

PAGE = "report.html"


def write_page(
    folder: Path,
    out: Path,
    *,
    definition: BotDefinition,
    release: Release,
    data: Dataset,
    live: tuple[str, Evaluation | None],
) -> Path:
    """Into the job's folder. `out`: what the job left; `live`: what it is compared with. Raises OSError."""
    result = json.loads((out / RESULT).read_text(encoding="utf-8"))
    card = json.loads((data.folder / CARD).read_text(encoding="utf-8"))
    name, measured = live
    shown = Shown(
        _titles(definition.name, release.name),
        (f"Trained by {result['method']}, beside {name}, which is live.",
         f"训练方法 {result['method']}；对照为当前上线的 {name}。"),
        release.evaluation,
        measured,
        history=result.get("epochs", ()),
        card=card,
        made={"encoder": result["encoder"]["fingerprint"], **result["versions"]},
    )  # fmt: skip
    place = folder / PAGE
    publish_files({place: page(shown)})
    return place


def _titles(called: Mapping[str, str], release: str) -> tuple[str, str]:
    en, zh = (called.get(lang, next(iter(called.values()))) for lang in ("en", "zh"))
    return f"{en}: release {release}", f"{zh}：发布版本 {release}"
