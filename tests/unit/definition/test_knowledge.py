"""Knowledge files: what is read, and what is reported instead of lost."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from bot.definition import Checks, KnowledgeRow, Problem, read_knowledge
from bot.errors import DefinitionError

PAIR = {"question": "Where?", "answer": "Here."}


def read(path: Path, data: str | bytes) -> list[KnowledgeRow | Problem]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_knowledge(path))


def rows(found: list[KnowledgeRow | Problem]) -> list[KnowledgeRow]:
    assert [str(item) for item in found if isinstance(item, Problem)] == []
    return [item for item in found if isinstance(item, KnowledgeRow)]


def problems(found: list[KnowledgeRow | Problem]) -> list[str]:
    return [f"{p.line}: {p.message} {p.hint}" for p in found if isinstance(p, Problem)]


def test_a_full_row(tmp_path: Path) -> None:
    row = PAIR | {
        "id": 12,
        "lang": "en",
        "title": "Place",
        "intent": "place",
        "alternatives": ["Where?", "In which town?", "In which town?"],
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "url": "https://a.example/b?c=d#e",
    }
    entry = rows(read(tmp_path / "a.jsonl", "\n" + json.dumps(row) + "\n\n"))[0].entry
    assert (entry.id, entry.key, entry.lang, entry.title) == ("", "12", "en", "Place")
    assert entry.phrases == ("Where?", "In which town?")
    assert (entry.valid_from, entry.valid_to) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (entry.intent, entry.url) == ("place", "https://a.example/b?c=d#e")


def test_a_row_without_id_and_language_gets_both_from_its_question(tmp_path: Path) -> None:
    text = "\n".join(
        json.dumps(PAIR | {"question": q, "title": None}) for q in ("Where?", "在哪里？", "Where? ")
    )
    found = rows(read(tmp_path / "a.jsonl", text))
    assert [row.entry.lang for row in found] == ["en", "zh", "en"]
    assert found[0].entry.key == found[2].entry.key != found[1].entry.key
    assert len(found[0].entry.key) == 32


def test_csv_with_quotes_line_ends_and_alternatives(tmp_path: Path) -> None:
    head = "ID, Question ,answer,alternatives,url,audience"
    text = head + '\r\na,"Where,\r\nnow?","Say ""here"".",x | y||,,vip | staff\r\n\r\nb,Q,A,,,'
    found = rows(read(tmp_path / "a.csv", "\ufeff" + text))
    assert [(row.line, row.entry.key, row.entry.question) for row in found] == [
        (2, "a", "Where,\r\nnow?"),
        (5, "b", "Q"),
    ]
    assert found[0].entry.answer == 'Say "here".'
    assert found[0].entry.alternatives == ("x", "y")
    assert [row.entry.audience for row in found] == [("vip", "staff"), ()]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.GZ", "a.jsonl", "a.csv"])
def test_gzip_is_known_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    text = "question,answer\nWhere?,Here.\n" if "csv" in name else json.dumps(PAIR)
    found = rows(read(tmp_path / name, gzip.compress(b"\xef\xbb\xbf" + text.encode())))
    assert [row.entry.answer for row in found] == ["Here."]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "is not JSON:"),
        ("[1]", 'is not a JSON object. Write one {"question": ..., "answer": ...} a line.'),
        ('{"a": 1, "a": 2}', "the key `a` comes twice."),
        ("[" * 100_000, "is not JSON:"),
        ("9" * 5_000, "is not JSON:"),
        ('{"question": "Q"}', "`answer` is missing. Add it."),
        (json.dumps(PAIR | {"qestion": "x"}), "unknown key `qestion`. Did you mean `question`?"),
        (json.dumps(PAIR | {"answer": "  "}), "`answer` is empty."),
        (json.dumps(PAIR | {"answer": 5}), "`answer` is not a text."),
        (json.dumps(PAIR | {"answer": "a\u0000b"}), "`answer` holds the control character U+0000."),
        ('{"question": "Q", "answer": "\\ud800"}', "`answer` holds half of a character."),
        (
            json.dumps(PAIR | {"question": "404?"}),
            "the language cannot be told from the question. Add `lang`.",
        ),
        (json.dumps(PAIR | {"lang": "fr"}), "`lang` is not a language code that is known. Known: zh, en."),
        (json.dumps(PAIR | {"valid_to": "31.12.2026"}), "`valid_to` is not a date. Write it as 2026-12-31."),
        (
            json.dumps(PAIR | {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}),
            "`valid_from` is after `valid_to`. Swap them.",
        ),
        (json.dumps(PAIR | {"url": "javascript:alert(1)"}), "`url` is not well formed."),
        (json.dumps(PAIR | {"alternatives": "x|y"}), "`alternatives` is not a list."),
        (json.dumps(PAIR | {"alternatives": [""]}), "`alternatives > item 1` is empty."),
        (json.dumps(PAIR | {"intent": "two words"}), "`intent` is not well formed. Use letters, digits"),
        (json.dumps(PAIR | {"answer": "x" * 8_001}), "`answer` is longer than 8000 characters."),
    ],
)
def test_a_bad_row_is_reported_and_hides_no_other(tmp_path: Path, line: str, expected: str) -> None:
    good = json.dumps(PAIR)
    found = read(tmp_path / "a.jsonl", f"{good}\n{line}\n{good}\n")
    assert problems(found)[0].startswith(f"2: {expected}")
    assert [type(item) for item in found] == [KnowledgeRow, Problem, KnowledgeRow]


def test_a_row_in_another_encoding_is_reported_and_hides_no_other(tmp_path: Path) -> None:
    good = json.dumps(PAIR | {"question": "银行在哪里？"}, ensure_ascii=False).encode()
    found = read(tmp_path / "a.jsonl", good + b"\n" + '{"question": "银"'.encode("gb18030") + b"\n" + good)
    assert problems(found) == ["2: is not UTF-8 here. Save the file as UTF-8."]
    assert len(found) == 3
    table = "question,answer\n问,答\n".encode() + "银,行".encode("gb18030") + b'\nQ2,"A\n2"\n'
    found = read(tmp_path / "a.csv", table)
    assert problems(found) == ["3: is not UTF-8 here. Save the file as UTF-8."]
    assert [item.line for item in found] == [2, 3, 4]


TABLE = "问题,答案,相似问法\n运费多少？,“标准”配送8元。,包邮吗|邮费\nCan I pay by card?,Yes – of course.,\n"


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [
        ("utf-8", ","),
        ("utf-8-sig", ";"),
        ("gb18030", ","),
        ("utf-16", "\t"),
        ("utf-16-le", "\t"),
        ("utf-16-be", ","),
    ],
)
def test_what_spreadsheets_save_is_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = TABLE.replace(",", delimiter).replace("\n", "\r\n")
    found = rows(read(tmp_path / "a.csv", text.encode(encoding)))
    assert [(row.entry.lang, row.entry.phrases, row.entry.answer) for row in found] == [
        ("zh", ("运费多少？", "包邮吗", "邮费"), "“标准”配送8元。"),
        ("en", ("Can I pay by card?",), "Yes – of course."),
    ]


@pytest.mark.parametrize(
    ("encoding", "question"),
    [("cp1252", "Is the “café” naïve about £5?"), ("big5", "請問運費是多少？有沒有免運？")],
)
def test_old_code_pages_are_told(tmp_path: Path, encoding: str, question: str) -> None:
    text = f"question,answer\n{question},{question}\n" + f"{question}2,{question}\n" * 3
    found = rows(read(tmp_path / "a.csv", text.encode(encoding)))
    assert found[0].entry.question == question


def test_a_damaged_line_of_a_wide_text_hides_no_other(tmp_path: Path) -> None:
    data = (
        "question\tanswer\nQ\tA\n".encode("utf-16") + b"\x00\xd8\x41\x00\n\x00" + "Q2\tA".encode("utf-16-le")
    )
    found = read(tmp_path / "a.csv", data)
    assert problems(found) == ["3: is not UTF-16-LE here. Save the file as UTF-8."]
    assert [item.line for item in found] == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("question,anwser\nQ,A", "1: unknown column `anwser`. Did you mean `answer`?"),
        ("question,question\nQ,A", "1: the column `question` comes twice. Remove one of them."),
        ("question,title\nQ,A", "1: the column `answer` is missing. Use the columns: id, lang, question"),
        ("question,answer\nQ,A,B", '2: has 3 cells below 2 columns. Put "quotes" around'),
        ("question,answer\nQ", "2: `answer` is missing. Add it."),
        ('question,answer\nQ,"A" b\n', "2: is not CSV:"),
        ('question,answer\nQ,"A', "2: is not CSV:"),
    ],
)
def test_csv_problems(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(read(tmp_path / "a.csv", text))
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_what_ends_a_file_keeps_what_came_before(tmp_path: Path) -> None:
    lines = (json.dumps(PAIR) + "\n") * 2
    cut = gzip.compress(lines.encode() * 5_000)[:-20]
    found = read(tmp_path / "cut.jsonl.gz", cut)
    assert len(found) > 5_000
    assert problems(found)[-1].endswith(": the gzip data is damaged. Compress the file again.")
    found = read(tmp_path / "long.jsonl", lines + "x" * 300_000)
    assert problems(found) == ["3: the line is longer than 256 KiB. Write one row a line."]
    assert len(found) == 3


def test_files_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    assert problems(list(read_knowledge(tmp_path / "none.csv"))) == [
        "0: cannot be read: No such file or directory. Check path and rights."
    ]
    with pytest.raises(DefinitionError, match=r"a\.pptx: is not a kind of knowledge file"):
        read_knowledge(tmp_path / "a.pptx")


def test_rows_are_checked_against_the_bot_and_against_one_another(tmp_path: Path) -> None:
    checks = Checks(frozenset({"place", "time"}), ("en",))
    more: list[dict[str, str]] = [
        {"id": "a", "intent": "place"},
        {"id": "a", "intent": "place"},
        {"id": "b", "intent": "plaze"},
        {"id": "c", "intent": "greet"},
        {"id": "d", "lang": "zh"},
        {"id": "e"},
    ]
    text = "\n".join(json.dumps(PAIR | extra) for extra in more)
    found = list(checks.apply(read(tmp_path / "a.jsonl", text)))
    assert [row.entry.key for row in found if isinstance(row, KnowledgeRow)] == ["a", "e"]
    assert problems(found) == [
        f"2: `a` stands in `en` already, at {tmp_path}/a.jsonl:1. Give it another id, or merge the two.",
        "3: intents.yml has no intent `plaze`. Did you mean `place`?",
        "4: `greet` is answered by a response. Write it in responses.yml.",
        "5: the bot does not speak `zh`. Add it to `languages` in bot.yml.",
    ]
    other = list(checks.apply(read(tmp_path / "b.jsonl", json.dumps(PAIR | {"id": "e"}))))
    assert problems(other)[0].startswith("1: `e` stands in `en` already")


def test_a_long_file_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text((json.dumps(PAIR) + "\n") * 3 + "x" * 300_000)
    stream = read_knowledge(path)
    assert [type(next(stream)) for _ in range(3)] == [KnowledgeRow] * 3


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_huge_file_without_lines_costs_nothing(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(2 * 1024**3)
    assert problems(list(read_knowledge(tmp_path / name))) == [
        "1: the line is longer than 256 KiB. Write one row a line."
    ]
