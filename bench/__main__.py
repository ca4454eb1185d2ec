"""`python -m bench NAME`: a table for people on standard output, one flat JSON object in a file.

Exit code 3: the bench lacks its data.
"""

from __future__ import annotations

import json
import pkgutil
import sys
import time
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

import bench
from bench import NoData, Options

_LACKS_DATA = 3
_errors = Console(stderr=True)


def names() -> list[str]:
    """Benches there are."""
    return sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))


@click.command(help=__doc__)
@click.argument("name", type=click.Choice(names()))
@click.option(
    "--json", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here."
)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Public data sets."
)
@click.option("--only", default="", help="Measure these keys alone, divided by commas.")
def main(name: str, target: Path | None, data: Path | None, only: str) -> None:
    wanted = frozenset(key.strip() for key in only.split(",") if key.strip())
    started = time.perf_counter()
    options = Options(
        lambda text: _errors.print(f"[{time.perf_counter() - started:7.1f} s] {text}", markup=False),
        data,
        wanted,
    )
    try:
        figures: dict[str, float] = import_module(f"bench.{name}").run(options)
    except NoData as missing:
        _errors.print(f"{name} lacks its data: {missing}", markup=False)
        sys.exit(_LACKS_DATA)
    if wanted:
        figures = {key: value for key, value in figures.items() if key in wanted}
    _show(name, figures)
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _show(name: str, figures: dict[str, float]) -> None:
    table = Table("key", "figure", title=name)
    table.columns[1].justify = "right"
    for key, value in figures.items():
        table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
