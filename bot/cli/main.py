"""Every verb with its options. Only click is imported here, so that `kefu --help` answers at once."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import click

from bot.cli.eval_verbs import evaluate
from bot.cli.options import PATH as _PATH
from bot.cli.options import folder_argument as _folder
from bot.cli.options import home_option as _home
from bot.cli.options import settings as _settings
from bot.cli.release_verbs import releases
from bot.errors import KefuError

_LANGUAGES = click.Choice(["zh", "en"])


class Kefu(click.Group):
    """What goes wrong in a foreseen way is one line for people, never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KefuError as error:
            raise _OneLine(" ".join(str(error).split())) from error


class _OneLine(click.ClickException):
    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"kefu: {self.message}", file=file, err=file is None)


@click.group(cls=Kefu, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def kefu() -> None:
    """Kefu (客服): a customer-service bot that answers from what it knows, and says so when it does not."""


@kefu.command()
@_folder
@click.option("--host", help="Address to listen on, instead of KEFU_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@_home
def serve(folder: Path | None, host: str | None, port: int | None, home: Path | None) -> None:
    """Serve the bot in FOLDER: web chat and pages."""
    # What a start makes it keeps: to look through all of it for garbage again and again takes half a second.
    gc.disable()
    try:
        from bot.cli.serve import run

        settings = _settings(bot=folder, host=host, port=port, home=home)
        run(settings.bot, settings)
    finally:
        gc.enable()


@kefu.command()
@_folder
@click.option("--explain", is_flag=True, help="Show intents, hits, scores and the reason for each answer.")
@click.option("--lang", type=_LANGUAGES, help="Language to begin with.")
@_home
def chat(folder: Path | None, explain: bool, lang: str | None, home: Path | None) -> None:
    """Talk to the bot in FOLDER here in the terminal."""
    from bot.cli.chat import run

    settings = _settings(bot=folder, home=home)
    run(settings.bot, settings, explain=explain, lang=lang)


@kefu.command()
@click.argument("paths", type=_PATH, nargs=-1, metavar="[PATH]...")
@click.option("--bot", type=_PATH, help="The bot folder, instead of KEFU_BOT or the one you stand in.")
@click.option("--prune", is_flag=True, help="Remove what a table of that name brought and no longer has.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--list", "listing", is_flag=True, help="List the sources of the bot's answers instead.")
@click.option("--remove", multiple=True, metavar="NAME", help="Take a source out again; may be repeated.")
@_home
def ingest(
    paths: tuple[Path, ...],
    bot: Path | None,
    prune: bool,
    dry_run: bool,
    listing: bool,
    remove: tuple[str, ...],
    home: Path | None,
) -> None:
    """Take questions and answers, and documents, from files into the bot.

    PATH is a file or a folder: tables of questions and answers (.jsonl, .csv, either with .gz, .xlsx) and
    documents (.md, .html, .pdf, .docx, and .xlsx without such columns). The same file twice changes nothing.
    Exit code 1: something was skipped; each is listed with its reason.
    """
    if bool(paths) + listing + bool(remove) != 1:
        raise click.UsageError("Name files or folders, or say --list, or --remove NAME.")
    settings = _settings(bot=bot, home=home)
    if listing or remove:
        from bot.cli import shelf

        shelf.show(settings) if listing else shelf.remove(remove, settings, dry_run=dry_run)
        return
    from bot.cli.ingest import run

    if not run(paths, settings, prune=prune, dry_run=dry_run):
        raise SystemExit(1)


@kefu.command()
@click.argument("folder", type=_PATH)
@click.option("--lang", type=_LANGUAGES, help="One language only; both without it.")
def init(folder: Path, lang: str | None) -> None:
    """Write a small working bot into FOLDER."""
    from bot.cli.init import run

    run(folder, lang=lang)


@kefu.command()
@_folder
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
@click.option("--close", "close_id", metavar="ID", help="Close this one; the bot answers there again.")
@_home
def escalations(folder: Path | None, as_json: bool, close_id: str | None, home: Path | None) -> None:
    """List the conversations that wait for a person."""
    from bot.cli.escalations import run

    run(_settings(bot=folder, home=home), as_json=as_json, close_id=close_id)


@kefu.command()
@_folder
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check instead of lines for people.")
@_home
def doctor(folder: Path | None, as_json: bool, home: Path | None) -> None:
    """Say what is wrong with the set-up of the bot in FOLDER, and what to do.

    It changes nothing and may run beside a server. Exit code 1: something is wrong.
    """
    from bot.cli.doctor import run

    if not run(as_json=as_json, bot=folder, home=home):
        raise SystemExit(1)


@kefu.command()
@_folder
@click.option(
    "--method",
    type=click.Choice(["head", "contrastive", "full", "lora", "adalora"]),
    help="What is trained: a head on the encoder as it is (head), or the encoder too. Default: contrastive, with files "
    "head.",
)
@click.option(
    "--spec", "spec_file", type=_PATH, metavar="FILE", help="More to say of the training (.json, .yml)."
)
@click.option(
    "--out", type=_PATH, metavar="FOLDER", help="Keep what is trained here; a stopped run goes on from there."
)
@click.option("--name", metavar="NAME", help="Of the job in the home, instead of one by date and method.")
@click.option(
    "--resume", is_flag=True, help="Go on with the job that was stopped last, whatever was asked of it."
)
@click.option("--fresh", is_flag=True, help="Begin anew, though the same was stopped before.")
@click.option("--no-conversations", is_flag=True, help="Learn nothing from what customers wrote.")
@click.option("--list", "listing", is_flag=True, help="List the training jobs of the bot instead.")
@click.option("--train", "train_file", type=_PATH, metavar="FILE", help="Without a bot: texts to learn from.")
@click.option(
    "--valid", "valid_file", type=_PATH, metavar="FILE", help="Texts to choose by, instead of folds."
)
@click.option("--test", "test_file", type=_PATH, metavar="FILE", help="Texts to judge by.")
@click.option("--report", type=_PATH, metavar="FILE", help="Where figures go (.json, .html beside it).")
@click.option("--oos-label", metavar="NAME", help="The label of texts that are out of scope.")
@click.option(
    "--task",
    type=click.Choice(["intent", "sentiment", "entities", "generator", "verifier"]),
    help="What the files teach: a label for each text (intent, sentiment: the default), or what it names (entities). "
    "Of a bot: generator, the language model that words its answers; verifier, the one that reads before it answers.",
)
@_home
def train(folder: Path | None, home: Path | None, listing: bool, **given: Any) -> None:
    """Train the bot in FOLDER, or a classifier on files of your own; and measure it.

    A bot learns from its intents, its questions and what customers confirmed; what comes of it is the candidate, which
    `kefu releases` compares and lets go live. The same command goes on with a job that was stopped.

    With --train, --test and --report no bot is needed, and none is changed. Files hold one
    {"text": ..., "label": ...} a line, gzip too: intents, sentiment or any other classes. With --task entities they
    hold {"text": ..., "entities": [{"start": 0, "end": 5, "kind": "city"}]}.

    With --task generator the language model that words the bot's answers learns from them; with --task verifier the one
    that reads question and answer together learns from the bot's contrast sets. Either is judged on what was held out
    before any setting finds it.
    """
    files = [f"--{name}" for name in ("train", "valid", "test") if given[f"{name}_file"]]
    files += [f"--{name.replace('_', '-')}" for name in ("report", "oos_label", "task") if given[name]]
    if given["task"] in ("generator", "verifier"):
        _train_model(given, files, listing=listing, bot=folder, home=home)
        return
    of_a_bot = [f"--{name.replace('_', '-')}" for name in _OF_A_BOT if given[name]]
    of_a_bot += [
        *(["FOLDER"] if folder else []),
        *(["--home"] if home else []),
        *(["--list"] if listing else []),
    ]
    if files and of_a_bot:
        raise click.UsageError(f"{files[0]} is for files, {of_a_bot[0]} for a bot: say one of them.")
    if files:
        _train_on_files(given)
    else:
        _train_bot(given, listing=listing, bot=folder, home=home)


_OF_A_BOT = ("name", "resume", "fresh", "no_conversations")


def _train_on_files(given: dict[str, Any]) -> None:
    for name in ("train_file", "test_file", "report"):
        if given[name] is None:
            raise click.UsageError(f"Missing option '--{name.removesuffix('_file')}'.")
    if given["task"] == "entities":
        _train_entities(given)
        return
    from bot.cli.train import Order, Sources, read_order, run

    settings = _settings()
    order = Order(read_order(given["spec_file"], settings, method=given["method"]), given["out"])
    sources = Sources(given["train_file"], given["valid_file"], given["test_file"], given["oos_label"])
    run(sources, given["report"], settings, order=order)


def _train_entities(given: dict[str, Any]) -> None:
    if other := next((name for name in ("method", "spec_file", "out", "oos_label") if given[name]), None):
        option = other.removesuffix("_file").replace("_", "-")
        raise click.UsageError(f"--{option} is not for --task entities: a bot learns those when it starts.")
    from bot.cli.train_entities import run

    train, valid, test = (given[f"{name}_file"] for name in ("train", "valid", "test"))
    run(train, valid, test, report=given["report"], settings=_settings())


def _train_model(
    given: dict[str, Any], files: list[str], *, listing: bool, bot: Path | None, home: Path | None
) -> None:
    task, others = given["task"], ["method", "out"]
    others += ["no_conversations"] if given["task"] == "verifier" else []
    more = [name for name in files if name != "--task"]
    more += [f"--{name.replace('_', '-')}" for name in others if given[name]]
    if more or listing:
        raise click.UsageError(f"{(more or ['--list'])[0]} is not for --task {task}.")
    if given["resume"] and (given["fresh"] or given["name"]):
        raise click.UsageError("--resume takes the job that was stopped last: leave --fresh and --name out.")
    from bot.cli import train_generator, train_verifier
    from bot.cli.model_jobs import Asked

    settings = _settings(bot=bot, home=home)
    talks = task == "generator" and not given["no_conversations"]
    more_of_job = given["name"], talks, given["resume"], given["fresh"]
    if task == "generator":
        spec = train_generator.read_order(given["spec_file"])
        train_generator.run(settings, Asked(spec, *more_of_job))
    else:
        train_verifier.run(settings, Asked(train_verifier.read_order(given["spec_file"]), *more_of_job))


def _train_bot(given: dict[str, Any], *, listing: bool, bot: Path | None, home: Path | None) -> None:
    from bot.cli.train_bot import Asked, read_order, run, show_jobs

    settings = _settings(bot=bot, home=home)
    if listing:
        show_jobs(settings)
        return
    if given["resume"] and (given["fresh"] or given["name"]):
        raise click.UsageError("--resume takes the job that was stopped last: leave --fresh and --name out.")
    spec = read_order(given["spec_file"], settings, method=given["method"])
    talks = not given["no_conversations"]
    run(settings, Asked(spec, given["name"], given["out"], talks, given["resume"], given["fresh"]))


kefu.add_command(evaluate)
kefu.add_command(releases)
