"""Pages that need nothing beside them: parts of HTML, with everything inline, for light and dark screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--ground:#fff;--panel:#f6f8fa;--line:#d1d9e0;--bar:#2f6feb;
--other:#bc4c00}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--ground:#0d1117;--panel:#151b23;--line:#3d444d;
--bar:#6ca4ff;--other:#f0883e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:2rem 1rem 4rem;color:var(--ink);background:var(--ground);
font:16px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2.5rem 0 .6rem}
p{margin:.4rem 0;max-width:46rem}.soft,figcaption{color:var(--soft);font-size:.9rem}
.cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.2rem 0}
.card{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.7rem 1rem;min-width:9rem}
.card b{display:block;font-size:1.45rem;font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line)}
td,th{text-align:left;vertical-align:top;overflow-wrap:break-word}
th{color:var(--soft);font-weight:600;white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
ul{padding-left:1.2rem;max-width:46rem}li{margin:.25rem 0;overflow-wrap:anywhere}
.texts{min-width:22rem}code{font-size:.85em;overflow-wrap:anywhere}
figure{margin:1rem 0}svg{max-width:100%;height:auto;display:block}td svg{max-width:none;margin-top:.3rem}
svg .bar{fill:var(--bar)}svg .back{fill:var(--line)}svg .line{stroke:var(--line);fill:none}
svg .even{stroke:var(--other);stroke-dasharray:5 4;fill:none}svg text{fill:var(--soft);font-size:12px}
"""


def document(title: str, about: str, parts: Iterable[str]) -> str:
    """A whole page; `about` is one line under the title."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f'<p class="soft">{escape(about)}</p>\n{body}\n</body>\n</html>\n'
    )


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def points(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def cards(figures: Iterable[tuple[str, str]]) -> str:
    """(value, what it is) each."""
    inner = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name in figures
    )
    return f'<div class="cards">{inner}</div>'


class Drawn(str):
    """HTML that is put into a cell as it is; every other cell is a text."""

    __slots__ = ()


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """`numbers`: columns that are set to the right."""
    right = set(numbers)
    top = "".join(f"<th{_side(place, right)}>{escape(name)}</th>" for place, name in enumerate(head))
    lines = ("".join(_cell(cell, _side(place, right)) for place, cell in enumerate(row)) for row in rows)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _side(place: int, right: set[int]) -> str:
    return ' class="n"' if place in right else ""


def _cell(cell: str, side: str) -> str:
    return f"<td{side}>{cell if isinstance(cell, Drawn) else escape(cell).replace('_', '_<wbr>')}</td>"


def lines(texts: Iterable[str]) -> Drawn:
    """Texts of one cell, one below the other."""
    return Drawn(f'<div class="texts">{"<br>".join(map(escape, texts))}</div>')


def bar(share: float, *, width: int = 140) -> Drawn:
    """A share (0..1) as a bar."""
    filled = round(width * min(max(share, 0.0), 1.0), 1)
    return Drawn(
        f'<svg width="{width}" height="14" viewBox="0 0 {width} 14" role="img" aria-label="{percent(share)} %">'
        f'<rect class="back" width="{width}" height="14" rx="3"/>'
        f'<rect class="bar" width="{filled}" height="14" rx="3"/></svg>'
    )


def percent(share: float | None) -> str:
    """Without its sign; nothing for nothing."""
    return "" if share is None else f"{100 * share:.1f}"


_SIDE, _LEFT, _TOP = 300, 46, 12


def reliability(bins: Sequence[tuple[float, float, int]]) -> str:
    """(mean probability, share that is right, number of texts) of each bin that holds any."""
    most = max((count for *_, count in bins), default=1)
    dots = "".join(
        f'<circle class="bar" cx="{_x(p)}" cy="{_y(right)}" r="{4 + 10 * (count / most) ** 0.5:.1f}">'
        f"<title>{percent(p)} % said, {percent(right)} % right, {count} texts</title></circle>"
        for p, right, count in bins
    )
    marks = "".join(
        f'<line class="line" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(tick)}" y2="{_y(tick)}"/>'
        f'<text x="{_LEFT - 6}" y="{_y(tick) + 4}" text-anchor="end">{tick:.0%}</text>'
        f'<text x="{_x(tick)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{tick:.0%}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    size = f"{_LEFT + _SIDE + 24} {_TOP + _SIDE + 44}"
    return (
        f'<figure><svg width="{_LEFT + _SIDE + 24}" viewBox="0 0 {size}" role="img" aria-label="Reliability diagram">'
        f'{marks}<line class="even" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>{dots}'
        f'<text x="{_x(0.5)}" y="{_TOP + _SIDE + 38}" text-anchor="middle">probability said</text></svg>'
        "<figcaption>Upwards: share that is right. On the dashed line probabilities mean what they say; larger dots "
        "hold more texts.</figcaption></figure>"
    )


def _x(share: float) -> float:
    return round(_LEFT + _SIDE * share, 1)


def _y(share: float) -> float:
    return round(_TOP + _SIDE * (1 - share), 1)


def data_files(files: dict[str, dict[str, object]]) -> str:
    rows = [
        (name, str(data["file"]), str(data["rows"]), str(data["used"]), str(data["sha256"]))
        for name, data in files.items()
    ]
    return table(("", "file", "rows", "used", "SHA-256"), rows, numbers=(2, 3))
