"""A verifier on servers that fail: no opinion is better than a wrong one, and nothing of it is lost on the bill."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from bot.inference.faulty import (
    TOLD,
    Behaviour,
    FaultyServer,
    break_off,
    hang_first,
    page,
    raw,
    refusing,
    saying,
    sending,
    telling,
)
from bot.inference.generator import Bill
from bot.inference.grounding.served import ServedVerifier
from bot.inference.grounding.verifier import FINAL, SHOWN, TAUGHT
from bot.inference.upstream import Bounds, Price, Upstream

PATIENCE_S = 20.0
SURE = {"Yes": math.log(0.9), " no": math.log(0.05), "Maybe": math.log(0.05)}
ODDS = math.log((0.9 + 1e-4) / (0.05 + 1e-4))
KEY = "zxq-key"
NOBODY = Upstream("http://127.0.0.1:9/v1", "down")


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyServer]:
    async with FaultyServer() as server:
        yield server


async def read(
    *upstreams: Upstream, taught: bool = False, patience: float = PATIENCE_S, bill: Bill | None = None
) -> float | None:
    verifier = ServedVerifier(upstreams, Bounds(first_token_s=patience), taught=taught)
    try:
        until = time.monotonic() + patience
        return await verifier.evidence(
            "what does it cost", "It costs 10.", title="Price", deadline=until, bill=bill
        )
    finally:
        await verifier.close()


async def test_it_asks_for_one_token_and_for_what_that_could_have_been(faulty: FaultyServer) -> None:
    faulty.behaviour = telling(SURE)
    assert await read(Upstream(faulty.url, "m")) == pytest.approx(SHOWN.evidence(ODDS))
    assert await read(Upstream(faulty.url, "m"), taught=True) == pytest.approx(TAUGHT.evidence(ODDS))
    shown, taught = faulty.requests
    for request in (shown, taught):
        wanted = {"max_tokens": 1, "logprobs": True, "top_logprobs": 20, "temperature": 0}
        assert {name: request[name] for name in wanted} == wanted
    assert "museum" in str(shown["messages"])
    assert "museum" not in str(taught["messages"])


async def test_words_count_however_they_are_written(faulty: FaultyServer) -> None:
    faulty.behaviour = telling({" No": math.log(0.5), "no": math.log(0.3), "Yes": math.log(0.1)})
    assert await read(Upstream(faulty.url, "m"), taught=True) == -FINAL


BAD: dict[str, Behaviour] = {
    "no probabilities": saying("Yes"),
    "no words": telling({}),
    "a word that is neither": telling(
        {"<think>": math.log(0.99), "Yes": math.log(0.008), "No": math.log(0.002)}
    ),
    "a blank": sending("[DONE]"),
    "a probability above one": telling({"Yes": 0.5}),
    "no number": telling({"Yes": math.nan}),
    "a page": page,
    "bytes": raw(b"data: \xff\xfe\n\n"),
    "refused": refusing(400),
    "withheld": telling(SURE, finish="content_filter"),
    "broken off": sending(then=break_off),
}


@pytest.mark.parametrize("behaviour", BAD.values(), ids=BAD.keys())
async def test_what_is_no_opinion_is_none_and_repeats_nobody(
    faulty: FaultyServer, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot")
    faulty.behaviour = behaviour
    assert await read(Upstream(faulty.url, "m", key=KEY), patience=3.0) is None
    for secret in (KEY, TOLD, "what does it cost", "It costs 10"):
        assert secret not in caplog.text


async def test_one_that_hangs_is_waited_for_until_the_deadline_alone(faulty: FaultyServer) -> None:
    faulty.behaviour = hang_first
    began = time.monotonic()
    assert await read(Upstream(faulty.url, "m"), patience=0.3) is None
    assert time.monotonic() - began < 3


async def test_another_server_is_asked_where_one_fails_and_both_stand_on_the_bill(
    faulty: FaultyServer,
) -> None:
    faulty.behaviour = telling(SURE)
    bill: Bill = []
    price = Price(Decimal(2), Decimal(8))
    there = Upstream(faulty.url, "m", price=price)
    assert await read(NOBODY, there, bill=bill) == pytest.approx(SHOWN.evidence(ODDS))
    assert [(one.model, one.end) for one in bill] == [("down", "connection"), ("m", "done")]
    assert bill[1].cost == price.of(7, 1)


async def test_a_new_attempt_forgets_what_the_one_before_told(faulty: FaultyServer) -> None:
    async with FaultyServer() as first:
        first.behaviour = telling({"": math.log(0.99)})
        faulty.behaviour = telling(SURE)
        pair = Upstream(first.url, "m"), Upstream(faulty.url, "m")
        assert await read(*pair, taught=True) == pytest.approx(TAUGHT.evidence(ODDS))
