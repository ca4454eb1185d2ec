"""What each kind of document comes to."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from bot.documents import Flaw, Found, Passage, Record
from bot.documents.parse import parse
from tests.unit.documents.samples import SENTENCE, SIZES, book, letter, printed, tariff


def read(path: Path, text: str | bytes | None = None) -> list[Found]:
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(parse(path))


def told(found: list[Found]) -> dict[str, list[str]]:
    """Path -> lines."""
    lines: dict[str, list[str]] = {}
    for item in found:
        assert isinstance(item, Passage)
        lines.setdefault(" > ".join(item.path), []).extend(item.text.split("\n"))
    return lines


PAGE = """<!DOCTYPE html><html><head><title>Help - ACME</title><style>p { color: red }</style>
<link rel="canonical" href="https://acme.example/help"><script>var a = "<p>no</p>"</script></head>
<body><nav><a href="/">Home</a></nav><header>ACME</header><main>
<h1>Delivery</h1><p>We   deliver<br>by <b>courier</b>.<script>alert(1)</script></p>
<p hidden>Not yet.</p><p style="display: none">Nor this.</p><div aria-hidden="true">x</div><!-- nor that -->
<noscript>Turn it on</noscript><template>empty</template><form><input value="q"><button>Go</button></form>
<h2>Cost &amp; time</h2><ol><li>Order</li><li>Pay<p>by card</p></li></ol>
<table><tr><th>Zone</th><th>Price</th></tr><tr><td>City</td><td>8 yuan</td></tr></table>
<pre>a
b</pre></main><footer>Imprint</footer></body></html>"""


def test_a_page_is_read_as_its_reader_sees_it(tmp_path: Path) -> None:
    found = read(tmp_path / "help.html", PAGE)
    assert told(found) == {
        "Delivery": ["We deliver", "by courier."],
        "Delivery > Cost & time": ["1. Order.", "2. Pay", "by card", "Zone: City, Price: 8 yuan.", "a", "b"],
    }
    assert {item.url for item in found if isinstance(item, Passage)} == {"https://acme.example/help"}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_page_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    page = "<html><body><h1>退换货政策</h1><p>七天无理由退货。</p></body></html>"
    assert told(read(tmp_path / "a.htm", page.encode(encoding))) == {"退换货政策": ["七天无理由退货。"]}


def test_markdown_with_a_table_and_raw_html(tmp_path: Path) -> None:
    text = (
        "---\ntitle: Handbook\n---\nBefore\nall.\n\n换行，\n不断句。\n\n# 配送\n\n"
        "| 地区 | 运费 |\n|---|---|\n| 市区 | 8元 |\n\n"
        "- 一\n- 二\n\n# Time\n\n<script>x</script>Two <b>days</b>.\n\n<div hidden>no</div>\n"
    )
    assert told(read(tmp_path / "a.md", text)) == {
        "Handbook": ["Before all.", "换行，不断句。"],
        "Handbook > 配送": ["地区：市区，运费：8元。", "一。", "二。"],
        "Handbook > Time": ["Two days."],
    }


def test_a_word_document(tmp_path: Path) -> None:
    assert told(read(letter(tmp_path / "w.docx"))) == {
        "Warranty": ["Kettles carry two years."],
        "Warranty > What is covered": ["Faults of material.", "Model: K1, Years: 5."],
        "Warranty > What is covered > How to claim": ["Write to us."],
    }


def test_a_printed_policy_loses_its_margins_and_keeps_its_pages(tmp_path: Path) -> None:
    found = read(printed(tmp_path / "returns-policy.en.pdf"))
    lines = told(found)
    assert list(lines) == [f"Returns policy > Section {number}" for number in (1, 2, 3)]
    for text in lines.values():
        assert " ".join(text).count("thirty days of delivery, in their box") == 3
        assert text[-1] == "The postage for sending it back is yours, a 30-day label costs 5 pounds."
    assert {item.place for item in found if isinstance(item, Passage)} == {"page=1", "page=2", "page=3"}
    assert not any(word in str(found) for word in ("ACME", "Page 1 of 3"))


def test_rows_of_a_printed_table_end_like_sentences(tmp_path: Path) -> None:
    """Answers say them one after the other."""
    assert told(read(tariff(tmp_path / "a.pdf"))) == {
        "Deductions": [
            SENTENCE.strip(),
            "The shoe box 20 yuan.",
            "A cut label 10% of the price.",
        ]
    }


def test_a_sheet_without_the_columns_is_a_document(tmp_path: Path) -> None:
    found = read(book(tmp_path / "size-guide.xlsx", Women=SIZES, Empty=[], Sheet3=[("EU", "UK"), (38, 5)]))
    assert told(found) == {
        "size guide > Women > Women's sizes (cm)": [
            "Size: S, Chest: 84, Off: 0.5.",
            "Size: M, Chest: 88.",
            "All sizes may differ by one centimetre.",
        ],
        "size guide > Sheet3": ["EU: 38, UK: 5."],
    }
    assert told(read(book(tmp_path / "shoes.xlsx", Sheet1=[("EU", "UK"), (38, 5)]))) == {
        "shoes": ["EU: 38, UK: 5."]
    }


def test_numbers_are_written_as_people_read_them(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.append(("Thing", "Price", "Off", "From", "Ready", "Sum", "Wrong"))
    sheet.append(("Tea", 8.5, 0.15, date(2026, 7, 1), True, "=B2*2", "#N/A"))
    sheet["B2"].number_format, sheet["C2"].number_format = "¥#,##0.00", "0%"
    workbook.save(path)
    found = read(path)
    assert [item.message for item in found if isinstance(item, Flaw)] == [
        "1 formulas have no stored result and are left out."
    ]
    assert told([item for item in found if isinstance(item, Passage)]) == {
        "a": ["Thing: Tea, Price: ¥8.5, Off: 15%, From: 2026-07-01, Ready: yes."]
    }


def test_a_sheet_with_the_columns_is_a_table(tmp_path: Path) -> None:
    rows = [("问题", "Answer", "valid_to"), ("运费？", "8元", None), (), ("Why?", 12, None)]
    found = read(book(tmp_path / "a.xlsx", FAQ=rows, Notes=[("Ask Ann",)]))
    assert [(item.number, item.cells) for item in found if isinstance(item, Record)] == [
        (1, ("问题", "Answer", "valid_to")),
        (2, ("运费？", "8元")),
        (4, ("Why?", "12")),
    ]
    assert [(item.path, item.text) for item in found if isinstance(item, Passage)] == [
        (("a", "Notes"), "Ask Ann")
    ]
