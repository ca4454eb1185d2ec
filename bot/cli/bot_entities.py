"""How well a bot finds what its customers name, on the encoder that a job left: on its `tests/entities.jsonl`, or on
its own examples in folds.
"""

from __future__ import annotations

from bot.cli.report import Figures
from bot.cli.train_entities import OTHER, read_result, told_of
from bot.cli.training_steps import Work, child
from bot.definition import BotDefinition
from bot.definition.annotated import read_annotated
from bot.definition.questions import ENTITIES, FOLDER
from retrieval.model_folder import locate
from training.entities.task import EntityTask, Told, write_task
from training.evaluation import Evaluation
from training.release import ENCODER


def entities_judged(work: Work, definition: BotDefinition) -> Evaluation | None:
    """Nothing to compare by: what it says is in its details. None for a bot whose examples mark nothing. Raises
    KefuError.
    """
    learned = tuple(
        Told(example, 0, lang) for lang, found in definition.annotated.items() for example in found
    )
    if not any(told.example.spans for told in learned):
        return None
    work.progress("Judging entities", 0, 0)
    place = work.job.folder / "entities"
    place.mkdir(exist_ok=True)
    write_task(place, EntityTask(dict(definition.entities), learned, test=_written_apart(work)))
    tuned = work.job.out / ENCODER
    encoder = tuned if tuned.is_dir() else locate(work.settings.cache, work.spec.encoder)
    child(work, "entities", ["--work", str(place), "--out", str(place / "out"), "--encoder", str(encoder)])
    return Evaluation({}, {"entities": read_result(place / "out")})


def _written_apart(work: Work) -> tuple[Told, ...]:
    path = work.settings.bot / FOLDER / ENTITIES
    if not path.is_file():
        return ()
    return told_of(read_annotated(path, tell=lambda said: work.progress(said, 0, 0)))


def told_in_words(figures: Figures) -> str:
    """One sentence: what was judged, and how it came out."""
    whole, bound, floor = figures["figures"], figures["micro_f1"], figures["floor"]
    where = f"its own examples, in {figures['folds']} folds" if figures["folds"] else f"{FOLDER}/{ENTITIES}"
    languages = ", ".join(
        f"{lang} {100 * one['micro_f1']:.1f}" for lang, one in figures["languages"].items() if lang != OTHER
    )
    return (
        f"Entities: micro F1 {100 * whole['micro_f1']:.1f} % ({100 * bound['low']:.1f} to {100 * bound['high']:.1f}; "
        f"{languages}) on {whole['texts']} texts of {where}; a plain tagger on the same encoder: "
        f"{100 * floor['micro_f1']:.1f} %."
    )
