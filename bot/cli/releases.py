"""`kefu releases`: what was trained is compared, let live, taken back. Files by `training.registry`, names in rows."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

from bot.cli import release_tables as tables
from bot.cli.options import typed
from bot.cli.rows import Rows, expect_database, rows_of
from bot.clock import SystemClock
from bot.definition.load import read_encoder
from bot.definition.sentences import suggestion
from bot.errors import InferenceError, NotFound
from bot.inference.encodings import base_fingerprint
from bot.settings import Settings
from bot.store import releases as store
from training.dataset import read_dataset
from training.errors import TrainingError
from training.evaluation import Evaluation, read_evaluation, to_json
from training.gate import Verdict, judge
from training.outcome import draft_of
from training.registry import (
    Found,
    add_release,
    find_release,
    list_releases,
    outdated,
    registry_lock,
    remove_release,
)
from training.release import BASE


@dataclass(frozen=True, slots=True)
class Desk:
    """The rows and the folder that a verb works on. `aliases` as they were when it began."""

    rows: Rows
    folder: Path
    aliases: store.Aliases

    def find(self, name: str, *, verify: bool = False) -> Found:
        """By name or alias; with its trouble, if it has one. Raises NotFound where nothing of that name is known."""
        meant = self.aliases.meant(name)
        found = find_release(self.folder, meant, verify=verify)
        if found.trouble and not (self.folder / meant).is_dir():
            known = [one.name for one in list_releases(self.folder)]
            if meant in self.aliases.names:
                raise NotFound(f"{meant} is not in {self.folder} any more.", hint=self.remedy(meant))
            hint = suggestion(name, known) if known else "There is none yet."
            raise NotFound(f"There is no release `{name}`.", hint=hint)
        return found

    def whole(self, name: str) -> Found:
        """Every byte as it was made. Raises InferenceError."""
        found = self.find(name, verify=True)
        if found.trouble:
            raise InferenceError(f"{found.trouble}.", hint=self.remedy(found.name), code="release")
        return found

    def remedy(self, name: str) -> str:
        """What to do about a release that is damaged or gone."""
        return tables.LOST if name == self.aliases.live else "Bring its folder back, or promote another one."

    def judged(self, name: str, against: str) -> Verdict:
        one, other = self.find(name), find_release(self.folder, self.aliases.meant(against))
        return judge(one.release, other.release, names=(one.name, other.name))


def show_all(settings: Settings, *, as_json: bool) -> None:
    with desk_of(settings) as desk:
        found = [*list_releases(desk.folder), Found(BASE)]
        lost = sorted(desk.aliases.names - {one.name for one in found})
        found += [Found(name, trouble="it is not there any more") for name in lost]
    if as_json:
        for one in found:
            _print(tables.as_row(one, desk.aliases))
        return
    console = Console()
    console.print(tables.listing(found, desk.aliases))
    for one in found:
        if one.trouble:
            console.print(f"{one.name}: {one.trouble}.", style="red", highlight=False, markup=False)
    if any(one.trouble and one.name == desk.aliases.live for one in found):
        console.print(f"{desk.aliases.live} is to be live and cannot be. {tables.LOST}", markup=False)


def add_job(settings: Settings, out: Path, *, baselines: Iterable[str], data: Path | None) -> None:
    """Raises KefuError: the job has not ended, a file is damaged, there is no room."""
    with desk_of(settings) as desk:
        known = dict(_baseline(desk, told) for told in baselines)
        rows = read_dataset(data) if data else None
        draft = draft_of(out, baselines=known, parent=desk.aliases.live, data=rows)
        now = SystemClock().now()
        with Console(stderr=True).status(f"Adding {out}"):
            release = add_release(desk.folder, draft, now=now)
        if release.name not in {desk.aliases.live, desk.aliases.previous}:
            desk.rows.write(partial(store.offer, name=release.name, now=now))
    click.echo(
        f"{release.name} is the candidate. `kefu releases gate candidate` says whether it may go live."
    )


def _baseline(desk: Desk, told: str) -> tuple[str, Evaluation]:
    name, _, file = told.partition("=")
    return desk.find(name).name, read_evaluation(Path(file))


def show_one(settings: Settings, name: str, *, verify: bool, as_json: bool) -> None:
    """Raises NotFound, InferenceError."""
    with desk_of(settings) as desk:
        found = desk.find(name, verify=verify)
        row, hint = tables.as_row(found, desk.aliases), desk.remedy(found.name)
    if found.trouble:
        raise InferenceError(f"{found.trouble}.", hint=hint, code="release")
    if found.release is None:
        click.echo("base: the encoder that bot.yml or KEFU_ENCODER names, else the embedded one, as it is.")
    elif as_json:
        about = {**row, **found.release.about(), "card": found.release.card}
        _print(about | to_json(found.release.evaluation))
    else:
        console = Console()
        console.print(tables.about(found.release, row))
        console.print(tables.figures(found.release.evaluation))
        console.print(Markdown(found.release.card))


def show_comparison(settings: Settings, one: str, other: str, *, as_json: bool) -> None:
    """OTHER beside ONE, as the gate compares a candidate with what is live."""
    with desk_of(settings) as desk:
        desk.find(one)
        verdict = desk.judged(other, one)
    if as_json:
        _print(verdict.to_json())
    elif not verdict.lines:
        click.echo(f"There are no figures of {verdict.live} and {verdict.candidate} on the same texts.")
    else:
        _show(verdict)


def show_gate(settings: Settings, name: str, *, as_json: bool) -> bool:
    """Whether it passed."""
    with desk_of(settings) as desk:
        verdict = desk.judged(name, desk.aliases.live)
    if as_json:
        _print(verdict.to_json() | {"reasons": verdict.reasons})
    else:
        _show(verdict)
        _tell(verdict)
    return verdict.passed


def go_live(settings: Settings, name: str, *, force: bool, why: str) -> bool:
    """False where the gate refused. Raises KefuError: no such release, damaged, live already, overtaken."""
    with desk_of(settings, changing=True) as desk:
        found = desk.whole(name)
        if not force:
            _expect_encoder(settings, found)
        verdict = desk.judged(found.name, desk.aliases.live)
        if found.name != desk.aliases.live and not verdict.passed and not force:
            _show(verdict)
            _tell(verdict)
            return False
        note = store.Note(_me(), why, verdict.to_json())
        step = partial(store.promote, name=found.name, now=SystemClock().now(), note=note)
        after = desk.rows.write(partial(step, instead=desk.aliases.live))
    if not verdict.passed:
        click.echo(f"The gate refused ({len(verdict.reasons)} reasons, kept in the history).")
    _tell_live(after, settings)
    return True


def go_back(settings: Settings, *, why: str) -> None:
    """Raises KefuError: nothing was live before, or it is gone or damaged."""
    with desk_of(settings, changing=True) as desk:
        if desk.aliases.previous is not None:
            desk.whole(desk.aliases.previous)
        note = store.Note(_me(), why)
        after = desk.rows.write(partial(store.roll_back, now=SystemClock().now(), note=note))
    _tell_live(after, settings)


def remove_one(settings: Settings, name: str) -> None:
    """Raises KefuError: no such release, or in use."""
    with desk_of(settings, changing=True) as desk:
        found = desk.find(name)
        _remove(desk, found.name)
    click.echo(f"{found.name} is removed.")


def remove_old(settings: Settings, *, keep: int, dry_run: bool) -> None:
    with desk_of(settings, changing=True) as desk:
        names = outdated(list_releases(desk.folder), aliased=desk.aliases.names, keep=keep)
        for name in names:
            if not dry_run:
                _remove(desk, name)
            click.echo(name)
    click.echo(f"{len(names)} {'would be removed' if dry_run else 'removed'}.")


def show_history(settings: Settings, *, limit: int, as_json: bool) -> None:
    with desk_of(settings) as desk:
        changes = desk.rows.read(partial(store.history, limit=limit))
    if as_json:
        for change in changes:
            _print(tables.as_line(change))
    elif changes:
        Console().print(tables.history(changes))
    else:
        click.echo("Nothing was promoted yet: base has been live from the beginning.")


@contextmanager
def desk_of(settings: Settings, *, changing: bool = False) -> Iterator[Desk]:
    """With `changing` nobody else on this machine adds, removes or promotes meanwhile. What training raises is told as
    a KefuError.
    """
    expect_database(settings.database_url)
    folder = settings.home / "releases"
    try:
        with rows_of(settings) as rows, registry_lock(folder) if changing else nullcontext():
            yield Desk(rows, folder, rows.read(store.aliases))
    except TrainingError as error:
        raise InferenceError(f"{str(error).rstrip('.')}.", code="release") from error


def _expect_encoder(settings: Settings, found: Found) -> None:
    """Without an encoder of its own a release has the figures of one that the settings may have left."""
    if found.release is None or found.release.encoder_folder is not None:
        return
    now = base_fingerprint(settings.cache, settings.base_encoder(read_encoder(settings.bot)))
    if now is not None and now != found.release.encoder.fingerprint:
        what = f"{found.name} was measured with another encoder than KEFU_ENCODER or bot.yml names."
        raise InferenceError(what, hint="Set it back, train again, or say --force and --why.", code="release")


def _remove(desk: Desk, name: str) -> None:
    kept = {desk.aliases.live, desk.aliases.previous or BASE}
    if name not in kept:
        desk.rows.write(partial(store.withdraw, name=name))
    remove_release(desk.folder, name, aliased=kept)


def _show(verdict: Verdict) -> None:
    if verdict.lines:
        Console().print(tables.comparison(verdict))


def _tell(verdict: Verdict) -> None:
    if verdict.passed:
        click.echo(f"The gate lets {verdict.candidate} through.")
        return
    click.echo(f"The gate does not let {verdict.candidate} through, with {verdict.live} live:")
    for reason in verdict.reasons:
        click.echo(f"- {reason}")
    click.echo("Nothing was changed. `promote NAME --force --why TEXT` lets it live all the same.")


def _tell_live(aliases: store.Aliases, settings: Settings) -> None:
    folder, home = typed(settings)
    click.echo(f"{aliases.live} is live; a running server takes it up by itself.")
    click.echo(f"`kefu releases{folder} rollback{home}` goes back to {aliases.previous}.")


def _print(row: object) -> None:
    click.echo(json.dumps(row, ensure_ascii=False))


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container accounts often have no names
        return str(os.geteuid())
