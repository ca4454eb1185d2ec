"""The data card as a page for people: where a data set is from, what it holds, and what was left out and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SHOWN_LABELS = 100
"""Rows of the table of labels; the JSON has them all."""


def as_markdown(card: Mapping[str, Any]) -> str:
    """`card` as `training.dataset.about_rows` makes it."""
    return "\n".join([*_lines(card), ""])


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield from ("# Data card", "", f"Content hash `{card['hash']}`, seed {card['seed']}.")
    if card["foreign"]:
        yield from ("", f"Out of scope is what has the label {_code(card['foreign'])}.")
    yield from ("", "## Where it is from", "")
    yield from _table(("source", "kind", "rows", "terms"), (_source(source) for source in card["sources"]))
    yield from _bullets(
        f"{_code(source['name'])}: {source['taken']}" for source in card["sources"] if source["taken"]
    )
    for task, told in card["tasks"].items():
        yield from _task(task, told)
    yield from ("", "## What was left out", "")
    removed = (_removed(one) for one in card["removed"])
    yield from _table(("task", "reason", "rows", "for example"), removed)
    yield from ("", "## Leakage between splits", "")
    yield from _table(("looked for", "taken out of training"), _pairs(card["leaks"]))
    yield from ("", "## Personal data that was masked", "")
    yield from _table(("kind", "places"), _pairs(card["scrubbed"]))
    if card["notes"]:
        yield from ("", "## Notes")
        yield from _bullets(card["notes"])


def _task(task: str, told: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## {task.capitalize()}", "")
    splits = tuple(told["rows"])
    yield from _table(("", *splits), [("rows", *map(str, told["rows"].values()))])
    for what, counts in (("language", told["languages"]), ("label", told["labels"])):
        rows = [(_code(name), *(str(split[one]) for one in splits)) for name, split in counts.items()]
        yield ""
        yield from _table((what, *splits), rows[:SHOWN_LABELS])
        if len(rows) > SHOWN_LABELS:
            yield from ("", f"... and {len(rows) - SHOWN_LABELS} more: card.json has them all.")


def _source(source: Mapping[str, Any]) -> tuple[str, ...]:
    return _code(source["name"]), source["kind"], str(source["rows"]), source["terms"] or "not stated"


def _removed(removed: Mapping[str, Any]) -> tuple[str, ...]:
    where = ", ".join(map(_code, removed["where"]))
    return removed["task"], removed["reason"], str(removed["rows"]), where


def _pairs(counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    return ((name, str(count)) for name, count in counts.items())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    if not body:
        yield "None."
        return
    columns = list(head)
    for row in (columns, ["---"] * len(columns), *body):
        yield f"| {' | '.join(row)} |"


def _bullets(lines: Iterable[str]) -> Iterator[str]:
    found = [f"- {line}" for line in lines]
    if found:
        yield from ("", *found)


def _code(name: str) -> str:
    """As it is, whatever marks it holds."""
    fence = "``" if "`" in name else "`"
    pad = " " if "`" in name else ""
    return f"{fence}{pad}{' '.join(name.split())}{pad}{fence}"
