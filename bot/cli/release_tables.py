"""How releases, figures, comparisons and history look in a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from bot.definition.text import one_line
from bot.doctor.finding import size
from bot.store.releases import CANDIDATE, LIVE, PREVIOUS, Aliases, Change
from training.evaluation import Evaluation, Metric
from training.gate import Line, State, Verdict
from training.registry import Found
from training.release import Release

LOST = (
    "A server answers with the release before it, or with base. Bring the folder back, or "
    "`kefu releases rollback`, or promote another one."
)
HEADLINES = ("intent.accuracy", "retrieval.recall@1", "sentiment.accuracy")
"""Metrics that a list has room for."""
SIGNS: dict[State, str] = {
    "better": "[green]▲ better[/]",
    "same": "= same",
    "worse": "[red]▼ worse[/]",
    "missing": "[red]? missing[/]",
    "other_rows": "[red]≠ other texts[/]",
    "new": "+ new",
}


def listing(found: Sequence[Found], aliases: Aliases) -> Table:
    """Newest first, with the figures that all bots have."""
    named = [name for name in HEADLINES if any(one.release and _has(one.release, name) for one in found)]
    table = Table("", "release", "made", "method", "encoder", box=None)
    for name in named:
        table.add_column(name, justify="right", overflow="fold")
    table.columns[1].no_wrap = True
    for one in found:
        release = one.release
        marks = ", ".join(_marks(one.name, aliases))
        style = "red" if one.trouble else "green" if one.name == aliases.live else None
        if release is None:
            what = "damaged" if one.trouble else "the base"
            table.add_row(marks, escape(one.name), "", "", what, style=style)
            continue
        encoder = size(_weight(release)) if release.encoder_folder else "the base"
        values = [f"{release.evaluation.metrics[n].value:.4g}" if _has(release, n) else "" for n in named]
        table.add_row(
            marks, one.name, _time(release.made), escape(release.method), encoder, *values, style=style
        )
    return table


def about(release: Release, row: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    told = {
        "release": release.name,
        "aliases": ", ".join(row["aliases"]),
        "made": _time(release.made),
        "method": release.method,
        "encoder": f"{release.encoder.source} {release.encoder.fingerprint[:12]}",
        "data set": release.dataset[:12],
        "spec": release.spec[:12],
        "made beside": release.parent,
        "size": size(row["bytes"]),
        "folder": str(release.folder),
    }
    for key, value in told.items():
        table.add_row(key, escape(value))
    return table


def figures(evaluation: Evaluation) -> Table:
    table = Table(_metric(), _number("value"), _number("95 % interval"), _number("rows"), box=None)
    for name, metric in evaluation.metrics.items():
        table.add_row(escape(name), f"{metric.value:.4g}", _interval(metric), str(metric.n))
    return table


def comparison(verdict: Verdict) -> Table:
    """Better and worse by sign and word as well as by colour."""
    table = Table(
        _metric(), _number(verdict.live), _number("95 % interval"), _number(verdict.candidate), box=None
    )
    table.add_column("difference", justify="right")
    table.add_column("")
    for line in verdict.lines:
        live, mine = (f"{one.value:.4g}" if one else "-" for one in (line.live, line.candidate))
        interval = _interval(line.live) if line.live else ""
        table.add_row(escape(line.metric), live, interval, mine, _difference(line), SIGNS[line.state])
    return table


def history(changes: Iterable[Change]) -> Table:
    names = (Column(name, overflow="fold") for name in ("release", "instead of"))
    table = Table(_number("#"), "when", "what", *names, "by", "gate", "why", box=None)
    for change in changes:
        why = escape(one_line(change.why, 80))
        row = (
            change.action,
            change.release,
            change.before,
            escape(one_line(change.by, 30)),
            _gate(change),
            why,
        )
        table.add_row(str(change.number), _time(change.at), *row)
    return table


def as_row(found: Found, aliases: Aliases) -> dict[str, Any]:
    """A line of the list."""
    release = found.release
    row: dict[str, Any] = {
        "name": found.name,
        "aliases": _marks(found.name, aliases),
        "trouble": found.trouble,
    }
    if release is None:
        return row
    metrics = {name: metric.value for name, metric in release.evaluation.metrics.items()}
    made = release.made.astimezone(UTC).isoformat(timespec="seconds")
    return row | {
        "made": made, "method": release.method, "encoder": release.encoder.source, "bytes": _weight(release),
        "values": metrics,
    }  # fmt: skip


def as_line(change: Change) -> dict[str, Any]:
    told = {name: getattr(change, name) for name in ("number", "action", "release", "before", "by", "why")}
    return {**told, "at": change.at.isoformat(), "gate": _gate(change), "verdict": dict(change.verdict)}


def _gate(change: Change) -> str:
    if not change.verdict:
        return "not asked"
    return "passed" if change.verdict.get("passed") else "overridden"


def _marks(name: str, aliases: Aliases) -> list[str]:
    return [alias for alias in (LIVE, CANDIDATE, PREVIOUS) if getattr(aliases, alias) == name]


def _has(release: Release, metric: str) -> bool:
    return metric in release.evaluation.metrics


def _weight(release: Release) -> int:
    """Bytes of its files, also of those that it shares with others."""
    return sum(path.stat().st_size for path in release.folder.rglob("*") if path.is_file())


def _interval(metric: Metric) -> str:
    return "" if metric.low == metric.high else f"{metric.low:.4g} to {metric.high:.4g}"


def _difference(line: Line) -> str:
    if line.difference is None or line.worst is None:
        return ""
    return f"{line.difference:+.4g}" + (f" ({line.pair})" if line.pair else "")


def _metric() -> Column:
    """Where there is no room a name goes on in the next line: what is cut off is what tells two of them apart."""
    return Column("metric", overflow="fold")


def _number(name: str) -> Column:
    return Column(escape(name), justify="right", overflow="fold")


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
