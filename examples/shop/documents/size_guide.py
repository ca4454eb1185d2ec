"""Writes knowledge/size-guide.xlsx: `python examples/shop/documents/size_guide.py`. Each sheet in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

OUT = Path(__file__).resolve().parents[1] / "knowledge" / "size-guide.xlsx"
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Heading, names of columns, rows."""

TOPS = [
    ("XS", "76–80", "60–64", "36"),
    ("S", "81–85", "65–69", "37"),
    ("M", "86–90", "70–74", "38.5"),
    ("L", "91–96", "75–80", "40"),
    ("XL", "97–103", "81–87", "41.5"),
]
SKIRTS = [
    ("XS", "60–64", "84–88", "96"),
    ("S", "65–69", "89–93", "97"),
    ("M", "70–74", "94–98", "98"),
    ("L", "75–80", "99–104", "99"),
    ("XL", "81–87", "105–111", "100"),
]
SHIRTS = [
    ("S", "86–91", "38", "84"),
    ("M", "92–97", "39.5", "85.5"),
    ("L", "98–103", "41", "87"),
    ("XL", "104–110", "43", "88.5"),
    ("XXL", "111–118", "45", "90"),
]
TROUSERS = [
    ("30", "76–78", "96", "78"),
    ("31", "79–81", "98", "79"),
    ("32", "82–84", "100", "80"),
    ("33", "85–87", "102", "80"),
    ("34", "88–91", "105", "81"),
    ("36", "92–96", "110", "82"),
]
SHOES = [
    ("36", "22.6–23.0", "3.5", "6"),
    ("37", "23.1–23.6", "4", "6.5"),
    ("38", "23.7–24.3", "5", "7.5"),
    ("39", "24.4–24.9", "6", "8.5"),
    ("40", "25.0–25.5", "6.5", "7.5"),
    ("41", "25.6–26.2", "7.5", "8.5"),
    ("42", "26.3–26.8", "8", "9"),
    ("43", "26.9–27.5", "9", "10"),
    ("44", "27.6–28.1", "9.5", "10.5"),
]
SETS = [
    ("1.2", "150 × 200", "180 × 230", "48 × 74 × 1"),
    ("1.5", "200 × 230", "245 × 250", "48 × 74 × 2"),
    ("1.8", "220 × 240", "265 × 250", "48 × 74 × 2"),
    ("2.0", "240 × 260", "285 × 270", "48 × 74 × 2"),
]
DUVETS_ZH = [
    ("夏被", "250克", "26℃以上"),
    ("春秋被", "600克", "16至25℃"),
    ("冬被", "1,100克", "15℃以下，有暖气"),
    ("加厚冬被", "1,500克", "10℃以下，没有暖气"),
]
DUVETS_EN = [
    ("Summer duvet", "250 g", "above 26 °C"),
    ("Spring and autumn duvet", "600 g", "16 to 25 °C"),
    ("Winter duvet", "1,100 g", "below 15 °C, heated room"),
    ("Extra warm duvet", "1,500 g", "below 10 °C, no heating"),
]

SHEETS: dict[str, Sequence[Table]] = {
    "女装 Women": [
        ("女装上衣和连衣裙各尺码的胸围、腰围、肩宽（厘米）", ("女装尺码", "胸围", "腰围", "肩宽"), TOPS),
        ("女装半裙和裤子各尺码的腰围、臀围、裤长（厘米）", ("女裤尺码", "腰围", "臀围", "裤长"), SKIRTS),
        (
            "Women's tops and dresses: bust, waist and shoulders of each size (cm)",
            ("Women's size", "bust in cm", "waist in cm", "shoulder in cm"),
            TOPS,
        ),
        (
            "Women's skirts and trousers: waist, hips and length of each size (cm)",
            ("Women's trouser size", "waist in cm", "hips in cm", "trouser length in cm"),
            SKIRTS,
        ),
    ],
    "男装 Men": [
        ("男装衬衫和外套各尺码的胸围、领围、袖长（厘米）", ("男装尺码", "胸围", "领围", "袖长"), SHIRTS),
        ("男装裤子各尺码的腰围、臀围、内长（厘米）", ("男裤尺码", "腰围", "臀围", "内长"), TROUSERS),
        (
            "Men's shirts and jackets: chest, collar and sleeve of each size (cm)",
            ("Men's size", "chest in cm", "collar in cm", "sleeve in cm"),
            SHIRTS,
        ),
        (
            "Men's trousers: waist, hips and inside leg of each size (cm)",
            ("Men's trouser size", "waist in cm", "hips in cm", "inside leg in cm"),
            TROUSERS,
        ),
    ],
    "鞋 Shoes": [
        ("脚长对应的鞋码，以及英国码、美国码", ("鞋码", "脚长", "英国码", "美国码"), SHOES),
        (
            "Shoe sizes by foot length, with UK and US sizes",
            ("Shoe size EU", "foot length in cm", "UK", "US"),
            SHOES,
        ),
    ],
    "床品 Bedding": [
        (
            "各种床宽的四件套尺寸：被套、床单、枕套（厘米）",
            ("床宽（米）", "被套", "床单", "枕套"),
            SETS,
        ),
        ("多冷的房间盖多厚的羽绒被：充绒量与室温", ("羽绒被", "充绒量", "适合室温"), DUVETS_ZH),
        (
            "Bed sets by width of the bed: duvet cover, sheet, pillowcases (cm)",
            ("Bed width in m", "duvet cover in cm", "flat sheet in cm", "pillowcases in cm"),
            SETS,
        ),
        (
            "Which down duvet for which room: weight of down and temperature",
            ("Down duvet", "weight of down", "for rooms"),
            DUVETS_EN,
        ),
    ],
}


def write(path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = "梭里尺码表 Loomwick size guide"
    book.properties.creator = "Loomwick"
    for name, tables in SHEETS.items():
        sheet = book.create_sheet(name)
        for table in tables:
            _table(sheet, *table)
        sheet.column_dimensions["A"].width = 26
        for column in "BCD":
            sheet.column_dimensions[column].width = 20
    book.save(path)


def _table(sheet: Worksheet, heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if sheet.max_row > 1:
        sheet.append([])
    sheet.append([heading])
    sheet.cell(sheet.max_row, 1).font = Font(bold=True, size=13, color="A3472F")
    sheet.append(list(columns))
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="F4ECE5")
    for row in rows:
        sheet.append(list(row))


if __name__ == "__main__":
    write(OUT)
