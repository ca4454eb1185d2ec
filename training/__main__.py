"""`python -m training VERB`: files in, files out, progress as JSON lines on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from training.errors import TrainingError
from training.progress import to_stdout

NICE = 10
"""Where a server leaves no core free it still gets a tenth of one: at 19 it would wait for a quiet night."""
_PATH = click.Path(path_type=Path)


@contextmanager
def _told() -> Iterator[None]:
    """What was foreseen is the last line, and the exit code 1."""
    try:
        yield
    except TrainingError as error:
        to_stdout("failed", 0, 0, str(error))
        sys.exit(1)


@click.group(help=__doc__)
@click.option("--background", is_flag=True, help="Leave the cores to a server that answers.")
def main(background: bool) -> None:
    if background:
        os.nice(NICE)


@main.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The cache (KEFU_CACHE)."
)
@click.option(
    "--source", default="embedded", show_default=True, help="embedded, a model folder, or a hub name."
)
@click.option("--verify", is_flag=True, help="Compare the checksums of an encoder that is already there.")
def encoder(out: Path, source: str, verify: bool) -> None:
    """Turn a sentence-transformers model into a folder that serving can use; the last line names it."""
    from training.encoder import build_encoder

    with _told():
        build_encoder(out, source, verify=verify, report=to_stdout)


@main.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The cache (KEFU_CACHE)."
)
@click.option("--source", required=True, help="A cross-encoder's folder, or a hub name.")
def reranker(out: Path, source: str) -> None:
    """Turn a cross-encoder into a folder that serving can use; the last line names it."""
    from training.reranker import build_reranker

    with _told():
        build_reranker(out, source, report=to_stdout)


@main.command()
@click.option(
    "--work", required=True, type=click.Path(path_type=Path, exists=True), help="The lesson's folder."
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The releases.")
@click.option("--name", required=True, help="Name of the release: the lesson's content hash.")
def heads(work: Path, out: Path, name: str) -> None:
    """Fit the intent head and the calibrator of a bot; see training/heads.py for the files."""
    from training.heads import make_heads
    from training.lesson import new_heads

    with _told(), new_heads(out, name) as place:
        make_heads(work, place, name=name, report=to_stdout)


@main.command()
@click.option(
    "--work", required=True, type=click.Path(path_type=Path, exists=True), help="The lesson's folder."
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The releases.")
@click.option("--name", required=True, help="Name of the tagger: the lesson's content hash.")
@click.option("--encoder", required=True, type=click.Path(path_type=Path, exists=True), help="Its folder.")
@click.option("--cache", required=True, type=_PATH, help="Where what is known of its graph is kept.")
def tagger(work: Path, out: Path, name: str, encoder: Path, cache: Path) -> None:
    """Learn a bot's entities from its marked examples; see training/entities/learn.py for the files."""
    from training.entities.learn import make_tagger
    from training.sealed import sealed

    with _told(), sealed(out / name) as place:
        make_tagger(work, place, encoder=encoder, cache=cache, report=to_stdout)


@main.command()
@click.option(
    "--work", required=True, type=click.Path(path_type=Path, exists=True), help="The task's folder."
)
@click.option("--out", required=True, type=_PATH, help="Where the figures go.")
@click.option("--encoder", required=True, type=click.Path(path_type=Path, exists=True), help="Its folder.")
def entities(work: Path, out: Path, encoder: Path) -> None:
    """Measure how well entities are found; see training/entities/judge.py for the files."""
    from training.entities.judge import judge_task

    with _told():
        judge_task(work, out, encoder=encoder, report=to_stdout)


@main.command()
@click.option("--encoder", required=True, type=click.Path(path_type=Path, exists=True), help="Its folder.")
@click.option("--cache", required=True, type=_PATH, help="Where what is known of its graph is kept.")
def tap(encoder: Path, cache: Path) -> None:
    """Find the states of tokens in an encoder's graph, which entities are learned on; see training/tap.py."""
    from training.tap import make_tap

    with _told():
        make_tap(cache, encoder, report=to_stdout)


@main.command()
@click.option(
    "--encoder", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="Its folder."
)
@click.option(
    "--work", required=True, type=click.Path(path_type=Path, exists=True), help="The texts' folder."
)
def embed(folder: Path, work: Path) -> None:
    """Turn texts into vectors beside a server that answers; see training/embed.py for the files."""
    from training.embed import embed as embed_texts

    with _told():
        embed_texts(folder, work, report=to_stdout)


@main.command()
@click.option("--spec", required=True, type=_PATH, help="What is asked for: JSON, or YAML.")
@click.option("--data", required=True, type=_PATH, help="The data set: a folder with a dataset.json.")
@click.option("--out", required=True, type=_PATH, help="Where it goes; the same command goes on from there.")
@click.option("--cache", type=_PATH, default=Path("~/.cache/kefu"), show_default=True, help="Encoders.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Of the CPU; 0 takes all cores.")
def run(spec: Path, data: Path, out: Path, cache: Path, threads: int) -> None:
    """Train by a spec on a data set and measure; see training/job/job.py for the files.

    Ctrl-C or SIGTERM keep what is done and end with 130 or 143.
    """
    from training.job.job import Asked, run_job

    with _told():
        sys.exit(run_job(Asked(spec, data, out, cache.expanduser(), threads), report=to_stdout))


@main.command()
@click.option("--spec", required=True, type=_PATH, help="What is asked for: JSON, or YAML.")
@click.option("--data", required=True, type=_PATH, help="The examples: a folder with an examples.json.")
@click.option("--out", required=True, type=_PATH, help="Where it goes; the same command goes on from there.")
@click.option("--base", type=_PATH, help="The file that the base `embedded` means.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Of the CPU; 0 takes all cores.")
def generator(spec: Path, data: Path, out: Path, base: Path | None, threads: int) -> None:
    """Tune a language model to answer from passages; see training/generator/job.py for the files.

    Ctrl-C or SIGTERM keep what is done and end with 130 or 143.
    """
    from training.generator.job import GeneratorAsked, run_generator

    with _told():
        asked = GeneratorAsked(spec, data, out, out, threads, base)
        sys.exit(run_generator(asked, report=to_stdout))


@main.command()
@click.option("--work", required=True, type=click.Path(path_type=Path, exists=True), help="What was found.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The data set's folder."
)
def dataset(work: Path, out: Path) -> None:
    """Clean and split what was found into a data set; see training/source.py for the files."""
    from training.prepare import prepare

    with _told():
        prepare(work, out, report=to_stdout)


@main.command()
@click.option("--work", required=True, type=click.Path(path_type=Path, exists=True), help="Rows and vectors.")
@click.option("--heads", required=True, type=click.Path(path_type=Path, exists=True), help="Heads of a bot.")
def judge(work: Path, heads: Path) -> None:
    """Judge rows of a data set by the heads of a bot; see training/verdicts.py for the files."""
    from training.verdicts import judge_rows

    with _told():
        to_stdout("judging", 0, 1, "judging test rows")
        judge_rows(work, heads)


@main.command()
@click.option("--encoder", required=True, type=click.Path(path_type=Path, exists=True), help="Its folder.")
@click.option("--heads", required=True, type=click.Path(path_type=Path, exists=True), help="Heads of a bot.")
@click.option(
    "--work", required=True, type=click.Path(path_type=Path, exists=True), help="The texts' folder."
)
def attribute(encoder: Path, heads: Path, work: Path) -> None:
    """Say which tokens spoke for a label; see training/attribute.py for the files."""
    from training.attribute import attribute_texts

    with _told():
        attribute_texts(encoder, heads, work, report=to_stdout)


@main.command()
@click.option(
    "--encoder", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="Its folder."
)
@click.option(
    "--work", required=True, type=click.Path(path_type=Path, exists=True), help="The examples' folder."
)
def augment(folder: Path, work: Path) -> None:
    """Measure what learning from changed copies does to which score; see training/ablation.py for the files."""
    from training.ablation import ablate

    with _told():
        ablate(folder, work, report=to_stdout)


if __name__ == "__main__":
    main()
