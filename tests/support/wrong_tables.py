"""79 tables that have something wrong, with every problem told, and files that are no tables."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import docx
import openpyxl
from support.tables import CITIES, GIANTS, PARENTS, SHEET, SME, Rows, base, saved, text, xlsx

from zjtx_alloc.base.units import load_units

Expected = tuple[int | None, str, str, str]  # row as Excel shows it, column, value, kind of problem


@dataclass(frozen=True)
class Bad:
    """A table and its problems; ``details`` by kind are what the sentences of that kind are filled with."""

    name: str
    content: bytes
    problems: list[Expected]
    details: dict[str, dict[str, object]] = field(default_factory=dict)
    ending: str = "xlsx"
    sheet: str = SHEET


B, C = f"B {SME}".replace("（", "(").replace("）", ")"), f"C {GIANTS}"


def bad_cells() -> list[Bad]:
    """One wrong cell each: in row 4 (河北), in Excel and in CSV alike."""
    cells: dict[str, tuple[object, str]] = {
        "text": ("约200", "text"), "unit in the cell": ("200家", "text"), "words": ("暂无", "text"),
        "dash": ("—", "text"), "na": ("N/A", "text"), "range": ("200-300", "text"), "two numbers": ("200/300", "text"),
        "wrong separator": ("1,23", "text"), "letter O": ("1O0", "text"), "inf": ("inf", "text"), "nan": ("NaN", "text"),
        "huge": ("1e400", "text"), "date": ("2024-01-05", "text"), "Chinese numeral": ("二百", "text"),
        "negative": (-3, "negative"), "negative text": ("-3", "negative"), "fraction": (1.5, "fraction"),
        "tiny fraction": ("100.0001", "fraction"), "percent": ("12%", "percent"), "wide percent": ("12％", "percent"),
        "blank": (None, "blank"), "spaces": ("   ", "blank"), "wide space": ("　", "blank"),
        "reference error": ("#REF!", "error_value"), "division error": ("#DIV/0!", "error_value"),
    }  # fmt: skip
    tables = []
    for name, (value, kind) in cells.items():
        rows = base()
        rows[3][1] = value
        problem = (4, B, "" if value is None else str(value), kind)
        shown = "" if kind == "blank" else problem[2]  # cells of blanks alone are not kept from a workbook
        tables.append(Bad(name, xlsx(rows), [(*problem[:2], shown, kind)]))
        if kind in ("text", "negative", "percent", "blank"):
            tables.append(Bad(f"{name}, gbk", text(rows, "gbk"), [problem], ending="csv", sheet=""))
    return tables


def bad_units() -> list[Bad]:
    """Something wrong with the units."""

    def changed(change: Callable[[Rows], object]) -> bytes:
        rows = base()
        change(rows)
        return xlsx(rows)

    def put(row: int, value: object) -> Callable[[Rows], object]:
        return lambda rows: rows[row].__setitem__(0, value)

    lost = {"missing": {"count": 1}}
    plain = [row for row in base() if row[0] not in CITIES]
    south = [row for row in base() if row[0] != "深圳"]
    scoped = [[*row, "省级合计" if row[0] in PARENTS else ""] for row in plain]
    scoped[0][3] = "口径"
    return [
        Bad("unknown unit", changed(put(3, "江东")), [(4, "单位", "江东", "unknown_unit"), (None, "单位", "河北", "missing")], lost),
        Bad("a city", changed(put(3, "合肥")), [(4, "单位", "合肥", "unknown_unit"), (None, "单位", "河北", "missing")], lost),
        Bad("Hong Kong", changed(lambda rows: rows.append(["香港", 1, 1])), [(39, "单位", "香港", "unknown_unit")]),
        Bad("no unit", changed(put(3, None)), [(4, "单位", "", "no_unit"), (None, "单位", "河北", "missing")], lost),
        Bad("twice", changed(put(3, "天津")), [(4, "单位", "天津", "twice"), (None, "单位", "河北", "missing")], lost | {"twice": {"first": 3}}),
        Bad("by two names", changed(lambda rows: rows.append(["内蒙古自治区", 1, 1])), [(39, "单位", "内蒙古自治区", "twice")], {"twice": {"first": 6}}),
        Bad("with its city", changed(put(23, "广东（含深圳）")), [(24, "单位", "广东（含深圳）", "includes"), (None, "单位", "广东", "missing")], lost),
        Bad("missing", xlsx([row for row in base() if row[0] not in ("北京", "西藏")]), [(None, "单位", "北京、西藏", "missing")], {"missing": {"count": 2}}),
        Bad("without Shenzhen", xlsx(south), [(None, "单位", "深圳", "inside")], {"inside": {"parents": "广东"}}),
        Bad("31 rows", xlsx(plain), [(None, "单位", "大连、宁波、厦门、青岛、深圳、兵团", "inside")], {"inside": {"parents": "、".join(PARENTS)}}),
        Bad("31 rows, gbk", text(plain, "gbk"), [(None, "单位", "大连、宁波、厦门、青岛、深圳、兵团", "inside")], {"inside": {"parents": "、".join(PARENTS)}}, "csv", ""),
        Bad("strange scope", xlsx([[*r, "全口径" if r[0] == "广东" else r[3]] if False else [*r[:3], "全口径" if r[0] == "广东" else r[3]] for r in scoped]),
            [(20, "口径", "全口径", "scope"), (None, "单位", "广东、深圳", "missing")], {"missing": {"count": 2}}),
        Bad("scope of a city", xlsx([[*base()[0], "口径"], *([*row, "省级合计" if row[0] == "大连" else ""] for row in base()[1:])]),
            [(8, "口径", "省级合计", "not_a_province"), (None, "单位", "大连", "inside")], {"inside": {"parents": "辽宁"}}),
        Bad("code against name", xlsx([["代码", *base()[0]], *([c if i != 2 else "110000", *r] for i, (c, r) in enumerate(zip(load_units().index, base()[1:], strict=True)))]),
            [(4, "单位", "110000、河北", "units_differ"), (None, "单位", "河北", "missing")], lost),
    ]  # fmt: skip


def bad_columns() -> list[Bad]:
    """Something wrong with the headers, the columns, the total or the sheets."""
    body = base()[1:]
    sums = ["合计", sum(row[1] for row in body), sum(row[2] for row in body)]
    known = {"known": "、".join(known_names())}

    def headed(*headers: object) -> bytes:
        return xlsx([list(headers), *body])

    return [
        Bad("tens of thousands", headed("单位", "规模以上工业中小企业数（万家）", GIANTS), [(1, "B 规模以上工业中小企业数(万家)", "万家", "measure")], {"measure": {"measure": "家"}}),
        Bad("a title's measure", xlsx([["单位：万家"], ["单位", "规模以上工业中小企业数"], *([row[0], row[1]] for row in base()[1:])]), [(2, "B 规模以上工业中小企业数", "万家", "measure")], {"measure": {"measure": "家"}}),
        Bad("wrong measure", headed("单位", "规模以上工业中小企业数（万元）", GIANTS), [(1, "B 规模以上工业中小企业数(万元)", "万元", "measure")], {"measure": {"measure": "家"}}),
        Bad("a column twice", headed("单位", SME, "规上工业中小企业数"), [(1, "C 规上工业中小企业数", "规上工业中小企业数", "column_twice")], {"column_twice": {"first": B}}),
        Bad("approved firms", headed("单位", SME, "新一轮第一批支持企业数"), [(1, "C 新一轮第一批支持企业数", "新一轮第一批支持企业数", "approvals")]),
        Bad("approved firms of a third batch", headed("单位", SME, "新一轮第三批支持企业数"), [(1, "C 新一轮第三批支持企业数", "新一轮第三批支持企业数", "approvals")]),
        Bad("misspelt", headed("单位", SME, "“小巨人企业个数"), [(1, "C “小巨人企业个数", "“小巨人企业个数", "misspelt")], {"misspelt": {"known": "有效期内“小巨人”企业数"}}),
        Bad("only misspelt", headed("单位", "规上工业中小企数", "备注"), [(1, "B 规上工业中小企数", "规上工业中小企数", "misspelt")], {"misspelt": {"known": "规模以上工业中小企业数"}}),
        Bad("no indicator", headed("单位", "产值", "利润"), [(1, "指标列", "产值、利润", "no_indicator")], {"no_indicator": known}),
        Bad("no units", xlsx([["序号", SME], [1, 2]]), [(None, "工作表", SHEET, "no_header")], {"no_header": known}, sheet=""),
        Bad("empty sheet", xlsx([]), [(None, "工作表", SHEET, "no_header")], {"no_header": known}, sheet=""),
        Bad("empty file", b"", [(None, "工作表", "—", "no_header")], {"no_header": known}, "csv", ""),
        Bad("wrong sheet", xlsx([["编制说明"], ["本表试填"]], "说明"), [(None, "工作表", "说明", "no_header")], {"no_header": known}, sheet=""),
        Bad("two sheets", two_sheets(), [(None, "工作表", "2023、2024", "many_sheets")], sheet=""),
        Bad("not filled in", xlsx([base()[0], *([row[0], None, None] for row in body), ["合计", 0, 0]]), [(None, "指标列", f"{B}、{C}", "all_blank")]),
        Bad("total differs", xlsx([*base(), [sums[0], sums[1] + 1, sums[2]]]), [(39, B, str(sums[1] + 1), "total")], {"total": {"sum": f"{sums[1]}"}}),
        Bad("formula", formula(), [(4, B, "=1+1", "formula")]),
        Bad("a formula for each", formulas(), [(n, B, f"={n}", "formula") for n in range(2, 39)]),
        Bad("all at once", xlsx(many_wrong()), [(4, "单位", "江东", "unknown_unit"), (4, B, "约200", "text"), (9, C, "-1", "negative"), (None, "单位", "河北", "missing")], {"missing": {"count": 1}}),
    ]  # fmt: skip


def known_names() -> list[str]:
    from zjtx_alloc.base.resources import shipped_table  # noqa: PLC0415 - the list that the sentence must show

    return [name for name in shipped_table("indicators.csv", "code")["name"] if not name.startswith("新一轮")]


def two_sheets() -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(base(), "2023")))
    other = book.create_sheet("2024")
    for row in base():
        other.append(row)
    return saved(book)


def formula() -> bytes:
    rows = base()
    rows[3][1] = "=1+1"
    return xlsx(rows)


def formulas() -> bytes:
    return xlsx([row if not i else [row[0], f"={i + 1}", row[2]] for i, row in enumerate(base())])


def many_wrong() -> Rows:
    rows = base()
    rows[3][0], rows[3][1], rows[8][2] = "江东", "约200", -1
    return rows


def bad_tables() -> list[Bad]:
    return [*bad_cells(), *bad_units(), *bad_columns()]


# --- files that are no tables: one sentence each ---------------------------------------------------------


def letter() -> bytes:
    """A document of Word under the ending of Excel."""
    content = io.BytesIO()
    docx.Document().save(content)
    return content.getvalue()


def no_tables() -> dict[str, tuple[bytes, str]]:
    return {
        "old or locked.xls": (b"\xd0\xcf\x11\xe0rest", "旧版 Excel（.xls）或加密的文件"),
        "cut off.xlsx": (xlsx(base())[:3000], "无法打开"),
        "a zip.xlsx": (b"PK\x03\x04rest", "无法打开"),
        "a picture.csv": (b"\x89PNG\r\n\x00\x00", "不是 Excel 或 CSV 表格"),
        "utf16 without a mark.csv": (text(base(), "utf-16-le"), "不是 Excel 或 CSV 表格"),
        "a page.xls": ("<html><table><tr><td>单位</td></tr></table></html>".encode("gbk"), "是网页格式的文件"),
        "a page of many parts.xls": (b"MIME-Version: 1.0\nX-Document-Type: Workbook", "是网页格式的文件"),
        "excel 2003.xls": (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", "是网页格式的文件"),
        "open quote.csv": ('单位,小巨人企业数\r\n"北京,1\r\n'.encode("gbk"), "引号不成对"),
        "a letter.xlsx": (letter(), "不是 .xlsx 工作簿"),
        "no encoding.csv": ("单位".encode("gbk") + b"\xff\xff\n", "文字编码无法识别"),
        "only details.xlsx": (xlsx([base()[0], *base()[1:] * 30]), "（Sheet）超过1000行"),
        "100,000 rows.csv": (text([base()[0], *base()[1:] * 2703]), "超过1000行"),
    }
