"""`kefu eval` and its verbs, with their options. Only click is imported here."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.options import PATH, OfABot, folder_argument, home_option, settings

_REPORT = "Where figures go (.json, .html beside it)."
_RELEASE = click.option(
    "--release", metavar="NAME", help="The release that answers; without it the live one."
)
_BOT = click.pass_obj


@click.group(cls=OfABot, name="eval", default="questions", subcommand_metavar="[FOLDER] [VERB] ...")
def evaluate() -> None:
    """Measure how good the bot in FOLDER is, or a part of Kefu on data of your own.

    Without a verb the bot's own questions are put to it.
    """


@evaluate.command()
@_RELEASE
@click.option("--report", type=PATH, metavar="FILE", help=_REPORT)
@click.option("--data", type=PATH, metavar="FOLDER", help="A data set, whose test rows are judged too.")
@click.option("--compare", type=PATH, metavar="FILE", help="An earlier report, to stand beside this one.")
@click.option(
    "--min", "least", type=click.FloatRange(0, 1), metavar="SHARE", help="Right answers asked for, 0 to 1."
)
@click.option("--quick", is_flag=True, help="The questions alone: neither changed nor negated ones.")
@home_option
@_BOT
def questions(
    folder: Path | None,
    release: str | None,
    report: Path | None,
    data: Path | None,
    compare: Path | None,
    least: float | None,
    quick: bool,
    home: Path | None,
) -> None:
    """Put the bot's own questions to it, as customers would, and judge its answers.

    They stand in tests/*.jsonl of the bot folder, and are asked with typos, in other scripts and in other words too, to
    see whether the answer stays. No conversation is left behind, and a server may run meanwhile. Exit
    code 1: fewer answers than --min are right.
    """
    from bot.cli.evaluate import Wanted, run

    wanted = Wanted(release, report, data, compare, least, quick)
    if not run(settings(bot=folder, home=home), wanted):
        raise SystemExit(1)


@evaluate.command()
@folder_argument
@click.option(
    "--questions",
    type=PATH,
    metavar="FILE",
    help="Questions with their facts, instead of tests/answers.jsonl in the bot folder.",
)
@_RELEASE
@click.option("--report", type=PATH, metavar="FILE", help=_REPORT)
@home_option
@_BOT
def answers(
    before: Path | None,
    folder: Path | None,
    questions: Path | None,
    release: str | None,
    report: Path | None,
    home: Path | None,
) -> None:
    """Judge what the bot says, sentence by sentence, by facts that were written apart.

    Questions without an answer are among them. Told are the shares that were answered, and left alone where there is
    no answer; which sentences no fact or source holds; what was withheld; how long it took. The worst cases come first.
    """
    from bot.cli.facts import Wanted, run

    run(settings(bot=folder or before, home=home), Wanted(questions, release, report))


@evaluate.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@_RELEASE
@click.option("--label", metavar="NAME", help="The intent to explain; without it the likeliest one.")
@click.option("--report", type=PATH, metavar="FILE", help=_REPORT)
@home_option
@_BOT
def explain(
    folder: Path | None,
    texts: tuple[str, ...],
    release: str | None,
    label: str | None,
    report: Path | None,
    home: Path | None,
) -> None:
    """Show which parts of a text spoke for its intent, and which against it.

    Each TEXT is looked at by Integrated Gradients over the encoder's tokens.
    """
    from bot.cli.tokens import Asked, run

    run(settings(bot=folder, home=home), Asked(texts, release, label, report))


@evaluate.command()
@click.option(
    "--change", "changes", multiple=True, metavar="NAME", help="A change to look at; may be repeated."
)
@click.option("--most", type=click.IntRange(1), default=1_000, show_default=True, help="Examples looked at.")
@click.option("--translate", is_flag=True, help="Also copies that the generator translated there and back.")
@click.option("--release", metavar="NAME", help="The release whose encoder it is; without it the bot's base.")
@click.option("--report", type=PATH, metavar="FILE", help=_REPORT)
@home_option
@_BOT
def augment(
    folder: Path | None,
    changes: tuple[str, ...],
    most: int,
    translate: bool,
    release: str | None,
    report: Path | None,
    home: Path | None,
) -> None:
    """Measure what learning from changed copies of the bot's examples does, before it is done.

    Intents are learned in folds without copies, with those of each change (typo, keyboard, pinyin, mixed, synonym, ...)
    and with all, and judged on what was held out, as it is and changed. The encoder stays as it is.
    """
    from bot.cli.augment import Wanted, run

    run(settings(bot=folder, home=home), Wanted(changes, translate, most, release, report))


@evaluate.command()
@click.option(
    "--corpus",
    type=PATH,
    required=True,
    metavar="FILE",
    help="Questions with answers, or a document, to search.",
)
@click.option("--queries", type=PATH, required=True, metavar="FILE", help="What is asked, and what is right.")
@click.option("--report", type=PATH, required=True, metavar="FILE", help=_REPORT)
def retrieval(corpus: Path, queries: Path, report: Path) -> None:
    """Measure search: Kefu's beside words (BM25) alone and vectors alone.

    CORPUS is a file that `kefu ingest` takes. QUERIES holds one {"text": ..., "expected": ...} a line, gzip too:
    `expected` is the id of the right answer, its question, or a list of those. No bot folder is needed.
    """
    from bot.cli.retrieval import run

    run(corpus, queries, report, settings())
