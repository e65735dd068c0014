"""Broken tables: of indicators, of tidy facts, of transfers, of firms; beyond those of ``tables`` and ``odd_tables``."""

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
from openpyxl.worksheet.formula import ArrayFormula
from support.broken_inputs import Broken, no_files, package, part_of
from support.firm_tables import credit_code, raw
from support.tables import Rows, base, calculated, saved, text, xlsx

from zjtx_alloc.facts.panel import FACT_COLUMNS

_MANY = 2**20


def with_cell(value: object, row: int = 3, place: int = 1) -> Rows:
    rows = base()
    rows[row][place] = value
    return rows


def in_a_book(change: object) -> bytes:
    """The table after a change to its sheet."""
    book = openpyxl.load_workbook(io.BytesIO(xlsx(base())))
    change(book.active)
    return saved(book)


def sheet_xml(old: bytes, new: bytes) -> bytes:
    """The table with a piece of its sheet's XML in the place of another."""
    sheet = part_of(content := xlsx(base()), "sheet1")
    assert old in sheet
    return package(content, sheet1=sheet.replace(old, new, 1))


def bomb(name: str, filling: bytes) -> Callable[[Path], object]:
    """A workbook one of whose parts swells a thousandfold."""

    def make(path: Path) -> None:
        path.write_bytes(calculated(base()))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as book, book.open(name, "w") as part:
            for _ in range(300):
                part.write(filling * (_MANY // len(filling)))

    return make


def laughs(stem: str) -> bytes:
    """A part that defines entities by tens of each other."""
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    content = part_of(calculated(base()), stem)
    declared = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lines}]>'.encode()
    body = content.partition(b"?>")[2] if content.startswith(b"<?xml") else content
    body = body.replace(b"<v>1000</v>", b"<v>&l9;</v>", 1).replace(b"<t>", b"<t>&l9;", 1)
    return package(calculated(base()), **{stem: declared + body})


def crowded(path: Path) -> None:
    """A package of thousands of parts."""
    path.write_bytes(xlsx(base()))
    with zipfile.ZipFile(path, "a") as book:
        for number in range(3000):
            book.writestr(f"xl/{number}", b"")


def broken_cells() -> list[Broken]:
    cells = {
        "1e308": ("1e308", "过大"), "beyond int64": (10**19, "过大"), "a number of 400 digits": ("9" * 400, "不是数字"),
        "1e308 as number": (1e308, "过大"), "minus of mathematics": ("\u22125", "不是数字"),
        "Arabic digits": ("\u0663\u0664", "不是数字"), "superscript": ("10²", "不是数字"), "circled": ("①", "不是数字"),
        "a half": ("1½", "不是数字"), "roman": ("Ⅻ", "不是数字"), "right to left": ("1\u202e00", "不是数字"),
        "a right-to-left mark inside": ("1\u200f2", "不是数字"), "letter l": ("l00", "不是数字"), "hex": ("0x10", "不是数字"),
        "underscore": ("1_000", "不是数字"), "true": (True, "不是数字"), "a moment": (datetime.datetime(2024, 1, 5), "不是数字"),
        "a time": (datetime.time(12, 0), "不是数字"), "infinity sign": ("∞", "不是数字"), "minus infinity": ("-inf", "不是数字"),
        "two minus": ("--5", "不是数字"), "a formula as text": ("'=1+1", "不是数字"), "a million letters": ("x" * 32_000, "…"),
        "a control sign": ("12\u001b[31m", "不是数字"), "money": ("￥100", "不是数字"), "1e-400": ("1e-400", "过小"),
    }  # fmt: skip
    found = [Broken("table", f"{n}.csv", text(with_cell(v), "gb18030"), s) for n, (v, s) in cells.items()]
    whole = ("beyond int64", "1e308 as number", "true", "a moment", "a time", "right to left")
    return found + [Broken("table", f"{n}.xlsx", xlsx(with_cell(cells[n][0])), cells[n][1]) for n in whole]


def broken_units() -> list[Broken]:
    names = {
        "look-alike": "北亰", "right-to-left override": "\u202e京北", "Cyrillic": "А10000", "two units": "北京、天津",
        "too many digits": "1100000", "a formula": "=HYPERLINK(1)", "a nation": "中国", "a million letters": "北" * 30_000,
    }  # fmt: skip
    return [Broken("table", f"unit {n}.csv", text(with_cell(v, place=0)), "不是37个单位之一") for n, v in names.items()]


def broken_books() -> list[Broken]:
    def merge(sheet):
        sheet.merge_cells("A3:A4")

    def array(sheet):
        sheet["B4"] = ArrayFormula("B4", "=SUM(1,2)")

    def wide(sheet):
        sheet["XFD5"] = 1

    inline = b'<c r="B4" t="inlineStr"><is><t>\xe7\xba\xa6200</t></is></c>'
    cell = part_of(xlsx(base()), "sheet1").partition(b'<c r="B4"')[2].partition(b"</c>")[0]
    b4 = b'<c r="B4"' + cell + b"</c>"
    return [
        Broken("table", "merged units.xlsx", in_a_book(merge), "没有单位名称"),
        Broken("table", "an array formula.xlsx", in_a_book(array), "公式没有计算结果"),
        Broken("table", "an inline string.xlsx", sheet_xml(b4, inline), "不是数字"),
        Broken("table", "an error cell.xlsx", sheet_xml(b4, b'<c r="B4" t="e"><v>#N/A</v></c>'), "公式出错"),
        Broken("table", "a number that is none.xlsx", sheet_xml(b4, b'<c r="B4"><v>abc</v></c>'), "无法打开"),
        Broken("table", "a string that is not there.xlsx", sheet_xml(b4, b'<c r="B4" t="s"><v>9999</v></c>'), "无法打开"),
        Broken("table", "a date beyond all calendars.xlsx", sheet_xml(b4, b'<c r="B4" t="d"><v>99999-01-01</v></c>'), "无法打开"),
        Broken("table", "a cell without a place.xlsx", sheet_xml(b'r="B4"', b'r="4B4"'), "无法打开"),
        Broken("table", "a row that goes back.xlsx", sheet_xml(b'<row r="4"', b'<row r="-4"'), "无法打开"),
        Broken("table", "a sheet cut off.xlsx", package(xlsx(base()), sheet1=part_of(xlsx(base()), "sheet1")[:900]), "无法打开"),
        Broken("table", "no sheet.xlsx", package(xlsx(base()), sheet1=b" "), "无法打开"),
        Broken("table", "no content types.xlsx", package(xlsx(base()), **{"[Content_Types]": b"<x/>"}), "无法打开"),
        Broken("table", "laughs in the sheet.xlsx", laughs("sheet1"), "无法打开"),
        Broken("table", "laughs in the strings.xlsx", laughs("sharedStrings"), "无法打开"),
        Broken("table", "a bomb in the sheet.xlsx", bomb("xl/worksheets/sheet2.xml", b" "), "展开后"),
        Broken("table", "a bomb in the strings.xlsx", bomb("xl/other.xml", b"<si><t/></si>"), "展开后"),
        Broken("table", "a bomb beside.xlsx", bomb("xl/media/image.png", b"\0"), "展开后"),
        Broken("table", "thousands of parts.xlsx", crowded, "展开后"),
        Broken("table", "every column.xlsx", in_a_book(wide), "列"),
        Broken("table", "another office.xlsx", package(xlsx(base()), workbook=b"<office:document/>"), "无法打开"),
        Broken("table", "nothing but a name.xlsx", b"PK\x03\x04", "无法打开"),
        Broken("table", "empty.xlsx", b"", "没有找到因素表"),
    ]  # fmt: skip


def broken_texts() -> list[Broken]:
    rows = base()
    plain = text(rows)
    return [
        Broken("table", "UTF-32.csv", text(rows, "utf-32"), "不是 Excel 或 CSV 表格"),
        Broken("table", "Big5.csv", "單位,小巨人企業數\r\n北京,1\r\n".encode("big5"), "没有找到因素表"),
        Broken("table", "half a sign.csv", plain.replace("河北".encode(), "河北".encode()[:-1]), "编码"),
        Broken("table", "only a mark.csv", b"\xef\xbb\xbf", "没有找到因素表"),
        Broken("table", "only line ends.csv", b"\r\n" * 5000, "没有找到因素表"),
        Broken("table", "a cell of a megabyte.csv", plain + b"x" * _MANY, "单元格"),
        Broken("table", "a million columns.csv", b"," * _MANY + b"\r\n" + plain, "列"),
        Broken("table", "a quotation mark between cells.csv", b'sep="\r\n' + plain, "没有找到因素表"),
        Broken("table", "a NUL.csv", plain.replace(b"1037", b"10\x0037"), "不是 Excel 或 CSV 表格"),
        Broken("table", "JSON.csv", b'[{"unit": "110000", "sme_count": 3}]', "没有找到因素表"),
        Broken("table", "a PDF.xlsx", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "没有找到因素表"),
        Broken("table", "a compressed table.csv", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "不是 Excel 或 CSV 表格"),
        Broken("table", "two tables in one.csv", plain + plain.replace("小巨人".encode(), "大巨人".encode()), "又有一个表"),
        *no_files("table", "xlsx"),
        *no_files("table", "csv"),
    ]  # fmt: skip


FACT = ("110000", "北京市", "unit", "gdp", "2023", "1.5", "亿元", "", "nbs-gdp", "")


def facts(**changed: str) -> bytes:
    row = [changed.get(name, value) for name, value in zip(FACT_COLUMNS, FACT, strict=True)]
    return text([list(FACT_COLUMNS), row])


def broken_facts() -> list[Broken]:
    values = ["nan", "inf", "1e400", "-1", "1,000", "１", "٣", "", "1e308", "0x1", "1_0", "true", "\u202e1"]
    header = ",".join(FACT_COLUMNS).encode()
    return [
        *(Broken("facts", f"value {n}.csv", facts(value=v), "value") for n, v in enumerate(values)),
        Broken("facts", "unit.csv", facts(unit="11000"), "unit"),
        Broken("facts", "scope.csv", facts(scope="city"), "scope"),
        Broken("facts", "indicator.csv", facts(indicator="gpd"), "indicator"),
        Broken("facts", "measure.csv", facts(measure="万元"), "measure"),
        Broken("facts", "source.csv", facts(source=""), "source"),
        Broken("facts", "header only.csv", header + b"\n", "没有"),
        Broken("facts", "ragged.csv", facts() + b"1,2,3\n", "：3；"),
        Broken("facts", "GBK.csv", facts().decode().encode("gbk"), "UTF-8"),
        Broken("facts", "a column twice.csv", facts().replace(b"note", b"unit", 1), "note"),
        Broken("facts", "a NUL.csv", facts(note="\0"), "a NUL.csv"),
        Broken("facts", "an open quote.csv", facts() + b'"110000', "引号"),
        Broken("facts", "a cell of a megabyte.csv", facts(note="x" * _MANY), "单元格"),
        Broken("facts", "a part larger than its whole.csv", facts(scope="province", unit="440000") + facts(unit="440300", value="9").partition(b"\n")[2], "省级合计 1.5"),
    ]  # fmt: skip


TRANSFERS = ["单位", "年度", "文号", "金额（万元）", "扣回（万元）"]


def transfers(**changed: object) -> bytes:
    row = {
        "单位": "天津",
        "年度": "2024",
        "文号": "财建〔2024〕359号",
        "金额（万元）": 5700,
        "扣回（万元）": 0,
    } | changed
    return text([TRANSFERS, [row[name] for name in TRANSFERS]])


def broken_transfers() -> list[Broken]:
    cells = {
        "year": ("年度", "二〇二四"), "a year of three": ("年度", "202"), "year with a month": ("年度", "2024-05"),
        "no document": ("文号", ""), "money in words": ("金额（万元）", "五千七百万"), "negative": ("扣回（万元）", "-5700"), "negative in words": ("金额（万元）", "-约5700"),
        "half a unit": ("金额（万元）", "5700.5"), "nan": ("金额（万元）", "nan"), "1e308": ("金额（万元）", "1e308"),
        "beyond int64": ("金额（万元）", "1" + "0" * 25), "netted": ("扣回（万元）", "x"), "netted huge": ("扣回（万元）", "1e300"),
        "unit": ("单位", "天京"), "no unit": ("单位", ""), "right to left": ("单位", "\u202e津天"),
    }  # fmt: skip
    found = [Broken("actuals", f"{n}.csv", transfers(**{c: v}), "处问题") for n, (c, v) in cells.items()]
    return [
        *found,
        Broken(
            "actuals",
            "in yuan.csv",
            transfers().replace("金额（万元）".encode(), "金额（元）".encode()),
            "不是整数万元",
        ),
        Broken(
            "actuals", "in people.csv", transfers().replace("金额（万元）".encode(), "金额（人）".encode()), "计量单位"
        ),
        Broken(
            "actuals",
            "far too much.csv",
            transfers(**{"金额（万元）": 10**14}).replace("金额（万元）".encode(), "金额（亿元）".encode()),
            "过大",
        ),
        Broken("actuals", "no header.csv", transfers().partition(b"\r\n")[2], "单位"),
        Broken("actuals", "header only.csv", transfers().partition(b"\r\n")[0], "没有"),
        Broken("actuals", "a bomb.xlsx", bomb("xl/worksheets/sheet2.xml", b" "), "展开后"),
        Broken("actuals", "empty.xlsx", b"", "单位"),
        *no_files("actuals", "csv"),
    ]


def firms(*changes: dict[str, object]) -> bytes:
    table = raw(*({"省级单位": "天津"} | change for change in changes))
    return text([list(table), *table.itertuples(index=False)])


def broken_firms() -> list[Broken]:
    money, code = "推进计划投资总额（万元）", "统一社会信用代码"
    cells: dict[str, tuple[dict[str, object], str]] = {
        "money 1e308": ({money: "1e308"}, "过大"), "money nan": ({money: "nan"}, "不是数字"),
        "money beyond int64": ({money: "9" * 30}, "过大"), "money in words": ({money: "三千"}, "不是数字"),
        "code in scientific form": ({code: "9.1E+17"}, "位"), "code right to left": ({code: credit_code(1)[:9] + "\u202e" + credit_code(1)[9:]}, "不"),
        "code of look-alikes": ({code: credit_code(1).replace("9", "\u0669", 1)}, "不允许的字符"), "date 45000": ({"证书有效期止": 45000}, "不是日期"),
        "date 2024-02-30": ({"证书有效期止": "2024-02-30"}, "没有这一天"), "date of year 0": ({"证书有效期止": "0000-01-01"}, "不是日期"),
        "choice": ({"上市情况": "=1+1"}, "不是可选的内容"), "percent of a formula": ({"研发费用占营业收入比重（%）": "#DIV/0!"}, "公式出错"),
        "a name with a control sign": ({"企业名称": "虚\u0001公司"}, "不可见字符"), "a name with no width in it": ({"企业名称": "虚\u200b公司"}, "不可见字符"), "a name with tags": ({"企业名称": "虚公司\U000e0041"}, "不可见字符"),
        "a name with fillers": ({"企业名称": "虚\u3164公司"}, "不可见字符"), "a name turned round": ({"企业名称": "公司\u202e限有"}, "不可见字符"),
        "a name of a megabyte": ({"企业名称": "名" * 60_000}, "过长"), "another unit": ({"省级单位": "江苏"}, "不是本单位的企业"),
    }  # fmt: skip
    found = [Broken("firms", f"{name}.csv", firms({}, change), said) for name, (change, said) in cells.items()]
    (good,) = raw({}).itertuples(index=False)
    return [
        *found,
        Broken("firms", "header only.csv", firms({}).partition(b"\r\n")[0] + b"\r\n", "没有企业行"),
        Broken("firms", "no header.csv", text([list(good)]), "没有找到企业表的表头"),
        Broken("firms", "a bomb.xlsx", bomb("xl/worksheets/sheet2.xml", b" "), "展开后"),
        Broken("firms", "cut off.xlsx", xlsx([list(raw({})), list(good)])[:2000], "无法打开"),
        Broken("firms", "thousands of mistakes.csv", firms(*({money: "x"} for _ in range(900))), "其余"),
        *no_files("firms", "csv"),
    ]


def broken_tables() -> list[Broken]:
    return [
        *broken_cells(), *broken_units(), *broken_books(), *broken_texts(), *broken_facts(),
        *broken_transfers(), *broken_firms(),
    ]  # fmt: skip
