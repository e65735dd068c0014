"""Workbooks cell by cell as programs write them, and what a hostile one may cost: time by its bytes, memory by its table."""

import datetime
import io
import subprocess
import sys
import time
import zipfile

import pytest
from support.tables import base, text

import zjtx_alloc as za
from zjtx_alloc.facts.grid import read_sheets
from zjtx_alloc.facts.xlsx.cells import Uncalculated

MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
TYPES = f'<Types><Override PartName="/xl/workbook.xml" ContentType="{MAIN}"/></Types>'
RELATION = '<Relationship Id="{}" Type="http://x/{}" Target="{}"/>'
RELATIONS = RELATION.format("r1", "worksheet", "worksheets/a.xml") + RELATION.format("r2", "styles", "/xl/styles.xml") + RELATION.format("r3", "sharedStrings", "texts.xml")  # fmt: skip
SHEETS = '<sheets><sheet name="甲" sheetId="1" r:id="r1"/></sheets>'
NO_WORKBOOK = "无法打开：不是 .xlsx 工作簿"


def book(cells="", kind=zipfile.ZIP_DEFLATED, **given):
    """A workbook with these cells in row 1, or with this whole sheet in their place."""
    given = {"styles": "", "texts": "", "before": "", "after": "", "sheets": SHEETS, "relations": RELATIONS} | given
    inside = f'{given["before"]}<sheetData><row r="1">{cells}</row></sheetData>{given["after"]}'
    sheet = cells if "worksheet" in cells[:13] else f"<worksheet>{inside}</worksheet>"
    parts = {
        "[Content_Types].xml": TYPES, "xl/workbook.xml": f'<workbook>{given["sheets"]}</workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships>{given["relations"]}</Relationships>', "xl/worksheets/a.xml": sheet,
        "xl/styles.xml": f'<styleSheet>{given["styles"]}</styleSheet>', "xl/texts.xml": f'<sst>{given["texts"]}</sst>',
    }  # fmt: skip
    with zipfile.ZipFile(content := io.BytesIO(), "w", kind, compresslevel=1) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return content.getvalue()


def put(folder, content, name="表.xlsx"):
    (path := folder / name).write_bytes(content)
    return path


def read(folder, content):
    (grid,) = read_sheets(put(folder, content))
    return grid


def formats(*codes):
    made = "".join(f'<numFmt numFmtId="{200 + n}" formatCode="{code}"/>' for n, code in enumerate(codes))
    used = "".join(f'<xf numFmtId="{200 + n}"/>' for n, _ in enumerate(codes))
    return f"<numFmts>{made}</numFmts><cellStyleXfs><xf numFmtId='9'/></cellStyleXfs><cellXfs><xf/>{used}</cellXfs><dxfs><dxf><numFmt numFmtId='200' formatCode='0%'/></dxf></dxfs>"  # fmt: skip


TEXTS = "<si><t>北京</t></si><si><r><t>天</t></r><r><t xml:space='preserve'>津 </t></r><rPh><t>tian</t></rPh></si><si><t>a_x000A_b_xD800_</t></si>"


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ('<c r="A1"><v>5</v></c><c r="C1"><v>1.5E3</v></c>', [5, None, 1500.0]),
        ("<c><v>-7</v></c><c/><c><v> 8 </v></c>", [-7, None, 8]),
        ('<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c>', ["北京", "天津 ", "a\nb_xD800_"]),
        ('<c t="inlineStr"><is><t>甲</t></is></c><c t="inlineStr"><is><r><t>乙</t></r><r><t>丙</t></r></is></c>', ["甲", "乙丙"]),
        ('<c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c>', [True, False, "#N/A"]),
        ('<c t="str"><f>A2&amp;"x"</f><v>x&lt;</v></c><c><f>1+1</f><v>2</v></c>', ["x<", 2]),
        ('<c t="d"><v>2024-06-14T00:00:00Z</v></c><c t="d"><v>12:30:00</v></c>', [datetime.datetime(2024, 6, 14), datetime.time(12, 30)]),
        ('<c t="s"/><c r="B1" t="inlineStr"/><c><v><![CDATA[9]]></v></c><c s="9"/>', [None, None, 9]),
    ],
)  # fmt: skip
def test_cells_are_read_as_programs_write_them(cells, values, tmp_path):
    assert read(tmp_path, book(cells, texts=TEXTS)).rows == {1: values}


@pytest.mark.parametrize("nothing", ["<v></v>", "<v/>"])
def test_a_formula_that_gives_an_empty_text_is_a_blank_cell(nothing, tmp_path):
    """So Excel and LibreOffice write ``=IF(A2="","",A2)``; a formula that no program has calculated is no text."""
    cells = f'<c t="str"><f>IF(A2="","",A2)</f>{nothing}</c><c><v>1</v></c><c t="str"><f>""</f>{nothing}</c>'
    assert read(tmp_path, book(cells)).rows == {1: [None, 1]}


def test_parts_go_by_their_names_whatever_the_case(tmp_path):
    """So Excel finds them (ECMA-376 part 2, 6.2.2.3); some systems write SharedStrings.xml and relate to sharedStrings.xml."""
    plain, content = io.BytesIO(book('<c t="s"><v>0</v></c>', texts=TEXTS)), io.BytesIO()
    with zipfile.ZipFile(plain) as package, zipfile.ZipFile(content, "w") as other:
        for name in package.namelist():
            other.writestr(name.replace("texts", "Texts"), package.read(name))
    assert read(tmp_path, content.getvalue()).rows == {1: ["北京"]}


def test_rows_that_are_blank_end_no_sheet(tmp_path):
    """A table may begin far below, or go on below a gap; rows that are only formatted, to the last of a sheet, are passed over."""
    late = '<row r="250"><c><v>1</v></c></row><row r="251"/><row r="252"><c s="9"/></row><row r="900"><c><v>2</v></c></row>'
    formatted = "".join(f'<row r="{n}" s="9"><c/></row>' for n in range(901, 30_000))
    sheet = f'<worksheet><sheetData>{late}{formatted}<row r="1048576"/></sheetData></worksheet>'
    assert read(tmp_path, book(sheet)).rows == {250: [1], 900: [2]}


def test_blanks_alone_are_no_cell(tmp_path):
    """As in CSV: someone has pressed the space bar, be it in the last cell of the sheet."""
    row = '<row r="3"><c r="XFD3" t="inlineStr"><is><t> 　\n</t></is></c></row>'
    sheet = (
        f'<worksheet><sheetData><row r="1"><c t="str"><v> </v></c><c><v>1</v></c></row>{row}</sheetData></worksheet>'
    )
    assert read(tmp_path, book(sheet)).rows == {1: [None, 1]}


def test_separators_in_blank_rows_of_text_are_no_cells(tmp_path, monkeypatch):
    """Excel writes them for every row that is formatted."""
    monkeypatch.setattr("zjtx_alloc.facts.xlsx.cells.MOST_KEPT", 100)
    content = "甲,乙\n1,2\n" + ("," * 9 + "\n") * 20 + "3,4\n"
    assert read(tmp_path, content.encode()).rows == {1: ["甲", "乙"], 2: ["1", "2"], 23: ["3", "4"]}


def test_formulas_without_a_value_are_known_by_their_text(tmp_path):
    cells = '<c><f>SUM(A2:A3)</f></c><c><f t="array" ref="B1">B2*2</f><v></v></c><c><f t="shared" ref="C1:C9" si="0">C2</f><v/></c>'
    (row,) = read(tmp_path, book(cells)).rows.values()
    assert row == ["=SUM(A2:A3)", "=B2*2", "=C2"]
    assert {type(cell) for cell in row} == {Uncalculated}


@pytest.mark.parametrize(
    ("code", "number", "shows"),
    [
        ("yyyy-mm-dd", 45457, datetime.datetime(2024, 6, 14)), ('yyyy"年"m"月"', 45457.5, datetime.datetime(2024, 6, 14, 12)),
        ("[$-804]yyyy/m/d;@", 59, datetime.datetime(1900, 2, 28)), ("hh:mm", 0.75, datetime.time(18)),
        ("[h]:mm", 1.5, datetime.timedelta(hours=36)), ("yyyy-mm-dd", 10**9, "#VALUE!"), ("yyyy-mm-dd", -(10**9), "#VALUE!"),
        ("[Red]0.00", 3, 3), ('0"dmy"', 3, 3), (r"0\d", 3, 3), ("0_d", 3, 3), ("General", 3, 3), ("0.0%", 0.125, "12.5%"),
    ],
)  # fmt: skip
def test_a_number_is_a_day_where_its_format_shows_one(code, number, shows, tmp_path):
    escaped = code.replace('"', "&quot;")
    assert read(tmp_path, book(f'<c s="1"><v>{number}</v></c>', styles=formats(escaped))).rows == {1: [shows]}


@pytest.mark.parametrize(("number", "shows"), [(14, datetime.datetime(2024, 6, 14)), (31, datetime.datetime(2024, 6, 14)), (57, datetime.datetime(2024, 6, 14)), (46, datetime.timedelta(45457)), (9, "4545700%"), (1, 45457)])  # fmt: skip
def test_formats_that_every_excel_has_need_no_code(number, shows, tmp_path):
    """27 to 36 and 50 to 58 are days in Chinese Excel (ECMA-376, 18.8.30), which writes no code for them."""
    styles = f'<cellXfs><xf/><xf numFmtId="{number}"/></cellXfs>'
    assert read(tmp_path, book('<c s="1"><v>45457</v></c>', styles=styles)).rows == {1: [shows]}


def test_a_cell_without_a_style_has_the_first(tmp_path):
    assert read(tmp_path, book("<c><v>0.5</v></c>", styles='<cellXfs><xf numFmtId="9"/></cellXfs>')).rows == {
        1: ["50%"]
    }


def test_a_workbook_may_count_its_days_from_1904(tmp_path):
    content = book('<c s="1"><v>1</v></c>', styles=formats("yyyy-mm-dd"), sheets=f'<workbookPr date1904="1"/>{SHEETS}')
    assert read(tmp_path, content).rows == {1: [datetime.datetime(1904, 1, 2)]}


def test_prefixes_gaps_and_what_is_hidden(tmp_path):
    rows = '<x:row><x:c><x:v>1</x:v></x:c></x:row><x:row r="3.0" hidden="1"><x:c r="D3"><x:v>2</x:v></x:c></x:row><x:row r="5" hidden="true"/>'
    sheet = f'<x:worksheet xmlns:x="y"><x:cols><x:col min="2" max="16384" hidden="1"/></x:cols><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    grid = read(tmp_path, book(sheet))
    assert grid.rows == {1: [1], 3: [None, None, None, 2]}
    assert (grid.hidden_rows, grid.hidden_places) == ({3}, {1, 2, 3})


def test_charts_are_no_tables_and_hidden_sheets_are(tmp_path):
    sheets = '<sheets><sheet name="图" r:id="c1"/><sheet name="甲" state="hidden" r:id="r1"/></sheets>'
    more = RELATION.format("c1", "chartsheet", "c.xml")
    grid = read(tmp_path, book("<c><v>1</v></c>", sheets=sheets, relations=RELATIONS + more))
    assert (grid.name, grid.is_hidden, grid.label) == ("甲", True, "甲（已隐藏）")


BROKEN = {
    "a mark between digits": book("<c><v>1_05</v></c>"), "Arabic digits": book("<c><v>\u0661\u0662</v></c>"), "full width": book("<c><v>１２</v></c>"),
    "nan": book("<c><v>nan</v></c>"), "an index below zero": book('<c t="s"><v>-1</v></c>', texts=TEXTS), "a text that is not there": book('<c t="s"><v>3</v></c>', texts=TEXTS),
    "a kind that is none": book('<c t="q"><v>3</v></c>'), "a truth that is none": book('<c t="b"><v>2</v></c>'), "cells that go back": book('<c r="B1"><v>1</v></c><c r="A1"><v>1</v></c>'),
    "a cell twice": book('<c r="A1"><v>1</v></c><c r="A1"><v>2</v></c>'), "a column beyond": book('<c r="XFE1"><v>1</v></c>'), "a cell in a cell": book("<c><c/></c>"),
    "rows in a row": book("<row/>"), "a cell outside": book(before="<c/>"), "not closed": book("<c>"),
    "a sheet twice": book("<c/>", sheets=SHEETS.replace("</", '<sheet name="乙" r:id="r4"/></'), relations=RELATIONS + RELATION.format("r4", "worksheet", "worksheets/a.xml")),
    "two sets of styles": book("<c/>", relations=RELATIONS + RELATION.format("r5", "styles", "other.xml")), "no sheet": book(sheets=""),
    "lzma": book("<c/>", kind=zipfile.ZIP_LZMA), "bzip2": book("<c/>", kind=zipfile.ZIP_BZIP2), "a format without end": book("<c/>", styles=formats("[" * 1001)),
    "rows that go back": book('<worksheet><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>'), "row 0": book('<worksheet><sheetData><row r="0"/></sheetData></worksheet>'),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_no_program_writes_is_refused_not_guessed(name, tmp_path):
    with pytest.raises(za.DataError, match=NO_WORKBOOK):
        read_sheets(put(tmp_path, BROKEN[name]))


def test_a_sheet_that_once_took_a_minute_takes_no_time(tmp_path):
    """2.6 kB: the search for hidden rows looked from every beginning of one to the end of the sheet."""
    path = put(
        tmp_path, book(after="<!--" + '<row hidden="1" ' * 2900 + " " * 900_000 + "-->", cells="<c><v>1</v></c>")
    )
    begun = time.process_time()
    assert read_sheets(path)[0].rows == {1: [1]}
    assert path.stat().st_size < 6000
    assert time.process_time() - begun < 1


@pytest.mark.thorough
@pytest.mark.parametrize("piece", ["(", "(含", "北京（", "【单位:", "\u0316\u0301"])
def test_names_without_end_take_time_by_their_length(piece, tmp_path):
    rows = base()
    rows[3][0] = rows[4][1] = rows[0][2] = (piece * 32_000)[:32_000]
    path = put(tmp_path, text(rows), "表.csv")
    begun = time.process_time()
    with pytest.raises(za.TableError) as caught:
        za.load_panel(path)
    assert time.process_time() - begun < 2
    assert len(str(caught.value)) < 3000


MANY = {
    "3,000,000 styles": lambda: book("<c><v>1</v></c>", styles="<cellXfs>" + '<xf numFmtId="9"/>' * 3_000_000 + "</cellXfs>"),
    "500,000 relationships": lambda: book("<c><v>1</v></c>", relations="".join(RELATION.format(f"x{n}", "worksheet", n) for n in range(500_000)) + RELATIONS),
    "one sheet 12 times": lambda: book("<worksheet><sheetData>" + ("<row>" + "<c><v>1234567</v></c>" * 900 + "</row>") * 900 + "</sheetData></worksheet>",
        sheets="<sheets>" + "".join(f'<sheet name="{n}" r:id="r{n}"/>' for n in range(12)) + "</sheets>", relations="".join(RELATION.format(f"r{n}", "worksheet", "worksheets/a.xml") for n in range(12))),
    "elements in each other": lambda: book("<c/>", texts="<si>" * 10_000_000),
    "names without end": lambda: book("<c/>", texts="".join(f"<a{n} b{n}=''/>" for n in range(1_000_000))),
    "a tag without end": lambda: book("<c/>", texts=f"<si x='{'y' * 100_000_000}'/>"),
    "a text without end": lambda: book(f"<c><v>{'1' * 100_000_000}</v></c>"),
    "a list of 400,000 parts": lambda: b"PK\3\4" + b"PK\1\2" * 400_000,
    "one sign beyond the common ones": lambda: "单位,😀\n".encode() + b"x,1\n" * 5_000_000,
}  # fmt: skip
CHILD = """
import resource, sys, time
from pathlib import Path
import zjtx_alloc as za
from zjtx_alloc.facts.grid import read_sheets
(path := Path(sys.argv[1]))
read_sheets(Path(sys.argv[2]))
peak, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    read_sheets(path)
except za.DataError as error:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 - path.stat().st_size, time.process_time() - begun)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("name", MANY)
def test_what_is_hostile_costs_at_most_64_mb_beside_its_own_bytes(name, tmp_path):
    hostile, plain = put(tmp_path, MANY[name]()), put(tmp_path, book("<c><v>1</v></c>"), "plain.xlsx")
    done = subprocess.run([sys.executable, "-c", CHILD, hostile, plain], capture_output=True, text=True, check=True)
    memory, seconds = map(float, done.stdout.split())
    assert memory < 64 * 2**20
    assert seconds < 20
