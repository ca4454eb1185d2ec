"""The public data sets, as they lie in the folder that `--data` names; their README says what each holds."""

from __future__ import annotations

import gzip
import json
from typing import Any

from bench import NoData, Options

Row = dict[str, Any]


def rows(options: Options, name: str) -> list[Row]:
    """All rows of `SET/FILE`. Raises `NoData`."""
    if options.data is None:
        raise NoData("give the folder of the public data sets: --data DIR")
    path = options.data / f"{name}.jsonl.gz"
    if not path.is_file():
        raise NoData(f"{path} is not there")
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]
