"""The OpenAPI document, made from the operations: handlers' types are the one place where they are described."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api.routing import JSON, Operation, Routes
from bot.api.shapes import Error

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]

REF = "#/components/schemas/{model}"
_PLACES = {"path": "path", "query": "query", "headers": "header"}
_ALWAYS = (401, 403, 422, 429, 500, 503)
"""What any operation may answer."""
_WITH_BODY = (400, 413, 415)
_MEANINGS = {
    400: "The body is not JSON, or holds no message.",
    401: "No key, or a wrong one.",
    403: "The API is closed: the setting KEFU_API_KEYS opens it.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand; the message says why.",
    413: "The body is too large.",
    415: "The body is not called application/json.",
    422: "Well formed, but not what is described here; the message says what.",
    429: "Too much at once: wait as long as `Retry-After` says.",
    500: "A fault of ours.",
    503: "Not now: the database or the encoder has too much to do, or is away.",
}


def document(resources: Sequence[Routes], *, version: str) -> Json:
    """The whole document, OpenAPI 3.1."""
    schemas = _Schemas(operation for routes in resources for operation in routes.operations)
    paths: dict[str, Json] = {}
    for routes in resources:
        for operation in routes.operations:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kefu",
            "version": version,
            "description": "A customer-service bot: its knowledge, its conversations, and talking to it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [{"name": routes.tag, "description": routes.about} for routes in resources],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of KEFU_API_KEYS."}
            },
        },
    }


class _Schemas:
    """Every model's schema. Those of parameters are taken apart, the others become components."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: dict[tuple[type[BaseModel], _Mode], None] = {(Error, "serialization"): None}
        for operation in operations:
            wanted[operation.answer, "serialization"] = None
            wanted |= {(model, "validation"): None for model in operation.inputs.values()}
        refs, definitions = models_json_schema(list(wanted), ref_template=REF)
        self._refs = {(model.__name__, mode): ref for (model, mode), ref in refs.items()}
        self._all: dict[str, Json] = definitions["$defs"]
        self._apart: set[str] = set()

    @property
    def components(self) -> Json:
        return {name: schema for name, schema in self._all.items() if name not in self._apart}

    def ref(self, model: type[BaseModel], mode: _Mode) -> Json:
        return self._refs[model.__name__, mode]

    def parameters(self, model: type[BaseModel], place: str) -> Iterator[Json]:
        name = self.ref(model, "validation")["$ref"].rpartition("/")[2]
        self._apart.add(name)
        schema = self._all[name]
        for parameter, described in schema["properties"].items():
            yield {
                "name": parameter,
                "in": place,
                "required": parameter in schema.get("required", ()),
                "description": described.get("description", ""),
                "schema": _simple(described),
            }


def _simple(schema: Json) -> Json:
    """A parameter that is left out is no null."""
    kept = {key: value for key, value in schema.items() if key not in ("title", "description")}
    options = [option for option in kept.pop("anyOf", ()) if option != {"type": "null"}]
    if options:
        kept = {key: value for key, value in kept.items() if (key, value) != ("default", None)} | options[0]
    return kept


def _operation(operation: Operation, schemas: _Schemas) -> Json:
    summary, _, more = cleandoc(operation.handler.__doc__ or "").partition("\n")
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": more.strip() or summary,
        "responses": _responses(operation, schemas),
    }
    parameters = [
        parameter
        for place, model in operation.inputs.items()
        if place in _PLACES
        for parameter in schemas.parameters(model, _PLACES[place])
    ]
    if parameters:
        described["parameters"] = parameters
    if (body := operation.inputs.get("body")) is not None:
        described["requestBody"] = {"required": True, "content": _json(schemas.ref(body, "validation"))}
    return described


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    good = {
        "description": HTTPStatus(operation.status).phrase,
        "content": _json(schemas.ref(operation.answer, "serialization")),
    }
    statuses = {*_ALWAYS, *operation.problems, *(_WITH_BODY if "body" in operation.inputs else ())}
    if "path" in operation.inputs:
        statuses.add(404)
    error = _json(schemas.ref(Error, "serialization"))
    return {str(operation.status): good} | {
        str(status): {"description": _MEANINGS[status], "content": error} | _headers(status)
        for status in sorted(statuses)
    }


def _headers(status: int) -> Json:
    if status not in (429, 503):
        return {}
    header = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
    return {"headers": {"Retry-After": header}}


def _json(schema: Json) -> Json:
    return {JSON: {"schema": schema}}
