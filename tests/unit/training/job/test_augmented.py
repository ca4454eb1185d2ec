"""Copies in a job: which rows it learns from, and a generator that is asked nothing twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from retrieval.text import identity
from tests.unit.training.job.children import CARDS, MONEY, TRAVEL
from training.augment import BackTranslation
from training.dataset import Row
from training.errors import TrainingError
from training.job.augmented import TRANSLATIONS, augmented
from training.job.material import Material, Part
from training.job.place import Place
from training.job.run import Run
from training.job.stop import Stop
from training.spec import parse_spec

ROWS = [*TRAVEL, *MONEY, *CARDS]


def run(folder: Path, **augment: Any) -> Run:
    spec = parse_spec({"method": "full", "augment": augment} if augment else {"method": "full"})
    return Run(spec, Place(folder), folder, 1, lambda *_: None, Stop())


def material(test: list[Row] | None = None) -> Material:
    return Material({"intent": Part(ROWS, (), test or ())}, {"intent": 1.0}, "out_of_scope", ())


def test_a_job_that_asks_for_no_copies_learns_the_rows_as_they_are(tmp_path: Path) -> None:
    whole = material()
    assert augmented(run(tmp_path), whole) is whole


def test_copies_are_of_training_rows_alone_and_none_is_judged_by(tmp_path: Path) -> None:
    found = augmented(run(tmp_path, changes=["typo", "upper"], copies=2), material())
    part = found.parts["intent"]
    valid = {identity(row.text) for row in part.valid}
    own = {identity(row.text) for row in ROWS}
    more = [row for row in part.train if identity(row.text) not in own]
    assert part.held
    assert len(part.valid) >= 3
    assert len(more) > len(ROWS)
    assert not valid & {identity(row.text) for row in part.train}
    (note,) = found.notes
    assert f"learned too: {len(more)} ({len(more)} typo, 0 upper)" in note
    again = augmented(
        run(tmp_path, changes=["typo"], copies=2), material(test=[Row(more[0].text.upper(), "x")])
    )
    assert more[0].text not in {row.text for row in again.parts["intent"].train}


@contextmanager
def server(say: Any) -> Iterator[tuple[str, list[Any]]]:
    """An OpenAI-compatible server: `say` makes an answer (or a status) of the request's messages."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            found = say(body["messages"])
            told = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": found}}
            ]}  # fmt: skip
            text = json.dumps(told).encode()
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}/v1", asked
        finally:
            httpd.shutdown()
            thread.join()


def translating(messages: list[dict[str, str]]) -> str:
    """There: what it was asked for in brackets. Back: other words."""
    text = messages[-1]["content"]
    return f"reserve {text[1:-1]}\nsecond line" if text.startswith("[") else f"[{text}]"


def test_a_generator_translates_there_and_back_and_is_asked_nothing_twice(tmp_path: Path) -> None:
    with server(translating) as (url, asked):
        how = {"back_translation": {"url": url, "model": "m"}}
        found = augmented(run(tmp_path, **how), material())
        texts = {row.text for row in found.parts["intent"].train}
        assert sum(text.startswith("reserve book a train to ") for text in texts) > 6
        assert {body["messages"][0]["content"].split(" to ")[1][:7] for body in asked} == {
            "Chinese",
            "English",
        }
        seen = len(asked)
        assert augmented(run(tmp_path, **how), material()) == found
        assert len(asked) == seen
    assert json.loads((tmp_path / TRANSLATIONS).read_text(encoding="utf-8"))[
        found.parts["intent"].train[0].text
    ]


def test_a_generator_that_refuses_is_one_line_without_the_texts() -> None:
    with server(lambda _: 401) as (url, _), pytest.raises(TrainingError) as refused:
        BackTranslation(url, "m")(["my secret text"])
    assert "answers 401: check its url, model and key" in str(refused.value)
    assert "secret" not in str(refused.value)
    with pytest.raises(TrainingError, match="cannot be reached"):
        BackTranslation("http://127.0.0.1:9/v1", "m")(["my secret text"])


def test_a_text_that_the_generator_fails_on_has_no_copy() -> None:
    def say(messages: list[dict[str, str]]) -> Any:
        return 400 if "two" in messages[-1]["content"] else translating(messages)

    with server(say) as (url, _):
        assert BackTranslation(url, "m")(["one", "two", "three"]) == ["reserve one", None, "reserve three"]
