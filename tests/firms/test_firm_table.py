"""The provinces' tables: an empty one to fill in, and a review as a workbook."""

import openpyxl
import pandas as pd
import pytest
from support.firm_tables import GOOD, credit_code, raw

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.firms.table.columns import firm_columns
from zjtx_alloc.firms.table.reading import RESULTS


def command(*arguments):
    with pytest.raises(SystemExit) as done:
        main([*map(str, arguments)])
    return done.value.code


def test_a_filled_in_template_is_read_as_it_is(tmp_path, capsys):
    path = tmp_path / "企业表.xlsx"
    assert command("template", path, "--firms") == 0
    assert capsys.readouterr().out.strip() == str(path)
    book = openpyxl.load_workbook(path)
    sheet = book["企业"]
    headers = {cell.value: cell.column for cell in sheet[3] if cell.value}
    columns = [column.title for column in firm_columns().values()]
    assert list(headers)[: len(columns) - len(RESULTS)] == columns[: -len(RESULTS)]  # results have sheets of their own
    needed = {column.title for column in firm_columns().values() if column.needed}
    assert {cell.value for cell in sheet[3] if cell.fill.fgColor.rgb == "FFFFE699"} == needed
    for name, value in (GOOD | {"统一社会信用代码": credit_code(1), "企业名称": "虚一试验公司"}).items():
        if name in headers:
            sheet.cell(4, headers[name], value)
    book.save(path)
    found = za.firms.load_firms(path)
    expected = za.firms.load_firms(raw({"统一社会信用代码": credit_code(1), "企业名称": "虚一试验公司"}))
    columns = [c for c in expected.table.columns if c in found.table and c not in ("file", "row")]
    assert set(expected.table) - set(found.table) <= set(RESULTS)
    pd.testing.assert_frame_equal(found.table[columns], expected.table[columns])
    # What a cell takes is what its column says.
    lists = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    listing = lists[sheet.cell(4, headers["上市情况"]).coordinate]
    assert "新三板" in listing.formula1
    assert listing.errorStyle == "information"  # several exchanges may stand in one cell
    assert lists[sheet.cell(4, headers["上一轮是否获支持"]).coordinate].errorStyle in (None, "stop")
    assert command("template", path, "--firms") == 1  # it may be filled in by now
    assert "文件已存在" in capsys.readouterr().err


def reviewed(tmp_path, *options, names=("review",)):
    """The sheets of a review of four firms: one good, one listed, one with too little, one of an earlier batch."""
    table, out = tmp_path / "企业.csv", tmp_path / "结果.xlsx"
    four = raw({}, {"上市情况": "深交所"}, {"推进计划投资总额（万元）": 2000}, {"新一轮已获支持批次": "第一批"})
    four.drop(columns="省级单位").to_csv(table, index=False, encoding="utf-8-sig")
    out.unlink(missing_ok=True)
    assert command(*names, table, "--unit", "江苏", "--as-of", "2024-07-31", "--out", out, *options) == 0
    return four, {sheet.title: [*sheet.values] for sheet in openpyxl.load_workbook(out)}


def found_in(sheets, *headers):
    """Columns of the sheet 企业, a row a firm."""
    places = [sheets["企业"][2].index(header) for header in headers]
    return [tuple(row[place] for place in places) for row in sheets["企业"][3:] if row[places[0]]]


def test_a_plain_table_is_reviewed_as_the_workbook_that_it_becomes(tmp_path, capsys):
    """One command under two names; what the table says is in the workbook, and the next stage reads it."""
    four, sheets = reviewed(tmp_path)
    found = found_in(sheets, "企业名称", "审核结论", "剔除理由", "推进计划投资总额（万元）", "证书有效期止")
    assert [row[0] for row in found] == four["企业名称"].tolist()
    assert [row[1] for row in found] == ["通过", "剔除", "剔除", "通过"]
    assert ["深交所" in found[1][2], "未超过2000万元" in found[2][2]] == [True, True]
    assert [row[3] for row in found] == [3000, 3000, 2000, 3000]
    assert all(str(row[4]).startswith("2024-12-31") for row in found)
    assert "新一轮已获支持" in found_in(sheets, "企业名称", "疑点")[3][1]
    basics = dict(zip(sheets["基本情况"][2], sheets["基本情况"][3], strict=True))
    assert (basics["省级单位"], basics["批次"], basics["审核日"]) == ("江苏", 1, "2024-07-31")
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "审核4家：通过2家，剔除2家。"
    assert told[-1] == str(tmp_path / "结果.xlsx")
    _, same = reviewed(tmp_path, names=("firms", "review"))
    assert same == sheets
    assert command("firms", "select", tmp_path / "结果.xlsx", "--out", tmp_path / "遴选.xlsx") == 1
    assert "没有名额" in capsys.readouterr().err  # all else is there


def test_lists_and_conditions_beyond_the_notice_can_be_asked_for(tmp_path, capsys):
    four = raw({}, {}, {}, {})
    first_round = tmp_path / "名单.csv"
    listed = pd.concat([four.iloc[:1][["企业名称"]], pd.DataFrame({"企业名称": ["别的企业有限公司"]})])
    listed.to_csv(first_round, index=False, encoding="utf-8-sig")
    _, sheets = reviewed(tmp_path, "--first-round", first_round, "--earlier-batch")
    assert {row[1] for row in found_in(sheets, "企业名称", "审核结论")} == {"剔除"}
    assert [row[1:3] for row in sheets["上一轮名单"][3:5]] == [
        (four.at[0, "企业名称"], "已对上"),
        ("别的企业有限公司", "未对上"),
    ]
    told = capsys.readouterr().out
    assert "1条已对上，0条疑似" in told
    assert "已启用通知没有规定的条件：通知未规定；福建省第二批申报要求。" in told
    assert "最早见于2025-01-01，审核日2024-07-31还没有这样的要求" in told
    # The copy says what was switched on, so that a review of the copy is the same.
    again = tmp_path / "再审.xlsx"
    assert command("review", tmp_path / "结果.xlsx", "--out", again) == 0
    assert {sheet.title: [*sheet.values] for sheet in openpyxl.load_workbook(again)}["企业"] == sheets["企业"]


def test_the_research_conditions_of_the_third_batch_are_off_unless_asked_for(tmp_path, capsys):
    """1,200 万元 in two years and 3 % a year pass; one 万元, or a tenth of a percent in either year, less does not."""
    numbers = {
        "证书有效期止": "2027-06-30",
        "近两年研发费用合计（万元）": 1200,
        "研发费用占营业收入比重（%）": 3,
        "上上年度研发费用占营业收入比重（%）": 3,
    }
    less = [
        {"近两年研发费用合计（万元）": 1199},
        {"研发费用占营业收入比重（%）": 2.9},
        {"上上年度研发费用占营业收入比重（%）": 2.9},
    ]
    table = raw(numbers, *(numbers | one for one in less))
    table.to_csv(tmp_path / "企业.csv", index=False, encoding="utf-8-sig")
    passed = {}
    for name, options in {"off": (), "on": ("--rd",)}.items():
        out = tmp_path / f"{name}.xlsx"
        assert command("review", tmp_path / "企业.csv", "--as-of", "2026-03-31", "--out", out, *options) == 0
        sheets = {sheet.title: [*sheet.values] for sheet in openpyxl.load_workbook(out)}
        passed[name] = [row[1] for row in found_in(sheets, "企业名称", "审核结论")]
    assert passed == {"off": ["通过"] * 4, "on": ["通过", *["剔除"] * 3]}
    assert "四川省第三批申报要求" in capsys.readouterr().out


def test_what_cannot_be_made_a_workbook_is_told(tmp_path, capsys):
    table = tmp_path / "企业.csv"
    raw({}, {"省级单位": "浙江"}).to_csv(table, index=False, encoding="utf-8-sig")
    assert command("review", table, "--as-of", "2024-07-31", "--out", tmp_path / "结果.xlsx") == 1
    assert "一本企业工作簿只放一个省级单位的企业，现有：江苏、浙江；请分开" in capsys.readouterr().err
    raw({}).to_csv(table, index=False, encoding="utf-8-sig")
    assert command("review", table, "--as-of", "2024-07-31", "--out", tmp_path / "结果.csv") == 1
    assert "只能存为 .xlsx" in capsys.readouterr().err
    assert command("review", table, "--as-of", "七月", "--out", tmp_path / "结果.xlsx") == 2
    assert command("review", table, "--out", tmp_path / "结果.xlsx") == 1
    assert "没有审核日" in capsys.readouterr().err
    book = tmp_path / "簿.xlsx"
    assert command("firms", "new", book, "--made-up", 3, "--unit", "江苏") == 0
    assert command("review", book, "--unit", "浙江", "--out", tmp_path / "结果.xlsx") == 1
    assert "是企业工作簿，省级单位和批次以“基本情况”为准" in capsys.readouterr().err
