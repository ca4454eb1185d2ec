"""OpenAI-compatible servers that stand in for one another: each with a breaker, all with one gate.

Servers are asked in their order: the next one where the one before fails, rests or is too slow, and all again after
a pause, as long as nothing was said. From the first word on there is no way back: what was said was seen, and whoever
listens has a stored answer for the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from bot.errors import GeneratorError
from bot.inference.breaker import Breaker
from bot.inference.completions import Chat, ChatServer
from bot.inference.gate import Gate
from bot.inference.generator import Bill
from bot.inference.heard import Heard
from bot.inference.upstream import Bounds, Upstream, UpstreamError
from bot.observer import UNOBSERVED, Generation, Observer

log = logging.getLogger(__name__)

ROUNDS = 3
_JITTER = wait_random_exponential(multiplier=0.1, max=1.0)
"""Anything from nothing to 0.1, then 0.2 s: many customers do not come back at one moment."""
WAITS_AT_MOST = 0.5
"""Of an answer's time, for a free place: later there would be no time left to answer in."""


@dataclass(frozen=True, slots=True)
class _Time:
    """`all_s`: seconds of the whole answer; `ends`: when they are over, by the loop's clock."""

    all_s: float
    ends: float

    @property
    def left(self) -> float:
        return self.ends - asyncio.get_running_loop().time()


class _NobodyAnswered(Exception):
    """In one round. `pause_s`: after how long a server that is worth it may be asked again; None: none is."""

    def __init__(self, failure: GeneratorError, pause_s: float | None) -> None:
        self.failure, self.pause_s = failure, pause_s


class Servers:
    """`upstreams`: the first that works is asked; at least one."""

    def __init__(
        self, upstreams: Sequence[Upstream], bounds: Bounds | None = None, *, observer: Observer = UNOBSERVED
    ) -> None:
        bounds = bounds or Bounds()
        self._lines = [_Line(upstream, bounds, observer) for upstream in upstreams]
        self._gate = Gate(bounds.in_flight, bounds.waiting)
        self.name = f"openai:{upstreams[0].model}"

    async def open(self) -> None:
        for line in self._lines:
            await line.server.open()

    async def say(self, chat: Chat, deadline: float, bill: Bill | None) -> AsyncGenerator[str, None]:
        """Pieces of one answer; `deadline`: seconds for all of it. `bill`: as in `Generator.stream`. Raises
        GeneratorError.
        """
        time = _Time(deadline, asyncio.get_running_loop().time() + deadline)
        async with self._gate.place(patience=WAITS_AT_MOST * deadline):
            first, rest = await self._begin(chat, time, [] if bill is None else bill)
            async with aclosing(rest):
                yield first
                async for piece in rest:
                    yield piece

    async def close(self) -> None:
        await asyncio.gather(*(line.server.close() for line in self._lines))

    async def _begin(self, chat: Chat, time: _Time, bill: Bill) -> tuple[str, AsyncGenerator[str, None]]:
        """The first piece, and the stream of all others."""
        rounds = AsyncRetrying(
            retry=retry_if_exception(lambda e: isinstance(e, _NobodyAnswered) and e.pause_s is not None),
            wait=_pause,
            stop=stop_after_attempt(ROUNDS) | stop_before_delay(time.left),
            reraise=True,
        )
        try:
            return await rounds(self._ask_each, chat, time, bill)
        except _NobodyAnswered as nobody:
            failure = nobody.failure
        raise failure

    async def _ask_each(self, chat: Chat, time: _Time, bill: Bill) -> tuple[str, AsyncGenerator[str, None]]:
        failures: list[UpstreamError] = []
        for line in self._lines:
            ticket = line.breaker.admit()
            if ticket is None:
                continue
            stream = line.ask(chat, ticket, time, bill)
            try:
                return await anext(stream), stream
            except UpstreamError as error:
                failures.append(error)
                log.info("generator server %s: %s", line.place, error.message)
            if time.left <= 0:
                break
        if not failures:
            raise _NobodyAnswered(
                GeneratorError("Every generator server is left alone after failures."), None
            )
        pauses = [failure.rest_s or 0.0 for failure in failures if failure.again]
        raise _NobodyAnswered(failures[-1], min(pauses) if pauses else None)


class _Line:
    """One server, how it has been doing, and what is counted of it."""

    def __init__(self, upstream: Upstream, bounds: Bounds, observer: Observer) -> None:
        self.server = ChatServer(upstream, bounds)
        self.place = upstream.place
        self.breaker = Breaker(lambda: asyncio.get_running_loop().time(), self._told)
        self._model, self._bounds, self._observer = upstream.model, bounds, observer

    async def ask(self, chat: Chat, ticket: int, time: _Time, bill: Bill) -> AsyncGenerator[str, None]:
        """One attempt; at least one piece, or an error. Breaker and bill get their report however it ends."""
        heard = Heard(chat.words)
        began = asyncio.get_running_loop().time()
        end, first_s = "given_up", None
        report: Callable[[int], None] = self.breaker.released
        try:
            async with aclosing(self._in_time(chat, heard, time)) as pieces:
                async for piece in pieces:
                    if first_s is None:
                        first_s = asyncio.get_running_loop().time() - began
                        report = self.breaker.succeeded  # should nobody want to hear the rest
                    yield piece
            end = "done"
        except UpstreamError as error:
            end = error.kind
            if error.blame:
                report = partial(self.breaker.failed, rest_s=error.rest_s)
            elif end != "slow":
                report = self.breaker.succeeded  # it answers, if not as one would like
            raise
        finally:
            report(ticket)
            done = self._generation(heard, end, first_s)
            bill.append(done)
            self._observer.generated(done)

    def _generation(self, heard: Heard, end: str, first_s: float | None) -> Generation:
        tokens = heard.prompt_tokens, heard.completion_tokens
        cost = self.server.upstream.price.of(*tokens)
        return Generation(self.place, self._model, end, *tokens, first_s, cost)

    async def _in_time(self, chat: Chat, heard: Heard, time: _Time) -> AsyncGenerator[str, None]:
        """Each step is timed on its own: a timeout around a `yield` would strike the consumer."""
        loop = asyncio.get_running_loop()
        early = time.left > time.all_s / 2
        allowed = self._bounds.first_token_s
        async with aclosing(self.server.say(chat, heard)) as pieces:
            while True:
                until = min(loop.time() + allowed, time.ends)
                try:
                    async with asyncio.timeout_at(until):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    if heard.finished:
                        return
                    raise _too_slow(heard, time, allowed, over=until >= time.ends, early=early) from None
                yield piece
                allowed = self._bounds.between_tokens_s

    def _told(self, is_open: bool) -> None:
        if is_open:
            log.warning("generator server %s is left alone for a while", self.place)
        else:
            log.info("generator server %s works again", self.place)
        self._observer.rests(self.place, self._model, is_open)


def _too_slow(heard: Heard, time: _Time, allowed: float, *, over: bool, early: bool) -> UpstreamError:
    """A server that was asked when half of the time was gone is not to blame for the end of it."""
    if over:
        what = f"The generator took longer than {time.all_s:.1f} s."
    elif heard.pieces:
        what = f"The generator server said nothing more for {allowed:.1f} s."
    else:
        what = f"The generator server did not begin within {allowed:.1f} s."
    return UpstreamError(what, kind="slow", blame=early or not over)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.pause_s if isinstance(error, _NobodyAnswered) else None
    return (asked or 0.0) + _JITTER(state)
