"""Headings and cells of a firm table as provinces write them: remarks in parentheses, other measures of money, dates, exchanges."""

import datetime

import openpyxl
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.base.errors import TableError
from zjtx_alloc.cli.main import main
from zjtx_alloc.firms.book import read_book
from zjtx_alloc.firms.table.reading import load_firms
from zjtx_alloc.report.documents.firm_workbook import write_firm_workbook

PLAN, REVENUE = "推进计划投资总额（万元）", "上年度营业收入（万元）"


@pytest.fixture(scope="module")
def table():
    return za.firms.made_up_table(1, 5, unit="110000")


def read(table, **headings):
    return load_firms(table.rename(columns=headings))


@pytest.mark.parametrize(
    ("measure", "per"), [("亿元", 10_000), ("元", 0.0001), ("千元", 0.1), ("百万元", 100), ("单位：亿元", 10_000)]
)
def test_money_in_another_measure_is_converted_exactly_and_said(table, measure, per):
    other = table.assign(**{PLAN: table[PLAN].astype(float) / per})
    found = read(other, **{PLAN: f"推进计划投资总额（{measure}）"})
    assert found.table["planned_investment"].round(6).tolist() == table[PLAN].astype(float).tolist()
    named = measure.removeprefix("单位：")
    assert any(f"以{named}填写，已换算为万元" in note for note in found.notes), found.notes
    assert not read(table).notes


def test_a_measure_that_is_no_money_is_refused(table):
    with pytest.raises(TableError, match="计量单位不符，应为万元"):
        read(table, **{PLAN: "推进计划投资总额（家）"})


@pytest.mark.parametrize(
    ("text", "known"),
    [("企业名称（全称）", "企业名称"), ("统一社会信用代码（18位）", "统一社会信用代码"), ("上市情况（可多选）", "上市情况"), ("推进计划投资总额（万元，含税）", PLAN)],
)  # fmt: skip
def test_a_remark_in_parentheses_is_passed_over(table, text, known):
    plain = read(table)
    pd.testing.assert_frame_equal(read(table, **{known: text}).table, plain.table)


def test_a_remark_that_makes_it_another_thing_is_not(table):
    with pytest.raises(TableError, match="相近但不相同"):
        read(table, **{PLAN: "推进计划投资总额（其中研发，万元）"})
    beside = table.assign(**{"推进计划投资总额（不含基建，万元）": 1})
    assert "推进计划投资总额（不含基建,万元）" in {text.replace("，", ",").replace("(", "（").replace(")", "）") for text in ("".join(h.split(" ")[1:]) for h in read(beside).unread)}  # fmt: skip


@pytest.mark.parametrize(("said", "code"), [("A股上市", "a_share"), ("A股", "a_share"), ("H股", "overseas"), ("美股", "overseas"), ("香港上市", "overseas"), ("A股、H股", "a_share|overseas")])  # fmt: skip
def test_where_a_firm_is_listed_may_be_said_as_people_do(table, said, code):
    found = load_firms(table.assign(**{"上市情况": said}))
    assert set(found.table["listing"]) == {code}
    review = za.firms.review(found, None, datetime.date(2024, 7, 31))
    assert review.failures["rule"].eq("listing").sum() == len(table)


@pytest.mark.parametrize(
    "day", [20240731, "20240731", "2024-07-31 00:00:00", "2024.7.31", datetime.datetime(2024, 7, 31)]
)
def test_a_date_is_read_alike_everywhere(tmp_path, day):
    path = write_firm_workbook(tmp_path / "省.xlsx", "110000", 1, 3)
    book = openpyxl.load_workbook(path)
    sheet = book["基本情况"]
    header = next(row for row in sheet.iter_rows(max_row=6) if any(cell.value == "审核日" for cell in row))
    place = next(cell for cell in header if cell.value == "审核日")
    sheet.cell(place.row + 1, place.column).value = day
    book.save(path)
    assert read_book(path).basics["as_of"] == datetime.date(2024, 7, 31)


def run(capsys, *words):
    with pytest.raises(SystemExit) as done:
        main(["firms", *map(str, words)])
    out, err = capsys.readouterr()
    return done.value.code or 0, out, err


@pytest.mark.parametrize("kind", ["workbook", "table"])
def test_a_cell_names_another_firm_so_that_no_sorting_or_renaming_misleads(table, tmp_path, capsys, monkeypatch, kind):
    """With --first-round or --rd a copy is made on the way, whose name is no file of his."""
    monkeypatch.chdir(tmp_path)
    twice = pd.concat([table, table.iloc[[0]]], ignore_index=True)
    if kind == "table":
        rows = [
            ["申报汇总"],
            [None],
            list(twice.columns),
            *twice.astype(object).where(twice.notna(), None).to_numpy().tolist(),
        ]
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(file := tmp_path / "申报表2024.xlsx")
    else:
        file = write_firm_workbook(tmp_path / "申报表2024.xlsx", "110000", 1, 3)
        book = openpyxl.load_workbook(file)
        sheet = book["企业"]
        row = next(n for n in range(1, 9) if sheet.cell(n, 2).value == "统一社会信用代码")
        sheet.cell(row + 2, 2).value = sheet.cell(row + 1, 2).value
        book.save(file)
    (tmp_path / "名单.csv").write_text("企业名称\n某某设备有限公司\n", encoding="utf-8")
    unit = ["--unit", "北京"] if kind == "table" else []
    code, _, err = run(
        capsys, "review", file, "--out", "出.xlsx", "--first-round", "名单.csv", "--as-of", "2024-07-31", *unit
    )
    assert code == 0, err
    cells = [str(cell.value) for row in openpyxl.load_workbook("出.xlsx")["企业"].iter_rows() for cell in row]
    assert [text for text in cells if "申报表2024" in text] == []  # in its own sheet a firm is named by name and code
    codes = [text for text in set(cells) if cells.count(text) > 1 and len(text) == 18]
    assert any(f"（{code}）" in text for code in codes for text in cells)


def test_a_bad_entry_of_a_list_is_named_with_its_row(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_firm_workbook(tmp_path / "省.xlsx", "110000", 1, 3)
    book = openpyxl.Workbook()
    for row in (["统一社会信用代码", "企业名称"], ["9.1E+17", None], [None, "甲公司"], ["91110108MA01ABCD1", None]):
        book.active.append(row)
    book.save("名单.xlsx")
    code, _, err = run(capsys, "review", file, "--out", "出.xlsx", "--first-round", "名单.xlsx")
    assert code == 1
    assert "名单.xlsx" in err
    assert "2｜A 统一社会信用代码｜9.1E+17｜" in err
    assert "4｜A 统一社会信用代码｜91110108MA01ABCD1｜" in err


def test_a_bad_entry_of_the_sheet_is_named_with_its_row(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_firm_workbook(tmp_path / "省.xlsx", "110000", 1, 3)
    book = openpyxl.load_workbook(file)
    sheet = book["上一轮名单"]
    sheet.cell(sheet.max_row + 1, 1).value = "9.1E+17"
    number = sheet.max_row
    book.save(file)
    code, _, err = run(capsys, "review", file, "--out", "出.xlsx")
    assert code == 1
    assert f"上一轮名单｜{number}｜A 统一社会信用代码｜9.1E+17｜" in err


@pytest.mark.parametrize("sheet", ["企业", "基本情况"])
def test_hidden_parts_of_a_firm_workbook_are_listed(tmp_path, capsys, monkeypatch, sheet):
    monkeypatch.chdir(tmp_path)
    file = write_firm_workbook(tmp_path / "省.xlsx", "110000", 1, 3)
    book = openpyxl.load_workbook(file)
    book[sheet].sheet_state = "hidden"
    book.save(file)
    code, out, err = run(capsys, "review", file, "--out", "出.xlsx")
    assert code == 0, err
    assert f"{sheet}（已隐藏）已读入。" in out
