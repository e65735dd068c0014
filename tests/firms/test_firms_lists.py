"""Lists of firms already supported: how they are read, what they change, and entries that name no firm."""

import openpyxl
import pytest
from support.firm_tables import credit_code, failed, firms, reviewed

import zjtx_alloc as za


def test_a_list_counts_before_what_a_firm_declares():
    told = {"上一轮是否获支持": "是"}  # and listed: no contradiction
    lists = {"first_round": [credit_code(1), credit_code(2)], "1": [credit_code(0)]}
    found = reviewed({}, {}, told, supported=lists)
    assert found.failures[["firm", "rule"]].to_numpy().tolist() == [[1, "first_round"], [2, "first_round"]]
    assert found.flags.loc[found.flags["kind"] == "申报与名单不符", "firm"].tolist() == [1, 0]
    with pytest.raises(za.DataError, match="批次“4”不存在"):
        reviewed({}, supported={"4": []})


def test_a_published_list_names_firms_and_codes_are_read_in_any_case(tmp_path):
    first, second = (firms({}, {}).table["name"][n] for n in (0, 1))
    book = openpyxl.Workbook()
    for row in (["第一批名单"], ["序号", "企业名称"], [1, f" {first}"], [2, "别的企业有限公司"], ["注：排名不分先后"]):
        book.active.append(row)
    book.save(tmp_path / "名单.xlsx")
    path = tmp_path / "名单.csv"
    path.write_text(f"统一社会信用代码,企业名称\n{credit_code(2).lower()},改过的名称\n,{second}\n", encoding="gbk")
    lists = {"first_round": za.firms.load_list(tmp_path / "名单.xlsx"), "1": za.firms.load_list(path)}
    assert lists == {"first_round": [first, "别的企业有限公司"], "1": [credit_code(2).lower(), second]}
    strict = za.firms.load_conditions().switched("earlier_batch", True)
    assert failed({}, {}, {}, {}, supported=lists, conditions=strict) == [
        ["first_round"], ["earlier_batch"], ["earlier_batch"], [],
    ]  # fmt: skip


def test_entries_of_a_list_that_name_no_firm_are_counted_and_shown():
    name = firms({}).table.at[0, "name"]
    lists = {"first_round": [f" {name}", "甲设备有限公司", credit_code(9)], "1": [credit_code(0), credit_code(0)]}
    found = reviewed({}, {}, supported=lists)
    assert found.lists[["entry", "held"]].to_numpy().tolist() == [
        [credit_code(9), False], [name, True], ["甲设备有限公司", False], [credit_code(0), True],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([credit_code(0)[:-1]], "“上一轮是否获支持：是”名单中有1处既不是"),
        ([""], "有1处"),
        (["9.1E+17"], "“9.1E\\+17”"),
        (credit_code(0), "一段文字"),
    ],
)
def test_a_wrong_entry_of_a_list_is_told(entries, said):
    with pytest.raises(za.DataError, match=said):
        reviewed({}, supported={"first_round": entries})


def test_a_list_on_two_sheets_is_not_half_read(tmp_path):
    book = openpyxl.Workbook()
    for sheet, name in ((book.active, "甲设备有限公司"), (book.create_sheet("第二批"), "乙设备有限公司")):
        sheet.append(["企业名称"])
        sheet.append([name])
    book.create_sheet("填写说明").append(["一行一家"])
    book.save(tmp_path / "名单.xlsx")
    with pytest.raises(za.DataError, match="多个工作表都像名单：Sheet、第二批；"):
        za.firms.load_list(tmp_path / "名单.xlsx")


def test_a_file_that_is_no_list_is_told(tmp_path):
    path = tmp_path / "名单.csv"
    path.write_text("序号,地区\n1,江苏\n", encoding="utf-8")
    with pytest.raises(za.DataError, match="没有“统一社会信用代码”或“企业名称”列"):
        za.firms.load_list(path)
