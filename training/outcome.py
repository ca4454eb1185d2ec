"""What a job left (`training.job`), as a release to be: checked, with a card for people. Torch-free."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from training.card import as_markdown
from training.dataset import Dataset, Split, about_rows
from training.errors import ReleaseError
from training.evaluation import EVALUATION, Evaluation, joined, read_evaluation
from training.gate import compare
from training.registry import Draft
from training.release import BASE, ENCODER
from training.spec import read_spec
from training.trained import of_dataset

RESULT = "result.json"
FORMAT = 1


def draft_of(
    out: Path,
    *,
    baselines: Mapping[str, Evaluation] | None = None,
    parent: str = BASE,
    data: Dataset | None = None,
    more: Iterable[Evaluation] = (),
) -> Draft:
    """Of the folder that `--out` named. `parent`: what is live now; `baselines`: see `Draft`; `data`: for its card, and
    so that it is known which texts the encoder was trained on; `more`: what was measured beside the job.

    Raises ReleaseError, EvaluationError: the job has not ended, its files are damaged, or it had other data.
    """
    result, evaluation = _result(out), joined([read_evaluation(out / EVALUATION), *more])
    known = baselines or {}
    try:
        if data is not None and data.hash != result["hashes"]["data"]:
            raise ReleaseError(f"{data.folder} is not the data set that {out} was trained on")
        of_data = as_markdown(about_rows(data)) if data else ""
        return Draft(
            method=str(result["method"]),
            fingerprint=str(result["encoder"]["fingerprint"]),
            evaluation=evaluation,
            card="\n".join([*_card(result, evaluation, known.get(parent)), of_data]),
            dataset=str(result["hashes"]["data"]),
            spec=str(result["hashes"]["spec"]),
            parent=parent,
            baselines=known,
            encoder=out / ENCODER if "encoder" in result["hashes"] else None,
            settings=_blended(result),
            trained=learned(out, data) if data and "encoder" in result["hashes"] else (),
        )
    except (KeyError, TypeError) as error:
        raise ReleaseError(f"{out / RESULT} lacks {error}: run the job again") from error


def learned(out: Path, data: Dataset) -> frozenset[str]:
    """Ids of the texts that a job's encoder was trained on (`training.trained`)."""
    splits: tuple[Split, ...] = ("train", "valid") if read_spec(out / "spec.json").refit else ("train",)
    return of_dataset(data, *splits)


def _result(out: Path) -> dict[str, Any]:
    path = out / RESULT
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReleaseError(f"{out} holds no finished job: there is no {RESULT}") from error
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ReleaseError(f"{path} is of another Kefu: run the job again")
    return found


def _blended(result: Mapping[str, Any]) -> dict[str, Any]:
    """How far it went from the weights that it began with, where it did not go all the way."""
    blend = result.get("recipe", {}).get("blend", 1.0)
    return {} if blend == 1.0 else {"blend": blend}


def _card(result: Mapping[str, Any], evaluation: Evaluation, before: Evaluation | None) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in result.get("versions", {}).items())
    yield from ("# Release card", "", f"Method `{result['method']}`; {versions or 'versions unknown'}.")
    if seconds := result.get("seconds"):
        yield f"Trained in {seconds:.0f} s."
    yield from ("", "| metric | value | 95 % interval | before |", "|---|---|---|---|")
    for line in compare(evaluation, before or Evaluation({})):
        if (mine := line.candidate) is not None:
            old = f"{line.live.value:.4g}" if line.live and line.worst is not None else ""
            yield f"| {line.metric} | {mine.value:.4g} | {mine.low:.4g} to {mine.high:.4g} | {old} |"
    yield ""
