"""Sheets as data: what a formula's names stand for, what the file says of a cell, and what is no sheet."""

import openpyxl
import pandas as pd
import pytest

from zjtx_alloc.report.table import Table
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Sheet, sums_of, table_sheet
from zjtx_alloc.report.writers.xlsx import write_form, write_workbook

COLUMNS = {"unit": Column("单位", "text"), "quota": Column("名额", "count"), "money": Column("金额", "money")}


def sheet(rows=3, **more):
    """Three units with one place more each, and their money."""
    data = [{"unit": f"第{n}", "quota": n, "money": Cell(n * 300, "[quota]*标准")} for n in range(1, rows + 1)]
    return Sheet("名额表", COLUMNS, data, **more)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("[quota]*2", "=B5*2"),
        ("[$quota]", "=$B5"),
        ("SUM([quota:rows])", "=SUM(B4:B6)"),
        ("SUM([quota:$rows])", "=SUM($B$4:$B$6)"),
        ("[quota:5-6]", "=$B$5:$B$6"),
        ("[quota:12]+[money:4]", "=B12+C4"),
        ("[quota:head]", "=B$3"),
        ("[money:total]-[quota:total]", "=C7-B7"),
        ("SUM([money:above])", "=SUM(C$3:C4)"),
        ("SUM([quota]:[money])", "=SUM(B5:C5)"),
    ],
)
def test_a_formula_names_columns_and_the_file_has_letters(formula, expected):
    assert sheet().written(formula, 5) == expected


def test_steps_above_the_headers_move_every_place():
    one = sheet(steps=["一", "二"])
    assert (one.first, one.last) == (6, 8)
    assert one.written("[quota:head]+SUM([quota:rows])", 7) == "=B$5+SUM(B6:B8)"
    assert (one.range("quota"), one.range("quota", 7, 8), one.cell("money", 7)) == (
        "'名额表'!$B$6:$B$8",
        "'名额表'!$B$7:$B$8",
        "'名额表'!C7",
    )


def test_headers_that_users_named_are_columns_too():
    names = ["单位", "甲（家）", "甲[乙]", "甲[乙]:rows", "a|b+(c"]
    frame = pd.DataFrame([["北京", 1, 2, 3, 4]], columns=names)
    kinds = dict(zip(names, ["text", *["count"] * 4], strict=True))
    made = table_sheet(Table("表", frame, kinds))
    assert made.written("+".join(f"[{name}]" for name in names[1:]), 4) == "=B4+C4+D4+E4"


@pytest.mark.parametrize("formula", ["[quotas]", "[quota:all]", "[quota:$]", "SUM([units:rows])"])
def test_a_formula_that_names_no_column_is_an_error(formula):
    with pytest.raises(ValueError, match=r"名额表: .* names no column"):
        sheet().written(formula, 4)


@pytest.mark.parametrize("part", ["rows", "totals", "check"])
def test_a_cell_without_a_column_is_an_error(part):
    row = {"unit": "合计", "quotas": 3}
    with pytest.raises(ValueError, match="名额表: no column is named quotas"):
        Sheet("名额表", COLUMNS, **{"rows": [], part: row if part == "check" else [row]})


def test_letters_after_z():
    wide = Sheet("宽", {f"c{place}": Column("列", "count") for place in range(703)}, [])
    cells = [wide.cell(f"c{place}", 4) for place in (0, 25, 26, 51, 52, 701, 702)]
    assert cells == [f"'宽'!{letters}4" for letters in ("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA")]


def test_totals_carry_the_sum_and_leave_blanks_out():
    rows = [{"quota": 2}, {"quota": None}, {"quota": Cell(5, "1+4")}]
    assert sums_of(rows, ["quota"]) == {"quota": Cell(7, "SUM([quota:$rows])")}
    with pytest.raises(AssertionError, match="二"):
        sums_of([{"quota": "二"}], ["quota"])


def test_names_inputs_checks_and_values_reach_the_file(tmp_path):
    given = Sheet(
        "假设", {"name": Column("参数", "text"), "value": Column("取值", "money")},
        [
            {"name": "标准", "value": Cell(300, kind="money", name="标准", is_input=True)},
            {"name": "比例", "value": Cell(0.5, kind="percent", name="比例", is_input=True)},
        ],
    )  # fmt: skip
    live = sheet(
        totals=[{"unit": "合计", **sums_of(sheet().rows, ["money"])}], check={"money": Cell(0, "[money:total]-1800")}
    )
    assert live.checks() == ["'名额表'!C8"]
    path = write_workbook(tmp_path / "x.xlsx", [given, live], "试")
    book, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    assert {name: one.attr_text for name, one in book.defined_names.items()} == {
        "标准": "'假设'!$B$4",
        "比例": "'假设'!$B$5",
    }
    cells, found = book["名额表"], values["名额表"]
    assert [cells[f"C{row}"].value for row in (4, 6, 7, 8)] == ["=B4*标准", "=B6*标准", "=SUM($C$4:$C$6)", "=C7-1800"]
    assert [found[f"C{row}"].value for row in (4, 6, 7, 8)] == [300, 900, 1800, 0]
    free, kept = book["假设"]["B4"], cells["C4"]
    assert (free.protection.locked, kept.protection.locked) == (False, True)
    (rule,) = book["假设"].data_validations.dataValidation
    assert (str(rule.sqref), rule.type, rule.formula1, rule.formula2) == ("B5", "decimal", "0", "1")


def test_a_form_offers_its_rules_on_spare_rows_and_bears_no_footer(tmp_path):
    rule = {"validate": "list", "source": ["是", "否"]}
    columns = {"name": Column("名称", "free text", rule=rule), "money": Column("金额", "free number")}
    form = Sheet("表", columns, [], heading="填表", spare=20, page=Page(is_form=True))
    made = openpyxl.load_workbook(write_form(tmp_path / "x.xlsx", "填表", [form]))["表"]
    (found,) = made.data_validations.dataValidation
    assert (str(found.sqref), made["A1"].value, made.oddFooter.center.text) == ("A4:A23", "填表", None)
    assert made.column_dimensions["A"].width == pytest.approx(12.71, abs=0.01)


def printed(tmp_path, *sheets):
    """Sheets as the file has them."""
    return openpyxl.load_workbook(write_workbook(tmp_path / "印.xlsx", sheets, "题"))


@pytest.mark.parametrize(
    ("text", "pages"), [("短", 1), ("https://www.example.gov.cn/files/attach/20240601.pdf（409家）；" * 5, 0)]
)
def test_a_long_table_stands_on_one_page_only_where_it_can_be_read(text, pages):
    made = table_sheet(Table("表", pd.DataFrame({"说明": [text] * 40}), {"说明": "text"}))
    assert made.page.pages == pages


def test_a_row_is_as_high_as_the_lines_of_an_address_that_breaks_at_its_slashes(tmp_path):
    text = "地址：https://www.example.gov.cn/files/filemanager/1226211233/attach/20244/bc918b07c4064658955a97246d069c8b.pdf"
    lines = ["地址：https://www.example.gov.cn/", "files/filemanager/1226211233/attach/", "20244/", "bc918b….pdf"]
    data = Sheet("表", {"text": Column("说明", "text", 39)}, [{"text": text}])
    assert printed(tmp_path, data)["表"].row_dimensions[4].height == pytest.approx(13.5 * len(lines) + 2, abs=0.4)


def test_a_note_ends_with_the_first_of_two_pages(tmp_path):
    columns = {name: Column(name, "count", 10) for name in "abcdefgh"}
    data = Sheet("表", columns, [dict.fromkeys(columns, 1)], note="注" * 100, page=Page(wide=2))
    (note,) = printed(tmp_path, data)["表"].merged_cells.ranges
    assert str(note) == "A2:D2"
