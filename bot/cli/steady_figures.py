"""What is shown of answers under change: by change, with the worst cases; of negation; of groups of users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Column, Table

from bot.cli import names
from bot.cli.figures import scale, short
from bot.cli.page import Tell, heading, kept, paragraph, percent, table
from bot.cli.plots import bar, whisker
from training.evaluation import Evaluation, Metric

Rows = Sequence[Mapping[str, Any]]


def changes(whole: Evaluation, live: Evaluation | None, tell: Tell) -> Iterator[str]:
    """Each change with the share of answers that stay, and the answers that did not."""
    rows: Rows = whole.details["changes"]
    known = {row["change"]: whole.metrics[f"same_answer.{row['change']}"] for row in rows}
    ends = scale(list(known.values()))
    langs = sorted({lang for name in whole.metrics if (lang := _lang(name)) is not None})
    yield paragraph(
        tell(
            "Each question again, typed another way. The answer should stay what it was, right or wrong.",
            "把每个问题换一种写法再问一次：无论对错，回答都应保持不变。",
        )
    )
    head = [tell("change", "改动"), tell("copies", "改写数"), tell("same answer %", "回答不变 %"), "", ""]
    head += [names.language(lang, tell) + " %" for lang in langs]
    head += [
        tell("same intent %", "意图不变 %"),
        tell("right before %", "改前答对 %"),
        tell("after %", "改后 %"),
    ]
    if live is not None:
        head.append(tell("live %", "线上版本 %"))
    body = [[*_row(row, known[row["change"]], ends, tell), *_more(row, whole, langs, live)] for row in rows]
    yield table(head, body, numbers=(1, 2, *range(5, len(head))))
    if worst := [(row["change"], case) for row in rows for case in row["worst"]]:
        yield heading(tell("Answers that changed", "发生变化的回答"))
        top = (
            tell("change", "改动"),
            tell("as it was", "原文"),
            tell("changed", "改后"),
            tell("came", "原回答"),
            tell("came then", "改后回答"),
        )
        told = [
            (kept(names.change(change, tell)), *map(short, case["texts"]), *_came(case))
            for change, case in worst
        ]
        yield table(top, told, search=tell("Find a case", "查找案例"))


def _row(row: Mapping[str, Any], one: Metric, ends: tuple[float, float], tell: Tell) -> list[str]:
    name = f"same_answer.{row['change']}"
    called = kept(names.change(row["change"], tell))
    return [called, str(row["n"]), percent(one.value), kept(names.between(name, one)), whisker(one, ends)]


def _more(
    row: Mapping[str, Any], whole: Evaluation, langs: Sequence[str], live: Evaluation | None
) -> list[str]:
    name = f"same_answer.{row['change']}"
    spoken = [whole.metrics.get(f"{name}.{lang}") for lang in langs]
    cells = [percent(one.value if one else None) for one in spoken]
    cells += [percent(row[key]) for key in ("same_intent", "right_before", "right_after")]
    if live is not None:
        known = live.metrics.get(name) if live.same_test(whole, name) else None
        cells.append(percent(known.value if known else None))
    return cells


def _came(case: Mapping[str, Any]) -> Iterator[str]:
    for came, right in zip(case["came"], case["right"], strict=True):
        yield f"{'✓' if right else '✗'} {short(came)}"


def _lang(name: str) -> str | None:
    return names.lang(name) if names.family(name) == "same_answer" else None


def negation(rows: Rows, tell: Tell) -> Iterator[str]:
    """Pairs, those that were not told apart first."""
    yield paragraph(
        tell(
            "A wish, and what says that it is not wished for. The second must not get the first one's answer.",
            "一个意愿，以及否定它的说法。后者不应得到前者的回答。",
        )
    )
    head = (
        "",
        tell("wish", "意愿"),
        tell("came", "回答"),
        tell("negated", "否定"),
        tell("came", "回答"),
        tell("language", "语言"),
    )
    body = [
        (
            "✓" if row["right"] and not row["followed"] else "✗",
            short(row["texts"][0]),
            short(row["came"][0]),
            short(row["texts"][1]),
            short(row["came"][1]),
            names.language(row["lang"], tell),
        )
        for row in sorted(rows, key=lambda row: bool(row["right"] and not row["followed"]))
    ]
    yield table(head, body, search=tell("Find a pair", "查找语句对"))


def fairness(details: Mapping[str, Rows], tell: Tell) -> Iterator[str]:
    """Right answers by language and by group of users."""
    for name, called in (("gap", ("language", "语言")), ("gap_groups", ("group of users", "用户群"))):
        if rows := details.get(name):
            head = (
                tell(*called),
                tell("questions", "问题数"),
                tell("right %", "答对 %"),
                tell("95 % interval", "95 % 区间"),
                "",
            )
            body = [
                (
                    names.language(row["name"], tell) if name == "gap" else row["name"],
                    str(row["n"]),
                    percent(row["value"]),
                    f"{percent(row['low'])} – {percent(row['high'])}",
                    bar(row["value"]),
                )
                for row in rows
            ]
            yield table(head, body, numbers=(1, 2))
    yield paragraph(
        tell(
            "The gap is that between the best and the worst with five questions or more. Few questions set even equals "
            "apart: look at the intervals.",
            "差距取五个问题以上的各组中最好与最差之差。问题太少时，即使水平相同也会有差距：请看区间。",
        )
    )


def terminal(whole: Evaluation) -> Table | None:
    """One line a change, in percent."""
    rows: Rows = whole.details.get("changes", ())
    if not rows:
        return None
    head = ("same answer", "95 %", "same intent", "right", "then", "copies")
    columns = (Column(name, justify="right", no_wrap=True) for name in head)
    found = Table(Column("in another form", no_wrap=True), *columns, box=None)
    for row in rows:
        one = whole.metrics[f"same_answer.{row['change']}"]
        shares = [percent(row[key]) for key in ("same_intent", "right_before", "right_after")]
        between = names.between(f"same_answer.{row['change']}", one)
        found.add_row(row["change"], percent(one.value), between, *shares, str(row["n"]))
    return found
