"""Results beside a user's inputs: in the rows and columns that are there, everything else as it was."""

import io
import struct
import zipfile
import zlib

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from support.broken_inputs import package
from support.tables import base, xlsx

import zjtx_alloc as za
from zjtx_alloc.report.writers.mark import marked_copy, marking
from zjtx_alloc.report.writers.sheet import Cell
from zjtx_alloc.report.writers.user_sheet import write_results_into_copy


def test_cells_go_under_their_headers_and_new_columns_to_the_right(tmp_path):
    source, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "表"
    for row in (["标题"], ["名称", "金额（万元）"], ["甲", 1], ["乙", 2], ["=1+1", "自注"]):
        sheet.append(row)
    book.save(source)
    cells = pd.DataFrame({"金额（万元）": [30_000.0, None], "结论": ["=HYPERLINK(0)", None]}, index=[3, 4])
    assert write_results_into_copy(source, out, {"表": cells}) == out
    written = openpyxl.load_workbook(out)["表"]
    assert [*written.values] == [
        ("标题", None, None),
        ("名称", "金额（万元）", "结论"),
        ("甲", 30_000, "=HYPERLINK(0)"),
        ("乙", None, None),
        ("=1+1", "自注", None),
    ]
    assert (written["B3"].number_format, written["C3"].data_type, written["A5"].data_type) == ("#,##0", "s", "f")
    with pytest.raises(za.ZjtxError, match="文件已存在"):
        write_results_into_copy(source, out, {})
    with pytest.raises(za.ZjtxError, match="xlsx"):
        write_results_into_copy(source, tmp_path / "b.csv", {})


def test_merged_cells_part_where_results_go(tmp_path):
    """Someone has merged the results of a firm's lines, and a heading over the columns beside it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "表"
    for row in (["名称", "结论", "备注"], ["甲", "旧"], ["乙"], ["丙", None, "注"]):
        sheet.append(row)
    for area in ("B2:B3", "C1:E1", "C4:D4"):
        sheet.merge_cells(area)
    book.save(source := tmp_path / "a.xlsx")
    cells = pd.DataFrame({"结论": ["通过", "剔除", "通过"], "理由": [None, "无", None]}, index=[2, 3, 4])
    written = openpyxl.load_workbook(write_results_into_copy(source, tmp_path / "b.xlsx", {"表": cells}))["表"]
    assert [row[:4] for row in written.values] == [
        ("名称", "结论", "备注", "理由"), ("甲", "通过", None, None), ("乙", "剔除", None, "无"), ("丙", "通过", "注", None),
    ]  # fmt: skip


def test_what_a_user_has_in_the_workbook_is_not_touched(tmp_path):
    """Charts, own formulas and their values, choices; only the changed sheet, its styles and the book's setup differ."""
    source, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(source) as book:
        own, sheet = book.add_worksheet("自用"), book.add_worksheet("表")
        own.write_formula("A1", "=表!B2*2", None, 14)
        own.insert_chart("C3", chart := book.add_chart({"type": "column"}))
        chart.add_series({"values": "=表!$B$2:$B$3"})
        sheet.write_row("A1", ["名称", "金额"])
        sheet.write_row("A2", ["甲", 7])
        sheet.write_formula("B3", "=B2+1", None, 8)
        sheet.data_validation("A2:A9", {"validate": "list", "source": ["甲", "乙"]})
    write_results_into_copy(source, out, {"表": pd.DataFrame({"合计": [Cell(15, "SUM(B2:B3)"), "乙"]}, index=[2, 5])})
    before, after = ({n: z.read(n) for n in z.namelist()} for z in map(zipfile.ZipFile, (source, out)))
    assert {name for name in before if before[name] != after[name]} == {"xl/workbook.xml", "xl/worksheets/sheet2.xml", "xl/styles.xml"}  # fmt: skip
    values, formulas = (openpyxl.load_workbook(out, data_only=only) for only in (True, False))
    assert [values["自用"]["A1"].value, *[c.value for c in values["表"]["B"][:3]], values["表"]["C2"].value] == [14, "金额", 7, 8, 15]  # fmt: skip
    assert (formulas["表"]["C2"].value, formulas["表"]["B3"].value, formulas["表"]["C5"].value) == (
        "=SUM(B2:B3)",
        "=B2+1",
        "乙",
    )
    assert (values["表"].dimensions, len(values["表"].data_validations.dataValidation)) == ("A1:C5", 1)


def test_the_list_of_formulas_goes_with_a_formula_that_is_overwritten(tmp_path):
    """Excel calls a workbook broken whose list names a cell that holds none."""
    source, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(tmp_path / "plain.xlsx") as book:
        sheet = book.add_worksheet("表")
        sheet.write_row("A1", ["名称", "金额"])
        sheet.write_formula("B2", "=1+1", None, 2)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    added = {
        "[Content_Types].xml": f'<Override PartName="/xl/calcChain.xml" ContentType="{kind}"/></Types>',
        "xl/_rels/workbook.xml.rels": '<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain" Target="calcChain.xml"/></Relationships>',
    }
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(source, "w") as made:
        for name in plain.namelist():
            end = added.get(name, "")
            made.writestr(name, plain.read(name).decode().replace(end.partition("/>")[2] or "\0", end))
        made.writestr("xl/calcChain.xml", '<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="B2" i="1"/></calcChain>')  # fmt: skip
    write_results_into_copy(source, out, {"表": pd.DataFrame({"金额": [3]}, index=[2])})
    with zipfile.ZipFile(out) as written:
        assert "xl/calcChain.xml" not in written.namelist()
        assert not any(b"calcChain" in written.read(name) for name in added)
    assert openpyxl.load_workbook(out)["表"]["B2"].value == 3


@pytest.mark.parametrize(
    ("part", "content"),
    [("xl/worksheets/sheet1.xml", b"<worksheet>"), ("xl/styles.xml", b""), ("xl/workbook.xml", b"<a/>")],
)
def test_a_broken_part_is_refused_and_nothing_written(tmp_path, part, content):
    plain, source, out = (tmp_path / name for name in ("plain.xlsx", "a.xlsx", "b.xlsx"))
    with xlsxwriter.Workbook(plain) as book:
        book.add_worksheet("表").write_row("A1", ["名称", "金额"])
    with zipfile.ZipFile(plain) as whole, zipfile.ZipFile(source, "w") as made:
        for name in whole.namelist():
            made.writestr(name, content if name == part else whole.read(name))
    with pytest.raises(za.DataError, match=r"a\.xlsx"):
        write_results_into_copy(source, out, {"表": pd.DataFrame({"金额": [3]}, index=[2])})
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.needs_office
def test_an_office_program_shows_what_was_written_and_computes_it(recalculated, tmp_path):
    source, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(source) as book:
        book.add_worksheet("表").write_row("A1", ["名称", "金额（万元）"])
    cells = pd.DataFrame({"金额（万元）": [1200, Cell(0, "B2*2")], "说明": [" <甲> & \x01乙 ", "=1"]}, index=[2, 3])
    (shown,) = recalculated(write_results_into_copy(source, out, {"表": cells}))
    sheet = openpyxl.load_workbook(shown, data_only=True)["表"]
    assert [*sheet.values] == [("名称", "金额（万元）", "说明"), (None, 1200, " <甲> & 乙 "), (None, 2400, "=1")]
    assert (sheet["B3"].number_format, sheet["B2"].fill.start_color.rgb) == ("#,##0", "FFEEF4F9")


def test_a_part_that_no_reading_looks_at_may_be_broken(tmp_path):
    """The cells are read, and a copy with marks or results keeps the part."""
    rows = base()
    rows[3][1] = "约200"
    (path := tmp_path / "表.xlsx").write_bytes(package(xlsx(rows), core=b"<\xff"))
    with pytest.raises(za.TableError, match=r"不是数字.*\n已在 "), marking(path, tmp_path / "marked.xlsx"):
        za.load_panel(path)
    write_results_into_copy(path, tmp_path / "copy.xlsx", {})
    for name in ("marked.xlsx", "copy.xlsx"):
        with zipfile.ZipFile(tmp_path / name) as copy:
            assert copy.read("docProps/core.xml") == b"<\xff"


def marked_problems(*cells):
    return pd.DataFrame(
        [(sheet, row, column, what, "请改") for sheet, row, column, what in cells],
        columns=["工作表", "行", "列", "问题", "处理办法"],
        dtype=object,
    )


@pytest.fixture
def commented(tmp_path):
    """A workbook with two sheets, a picture, a chart, a formula, a merged area, a filter, a hidden row and comments on one."""
    path = tmp_path / "用户.xlsx"
    picture = struct.pack(">I4sIIBBBBB", 13, b"IHDR", 1, 1, 8, 0, 0, 0, 0)
    chunks = [picture[4:], b"IDAT" + zlib.compress(b"\0\0"), b"IEND"]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks
    )
    with xlsxwriter.Workbook(path) as book:
        sheet, own = book.add_worksheet("表"), book.add_worksheet("自用")
        sheet.write_row("A1", ["名称", "金额", "备注"])
        sheet.write_row("A2", ["甲", 7, "原有"])
        sheet.write_formula("B3", "=B2+1", book.add_format({"bold": True, "num_format": "0.0"}), 8)
        sheet.merge_range("A4:B5", "合并")
        sheet.autofilter("A1:C5")
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.write_comment("C2", "请张三核对", {"author": "李四"})
        sheet.insert_image("E2", "p.png", {"image_data": io.BytesIO(png)})
        sheet.set_header("&L&G", {"image_left": "p.png", "image_data_left": io.BytesIO(png)})
        own.write("A1", "不动")
        own.insert_chart("C3", chart := book.add_chart({"type": "column"}))
        chart.add_series({"values": "=表!$B$2:$B$3"})
        own.hide()
    return path


def test_marks_keep_pictures_values_filters_and_what_others_have_said(commented, tmp_path):
    """openpyxl, which wrote them before, lost the picture of the header, the values of formulas and the size of comments."""
    problems = marked_problems(
        ("表", 3, "B 金额", "太大"), ("表", 3, "B 金额", "太<小>"), ("表", 2, "C 备注", "多余"), ("表", 5, "B 金额", "合并"),
        ("没有", None, "", "整表"), ("表", 9, "D", "空白"),
    )  # fmt: skip
    out = marked_copy(commented, tmp_path / "标出.xlsx", problems)
    before, after = ({n: z.read(n) for n in z.namelist()} for z in map(zipfile.ZipFile, (commented, out)))
    changed = {name for name in before if before[name] != after[name]}
    parts = {"worksheets/sheet1.xml", "styles.xml", "workbook.xml", "comments1.xml", "drawings/vmlDrawing1.vml"}
    assert changed == {f"xl/{part}" for part in parts}
    assert set(after) == set(before)
    book, values = openpyxl.load_workbook(out), openpyxl.load_workbook(out, data_only=True)["表"]
    sheet = book["表"]
    told = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert told == {
        "A1": "整表。请改", "B3": "太大。请改\n太<小>。请改", "C2": "请张三核对\n多余。请改", "A4": "合并。请改", "D9": "空白。请改",
    }  # fmt: skip
    assert (sheet["C2"].comment.author, sheet["B3"].comment.author) == ("李四", "zjtx")
    assert {sheet[at].fill.start_color.rgb for at in told} == {"FFFFC7CE"}
    assert (sheet["B3"].value, values["B3"].value, sheet["B3"].font.b, sheet["B3"].number_format) == ("=B2+1", 8, True, "0.0")  # fmt: skip
    assert (sheet.auto_filter.ref, sheet.row_dimensions[2].hidden, [str(a) for a in sheet.merged_cells.ranges]) == ("A1:C5", True, ["A4:B5"])  # fmt: skip
    assert (book["自用"].sheet_state, len(book["自用"]._charts)) == ("hidden", 1)


@pytest.mark.slow
@pytest.mark.needs_office
def test_an_office_program_keeps_marks_where_there_were_comments_and_where_there_were_none(commented, recalculated, tmp_path):  # fmt: skip
    problems = marked_problems(("表", 3, "B 金额", "太大"), ("自用", 1, "A", "空"))
    (shown,) = recalculated(marked_copy(commented, tmp_path / "标出.xlsx", problems))
    book = openpyxl.load_workbook(shown)
    told = [(s.title, c.coordinate, c.comment.text) for s in book for row in s.iter_rows() for c in row if c.comment]
    assert told == [("表", "C2", "请张三核对"), ("表", "B3", "太大。请改"), ("自用", "A1", "空。请改")]
    assert (book["表"]["B3"].fill.start_color.rgb, len(book["表"]._images), len(book["自用"]._charts)) == ("FFFFC7CE", 1, 1)  # fmt: skip


def test_a_copy_is_made_only_of_as_many_cells_as_memory_holds(tmp_path, monkeypatch):
    """Blank cells and hidden sheets cost no reading anything, and a copy 400 bytes a cell: 256 MB of them are 25 GB."""
    monkeypatch.setattr("zjtx_alloc.facts.grid._MOST_COPIED", 150)
    rows = base()
    rows[3][1] = "约200"
    book = openpyxl.load_workbook(io.BytesIO(xlsx(rows)))
    hidden = book.create_sheet("附")
    hidden.sheet_state = "hidden"
    for place in range(1, 61):
        hidden.cell(1, place).number_format = "0.00"
    book.save(path := tmp_path / "表.xlsx")
    with (
        pytest.raises(za.TableError, match=r"不是数字.*\n表\.xlsx超过150个单元格"),
        marking(path, tmp_path / "copy.xlsx"),
    ):
        za.load_panel(path)
    with pytest.raises(za.DataError, match=r"表\.xlsx超过150个单元格"):
        write_results_into_copy(path, tmp_path / "copy.xlsx", {"Sheet": pd.DataFrame({"结论": ["通过"]}, index=[2])})
    assert [file.name for file in tmp_path.iterdir()] == ["表.xlsx"]
