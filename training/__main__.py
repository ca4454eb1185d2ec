"""`python -m training VERB`: files in, files out, progress as JSON lines on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from training.errors import TrainingError
from training.progress import to_stdout

NICE = 10
"""Where a server leaves no core free it still gets a tenth of one: at 19 it would wait for a quiet night."""
_Verb = TypeVar("_Verb", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)
_THERE = click.Path(path_type=Path, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _needs(name: str, path: click.Path, about: str, *more: str) -> Callable[[_Verb], _Verb]:
    """A path that must be given. `more`: what the function calls it, where that is another name."""
    return click.option(name, *more, required=True, type=path, help=about)


_ENCODER = _needs("--encoder", _THERE, "Its folder.")
_FOLDER_OF_ENCODER = _needs("--encoder", _THERE, "Its folder.", "folder")
_HEADS = _needs("--heads", _THERE, "Heads of a bot.")
_KNOWN_GRAPHS = _needs("--cache", _PATH, "Where what is known of its graph is kept.")
_RELEASES = _needs("--out", _FOLDER, "The releases.")
_JOB = _needs("--out", _PATH, "Where it goes; the same command goes on from there.")
_SPEC = _needs("--spec", _PATH, "What is asked for: JSON, or YAML.")
_THREADS = click.option("--threads", type=click.IntRange(0), default=0, help="Of the CPU; 0 takes all cores.")


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
@_needs("--out", _FOLDER, "The cache (KEFU_CACHE).")
@click.option(
    "--source",
    default="embedded",
    show_default=True,
    help="embedded, a model folder, a bot's packed encoder, or a hub name.",
)
@click.option("--verify", is_flag=True, help="Compare the checksums of an encoder that is already there.")
def encoder(out: Path, source: str, verify: bool) -> None:
    """Turn a sentence-transformers model into a folder that serving can use; the last line names it."""
    from training.encoder import build_encoder

    with _told():
        build_encoder(out, source, verify=verify, report=to_stdout)


@main.command()
@click.option("--releases", required=True, type=_THERE, help="The home's releases.")
@click.option("--name", required=True, help="Name of the release.")
@_needs("--out", _FOLDER, "Where the difference goes.")
@_needs("--cache", _PATH, "Where the embedded encoder lies, or is made.")
@_needs("--texts", _THERE, "Texts to compare vectors on: JSON.")
@click.option("--rank", type=click.IntRange(1, 1024), required=True, help="Of a matrix, at most.")
def pack(releases: Path, name: str, out: Path, cache: Path, texts: Path, rank: int) -> None:
    """Write a release's encoder as the difference to the embedded one; see retrieval/delta.py for the files."""
    from training.pack import Packed, pack_release

    with _told():
        pack_release(Packed(releases, name, out, cache, texts, rank), report=to_stdout)


@main.command()
@_needs("--out", _FOLDER, "The cache (KEFU_CACHE).")
@click.option("--source", required=True, help="A cross-encoder's folder, or a hub name.")
def reranker(out: Path, source: str) -> None:
    """Turn a cross-encoder into a folder that serving can use; the last line names it."""
    from training.reranker import build_reranker

    with _told():
        build_reranker(out, source, report=to_stdout)


@main.command()
@_needs("--work", _THERE, "The lesson's folder.")
@_RELEASES
@click.option("--name", required=True, help="Name of the release: the lesson's content hash.")
@_THREADS
def heads(work: Path, out: Path, name: str, threads: int) -> None:
    """Fit the intent head and the calibrator of a bot; see training/heads.py for the files."""
    from training.heads import make_heads
    from training.lesson import new_heads

    with _told(), new_heads(out, name) as place:
        make_heads(work, place, name=name, report=to_stdout, threads=threads)


@main.command()
@_needs("--work", _THERE, "The lesson's folder.")
@_RELEASES
@click.option("--name", required=True, help="Name of the tagger: the lesson's content hash.")
@_ENCODER
@_KNOWN_GRAPHS
def tagger(work: Path, out: Path, name: str, encoder: Path, cache: Path) -> None:
    """Learn a bot's entities from its marked examples; see training/entities/learn.py for the files."""
    from training.entities.learn import make_tagger
    from training.sealed import sealed

    with _told(), sealed(out / name) as place:
        make_tagger(work, place, encoder=encoder, cache=cache, report=to_stdout)


@main.command()
@_needs("--work", _THERE, "The task's folder.")
@_needs("--out", _PATH, "Where the figures go.")
@_ENCODER
def entities(work: Path, out: Path, encoder: Path) -> None:
    """Measure how well entities are found; see training/entities/judge.py for the files."""
    from training.entities.judge import judge_task

    with _told():
        judge_task(work, out, encoder=encoder, report=to_stdout)


@main.command()
@_ENCODER
@_KNOWN_GRAPHS
def tap(encoder: Path, cache: Path) -> None:
    """Find the states of tokens in an encoder's graph, which entities are learned on; see training/tap.py."""
    from training.tap import make_tap

    with _told():
        make_tap(cache, encoder, report=to_stdout)


@main.command()
@_FOLDER_OF_ENCODER
@_needs("--work", _THERE, "The texts' folder.")
def embed(folder: Path, work: Path) -> None:
    """Turn texts into vectors beside a server that answers; see training/embed.py for the files."""
    from training.embed import embed as embed_texts

    with _told():
        embed_texts(folder, work, report=to_stdout)


@main.command()
@_SPEC
@_needs("--data", _PATH, "The data set: a folder with a dataset.json.")
@_JOB
@click.option("--cache", type=_PATH, default=Path("~/.cache/kefu"), show_default=True, help="Encoders.")
@_THREADS
def run(spec: Path, data: Path, out: Path, cache: Path, threads: int) -> None:
    """Train by a spec on a data set and measure; see training/job/job.py for the files.

    Ctrl-C or SIGTERM keep what is done and end with 130 or 143.
    """
    from training.job.job import Asked, run_job

    with _told():
        sys.exit(run_job(Asked(spec, data, out, cache.expanduser(), threads), report=to_stdout))


@main.command()
@_SPEC
@_needs("--data", _PATH, "The examples: a folder with an examples.json.")
@_JOB
@click.option("--base", type=_PATH, help="The file that the base `embedded` means.")
@_THREADS
def generator(spec: Path, data: Path, out: Path, base: Path | None, threads: int) -> None:
    """Tune a language model to answer from passages; see training/generator/job.py for the files.

    Ctrl-C or SIGTERM keep what is done and end with 130 or 143.
    """
    from training.generator.job import run_generator
    from training.language.job import ModelAsked

    with _told():
        asked = ModelAsked(spec, data, out, out, threads, base)
        sys.exit(run_generator(asked, report=to_stdout))


@main.command()
@_SPEC
@_needs("--data", _PATH, "The messages: a folder with an examples.json.")
@_JOB
@click.option("--base", type=_PATH, help="The file that the base `embedded` means.")
@click.option("--start", type=_PATH, help="The adapter that the start `embedded` means.")
@_THREADS
def verifier(spec: Path, data: Path, out: Path, base: Path | None, start: Path | None, threads: int) -> None:
    """Teach a language model whether a text answers a question; see training/verifier/job.py for the files.

    Ctrl-C or SIGTERM keep what is done and end with 130 or 143.
    """
    from training.verifier.job import VerifierAsked, run_verifier

    with _told():
        asked = VerifierAsked(spec, data, out, out, threads, base, start)
        sys.exit(run_verifier(asked, report=to_stdout))


@main.command()
@click.option(
    "--adapter", "path", required=True, type=_THERE, help="An adapter.gguf, or the one that comes along."
)
@click.option("--base", required=True, type=_THERE, help="The GGUF file that it was learned on.")
@click.option("--called", required=True, help="The base's name on the hub, as the server loads it.")
@_needs("--out", _FOLDER, "Where it goes.")
def peft(path: Path, base: Path, called: str, out: Path) -> None:
    """Turn a verifier's adapter into a folder as peft and vLLM know it; see training/language/peft_folder.py."""
    from training.language.peft_folder import write_peft

    with _told():
        write_peft(out, path, base, called=called, report=to_stdout)


@main.command()
@_needs("--work", _THERE, "What was found.")
@_needs("--out", _FOLDER, "The data set's folder.")
@click.option(
    "--learn", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Of the texts to learn from."
)
def dataset(work: Path, out: Path, learn: float) -> None:
    """Clean and split what was found into a data set; see training/source.py for the files."""
    from training.prepare import prepare

    with _told():
        prepare(work, out, learn=learn, report=to_stdout)


@main.command()
@_needs("--work", _THERE, "Rows and vectors.")
@_HEADS
def judge(work: Path, heads: Path) -> None:
    """Judge rows of a data set by the heads of a bot; see training/verdicts.py for the files."""
    from training.verdicts import judge_rows

    with _told():
        to_stdout("judging", 0, 1, "judging test rows")
        judge_rows(work, heads)


@main.command()
@_ENCODER
@_HEADS
@_needs("--work", _THERE, "The texts' folder.")
def attribute(encoder: Path, heads: Path, work: Path) -> None:
    """Say which tokens spoke for a label; see training/attribute.py for the files."""
    from training.attribute import attribute_texts

    with _told():
        attribute_texts(encoder, heads, work, report=to_stdout)


@main.command()
@_FOLDER_OF_ENCODER
@_needs("--work", _THERE, "The examples' folder.")
def augment(folder: Path, work: Path) -> None:
    """Measure what learning from changed copies does to which score; see training/ablation.py for the files."""
    from training.ablation import ablate

    with _told():
        ablate(folder, work, report=to_stdout)


if __name__ == "__main__":
    main()
