from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from connectors.errors import Overloaded, Refused
from connectors.http import error_body
from connectors.port import Frame, Message, Receipt
from connectors.webchat import render

AT = datetime(2026, 3, 1, 8, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=8)))


def test_times_are_in_utc() -> None:
    accepted = json.loads(render.accepted("a", Receipt("c", 3, AT, duplicate=True)))
    assert accepted["at"] == "2026-03-01T00:30:00.999Z"


def test_a_final_leaves_out_what_it_has_not() -> None:
    body = json.loads(render.final(Message(1, "system", "text", AT)))
    assert body.keys() == {"type", "seq", "role", "text", "at"}


def test_the_id_of_a_provider_is_not_shown_for_others_than_the_customer() -> None:
    assert "id" not in json.loads(render.final(Message(1, "agent", "text", AT, external_id="internal")))


def test_a_lone_surrogate_in_a_stored_text_does_not_end_the_connection() -> None:
    assert json.loads(render.final(Message(1, "bot", "a\ud83db", AT)))["text"] == "a?b"


def test_chinese_goes_as_it_is() -> None:
    assert "营业时间" in render.frame(Frame("delta", "c", turn="t", text="营业时间")).decode()


def test_errors_have_one_shape_and_round_waits_up() -> None:
    assert json.loads(render.error(Overloaded("busy", "Wait.", retry_after=0.01), ref=0)) == {
        "type": "error",
        "error": {"code": "busy", "message": "Wait.", "ref": 0, "retry_after": 0.1},
    }
    assert error_body(Refused("no", "No.")) == {"code": "no", "message": "No."}
