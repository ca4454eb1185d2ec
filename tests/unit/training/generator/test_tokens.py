"""What of an example is learned: its answer's tokens, and nothing of the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_generator import tiny_folder
from training.errors import TrainingError
from training.generator.examples import Example, Given
from training.generator.tokens import IGNORED, Taught, padded, taught
from training.language.base import asked


def example(number: int = 1, *, chat: bool = False) -> Example:
    prompt: Any = f"Facts: fee {number}.\nAnswer:"
    answer = f" The fee is {number}."
    if chat:
        prompt, answer = (
            ({"role": "system", "content": "[1] fee 1."}, {"role": "user", "content": "fee?"}),
            answer[1:],
        )
    else:
        answer += "\n"
    return Example(
        "1", prompt, answer, "en", "fee?", (Given(1, "Fee", f"fee {number}."),), 1, "fee", "knowledge"
    )


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_folder(tmp_path_factory.mktemp("tiny") / "m", chat=True))


def test_answers_end_together_and_only_their_tokens_have_labels() -> None:
    rows = [Taught((1, 5, 6), (7, 8)), Taught((1, 9), (4, 3, 2))]
    batch = padded(rows, pad=0)
    assert batch.ids.tolist() == [[1, 5, 6, 7, 8], [1, 9, 4, 3, 2]]
    assert batch.labels.tolist() == [[IGNORED, 7, 8], [4, 3, 2]]
    assert batch.keep == 4
    shorter = padded([rows[0], Taught((1,), (2,))], pad=0)
    assert shorter.ids[1].tolist() == [0, 0, 0, 1, 2]
    assert shorter.mask[1].tolist() == [0, 0, 0, 1, 1]
    assert shorter.positions[1].tolist() == [0, 0, 0, 0, 1]
    assert torch.equal(shorter.positions[0], torch.arange(5))


def test_a_text_begins_as_a_server_begins_it_and_its_answer_ends_the_line(tokenizer: Any) -> None:
    [row] = taught([example()], tokenizer, max_length=100)
    assert row is not None
    assert row.asked[0] == tokenizer.bos_token_id
    assert tokenizer.decode(row.asked[1:]) == example().prompt
    assert tokenizer.decode(row.said) == " The fee is 1.\n"


def test_a_chat_is_asked_in_the_models_own_template_and_ends_its_turn(tokenizer: Any) -> None:
    [row] = taught([example(chat=True)], tokenizer, max_length=100)
    assert row is not None
    assert tokenizer.decode(row.asked) == "<s>system: [1] fee 1.</s><s>user: fee?</s><s>assistant:"
    assert row.said[-1] == tokenizer.eos_token_id


def test_what_is_too_long_is_left_out(tokenizer: Any) -> None:
    short, long = example(), example(10**40)
    assert [row is None for row in taught([short, long], tokenizer, max_length=60)] == [False, True]


def test_a_base_that_does_not_chat_is_not_asked_to(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    plain = AutoTokenizer.from_pretrained(tiny_folder(tmp_path / "m"))
    with pytest.raises(TrainingError, match="no chat template"):
        asked(({"role": "user", "content": "fee?"},), plain)
