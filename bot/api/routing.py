"""From a typed function to a route and its description: nothing is written twice.

    ROUTES = Routes("things", "What things are.")

    @ROUTES.get("/things/{id}", problems=(404,))
    async def read_thing(call: Call, path: ById) -> Data[Thing]:
        \"\"\"Read a thing.\"\"\"

`path`, `query`, `headers` and `body` are pydantic models, each may be left out; so may what the docstring says
after its first line. The answer's model is its annotation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_type_hints

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError

from bot.api.errors import Handler, RequestError
from bot.api.house import Call

PREFIX = "/api/v1"
JSON = "application/json"

F = TypeVar("F", bound=Callable[..., Awaitable[BaseModel]])
Admit = Callable[[web.Request], Call]


@dataclass(frozen=True, slots=True)
class Operation:
    """`inputs`: by place (path, query, headers, body). `problems`: statuses it may answer beside the usual ones."""

    method: str
    path: str
    tag: str
    handler: Callable[..., Awaitable[BaseModel]]
    inputs: dict[str, type[BaseModel]]
    answer: type[BaseModel]
    status: int
    problems: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.handler.__name__

    def bind(self, admit: Admit) -> Handler:
        """`admit` lets a request in, or raises."""

        async def handle(request: web.Request) -> web.StreamResponse:
            call = admit(request)
            given = {place: await _READERS[place](request, model) for place, model in self.inputs.items()}
            answer = await self.handler(call, **given)
            return web.Response(body=answer.model_dump_json().encode(), status=self.status, content_type=JSON)

        return handle


class Routes:
    """The operations of one resource."""

    def __init__(self, tag: str, about: str) -> None:
        self.tag, self.about = tag, about
        self.operations: list[Operation] = []

    def get(self, path: str, *, problems: Sequence[int] = ()) -> Callable[[F], F]:
        return self._add(hdrs.METH_GET, path, 200, problems)

    def post(self, path: str, *, status: int = 200, problems: Sequence[int] = ()) -> Callable[[F], F]:
        return self._add(hdrs.METH_POST, path, status, problems)

    def put(self, path: str, *, problems: Sequence[int] = ()) -> Callable[[F], F]:
        return self._add(hdrs.METH_PUT, path, 200, problems)

    def patch(self, path: str, *, problems: Sequence[int] = ()) -> Callable[[F], F]:
        return self._add(hdrs.METH_PATCH, path, 200, problems)

    def delete(self, path: str, *, problems: Sequence[int] = ()) -> Callable[[F], F]:
        return self._add(hdrs.METH_DELETE, path, 200, problems)

    def _add(self, method: str, path: str, status: int, problems: Sequence[int]) -> Callable[[F], F]:
        def register(handler: F) -> F:
            hints = get_type_hints(handler)
            answer, inputs = hints.pop("return"), {name: hints[name] for name in hints if name != "call"}
            self.operations.append(
                Operation(method, PREFIX + path, self.tag, handler, inputs, answer, status, tuple(problems))
            )
            return handler

        return register


async def _path(request: web.Request, model: type[BaseModel]) -> BaseModel:
    try:
        return model.model_validate_strings(dict(request.match_info))
    except ValidationError:  # what is no id of ours is the id of nothing
        raise RequestError(404, "not_found", "There is no such thing.") from None


async def _query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    given = dict(request.query)
    if len(given) < len(request.query):
        raise RequestError(422, "invalid", "A query parameter comes twice.")
    return _checked("query", lambda: model.model_validate_strings(given))


async def _headers(request: web.Request, model: type[BaseModel]) -> BaseModel:
    names = [field.alias or name for name, field in model.model_fields.items()]
    given = {name: request.headers[name] for name in names if name in request.headers}
    return _checked("headers", lambda: model.model_validate_strings(given, by_alias=True))


async def _body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    if request.content_type != JSON:
        raise RequestError(415, "not_json", f"Send the body as {JSON}.")
    body = await request.read()
    return _checked("body", lambda: model.model_validate_json(body))


def _checked(place: str, validate: Callable[[], BaseModel]) -> BaseModel:
    try:
        return validate()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise RequestError(
                400, "bad_json", "The body is not JSON in UTF-8, or nested too deeply."
            ) from None
        where = ".".join([place, *map(str, first["loc"])])[:200]
        raise RequestError(422, "invalid", f"{where}: {first['msg']}.") from None


_READERS = {"path": _path, "query": _query, "headers": _headers, "body": _body}
