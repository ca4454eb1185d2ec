"""What is found, as JSON lines: between parent and child, and in the files of what was parsed before."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from bot.documents.model import Flaw, Found, Passage, Record

_KINDS: dict[str, type[Passage] | type[Record] | type[Flaw]] = {
    kind.__name__: kind for kind in (Passage, Record, Flaw)
}


def to_line(found: Found) -> str:
    return json.dumps([type(found).__name__, asdict(found)], ensure_ascii=True)


def from_line(line: str) -> Found:
    """Raises ValueError, KeyError or TypeError for what `to_line` did not write."""
    name, values = json.loads(line)
    return _KINDS[name](**{key: _frozen(value) for key, value in values.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
