"""Users' tables as people make them: 34 good ones with their numbers.

``python tests/support/tables.py FOLDER`` writes them and those of ``odd_tables`` and ``wrong_tables``, to be opened in Excel or WPS.
"""

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import xlsxwriter

from zjtx_alloc.base.units import load_units

SME, GIANTS = "规模以上工业中小企业数（家）", "“小巨人”企业数"
SHEET = "Sheet"
CITIES = {"大连", "宁波", "厦门", "青岛", "深圳", "兵团"}
PARENTS = ("辽宁", "浙江", "福建", "山东", "广东", "新疆")
Rows = list[list[object]]


def base() -> Rows:
    """A header and 37 units; counts that differ everywhere."""
    names = load_units()["short_name"]
    return [["单位", SME, GIANTS], *([name, 1000 + 37 * i, 100 + 3 * i] for i, name in enumerate(names))]


def xlsx(rows: Rows, sheet: str = SHEET) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def text(rows: Rows, encoding: str = "utf-8", separator: str = ",") -> bytes:
    content = io.StringIO()
    csv.writer(content, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return content.getvalue().encode(encoding)


@dataclass(frozen=True)
class Good:
    """A table that gives ``base``'s counts of sme_count (``sme``) and of little_giants (``giants``)."""

    name: str
    content: bytes
    ending: str = "xlsx"
    sme: bool = True
    giants: bool = True
    header_rows: tuple[int, ...] = (1,)
    total_row: int | None = None
    passed: tuple[int, ...] = ()  # rows below the header that are not read
    hidden: str = ""


def good_tables() -> list[Good]:
    units = load_units()
    rows, body = base(), base()[1:]
    wide = str.maketrans("0123456789,", "０１２３４５６７８９，")
    sums = ["合计", sum(row[1] for row in body), sum(row[2] for row in body)]
    province = [f"{units.at[p, 'name']}{n}" if (p := units.at[c, "parent"]) else n for c, n in units["name"].items()]
    press = [{"广东": "广东省（不含深圳）", "兵团": "新疆兵团", "内蒙古": "内蒙"}.get(row[0], row[0]) for row in body]
    return [
        Good("plain", xlsx(rows)),
        Good("utf8", text(rows), "csv"),
        Good("bom", text(rows, "utf-8-sig"), "csv"),
        Good("gbk", text(rows, "gbk"), "csv"),
        Good("csv named xls", text(rows, "gbk", "\t"), "xls"),
        Good("csv named xlsx", text(rows), "xlsx"),
        Good("semicolons", text(rows, "utf-8-sig", ";"), "csv"),
        Good("tabs", text(rows, "gbk", "\t"), "txt"),
        Good("codes as text", xlsx([rows[0], *([c, *row[1:]] for c, row in zip(units.index, body, strict=True))])),
        Good("codes as numbers", xlsx([rows[0], *([int(c), *r[1:]] for c, r in zip(units.index, body, strict=True))])),
        Good("full names", xlsx([rows[0], *([n, *row[1:]] for n, row in zip(units["name"], body, strict=True))])),
        Good("with their provinces", xlsx([rows[0], *([n, *r[1:]] for n, r in zip(province, body, strict=True))])),
        Good("press names", xlsx([rows[0], *([n, *row[1:]] for n, row in zip(press, body, strict=True))])),
        Good("code and name", xlsx([["代码", *rows[0]], *([c, *r] for c, r in zip(units.index, body, strict=True))])),
        Good("spaces in names", xlsx([rows[0], *([f" {r[0][0]}　{r[0][1:]} ", *r[1:]] for r in body)])),
        Good("separators", xlsx([rows[0], *([n, f"{a:,}", f"{b:,} "] for n, a, b in body)])),
        Good("full width", text([rows[0], *([n, f"{a:,}".translate(wide), str(b).translate(wide)] for n, a, b in body)]), "csv"),
        Good("counts as 12.0", text([rows[0], *([n, f"{a}.0", f"{b}.00"] for n, a, b in body)]), "csv"),
        Good("title", xlsx([["2024年因素表"], [], *rows]), header_rows=(3,)),
        Good("total below", xlsx([*rows, sums]), total_row=39),
        Good("total above", xlsx([rows[0], ["全国", *sums[1:]], *body]), total_row=2),
        Good("notes below", xlsx([*rows, [], ["注：数据为试填"], ["填表人：", None, None]]), passed=(40, 41)),
        Good("two rows", xlsx([["单位", "规模以上工业", "其他"], [None, "中小企业数（家）", GIANTS], *body]), header_rows=(1, 2)),
        Good("merged", merged(body), header_rows=(1, 2)),
        Good("other columns", xlsx([[*rows[0], "备注", "联系电话"], *([*row, "已核", "010"] for row in body)])),
        Good("one column", xlsx([row[:2] for row in rows]), giants=False),
        Good("empty column", xlsx([rows[0], *([*row[:2], None] for row in body)]), giants=False),
        Good("english", xlsx([["code", "sme_count", "little_giants"], *([c, *r[1:]] for c, r in zip(units.index, body, strict=True))])),
        Good("period in the header", xlsx([["单位", "规上工业中小企业数（家，2023年末）", "2024年6月小巨人企业数（家）"], *body])),
        Good("cover sheet", cover(rows)),
        Good("formulas with results", calculated(rows)),
        Good("formatted far below", formatted(rows)),
        Good("rows shuffled", xlsx([rows[0], *reversed(body)])),
    ]  # fmt: skip


def merged(body: Rows) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["单位", "分配因素", None])
    sheet.append([None, SME, GIANTS])
    for row in body:
        sheet.append(row)
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    return saved(book)


def hidden(rows: Rows) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(rows)))
    old = book.create_sheet("旧表")
    for row in rows:
        old.append(row)
    old.sheet_state = "hidden"
    return saved(book)


def cover(rows: Rows) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(rows)))
    first = book.create_sheet("封面", 0)
    first.append(["2024年名额测算"])
    first.append(["编制", "日期"])
    return saved(book)


def calculated(rows: Rows) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet(SHEET)
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if number and place == 1:
                    sheet.write_formula(number, place, f"={value - 1}+1", None, value)
                else:
                    sheet.write(number, place, value)
    return content.getvalue()


def formatted(rows: Rows) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(rows)))
    book.active["A1048576"].font = openpyxl.styles.Font(bold=True)
    return saved(book)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    from support.odd_tables import odd_bad_tables, odd_good_tables
    from support.wrong_tables import bad_tables, no_tables

    tables = [*good_tables(), *odd_good_tables(), *bad_tables(), *odd_bad_tables()]
    for number, table in enumerate(tables, start=1):
        kind = "good" if hasattr(table, "passed") else "bad"
        (folder / f"{kind} {number:03d} {table.name}.{table.ending}").write_bytes(table.content)
    for name, (content, _) in no_tables().items():
        (folder / name).write_bytes(content)


def read_csv(path):
    """A CSV file of a report."""
    return pd.read_csv(path, dtype={"code": str}, encoding="utf-8-sig")
