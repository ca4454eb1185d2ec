"""What pages show of an evaluation: its metrics, and what lies behind those of labels, scope, answers and training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor
from typing import Any

from bot.cli import names
from bot.cli.page import Drawn, Tell, heading, kept, lines, paragraph, percent, points, table
from bot.cli.plots import bar, columns, curve, heat_map, reliability, roc, whisker
from training.evaluation import Evaluation, Metric
from training.gate import Pair, paired

Details = Mapping[str, Any]
CUT = 120
"""Characters shown of a text."""


def metrics(whole: Evaluation, live: Evaluation | None, tell: Tell) -> Iterator[str]:
    """All of them with their intervals; beside the live ones where they are given."""
    rows = {name: one for name, one in _plain(whole).items() if names.lang(name) is None}
    yield _table(rows, whole, live, tell)
    shares = [name for name in rows if names.is_share(name)]
    ends = scale([rows[name] for name in shares] + _others(shares, live))
    if shares:
        yield paragraph(
            tell(
                f"95 % intervals: Wilson's of shares of rows, else from 1,000 bootstrap draws. Dots stand between "
                f"{ends[0]:.0%} and {ends[1]:.0%}.",
                "区间为 95 % 置信区间：按行计的比例用 Wilson 区间，其余由 1,000 次自助抽样得出。"
                f"图中刻度从 {ends[0]:.0%} 到 {ends[1]:.0%}。",
            )
        )
    if live is not None:
        yield paragraph(
            tell(
                "A ring is the live release. Better and worse: beyond the live figure's own interval; within it chance "
                "explains the difference. Of the bot's own questions both are compared one by one as well: worse is "
                "what loses more of them than chance explains (McNemar's exact test).",
                "圆环为线上版本。“更好”“更差”指超出线上版本自身的区间；区间之内的差异可能只是偶然。"
                "机器人自己的问题还会逐题对照：丢失的题数超出偶然所能解释的，即为“更差”（McNemar 精确检验）。",
            )
        )


def by_language(whole: Evaluation, live: Evaluation | None, tell: Tell) -> str:
    """Nothing where all rows are of one language."""
    rows = {name: one for name, one in _plain(whole).items() if names.lang(name) is not None}
    return _table(rows, whole, live, tell) if rows else ""


def _plain(whole: Evaluation) -> dict[str, Metric]:
    return {name: one for name, one in whole.metrics.items() if names.family(name) not in names.STEADY}


def _table(rows: Mapping[str, Metric], whole: Evaluation, live: Evaluation | None, tell: Tell) -> str:
    shares = [name for name in rows if names.is_share(name)]
    ends = scale([rows[name] for name in shares] + _others(shares, live))
    head = ["", tell("figure", "指标"), tell("value", "数值"), tell("95 % interval", "95 % 区间"), ""]
    head.append(tell("rows", "行数"))
    if live is not None:
        head += [tell("live", "线上版本"), tell("difference", "差异")]
    body, before = [], ""
    for name, one in rows.items():
        group = names.family(name)
        other = live.metrics.get(name) if live is not None and live.same_test(whole, name) else None
        drawn = whisker(one, ends, other) if names.is_share(name) else ""
        row = [
            kept(tell(*names.FAMILIES.get(group, (group, group))) if group != before else ""),
            kept(names.title(name, tell)),
            names.number(name, one.value),
            names.between(name, one),
            drawn,
            f"{one.n:,}",
        ]
        if live is not None:
            pair = paired(whole, live, name)
            row += (
                _beside(name, one, other, pair, tell) if other else _beside_none(name in live.metrics, tell)
            )
        body.append(row)
        before = group
    return table(head, body, numbers=range(2, len(head)))


def _beside_none(known: bool, tell: Tell) -> list[str]:
    return ["", tell("other test rows", "测试行不同") if known else ""]


def _beside(name: str, one: Metric, other: Metric, pair: Pair | None, tell: Tell) -> list[str]:
    turned = (
        tell(f" ({pair.lost} lost, {pair.won} won)", f"（丢失 {pair.lost}，新增 {pair.won}）") if pair else ""
    )
    difference = one.value - other.value
    if not difference:
        return [names.number(name, other.value), tell("same", "相同") + turned]
    if names.is_share(name):
        said = f"{100 * difference:+.1f}"
    else:
        said = f"{difference:+,.0f}" if names.what(name) == "parameters" else f"{difference:+.1f}"
    return [
        names.number(name, other.value),
        Drawn(f"{escape(said + turned)} {_verdict(one, other, pair, tell)}"),
    ]


def _verdict(one: Metric, other: Metric, pair: Pair | None, tell: Tell) -> str:
    if one.worse_than(other) or (pair and pair.worse):
        return f'<b class="bad">{escape(tell("worse", "更差"))}</b>'
    better = one.value > other.high if one.better == "higher" else one.value < other.low
    if better:
        return f'<b class="good">{escape(tell("better", "更好"))}</b>'
    return escape(tell("within chance", "偶然范围内"))


def _others(shares: Iterable[str], live: Evaluation | None) -> list[Metric]:
    return [live.metrics[name] for name in shares if live is not None and name in live.metrics]


def scale(shown: Sequence[Metric]) -> tuple[float, float]:
    """Ends of an axis that holds all intervals of shares, on whole tenths."""
    low, high = min((one.low for one in shown), default=0.0), max((one.high for one in shown), default=1.0)
    return max(floor(10 * low) / 10, 0.0), min(ceil(10 * high - 1e-9) / 10, 1.0)


def labels(details: Details, tell: Tell) -> Iterator[str]:
    """The classification report: sorted as a plot, and as a table that can be sorted and searched."""
    rows = details["labels"]
    judged = [row["f1"] for row in rows if row["support"]]
    if len(judged) > 1:
        caption = tell(
            f"F1 of each of {len(judged)} labels, weakest first.",
            f"{len(judged)} 个标签各自的 F1，从弱到强。",
        )
        yield columns(judged, tell("F1 by label", "各标签的 F1"), caption)
    head = (
        *(tell("label", "标签"), "", "F1 %", tell("precision %", "精确率 %"), tell("recall %", "召回率 %")),
        *(tell("tested", "测试"), tell("learned", "学习")),
    )
    body = [
        (
            row["label"],
            bar(row["f1"]),
            *(percent(row[key]) for key in ("f1", "precision", "recall")),
            str(row["support"]),
            str(row["trained"]),
        )
        for row in rows
    ]
    yield table(head, body, numbers=range(2, 7), search=tell("Find a label", "查找标签"))


def confusions(details: Details, tell: Tell) -> Iterator[str]:
    pairs, matrix = details["confusions"], details.get("matrix") or {"labels": []}
    if not pairs:
        yield paragraph(tell("Nothing was confused.", "没有混淆。"))
        return
    if len(matrix["labels"]) > 1:
        yield heat_map(matrix["labels"], matrix["counts"], tell)
    most = pairs[0]["count"]
    head = (
        *(tell("is", "实际"), tell("taken for", "判为"), tell("texts", "文本"), ""),
        tell("the surest of them (line)", "其中最有把握的（行号）"),
    )
    body = [
        (
            pair["truth"],
            pair["named"],
            str(pair["count"]),
            bar(pair["count"] / most, width=90),
            lines(_placed(one) for one in pair["examples"]),
        )
        for pair in pairs
    ]
    yield table(head, body, numbers=(2,))


def _placed(example: Mapping[str, Any]) -> str:
    line = example.get("line")
    return short(example["text"]) + (f" ({line})" if line is not None else "")


def short(text: str, limit: int = CUT) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def calibration(details: Details, tell: Tell) -> Iterator[str]:
    bins = [row for row in details["calibration"]["bins"] if row["texts"]]
    yield reliability([(row["probability"], row["right"], row["texts"]) for row in bins], tell)
    head = (
        *(tell("probability", "概率"), tell("texts", "文本")),
        *(tell("said, on average %", "平均所报 %"), tell("right %", "正确 %")),
    )
    body = [
        (
            f"{row['from']:.1f} – {row['to']:.1f}",
            str(row["texts"]),
            percent(row["probability"]),
            percent(row["right"]),
        )
        for row in bins
    ]
    yield table(head, body, numbers=(1, 2, 3))


def scope_curve(details: Details, tell: Tell) -> str:
    return roc(details["roc"], tell) if details.get("roc") else ""


def learning(history: Sequence[Mapping[str, Any]], tell: Tell) -> str:
    """Loss and each validation figure: `history` holds {"epoch", "loss", ...} each. Nothing where it is one epoch."""
    drawn = []
    for name in dict.fromkeys(name for step in history for name in step if name != "epoch"):
        known = [(float(s["epoch"]), float(s[name])) for s in history if isinstance(s.get(name), int | float)]
        if len(known) > 1:
            said = tell("loss", "损失") if name == "loss" else f"{name}{tell(' (validation)', '（验证集）')}"
            drawn.append(curve(known, said, tell(f"{said}, by epoch.", f"{said}，按轮次。")))
    return f'<div class="plots">{"".join(drawn)}</div>' if drawn else ""


def answers(rows: Sequence[Mapping[str, Any]], live: Sequence[Mapping[str, Any]], tell: Tell) -> str:
    """Each question with what was expected and what came: first those that only `live` got right, then wrong ones."""
    before = {row["id"]: row for row in live}
    head = [
        "",
        tell("question", "问题"),
        tell("expected", "应为"),
        tell("came", "实为"),
        tell("confidence %", "置信度 %"),
        tell("language", "语言"),
        tell("id", "编号"),
    ]
    body = []
    for row in sorted(rows, key=lambda row: _worst_first(row, before.get(row["id"]))):
        cells = [
            _mark(bool(row["right"]), tell),
            lines(map(short, row["turns"])),
            ", ".join(row["expected"]),
            row["got"],
            percent(row["confidence"]),
            names.language(row["lang"], tell),
            kept(row["id"]),
        ]
        body.append([*cells, *([_before(before.get(row["id"]), tell)] if before else [])])
    if before:
        head.append(tell("live release", "线上版本"))
    return table(head, body, numbers=(4,), search=tell("Find a question", "查找问题"))


def _worst_first(row: Mapping[str, Any], live: Mapping[str, Any] | None) -> tuple[bool, bool]:
    lost = live is not None and live["right"] and not row["right"]
    return not lost, bool(row["right"])


def _before(live: Mapping[str, Any] | None, tell: Tell) -> str:
    return "" if live is None else Drawn(f"{_mark(bool(live['right']), tell)} {escape(short(live['got']))}")


def _mark(right: bool, tell: Tell) -> Drawn:
    kind, sign, word = ("good", "✓", tell("right", "对")) if right else ("bad", "✗", tell("wrong", "错"))
    return Drawn(f'<b class="keep {kind}">{sign} {escape(word)}</b>')


def tokens(rows: Sequence[Mapping[str, Any]], tell: Tell) -> Iterator[str]:
    """Of each text the tokens that spoke for its label, and against it: what `training.attribute` writes."""
    for row in rows:
        truth = row.get("truth")
        yield heading(
            tell(f"Why {row['label']}", f"为何判为 {row['label']}") + (f" ≠ {truth}" if truth else "")
        )
        yield f'<p class="tokens">{"".join(_token(*pair) for pair in scaled(row))}</p>'
        sure, way = percent(row["probability"]), f"{row['baseline']:+.2f} → {row['logit']:+.2f}"
        yield paragraph(
            tell(
                f"Probability {sure} %. Logit without the text and with it: {way}; its words add {row['words']:+.2f}.",
                f"概率 {sure} %。无文本与有文本时的 logit：{way}；词汇部分另加 {row['words']:+.2f}。",
            )
        )
    yield paragraph(
        tell(
            "Underlined: spoke for the label. Dotted: spoke against it. Integrated Gradients; the shares add up to the "
            "difference of the logits.",
            "实线：支持该标签；点线：反对该标签。方法为积分梯度，各词元之和等于两个 logit 之差。",
        )
    )


def scaled(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Tokens of an attribution with their shares, as parts of the largest one: -1 to 1."""
    most = max((abs(share) for _, share in row["tokens"]), default=0.0)
    return [(token, share / most if most else 0.0) for token, share in row["tokens"]]


def _token(token: str, share: float) -> str:
    """`share`: of the largest attribution among the text's tokens, -1 to 1."""
    level = min(round(3 * abs(share)), 3)
    kind = f' class="{"f" if share > 0 else "a"}{level}"' if level else ""
    return f'<span{kind} title="{share:+.2f}">{escape(token)}</span>'


def card(told: Mapping[str, Any], tell: Tell) -> Iterator[str]:
    """A data card as `training.dataset` writes it."""
    splits = ("train", "valid", "test")
    tasks = told.get("tasks", {})
    head = (
        tell("task", "任务"),
        *(tell(*pair) for pair in (("train", "训练"), ("valid", "验证"), ("test", "测试"))),
    )
    body = [
        (
            tell(*names.FAMILIES.get(task, (task, task))),
            *(str(about["rows"].get(split, 0)) for split in splits),
        )
        for task, about in tasks.items()
    ]
    yield table((*head, tell("labels", "标签")), [
        (*row, str(len(about.get("labels", {})))) for row, about in zip(body, tasks.values(), strict=True)
    ], numbers=range(1, 5))  # fmt: skip
    sources = told.get("sources", ())
    if sources:
        names_of = (
            tell("source", "来源"),
            tell("kind", "类型"),
            tell("rows", "行数"),
            tell("terms", "使用条款"),
        )
        yield table(
            names_of,
            [(s["name"], s["kind"], str(s["rows"]), s.get("terms") or "") for s in sources],
            numbers=(2,),
        )
    yield points(_said(told, tell))


def _said(told: Mapping[str, Any], tell: Tell) -> Iterator[str]:
    for gone in told.get("removed", ()):
        if gone["rows"]:
            yield f"{gone['task']}: {gone['rows']} {tell('rows left out', '行被剔除')}: {gone['reason']}"
    for kind, count in told.get("scrubbed", {}).items():
        yield f"{tell('masked', '已遮盖')}: {kind} ({count})"
    for kind, count in told.get("leaks", {}).items():
        if not count:
            continue
        yield f"{tell('on two sides of a split, not trained on', '跨数据划分，未用于训练')}: {kind} ({count})"
    yield from told.get("notes", ())
    if told.get("hash"):
        yield f"{tell('content hash', '内容哈希')} {told['hash']}"
