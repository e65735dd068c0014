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


def reviewed(tmp_path, *options):
    """The sheets of a review of four firms: one good, one listed, one with too little, one of an earlier batch."""
    table, out = tmp_path / "企业.csv", tmp_path / "结果.xlsx"
    four = raw({}, {"上市情况": "深交所"}, {"推进计划投资总额（万元）": 2000}, {"新一轮已获支持批次": "第一批"})
    four.drop(columns="省级单位").to_csv(table, index=False, encoding="utf-8-sig")
    code = command("review", table, "--unit", "江苏", "--as-of", "2024-07-31", "--out", out, *options)
    assert code == 0
    return four, {sheet.title: [*sheet.values] for sheet in openpyxl.load_workbook(out)}


def test_a_review_says_who_passes_and_who_does_not_and_why(tmp_path, capsys):
    four, sheets = reviewed(tmp_path)
    assert list(sheets) == ["审核情况", "审核通过企业", "剔除企业及理由", "疑点", "审核规则"]
    assert ("江苏", 4, 2, 2) in sheets["审核情况"]
    names = {row[2] for row in sheets["审核通过企业"]}
    assert names >= {four.at[0, "企业名称"], four.at[3, "企业名称"]}
    struck = [row for row in sheets["剔除企业及理由"] if row[-1] and "〔" in str(row[-1])]
    assert ["深交所" in struck[0][-1], "未超过2000万元" in struck[1][-1], len(struck)] == [True, True, 2]
    assert any("新一轮已获支持" in str(row) for row in sheets["疑点"])
    out = capsys.readouterr().out
    assert "审核情况" in out
    assert out.splitlines()[-1] == str(tmp_path / "结果.xlsx")


def test_a_table_of_which_every_firm_passes_is_reviewed(tmp_path, capsys):
    raw({}, {}).to_csv(tmp_path / "企业.csv", index=False, encoding="utf-8-sig")
    assert command("review", tmp_path / "企业.csv", "--as-of", "2024-07-31", "--out", tmp_path / "结果.xlsx") == 0
    sheets = {sheet.title: [*sheet.values] for sheet in openpyxl.load_workbook(tmp_path / "结果.xlsx")}
    assert ("江苏", 2, 0, 2) in sheets["审核情况"]
    assert not any("〔" in str(row) for row in sheets["剔除企业及理由"])


def test_lists_and_the_bar_on_earlier_batches_can_be_asked_for(tmp_path, capsys):
    four = raw({}, {}, {}, {})
    first_round = tmp_path / "名单.csv"
    listed = pd.concat([four.iloc[:1][["企业名称"]], pd.DataFrame({"企业名称": ["别的企业有限公司"]})])
    listed.to_csv(first_round, index=False, encoding="utf-8-sig")
    _, sheets = reviewed(tmp_path, "--first-round", first_round, "--earlier-batch")
    assert ("江苏", 4, 4, 0) in [row[:4] for row in sheets["审核情况"]]
    assert ("“上一轮是否获支持：是”名单", "别的企业有限公司") in sheets["名单中没有对上的条目"]
    assert "名单共2条，其中1条没有对上本表的企业：别的企业有限公司" in capsys.readouterr().out


def test_a_wrong_ending_and_day_are_told(tmp_path, capsys):
    table = tmp_path / "企业.csv"
    raw({}).to_csv(table, index=False, encoding="utf-8-sig")
    assert command("review", table, "--as-of", "2024-07-31", "--out", tmp_path / "结果.csv") == 1
    assert "只能存为 .xlsx" in capsys.readouterr().err
    assert command("review", table, "--as-of", "七月", "--out", tmp_path / "结果.xlsx") == 2
    assert command("review", table, "--out", tmp_path / "结果.xlsx") == 2
