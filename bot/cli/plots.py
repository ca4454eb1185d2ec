"""Plots as inline SVG, in the page's colours: a handful of lines each, and nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bot.cli.page import Drawn, Tell, broken, percent, wide
from training.evaluation import Metric

_SIDE, _LEFT, _TOP = 300, 46, 12
_WIDTH = 170
_LEVELS = 5
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
Point = tuple[float, float]
"""Shares (0..1) to the right and upwards."""


def bar(share: float, *, width: int = 140) -> Drawn:
    """A share (0..1) as a bar."""
    filled = round(width * min(max(share, 0.0), 1.0), 1)
    return Drawn(
        f'<svg width="{width}" height="14" viewBox="0 0 {width} 14" role="img" aria-label="{percent(share)} %">'
        f'<rect class="back" width="{width}" height="14" rx="3"/>'
        f'<rect class="bar" width="{filled}" height="14" rx="3"/></svg>'
    )


def whisker(one: Metric, scale: Point, live: Metric | None = None) -> Drawn:
    """A figure as a dot on its interval, the live one as a ring, between the ends of `scale`."""

    def at(value: float) -> float:
        low, high = scale
        return round(8 + (_WIDTH - 16) * (min(max(value, low), high) - low) / (high - low or 1), 1)

    ring = f'<circle class="rival" cx="{at(live.value)}" cy="8" r="6"/>' if live else ""
    said = f"{percent(one.value)} %, {percent(one.low)} – {percent(one.high)} %"
    return Drawn(
        f'<svg width="{_WIDTH}" height="16" viewBox="0 0 {_WIDTH} 16" role="img" aria-label="{said}">'
        f'<line class="line" x1="8" x2="{_WIDTH - 8}" y1="8" y2="8"/>'
        f'<line class="range" x1="{at(one.low)}" x2="{at(one.high)}" y1="8" y2="8"/>'
        f'<circle class="bar" cx="{at(one.value)}" cy="8" r="4"/>{ring}</svg>'
    )


def columns(shares: Sequence[float], label: str, caption: str) -> str:
    """Many shares as thin columns, smallest first."""
    height, count = 90, max(len(shares), 1)
    width = min(max(4 * count, 240), 720)
    step = width / count
    bars = "".join(
        f'<rect class="bar" x="{_LEFT + place * step:.1f}" width="{max(step - 1, 0.8):.1f}" '
        f'y="{_TOP + height * (1 - share):.1f}" height="{max(height * share, 0.5):.1f}"/>'
        for place, share in enumerate(sorted(shares))
    )
    marks = "".join(_level(tick, height, width) for tick in (0.0, 0.5, 1.0))
    size = f"{_LEFT + width + 10} {height + _TOP + 10}"
    return _figure(f'<svg width="{size.split()[0]}" viewBox="0 0 {size}"', label, marks + bars, caption)


def _level(tick: float, height: int, width: int) -> str:
    y = _TOP + height * (1 - tick)
    return (
        f'<line class="line" x1="{_LEFT}" x2="{_LEFT + width}" y1="{y}" y2="{y}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:.0%}</text>'
    )


def reliability(bins: Sequence[tuple[float, float, int]], tell: Tell) -> str:
    """(mean probability, share that is right, number of texts) of each bin that holds any."""
    most = max((count for *_, count in bins), default=1)
    dots = "".join(
        f'<circle class="bar" cx="{_x(p)}" cy="{_y(right)}" r="{3 + 6 * (count / most) ** 0.5:.1f}"/>'
        for p, right, count in bins
    )
    inner = _square(tell("probability said", "所报概率")) + _diagonal() + dots
    caption = tell(
        "Upwards: share that is right. On the dashed line probabilities mean what they say; large dots: many texts.",
        "纵轴为判断正确的比例。落在虚线上说明概率名副其实；点越大，文本越多。",
    )
    return _plot(tell("Reliability diagram", "可靠性图"), inner, caption)


def roc(points: Sequence[Sequence[float]], tell: Tell) -> str:
    """[share of what is in scope that is rejected, share of the rest that is found] each, ascending."""
    line = " ".join(f"{_x(rejected)},{_y(found)}" for rejected, found in points)
    inner = (
        _square(tell("in scope, rejected all the same", "范围内却被拒答"))
        + _diagonal()
        + f'<polyline class="curve" points="{line}"/>'
    )
    caption = tell(
        "Upwards: share of what is out of scope that is found. The dashed line is chance.",
        "纵轴为范围外文本中被识别出的比例。虚线为随机猜测。",
    )
    return _plot(tell("ROC curve", "ROC 曲线"), inner, caption)


def risk(
    points: Sequence[Sequence[float]], promised: float | None, tell: Tell, *, bound: Point | None = None
) -> str:
    """[share of texts that are answered, share of these that is wrong] each, ascending. `promised`: 0..1, if anything
    is; `bound`: such a pair, where the bot stops answering.
    """
    most = max(promised or 0.0, *(r for _, r in points))
    top = next(level for level in (0.1, 0.2, 0.5, 1.0) if level >= most)
    line = " ".join(f"{_x(coverage)},{_y(wrong / top)}" for coverage, wrong in points)
    marks = "".join(
        f'<line class="line" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(tick)}" y2="{_y(tick)}"/>'
        f'<text x="{_LEFT - 6}" y="{_y(tick) + 4}" text-anchor="end">{100 * top * tick:g}%</text>'
        f'<text x="{_x(tick)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{tick:.0%}</text>'
        for tick in TICKS
    )
    below = escape(tell("texts that are answered, the surest first", "被回答的文本，从最有把握的开始"))
    axis = f'<text x="{_x(0.5)}" y="{_TOP + _SIDE + 38}" text-anchor="middle">{below}</text>'
    even = "" if promised is None else _across(promised / top)
    caption = tell("Upwards: share of what is answered that is wrong.", "纵轴为所作回答中错误的比例。")
    if promised is not None:
        caption += tell(
            " The dashed line is the promise; a dot: how far it is kept.",
            "虚线为所作的承诺；圆点表示在承诺之内回答到哪里。",
        )
    dot = f'<circle class="bar" cx="{_x(bound[0])}" cy="{_y(bound[1] / top)}" r="5"/>' if bound else ""
    inner = f'{marks}{axis}{even}<polyline class="curve" points="{line}"/>{dot}'
    return _plot(tell("Risk and coverage", "风险与覆盖率"), inner, caption)


def _across(level: float) -> str:
    return f'<line class="even" x1="{_x(0)}" y1="{_y(level)}" x2="{_x(1)}" y2="{_y(level)}"/>'


def curve(points: Sequence[Point], label: str, caption: str) -> str:
    """(epoch, value) each, ascending; the axes end where the values do."""
    firsts, values = [first for first, _ in points], [value for _, value in points]
    left, right, low, high = min(firsts), max(firsts), min(values), max(values)

    def place(first: float, value: float) -> Point:
        return (first - left) / (right - left or 1), (value - low) / (high - low or 1)

    line = " ".join(f"{_x(x)},{_y(y)}" for x, y in (place(*point) for point in points))
    dots = "".join(
        f'<circle class="bar" cx="{_x(x)}" cy="{_y(y)}" r="3"/>'
        for x, y in (place(*point) for point in points)
    )
    middle = (low + high) / 2
    marks = "".join(
        f'<line class="line" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(at)}" y2="{_y(at)}"/>'
        f'<text x="{_LEFT - 6}" y="{_y(at) + 4}" text-anchor="end">{value:.3g}</text>'
        for at, value in ((0.0, low), (0.5, middle), (1.0, high))
    ) + "".join(
        f'<text x="{_x(at)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{value:g}</text>'
        for at, value in ((0.0, left), (1.0, right))
    )
    return _plot(label, f'{marks}<polyline class="curve" points="{line}"/>{dots}', caption)


def heat_map(labels: Sequence[str], counts: Sequence[Sequence[int]], tell: Tell) -> str:
    """counts[is][taken for]; a table, so that it can be read aloud, and shaded by mistakes."""
    most = max((n for row, line in enumerate(counts) for at, n in enumerate(line) if at != row), default=0)
    top = "".join(f'<th scope="col">{number}</th>' for number in range(1, len(labels) + 1))
    rows = "".join(
        f'<tr><th scope="row">{row + 1}&ensp;{broken(label)}</th>'
        + "".join(_shade(count, most, same=at == row) for at, count in enumerate(counts[row]))
        + "</tr>\n"
        for row, label in enumerate(labels)
    )
    corner = escape(tell("is ↓  taken for →", "实际 ↓  判为 →"))
    return wide(
        f'<table class="heat"><thead><tr><th scope="col">{corner}</th>{top}</tr></thead><tbody>\n{rows}</tbody></table>'
    )


def _shade(count: int, most: int, *, same: bool) -> str:
    if same:
        return f'<td class="same">{count or ""}</td>'
    level = -(-_LEVELS * count // most) if most and count else 0
    return f'<td class="h{level}">{count}</td>' if level else "<td></td>"


def _square(below: str) -> str:
    """Axes from 0 to 100 %."""
    marks = "".join(
        f'<line class="line" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(tick)}" y2="{_y(tick)}"/>'
        f'<text x="{_LEFT - 6}" y="{_y(tick) + 4}" text-anchor="end">{tick:.0%}</text>'
        f'<text x="{_x(tick)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{tick:.0%}</text>'
        for tick in TICKS
    )
    return f'{marks}<text x="{_x(0.5)}" y="{_TOP + _SIDE + 38}" text-anchor="middle">{escape(below)}</text>'


def _diagonal() -> str:
    return f'<line class="even" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'


def _plot(label: str, inner: str, caption: str) -> str:
    width, height = _LEFT + _SIDE + 24, _TOP + _SIDE + 44
    return _figure(f'<svg width="{width}" viewBox="0 0 {width} {height}"', label, inner, caption)


def _figure(opened: str, label: str, inner: str, caption: str) -> str:
    return (
        f'<figure>{opened} role="img" aria-label="{escape(label)}">{inner}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _x(share: float) -> float:
    return round(_LEFT + _SIDE * share, 1)


def _y(share: float) -> float:
    return round(_TOP + _SIDE * (1 - share), 1)
