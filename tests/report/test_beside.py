"""Results beside a user's inputs: in the rows and columns that are there, everything else as it was."""

import io

import openpyxl
import pandas as pd
import pytest
from support.broken_inputs import package
from support.tables import base, xlsx

import zjtx_alloc as za
from zjtx_alloc.report.writers.beside import write_beside
from zjtx_alloc.report.writers.mark import marking


def test_cells_go_under_their_headers_and_new_columns_to_the_right(tmp_path):
    source, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "表"
    for row in (["标题"], ["名称", "金额（万元）"], ["甲", 1], ["乙", 2], ["=1+1", "自注"]):
        sheet.append(row)
    book.save(source)
    cells = pd.DataFrame({"金额（万元）": [30_000.0, None], "结论": ["=HYPERLINK(0)", None]}, index=[3, 4])
    assert write_beside(source, out, {"表": cells}) == out
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
        write_beside(source, out, {})
    with pytest.raises(za.ZjtxError, match="xlsx"):
        write_beside(source, tmp_path / "b.csv", {})


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
    written = openpyxl.load_workbook(write_beside(source, tmp_path / "b.xlsx", {"表": cells}))["表"]
    assert [row[:4] for row in written.values] == [
        ("名称", "结论", "备注", "理由"), ("甲", "通过", None, None), ("乙", "剔除", None, "无"), ("丙", "通过", "注", None),
    ]  # fmt: skip


def test_a_part_that_no_reading_looks_at_may_be_broken(tmp_path):
    """The cells are read; a copy with all that is in the workbook cannot be made, and nothing is written."""
    rows = base()
    rows[3][1] = "约200"
    (path := tmp_path / "表.xlsx").write_bytes(package(xlsx(rows), core=b"<\xff"))
    with pytest.raises(za.DataError, match=r"表\.xlsx 无法打开"):
        write_beside(path, tmp_path / "copy.xlsx", {})
    with pytest.raises(za.TableError, match=r"不是数字.*\n表\.xlsx 无法打开"), marking(path, tmp_path / "copy.xlsx"):
        za.load_panel(path)
    assert [file.name for file in tmp_path.iterdir()] == ["表.xlsx"]


def test_a_copy_is_made_only_of_as_many_cells_as_memory_holds(tmp_path, monkeypatch):
    """Blank cells and hidden sheets cost no reading anything, and a copy 400 bytes a cell: 256 MB of them are 25 GB."""
    monkeypatch.setattr("zjtx_alloc.report.writers.beside._MOST_CELLS", 150)
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
    assert [file.name for file in tmp_path.iterdir()] == ["表.xlsx"]
