"""Requests made up from the document, valid and not: never a fault of ours, and every answer is as described."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from bot.api.openapi import document
from bot.api.v1 import RESOURCES
from tests.integration.server.api import opened
from tests.integration.server.process import Server

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Made: TypeAlias = Case[Operation]

EXAMPLES = 10
"""A kind of request and an operation."""
LONGEST_WAIT_S = 0.1
CONFORMS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
"""Not `positive_data_acceptance`: which intents a bot has, and what its database holds, no schema says."""
REFUSES = [*CONFORMS, checks.negative_data_rejection, checks.ignored_auth]

SCHEMA = schemathesis.openapi.from_dict(document(RESOURCES, version="0"))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
KINDS = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def running(shop_server: Server) -> Server:
    if not shop_server.running:
        shop_server.start()
    return shop_server


@pytest.fixture(scope="module")
def things(running: Server) -> dict[str, str]:
    """Resource -> the id of one that is there."""

    async def make() -> dict[str, str]:
        async with opened(running) as api:
            conversation = await api.data("POST", "/conversations", json={}, status=201)
            body = {"key": "made-up", "question": "What was made up?", "answer": "This."}
            entry = await api.data("POST", "/knowledge", json=body, status=201)
            return {"conversations": conversation["id"], "knowledge": entry["id"]}

    return asyncio.run(make())


async def test_the_served_document_is_the_one_that_is_tried(server: Server) -> None:
    async with opened(server) as api:
        assert api.document["paths"] == document(RESOURCES, version="0")["paths"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_made_up_requests_are_answered_as_described(
    operation: Operation, kind: GenerationMode, running: Server
) -> None:
    _try(operation, kind, lambda case: _send(case, running, REFUSES))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if "{id}" in o.path], ids=lambda operation: operation.label
)
def test_made_up_requests_for_what_is_there_are_answered_as_described(
    operation: Operation,
    kind: GenerationMode,
    running: Server,
    things: dict[str, str],
) -> None:
    def send(case: Made) -> None:
        resource = case.path.split("/")[3]
        case.path_parameters["id"] = things.get(resource, "unknown")
        _send(case, running, CONFORMS)

    _try(operation, kind, send)


def _try(operation: Operation, kind: GenerationMode, send: Callable[[Made], None]) -> None:
    try:
        strategy = operation.as_strategy(generation_mode=kind)
    except schemathesis.errors.SchemathesisError:
        pytest.skip("nothing can be wrong with a request that takes nothing")

    @settings(
        max_examples=EXAMPLES,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=strategy)
    def run(case: Made) -> None:
        send(case)

    run()


def _send(case: Made, server: Server, wanted: Sequence[CheckFunction]) -> None:
    wait = case.query.get("wait")
    if isinstance(wait, int | float) and wait > LONGEST_WAIT_S:
        case.query["wait"] = LONGEST_WAIT_S
    key = {"Authorization": f"Bearer {server.key}"}
    case.call_and_validate(base_url=server.url, headers=key, checks=list(wanted))
