"""The job that makes a bot's tagger: files in, files out.

In (`work`): entities.json, as `write_lesson` leaves it. Out: tagger.safetensors and tagger.json. Progress goes to
`report`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from retrieval.errors import EncoderError
from retrieval.onnx_encoder import OnnxEncoder
from training.entities.finder import seen, with_all_forms
from training.entities.lesson import EntityLesson, read_lesson
from training.entities.marks import Annotated
from training.entities.phrases import said_in
from training.entities.recognise import Recognisers
from training.errors import SourceError
from training.progress import Report

PART = 32
ON = date(2026, 1, 15)
"""The day on which examples are read: values of dates are nothing that a tagger sees."""


def make_tagger(work: Path, out: Path, *, encoder: Path, cache: Path, report: Report) -> None:
    """`encoder`: its folder; `cache`: where its tap is kept. Raises SourceError."""
    from training.entities.fit import fit_tagger
    from training.entities.tagger import save_tagger
    from training.tap import make_tap

    lesson = read_lesson(work)
    try:
        opened = OnnxEncoder.open(encoder, threads=1, tap=make_tap(cache, encoder, report=report))
        rows = annotated(lesson, opened, report=report)
    except EncoderError as error:
        raise SourceError(str(error)) from error
    report("tagger", 0, 1, "learning entities")
    save_tagger(out, fit_tagger(rows, said=said_in(lesson.examples, lesson.kinds)), {"examples": len(rows)})
    report("tagger", 1, 1, "learning entities")


def annotated(lesson: EntityLesson, encoder: OnnxEncoder, *, report: Report) -> list[Annotated]:
    """Examples as a tagger is taught them, in their order."""
    recognisers = Recognisers(with_all_forms(lesson.kinds))
    said = said_in(lesson.examples, lesson.kinds)
    rows: list[Annotated] = []
    for start in range(0, len(lesson.examples), PART):
        part = lesson.examples[start : start + PART]
        _, tokens = encoder.encode_tokens([example.text for example in part])
        for example, told in zip(part, tokens, strict=True):
            hits = recognisers.hits(example.text, ON)
            rows.append(Annotated(seen(example.text, told, hits, said, own=example), example.spans))
        report("states", start + len(part), len(lesson.examples), "reading examples of entities")
    return rows
