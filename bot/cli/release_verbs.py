"""`kefu releases` and its verbs, with their options. Only click is imported here."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.options import PATH, OfABot, home_option, settings

_LINES = click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
_OBJECT = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words for people.")
_WHY = click.option("--why", metavar="TEXT", default="", help="The reason, for the history.")
_BOT = click.pass_obj


@click.group(cls=OfABot, default="list", subcommand_metavar="[FOLDER] VERB [NAME]...")
def releases() -> None:
    """What was trained for the bot in FOLDER: compare it, let it go live, go back.

    NAME is the name of a release, or `live`, `candidate`, `previous`, or `base`: the encoder that
    bot.yml or the settings name, which is always there. Without a verb they are listed.
    """


@releases.command(name="list")
@_LINES
@home_option
@_BOT
def list_(folder: Path | None, as_json: bool, home: Path | None) -> None:
    """List the releases, newest first, and say which one is live."""
    from bot.cli.releases import show_all

    show_all(settings(bot=folder, home=home), as_json=as_json)


@releases.command()
@click.argument("out", type=PATH)
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    metavar="NAME=FILE",
    help="evaluation.json of release NAME on the same texts; may be repeated.",
)
@click.option("--data", type=PATH, metavar="FOLDER", help="The data set, for its card.")
@home_option
@_BOT
def add(
    folder: Path | None, out: Path, baselines: tuple[str, ...], data: Path | None, home: Path | None
) -> None:
    """Add what a training job left in OUT, and make it the candidate."""
    from bot.cli.releases import add_job

    add_job(settings(bot=folder, home=home), out, baselines=baselines, data=data)


@releases.command()
@click.argument("name")
@click.option("--verify", is_flag=True, help="Read every byte and compare checksums.")
@_OBJECT
@home_option
@_BOT
def show(folder: Path | None, name: str, verify: bool, as_json: bool, home: Path | None) -> None:
    """Show what a release was made from, its figures and its card."""
    from bot.cli.releases import show_one

    show_one(settings(bot=folder, home=home), name, verify=verify, as_json=as_json)


@releases.command()
@click.argument("one")
@click.argument("other")
@_OBJECT
@home_option
@_BOT
def compare(folder: Path | None, one: str, other: str, as_json: bool, home: Path | None) -> None:
    """Compare the figures of release OTHER with those of ONE."""
    from bot.cli.releases import show_comparison

    show_comparison(settings(bot=folder, home=home), one, other, as_json=as_json)


@releases.command()
@click.argument("name")
@_OBJECT
@home_option
@_BOT
def gate(folder: Path | None, name: str, as_json: bool, home: Path | None) -> None:
    """Say whether a release may go live, metric by metric, and change nothing.

    Exit code 1: it may not.
    """
    from bot.cli.releases import show_gate

    if not show_gate(settings(bot=folder, home=home), name, as_json=as_json):
        raise SystemExit(1)


@releases.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Although the gate refuses; needs --why.")
@_WHY
@home_option
@_BOT
def promote(folder: Path | None, name: str, force: bool, why: str, home: Path | None) -> None:
    """Let a release go live, if the gate lets it through.

    A running server takes it up by itself. Exit code 1: the gate refused, and nothing was changed.
    """
    from bot.cli.releases import go_live

    if force and not why.strip():
        raise click.UsageError("--force needs --why: the history keeps the reason.")
    if not go_live(settings(bot=folder, home=home), name, force=force, why=why):
        raise SystemExit(1)


@releases.command()
@_WHY
@home_option
@_BOT
def rollback(folder: Path | None, why: str, home: Path | None) -> None:
    """Let what was live before go live again, at once and without the gate."""
    from bot.cli.releases import go_back

    go_back(settings(bot=folder, home=home), why=why)


@releases.command()
@click.argument("name")
@click.option(
    "--out",
    type=PATH,
    metavar="FOLDER",
    help="Where it goes. Default: `encoder` in the bot folder, or what bot.yml names.",
)
@click.option(
    "--rank",
    type=click.IntRange(1, 384),
    default=64,
    show_default=True,
    help="Of a matrix, at most: more keeps more of what was learned, and takes more room.",
)
@home_option
@_BOT
def pack(folder: Path | None, name: str, out: Path | None, rank: int, home: Path | None) -> None:
    """Write what a release's encoder learned into the bot folder, as a small file.

    With it the bot answers with that encoder wherever it is started, and nobody trains.
    """
    from bot.cli.pack import pack_one

    pack_one(settings(bot=folder, home=home), name, out=out, rank=rank)


@releases.command()
@click.argument("name", default="live")
@home_option
@_BOT
def vectors(folder: Path | None, name: str, home: Path | None) -> None:
    """Write what a release's encoder reads in the bot's texts into the bot folder.

    Wherever the bot is started then, its texts are not read again: NAME is `live` where none is given.
    """
    from bot.cli.brought import write_vectors

    write_vectors(settings(bot=folder, home=home), name)


@releases.command()
@click.argument("name")
@home_option
@_BOT
def remove(folder: Path | None, name: str, home: Path | None) -> None:
    """Remove a release that is neither live nor the one before."""
    from bot.cli.releases import remove_one

    remove_one(settings(bot=folder, home=home), name)


@releases.command()
@click.option(
    "--keep", type=click.IntRange(0), default=5, show_default=True, help="How many of the newest stay."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@home_option
@_BOT
def prune(folder: Path | None, keep: int, dry_run: bool, home: Path | None) -> None:
    """Remove damaged and old releases; what is live, was live before, or is the candidate stays."""
    from bot.cli.releases import remove_old

    remove_old(settings(bot=folder, home=home), keep=keep, dry_run=dry_run)


@releases.command()
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="How many of the newest lines."
)
@_LINES
@home_option
@_BOT
def history(folder: Path | None, limit: int, as_json: bool, home: Path | None) -> None:
    """List what went live, when, by whom and why, newest first."""
    from bot.cli.releases import show_history

    show_history(settings(bot=folder, home=home), limit=limit, as_json=as_json)
