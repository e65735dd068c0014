"""Cells as Excel shows them, and rows of CSV files that are wider than their header."""

import openpyxl
import pytest
from support.tables import base, text

import zjtx_alloc as za
from zjtx_alloc.facts.grid import column_letters, read_sheets


@pytest.mark.parametrize(
    ("value", "number_format", "looks"),
    [
        (0.12, "0.00%", "12%"), (0.12, "#,##0%;(0%)", "12%"), (-0.12, "0;-0%", "-12%"), (0.12, "0;-0%", 0.12),
        (2.23, '0.00"%"', "2.23%"), (2.23, r"0.00\%", "2.23%"), (2.23, '0" (%)"', "2.23%"), (2.23, "0_%", 2.23),
        (2.23, "0*%", 2.23), (0.5, "[<1]0%;0.0", "50%"), (2.23, "[<1]0%;0.0", 2.23), (0, "0%;0%;0", 0),
        (0.5, '"a;b"0%', "50%"), (2.23, '[Red]0;[Color 5]"%"0', 2.23), (2.23, "General", 2.23), (True, "0%", True),
    ],
)  # fmt: skip
def test_a_number_is_read_as_its_format_shows_it(value, number_format, looks, tmp_path):
    """By Excel: a % multiplies unless it is quoted, escaped, or fills a space; sections go by sign or condition."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A1"].number_format = value, number_format
    book.save(tmp_path / "format.xlsx")
    (grid,) = read_sheets(tmp_path / "format.xlsx")
    assert grid.rows == {1: [looks]}


RAGGED = "有{}格，多于表头的{}格：内容中有未加引号的分隔符“{}”"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_row_wider_than_its_header_is_not_read_one_cell_to_the_left(separator, tmp_path):
    rows = [row[:2] for row in base()]
    rows[23] = ["广东", 1, 234]
    (path := tmp_path / "表.csv").write_bytes(text(rows, separator=separator))
    with pytest.raises(za.TableError) as caught:
        za.load_panel(path)
    said = RAGGED.format(3, 2, "制表符" if separator == "\t" else separator)
    assert caught.value.problems[["行", "内容", "问题"]].to_numpy().tolist() == [
        [24, separator.join(["广东", "1", "234"]), said]
    ]


def test_a_remark_to_the_right_takes_no_number_and_separators_at_every_end_are_harmless(tmp_path):
    """With a last column left blank the row has but one blank cell too many; where all rows have it, it means nothing."""
    rows = [[*row[:2], ""] for row in base()]
    rows[0][2] = "备注"
    rows[23] = ["广东", 1, 234, ""]
    (path := tmp_path / "表.csv").write_bytes(text(rows))
    with pytest.raises(za.TableError, match=f"24｜｜广东,1,234,｜{RAGGED.format(4, 3, ',')}｜请去掉数字中的千位分隔符"):
        za.load_panel(path)
    ended = [base()[0], *([*row, ""] for row in base()[1:]), ["注：甲,乙", "丙", "丁", "戊"]]
    path.write_bytes(text(ended))
    assert za.load_panel(path).values("sme_count", "").tolist() == [row[1] for row in base()[1:]]


def test_columns_have_the_names_that_excel_gives_them():
    assert [column_letters(number) for number in (1, 26, 27, 702, 703, 16384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
