"""How good the heads of a bot are on rows that they have not learned from: files in, files out.

In (`work`): plan.json ({"foreign": label or null, "trained": {label: examples}}), rows.jsonl (rows of a data set),
texts.json (a list) and vectors.npy (float32 [texts, dim], the row of each text). Out: evaluation.json, of `intent` and
`scope`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.apply import Floats, load_heads
from training.errors import TrainingError
from training.evaluate import judged_labels, judged_scope
from training.evaluation import EVALUATION, Evaluation, joined, write_evaluation
from training.examples import judge
from training.measures import Outcome

ROWS = "rows.jsonl"


def judge_rows(work: Path, heads: Path) -> Evaluation:
    """`heads`: a folder of `training.lesson`. Everything but scope is of the rows in scope, with nothing rejected.

    Raises TrainingError where the heads cannot be read.
    """
    plan = json.loads((work / "plan.json").read_text(encoding="utf-8"))
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(work / "vectors.npy", mmap_mode="r", allow_pickle=False)
    place = {text: number for number, text in enumerate(texts)}

    def encode(some: Sequence[str]) -> Floats:
        rows: Floats = vectors[[place[text] for text in some]]
        return rows

    with (work / ROWS).open(encoding="utf-8") as stream:
        rows: list[dict[str, Any]] = [json.loads(line) for line in stream]
    try:
        head = load_heads(heads).intent
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{heads} cannot be read ({error})") from error
    foreign = plan["foreign"]
    inside = [row for row in rows if row["label"] != foreign]
    outside = [row for row in rows if row["label"] == foreign]
    parts, strange = [], np.zeros(0, np.float32)
    if inside:
        judged = judge(head, [row["text"] for row in inside], encode, foreign=foreign)
        truth = np.array([row["label"] for row in inside], dtype=np.str_)
        parts.append(
            judged_labels("intent", Outcome(truth, judged.labels, judged.sure), inside, plan["trained"])
        )
    if inside and outside:
        strange = judge(head, [row["text"] for row in outside], encode, foreign=foreign).outside
        parts.append(judged_scope(judged.outside, strange, rows))
    whole = joined(parts)
    write_evaluation(work / EVALUATION, whole)
    return whole
