"""Firm tables: reading, every wrong cell told, dates as people write them, firms made up."""

import datetime

import openpyxl
import pandas as pd
import pytest
from support.firm_tables import DAY, INVESTMENT, SHARE, credit_code, firms, raw

import zjtx_alloc as za

# Reading


def test_an_excel_table_with_a_title_a_total_and_a_note_gives_its_firms(tmp_path):
    table, book = raw({}, {"上市情况": "新三板"}), openpyxl.Workbook()
    book.active.append(["江苏省企业信息表（试填）"])
    book.active.append(list(table.columns))
    for row in table.itertuples(index=False):
        book.active.append(list(row))
    book.active.append(["合计", None, None, None, None, None, None, None, None, None, None, None, None, 6000])
    book.active.append(["注：金额单位为万元"])
    book.save(tmp_path / "企业.xlsx")
    read = za.firms.load_firms(tmp_path / "企业.xlsx")
    assert read.table["row"].tolist() == [3, 4]
    assert read.table["listing"].tolist() == ["none", "neeq"]
    assert read.table["planned_investment"].tolist() == [3000.0, 3000.0]
    assert not read.made_up


def test_a_firm_of_which_only_the_name_is_filled_in_is_not_passed_over_as_a_note():
    table = raw({}, {}, {})
    table.iloc[1] = None
    table.loc[1, "企业名称"] = "乙设备有限公司"
    table.iloc[2] = None
    table.iloc[2, 0] = "注：金额单位为万元"
    with pytest.raises(za.TableError) as caught:
        za.firms.load_firms(table)
    assert set(caught.value.problems["行"]) == {3}
    assert "企业名称" not in "".join(caught.value.problems["列"])


def test_a_province_needs_no_column_of_units_and_personal_data_is_not_read(tmp_path):
    table = raw({}).drop(columns="省级单位").assign(联系人="某人", 手机="13000000000")
    path = tmp_path / "企业.csv"
    table.to_csv(path, index=False, encoding="gbk")
    read = za.firms.load_firms(path, "江苏省")
    assert read.table["unit"].tolist() == ["320000"]
    assert [text.split()[1] for text in read.unread] == ["联系人", "手机"]
    assert not read.table.astype(str).isin(["某人", "13000000000"]).any(axis=None)


def test_firms_of_another_unit_are_told_by_their_rows():
    with pytest.raises(za.TableError) as caught:
        za.firms.load_firms(raw({}, {"省级单位": "浙江"}), "江苏")
    assert caught.value.problems[["行", "问题"]].to_numpy().tolist() == [[3, "不是本单位的企业"]]
    with pytest.raises(za.DataError, match="没有名为“江东”的单位"):
        za.firms.load_firms(raw({}), "江东")


WRONG = {
    "length": ({"统一社会信用代码": "91000000"}, "不是18位（现为8位）"),
    "check digit": ({"统一社会信用代码": credit_code(0)[:-1] + "8"}, "校验位不符"),
    "letter O": ({"统一社会信用代码": credit_code(0)[:9] + "O" + credit_code(0)[10:]}, "含有不允许的字符"),
    "number": ({"统一社会信用代码": 910000000000000000}, "是数字格式，超过15位的部分已被 Excel 改成0"),
    "no date": ({"证书有效期止": "2024年12月"}, "不是日期"),
    "month alone": ({"证书有效期止": 202711}, "不是日期"),  # once read as 1 January 2027
    "one of two days": ({"证书有效期止": "2027112"}, "不是日期"),
    "no such day": ({"证书有效期止": "2027-02-30"}, "没有这一天"),
    "no choice": ({"上市情况": "拟上市"}, "不是可选的内容"),
    "clash": ({"上市情况": "未上市、上交所"}, "“无”“未上市”“其他”不能与别的内容并列"),
    "blank": ({"上一轮是否获支持": ""}, "空白"),
    "text": ({INVESTMENT: "约3000"}, "不是数字"),
    "negative": ({INVESTMENT: -1}, "为负数"),
    "unit": ({"省级单位": "江东"}, "不是37个单位之一"),
    "ends before it begins": ({"证书有效期止": "2021-07-31"}, "早于有效期起2021-08-01"),
    "percent format": ({"目标完成率（%）": 0.95}, "像是百分比格式的单元格"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_cell_is_told_by_its_row_with_a_remedy(case):
    change, what = WRONG[case]
    with pytest.raises(za.TableError) as caught:
        firms({}, change)
    (problem,) = caught.value.problems.to_dict("records")
    assert (problem["行"], problem["问题"]) == (3, what)
    assert problem["列"].endswith(next(iter(change)).replace("（", "(").replace("）", ")"))
    assert problem["处理办法"]


def test_a_title_that_says_yuan_is_not_read_as_ten_thousand_yuan(tmp_path):
    table = raw({INVESTMENT: 15_000_000}).rename(columns={INVESTMENT: "推进计划投资总额"})
    (path := tmp_path / "企业.csv").write_text("单位：元\n" + table.to_csv(index=False), encoding="utf-8")
    found = za.firms.load_firms(path)
    assert found.table["planned_investment"].tolist() == [1500]
    assert found.notes == ("N 推进计划投资总额 以元填写，已换算为万元。",)


@pytest.mark.parametrize("read", [za.firms.load_firms, za.firms.load_list])
def test_a_row_with_a_separator_too_many_is_told(tmp_path, read):
    lines = raw({}, {}).to_csv(index=False).splitlines()
    lines[2] = lines[2].replace("3000", "3,000", 1)
    (path := tmp_path / "企业.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(za.TableError) as caught:
        read(path)
    (problem,) = caught.value.problems.to_dict("records")
    assert (problem["行"], problem["问题"]) == (3, "有22格，多于表头的21格：内容中有未加引号的分隔符“,”")


def test_a_percentage_is_read_as_its_cell_shows_it(tmp_path):
    """2.23 with a sign that is only text is 2.23 %, and once was read as 223 %; 0.05 as a percentage is 5 %."""
    table, book = raw({}, {}, {}), openpyxl.Workbook()
    for row in ([*table], *table.itertuples(index=False)):
        book.active.append(list(row))
    place = list(table).index(SHARE) + 1
    for row, (value, number_format) in enumerate([(2.23, '0.00"%"'), (0.05, "0%"), (0.5, r"0.0\%")], start=2):
        book.active.cell(row, place, value).number_format = number_format
    book.save(tmp_path / "企业.xlsx")
    assert za.firms.load_firms(tmp_path / "企业.xlsx").table["rd_share"].tolist() == [2.23, 5, 0.5]


def test_yuan_in_a_column_of_ten_thousands_is_told_with_the_number_to_fill_in():
    with pytest.raises(za.TableError) as caught:
        firms({}, {INVESTMENT: 25_000_000}, {INVESTMENT: 3_000_001})
    assert caught.value.problems[["行", "内容", "问题", "处理办法"]].to_numpy().tolist() == [
        [3, "25000000", "超过3,000,000万元，像是以元填写", "请换算成万元；原数若为25,000,000元，应填2,500"],
        [4, "3000001", "超过3,000,000万元，像是以元填写", "请换算成万元；原数若为3,000,001元，应填300.0001"],
    ]
    assert firms({INVESTMENT: 3_000_000}).table["planned_investment"].tolist() == [3_000_000]


@pytest.mark.parametrize(
    ("column", "money"), [("到账奖补资金（万元）", 2_850_000), ("已使用奖补资金（万元）", 100_001)]
)
def test_yuan_of_an_award_is_told_below_what_a_plan_may_hold(column, money):
    assert firms({column: 100_000}).table.shape[0] == 1
    with pytest.raises(za.TableError, match=f"{money}｜超过100,000万元，像是以元填写"):
        firms({column: money})


def test_research_money_above_the_whole_plan_is_told_with_both():
    with pytest.raises(za.TableError) as caught:
        za.firms.load_firms(raw({}, {}).assign(**{"产学研合作投入（万元）": [3000, 3000.5]}))
    (problem,) = caught.value.problems.to_dict("records")
    assert (problem["行"], problem["内容"]) == (3, "3000.5")
    assert problem["问题"] == "多于推进计划投资总额3,000万元"
    assert problem["处理办法"] == "产学研合作投入是计划投资的一部分，请核对两列的数和计量单位"


def test_all_problems_are_told_at_once_and_a_missing_column_is_one():
    table = raw({"上市情况": "拟上市"}, {INVESTMENT: "约3000"}).drop(columns="上一轮是否获支持")
    with pytest.raises(za.TableError) as caught:
        za.firms.load_firms(table)
    assert caught.value.problems["问题"].tolist() == ["缺少此列", "不是可选的内容", "不是数字"]


def test_a_header_that_is_nearly_one_is_asked_about():
    with pytest.raises(za.TableError, match="相近但不相同"):
        za.firms.load_firms(raw({}).rename(columns={"新一轮已获支持批次": "新一轮获支持的批次"}))


@pytest.mark.parametrize(
    ("written", "day"),
    [("2024年7月31日", 31), ("2024/7/31", 31), ("20240731", 31), (datetime.datetime(2024, 7, 30), 30)],
)
def test_dates_are_read_as_people_write_them(written, day):
    assert firms({"证书有效期止": written}).table["certificate_end"][0] == pd.Timestamp(2024, 7, day)


def test_invented_and_real_firms_never_mix():
    with pytest.raises(za.TableError, match="虚构企业与真实企业混在一张表中"):
        firms({}, {"企业名称": "江苏某某设备有限公司（虚构）"})
    invented = firms({"企业名称": "江苏某某设备有限公司（虚构）"})
    assert invented.made_up
    with pytest.raises(za.DataError, match="不能合在一起"):
        za.firms.together(invented, firms({}))


# Made-up firms


def test_made_up_firms_repeat_and_are_marked(panel):
    one, two = (za.firms.made_up_firms(seed=5, total=400) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert one.made_up
    assert one.table["name"].str.endswith("（虚构）").all()
    assert one.table["credit_code"].str[2:8].eq("000000").all()
    stock = panel.values("little_giants", "2021-06")
    counts = one.table["unit"].value_counts().reindex(stock.index, fill_value=0)
    assert (counts - 400 * stock / stock.sum()).abs().max() <= 1
    found = za.firms.review(one, None, DAY)
    assert "虚构" in found.reasons()["说明"].iloc[0]


def test_a_dirty_table_is_refused_with_every_problem():
    """What real tables hold: cells nobody can read, negative money, days that are none, units that are none."""
    table = za.firms.made_up_table(total=3000)
    wrong = {
        "统一社会信用代码": lambda code: code[:-1], "推进计划投资总额（万元）": lambda money: f"约{money}",
        "证书有效期止": lambda day: "2027-02-30", "省级单位": lambda unit: "江东省", "上市情况": lambda text: "拟上市",
    }  # fmt: skip
    for place, (column, spoilt) in enumerate(wrong.items()):
        for row in range(place, 3000, 1000):
            table.at[row, column] = spoilt(table.at[row, column])
    with pytest.raises(za.TableError) as caught:
        za.firms.load_firms(table)
    assert len(caught.value.problems) == 3 * len(wrong)
