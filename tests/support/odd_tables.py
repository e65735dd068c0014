"""Tables as they come in the post: 33 more good ones and 16 more bad ones, from yearbooks, systems and colleagues."""

import io
import re
import zipfile

import openpyxl
import xlsxwriter
from support.tables import CITIES, SHEET, Good, Rows, base, saved, text, xlsx
from support.wrong_tables import B, Bad, C, known_names

from zjtx_alloc.base.units import load_units


def sums(label: str = "合计") -> list[object]:
    body = base()[1:]
    return [label, sum(row[1] for row in body), sum(row[2] for row in body)]


def named(names: list[str]) -> bytes:
    """The table with other names of the units."""
    return xlsx([base()[0], *([name, *row[1:]] for name, row in zip(names, base()[1:], strict=True))])


def by_region() -> Rows:
    """Running numbers, and a subtotal above each region."""
    regions, rows, number = load_units()["region"].tolist(), [["序号", *base()[0]]], 0
    for region in dict.fromkeys(regions):
        mine = [row for row, its in zip(base()[1:], regions, strict=True) if its == region]
        rows.append([None, f"{region}小计", sum(row[1] for row in mine), sum(row[2] for row in mine)])
        for row in mine:
            number += 1
            rows.append([number, *row])
    return rows


def beside_regions() -> Rows:
    """The region in a merged cell, so only beside its first unit; 合计 merged over both columns."""
    regions = load_units()["region"].tolist()
    shown = [region if not i or regions[i - 1] != region else None for i, region in enumerate(regions)]
    body = [[region, *row] for region, row in zip(shown, base()[1:], strict=True)]
    return [["地区", "省份", *base()[0][1:]], *body, ["合计", None, *sums()[1:]]]


def hiding(row: int, column: str) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(base())))
    book.active.row_dimensions[row].hidden = True
    book.active.column_dimensions[column].hidden = True
    return saved(book)


def with_a_chart() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet(SHEET)
        for number, row in enumerate(base()):
            sheet.write_row(number, 0, row)
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": [SHEET, 1, 1, 37, 1]})
        book.add_chartsheet("图").set_chart(chart)
    return content.getvalue()


def with_a_list_beside(rows: Rows) -> bytes:
    """The firms behind the counts, on a sheet of their own."""
    book = openpyxl.load_workbook(io.BytesIO(xlsx(rows)))
    firms = book.create_sheet("企业明细", 0)
    firms.append(["序号", "企业名称", "单位", "“小巨人”企业数"])
    for number in range(1, 1501):
        firms.append([number, f"某某公司{number}", "北京", 1])
    return saved(book)


def sized_wrong() -> bytes:
    """As some systems export: the sheet says that it ends at A1."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(hiding(5, "C"))) as whole, zipfile.ZipFile(content, "w") as changed:
        for name in whole.namelist():
            changed.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', whole.read(name)))
    return content.getvalue()


def left_blank() -> Rows:
    """A template in which cities and the Corps are left blank, and say nothing of the scope."""
    rows = [[*row, ""] if row[0] not in CITIES else [row[0], None, None, ""] for row in base()]
    rows[0][3] = "口径"
    return rows


def odd_good_tables() -> list[Good]:
    rows, body, units = base(), base()[1:], load_units()
    header, several = rows[0], list(enumerate(zip(units.index, units["name"], strict=True), start=1))
    signed = [["填表人：张三", None, "审核人：李四"], ["联系电话", 13800000000]]
    halves = [
        ["单位", "分配因素", None],
        [None, "规模以上工业", "专精特新"],
        [None, "中小企业数（家）", "小巨人企业数（家）"],
    ]
    return [
        Good("lenticular brackets", xlsx([["地区", "规上工业中小企业数【家】", "小巨人企业数〔家〕"], *body])),
        Good("measure after a slash", xlsx([["地区", "规上工业中小企业数/家", "小巨人企业数 / 家"], *body])),
        Good("day in the header", xlsx([["地区", "规上工业中小企业数（截至2023年12月31日，家）", "小巨人企业数（2023年度）"], *body])),
        Good("names of the notice", xlsx([["单位", "规模以上中小工业企业数量", "有效期内专精特新“小巨人”企业数量"], *body])),
        Good("recommending units", xlsx([["推荐单位", *header[1:]], *body])),
        Good("provinces and cities", xlsx([["省（区、市）", *header[1:]], *body])),
        Good("unicode text", text(rows, "utf-16", "\t"), "txt"),
        Good("tabs named csv", text(rows, "gbk", "\t"), "csv"),
        Good("stated separator", b"sep=;\r\n" + text(rows, "gbk", ";"), "csv"),
        Good("columns without end", text([[*row, "", "", ""] for row in rows], "gbk"), "csv"),
        Good("header on several lines", text([["单位", "规模以上工业\n中小企业数\n（家）", "“小巨人”\n企业数"], *body], "gbk"), "csv"),
        Good("text with hard spaces", xlsx([header, *([n, f"{a:,}\u00a0", f" {b}"] for n, a, b in body)])),
        Good("blanks for commas", text([header, *([n, f"{a:,}".replace(",", " "), b] for n, a, b in body)], "gbk"), "csv"),
        Good("noise of a formula", xlsx([header, *([n, a + 1e-10, b] for n, a, b in body)])),
        Good("no width", named([f"{row[0]}\u200b" for row in body])),
        Good("code before the name", named([f"{code} {name}" for _, (code, name) in several])),
        Good("numbered", named([f"{number}.{name}" for number, (_, name) in several])),
        Good("numbered in brackets", named([f"（{number}）{name}" for number, (_, name) in several])),
        Good("title and measure", xlsx([["情况表"], [None, None, "单位：家"], *rows]), header_rows=(3,)),
        Good("low header", xlsx([*([f"说明{n}"] for n in range(20)), *rows]), header_rows=(21,)),
        Good("three rows", xlsx([*halves, *body]), header_rows=(1, 2, 3)),
        Good("columns counted", xlsx([header, ["甲", 1, 2], *body]), header_rows=(1, 2)),
        Good("columns counted in words", text([header, ["栏次", "1", "2"], *body], "gbk"), "csv", header_rows=(1, 2)),
        Good("regions beside", xlsx(beside_regions()), total_row=39),
        Good("regions between", xlsx(by_region()), passed=(2, 17, 24, 38)),
        Good("header again", xlsx([*rows[:20], header, *rows[20:]]), passed=(21,)),
        Good("signed", xlsx([*rows, sums(), ["注：1.广东不含深圳。"], *signed]), total_row=39, passed=(40, 41, 42)),
        Good("signed without a total", xlsx([*rows, signed[0]]), passed=(39,)),
        Good("national total", xlsx([header, sums("全国总计"), *body]), total_row=2),
        Good("hidden row and column", hiding(5, "C"), hidden="隐藏的行：5；隐藏的列：C “小巨人”企业数"),
        Good("a chart of its own", with_a_chart()),
        Good("a list of firms beside", with_a_list_beside(rows)),
        Good("sized wrong", sized_wrong(), hidden="隐藏的行：5；隐藏的列：C “小巨人”企业数"),
    ]  # fmt: skip


def changed(row: int, value: object, place: int = 0) -> bytes:
    rows = base()
    rows[row][place] = value
    return xlsx(rows)


def last_year() -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(base(), "Sheet1 (2)")))
    sheet = book.create_sheet("上年")
    for row in base():
        sheet.append(row[:2])
    return saved(book)


def odd_bad_tables() -> list[Bad]:
    rows, body = base(), base()[1:]
    lost, known = {"missing": {"count": 1}}, {"no_header": {"known": "、".join(known_names())}}
    second = [["单位", "地区生产总值（亿元）"], *([row[0], 1.5] for row in body)]
    cities = [row for row in left_blank()[1:] if row[0] in CITIES]
    places = {row[0]: number for number, row in enumerate(rows, start=1)}
    blanks = [(places[row[0]], column, "", "blank") for row in cities for column in (B, C)]
    return [
        Bad("a second table below", xlsx([*rows, [], ["附表"], *second]), [(41, "单位", "单位", "second_table")]),
        Bad("a second table beside", xlsx([[*row[:2], None, *row[:2]] for row in rows]),
            [(1, B.replace("B", "E", 1), B[2:], "column_twice")], {"column_twice": {"first": B}}),
        Bad("of which", changed(24, "其中：深圳"), [(25, "单位", "其中：深圳", "part")], {"part": {"parent": "广东", "unit": "深圳"}}),
        Bad("a province's sum", changed(23, "广东省合计"), [(24, "单位", "广东省合计", "includes"), (None, "单位", "广东", "missing")], lost),
        Bad("a wrong code before the name", changed(3, "110000河北"), [(4, "单位", "110000河北", "unknown_unit"), (None, "单位", "河北", "missing")], lost),
        Bad("on its side", xlsx([list(column) for column in zip(*rows, strict=True)]), [(1, "单位", "", "transposed")]),
        Bad("no header over the units", xlsx([[None, *rows[0][1:]], *body]), [(1, "A", "", "unnamed_units")], {"unnamed_units": {"letter": "A"}}, sheet=""),
        Bad("strange header over the units", xlsx([["甲方", *rows[0][1:]], *body]), [(1, "A", "甲方", "unnamed_units")], {"unnamed_units": {"letter": "A"}}, sheet=""),
        Bad("two years", xlsx([["单位", "小巨人企业数（2023年）", "小巨人企业数（2024年）"], *body]),
            [(1, "C 小巨人企业数(2024年)", "小巨人企业数(2024年)", "column_twice")], {"column_twice": {"first": "B 小巨人企业数(2023年)"}}),
        Bad("million for hundred million", xlsx([["单位", "地区生产总值（万元）"], *second[1:]]),
            [(1, "B 地区生产总值(万元)", "万元", "measure")], {"measure": {"measure": "亿元"}}),
        Bad("visible noise", changed(3, 100.000001, 1), [(4, B, "100.000001", "fraction")]),
        Bad("left blank", xlsx(left_blank()), blanks),
        Bad("header only", text(rows[:1], "gbk"), [(None, "指标列", f"{B}、{C}", "all_blank")], ending="csv", sheet=""),
        Bad("one column of text", "\r\n".join(f"{n} {a} {b}" for n, a, b in rows).encode("gbk"), [(None, "工作表", "—", "no_header")], known, "csv", ""),
        Bad("the first of two totals wrong", xlsx([rows[0], ["全国", 1, sums()[2]], *body, sums()]), [(2, B, "1", "total")], {"total": {"sum": f"{sums()[1]}"}}),
        Bad("last year beside", last_year(), [(None, "工作表", "Sheet1 (2)、上年", "many_sheets")], sheet=""),
    ]  # fmt: skip
