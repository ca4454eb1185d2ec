"""docs/reference-http.md says every route: those of the OpenAPI document, and those of the application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot import app
from bot.api.openapi import document
from bot.api.v1 import RESOURCES
from bot.app import Bot, make_app
from bot.clock import SystemClock
from bot.definition import ChannelSpec, load
from bot.domain.policy import Policy
from bot.engine.desk import Desk, Limits
from bot.monitoring.metrics import Metrics
from bot.settings import Settings
from connectors.testing import MemoryGateway

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference-http.md").read_text(encoding="utf-8")
DOCUMENT = document(RESOURCES, version="0")
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
NOTHING: Any = None


def row(method: str, path: str) -> str:
    [found] = [line for line in PAGE.splitlines() if line.startswith(f"| `{method} {path}` |")]
    return found


def inputs(operation: dict[str, Any]) -> Iterator[str]:
    """Names of parameters and of what stands in the body."""
    yield from (parameter["name"] for parameter in operation.get("parameters", ()))
    if body := operation.get("requestBody"):
        name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        yield from DOCUMENT["components"]["schemas"][name]["properties"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda value: str(value)[:60])
def test_an_operation_stands_on_the_page_with_all_that_it_takes(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    said = row(method, path)
    if "as above" in said or "any of them" in said:
        said += row("POST", "/api/v1/knowledge")
    assert set(inputs(operation)) <= set(re.findall(r"`([\w-]+)`", said))


def test_the_page_has_no_operation_that_does_not_exist() -> None:
    named = set(re.findall(r"`([A-Z]+ /api/v1[^`]*)`", PAGE))
    assert named == {f"{method} {path}" for method, path, _ in OPERATIONS}


@pytest.mark.parametrize("site", [True, False])
def test_every_route_of_the_application_stands_on_the_page(
    site: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "find_widget", lambda: tmp_path)
    definition = load(ROOT / "examples" / "bank", knowledge=False)
    channels = (ChannelSpec("web", "webchat"), ChannelSpec("rasa", "rasa"))
    definition = replace(definition, channels=channels, site=definition.site if site else None)
    for route in make_app(_bot(definition)).router.routes():
        assert route.resource is not None
        path = route.resource.canonical.replace("/channels/web/", "/channels/{instance}/")
        if route.method in ("HEAD", "OPTIONS", "*"):
            continue
        assert f"`{route.method} {path}`" in PAGE, path


def _bot(definition: Any) -> Bot:
    """Whole enough to say which routes it has."""
    desk = Desk(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, SystemClock(), Policy(), Limits(), NOTHING)
    gateway = cast(Any, MemoryGateway())
    return Bot(
        definition, Settings(), desk, NOTHING, NOTHING, gateway, Metrics(version="0"), "0", "secret" * 8
    )
