"""Firms reviewed: each condition at its boundary, likeness, conditions of one's own."""

import datetime

import pandas as pd
import pytest
from support.firm_tables import DAY, INVESTMENT, SHARE, credit_code, failed, firms, raw, reviewed

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.firms.steps.likeness import alike, cores

# Review, each rule at its boundary


def test_a_certificate_is_in_force_on_its_last_and_first_day():
    ends = [{"证书有效期止": day} for day in ("2024-07-31", "2024-07-30")]
    starts = [{"证书有效期起": day} for day in ("2024-07-31", "2024-08-01")]
    assert failed(*ends, *starts) == [[], ["certificate_end"], [], ["certificate_start"]]


def test_an_hour_of_the_last_day_is_that_day():
    found = za.firms.review(firms({"证书有效期止": "2024-07-31"}), None, datetime.datetime(2024, 7, 31, 12))
    assert found.failures.empty
    assert found.as_of == DAY


def test_exactly_2000_does_not_enter():
    assert failed(*({INVESTMENT: value} for value in (2000, 2000.01, 1999.99))) == [["investment"], [], ["investment"]]


@pytest.mark.parametrize("exchange", ["上交所", "深交所", "北交所", "境外", "科创板", "港交所", "上交所、境外"])
def test_each_exchange_bars(exchange):
    assert failed({"上市情况": exchange}) == [["listing"]]


@pytest.mark.parametrize("listing", ["未上市", "新三板", "全国中小企业股份转让系统"])
def test_the_new_third_board_does_not_bar(listing):
    assert failed({"上市情况": listing}) == [[]]


def test_first_round_field_direction_and_target():
    assert failed(
        {"上一轮是否获支持": "是"},
        {"所属重点领域": "其他"},
        {"推进计划方向": "无"},
        {"推进计划方向": "打造新动能、开发新产品"},
    ) == [["first_round"], ["field"], ["direction"], ["target"]]


NO_TARGETS = ["无", "/", "详见附件", "见附件2", "（暂无）", "——", "N/A", "同上。", "1.", "详见推进计划"]


@pytest.mark.parametrize("target", NO_TARGETS)
def test_what_only_fills_the_cell_is_no_target(target):
    found = reviewed({"开发新产品绩效目标": target})
    (reason,) = found.failures["reason"]
    assert reason == f"推进计划所覆盖的方面没有分别提出绩效目标：开发新产品（所填“{target}”）"
    real = ["新增发明专利5件", "见附件；新增专利5件", "无废水排放", "R&D≥5%", "建成产线一条"]
    assert failed(*({"开发新产品绩效目标": text} for text in real)) == [[]] * len(real)


def test_the_bar_on_earlier_batches_is_off_unless_switched_on():
    batch = {"新一轮已获支持批次": "第一批"}
    conditions = za.firms.load_conditions()
    assert failed(batch) == [[]]
    assert reviewed(batch).flags["kind"].tolist() == ["新一轮已获支持"]
    assert failed(batch, conditions=conditions.switched("earlier_batch", True)) == [["earlier_batch"]]
    assert "福建省" in conditions.rules["earlier_batch"].clause


def test_what_a_call_asks_of_batch_3_is_off_unless_switched_on():
    """At least 1,200 in two years and 3 % in each: the line itself is enough."""
    spent, before = "近两年研发费用合计（万元）", "上上年度研发费用占营业收入比重（%）"
    plans = (
        {spent: 1200, SHARE: 3, before: 3},
        {spent: 1199.99, SHARE: 3, before: 3},
        {spent: 5000, SHARE: 2.99, before: 2},
    )
    assert failed(*plans) == [[], [], []]
    conditions = za.firms.load_conditions()
    for rule in ("rd_two_years", "rd_share", "rd_share_before"):
        assert "通知未规定" in conditions.rules[rule].clause
        conditions = conditions.switched(rule, True)
    assert failed(*plans, conditions=conditions) == [[], ["rd_two_years"], ["rd_share", "rd_share_before"]]
    reasons = reviewed(*plans, conditions=conditions).failures["reason"].tolist()
    assert reasons[0] == "近两年研发费用合计1,199.99万元，低于1200万元"
    with pytest.raises(za.DataError, match="近两年研发费用合计"):  # a blank cell is neither enough nor too little
        failed({spent: "", SHARE: 3, before: 3}, conditions=conditions)


def test_a_firm_is_told_every_reason_with_its_clause():
    found = reviewed({"上市情况": "上交所、境外", INVESTMENT: 2000, "证书有效期止": "2024-07-30"})
    assert found.reasons()["理由"].tolist() == [
        "证书有效期至2024-07-30，审核日2024-07-31已过期〔三（一）〕；已公开发行股票（上交所、境外）〔三（一）〕；"
        "推进计划投资总额2,000万元，未超过2000万元〔三（一）〕"
    ]


def test_the_same_code_twice_passes_nowhere_and_names_the_other():
    found = reviewed({}, {"统一社会信用代码": credit_code(0), "省级单位": "浙江"}, {})
    assert found.failures["rule"].tolist() == ["repeated", "repeated"]
    assert "第3行" in found.failures["reason"][0]
    assert "第2行" in found.failures["reason"][1]
    assert found.by_unit.loc[["320000", "330000"], "passed"].tolist() == [1, 0]


def test_names_that_are_one_or_nearly_one_are_flagged_both_ways_and_strike_nobody_out():
    name = "苏州某某精密设备制造有限公司"
    found = reviewed(
        {"企业名称": name},
        {"企业名称": name.replace("有限公司", "股份有限公司")},
        {"企业名称": name.replace("精密", "精蜜")},
        {},
    )
    assert found.failures.empty
    flags = found.flags.set_index("kind")[["firm", "other"]].astype(int)
    assert "第3行" in found.doubts()["对照"].iloc[0]
    assert sorted(flags.loc["名称相同、代码不同"].to_numpy().tolist()) == [[0, 1], [1, 0]]
    assert sorted(flags.loc["名称只差一字、代码不同"].to_numpy().tolist()) == [[0, 2], [2, 0]]


def test_many_rows_of_one_code_and_name_are_told_in_few_words():
    found = reviewed(*[{"统一社会信用代码": credit_code(0)}] * 60)
    assert len(found.failures) == 60
    assert found.failures["reason"].str.count("（企业表第").eq(10).all()
    assert found.failures["reason"].str.endswith("等").all()
    same = reviewed(*[{"企业名称": "某某精密设备制造有限公司"}] * 60).flags
    assert same["firm"].value_counts().to_dict() == {0: 59} | dict.fromkeys(range(1, 60), 1)


@pytest.mark.parametrize(
    ("quota", "said"),
    [({"320000": 1.5}, "江苏 1.5"), ({"320000": -1}, "江苏 -1"), ({"320000": None}, "江苏 nan"), ({"99": 1}, "不存在的单位代码：99")],
)  # fmt: skip
def test_places_are_whole_and_of_units_that_exist(quota, said):
    with pytest.raises(za.DataError, match=said):
        za.firms.review(firms({}), pd.Series(quota, dtype=float), DAY)


def test_a_unit_has_its_places_once():
    with pytest.raises(za.DataError, match="名额中单位重复：江苏"):
        za.firms.review(firms({}), pd.Series([1, 2], index=["320000", "320000"]), DAY)


def distance(a, b):
    """Levenshtein's, by the table of the textbook."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        below = [i]
        for j, y in enumerate(b, start=1):
            below.append(min(row[j] + 1, below[-1] + 1, row[j - 1] + (x != y)))
        row = below
    return row[-1]


def test_alike_finds_what_comparing_all_pairs_finds():
    names = za.firms.made_up_firms(seed=3, total=60).table["name"].str.removesuffix("（虚构）").tolist()
    for n in range(0, 60, 3):
        name, place = names[n], n % 8
        names += [
            name[:place] + "翼" + name[place + 1 :],
            name[:place] + name[place + 1 :],
            name[:place] + "翼" + name[place:],
        ]
    table = pd.DataFrame({"name": names, "credit_code": [credit_code(n) for n in range(len(names))]})
    compared = cores(table)
    long = [(firm, name) for firm, name in compared.drop_duplicates().items() if len(name) >= 8]
    pairs = {(f, g) for k, (f, n) in enumerate(long) for g, m in long[k + 1 :] if distance(n, m) == 1}
    assert len(pairs) > 40
    assert {tuple(pair) for pair in alike(table["credit_code"], compared).to_numpy().tolist()} == pairs


def test_units_over_their_quota_are_named_and_give_no_approved_count():
    quota = pd.Series({"320000": 1, "330000": 2})
    found = za.firms.review(firms({}, {}, {"省级单位": "浙江"}), quota, DAY)
    assert found.over_quota[["recommended", "quota", "excess"]].to_numpy().tolist() == [[2, 1, 1]]
    with pytest.raises(za.DataError, match="江苏推荐2家，名额1家"):
        _ = found.approved


def test_approved_firms_go_straight_into_a_cohort():
    quota = pd.Series({"320000": 2})
    found = za.firms.review(firms({}, {INVESTMENT: 2000}), quota, DAY)
    cohort = za.Cohort("1", found.approved, 2024, 2027)
    assert cohort.approved.sum() == cohort.approved["320000"] == 1
    assert len(cohort.approved) == 37


def test_a_rule_in_force_needs_its_column():
    table = raw({}).drop(columns="新一轮已获支持批次")
    strict = za.firms.load_conditions().switched("earlier_batch", True)
    with pytest.raises(za.DataError, match="缺少列：新一轮已获支持批次"):
        za.firms.review(za.firms.load_firms(table), None, DAY, strict)


SHIPPED = shipped("data", "policy", "eligibility", "caijian-2024-148.toml")


def own_conditions(tmp_path, *changes):
    """The shipped conditions with lines of their file changed, as a province would."""
    text, path = SHIPPED.read_text(encoding="utf-8"), tmp_path / "条件.toml"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return za.firms.load_conditions(path)


MISTAKES = {
    "column": ('column = "field"', 'column = "shoe_size"', r"rules\.field：.*shoe_size.*不在企业表的列"),
    "typing error": ('"sse", "szse"', '"see", "szse"', r"rules\.listing：.*没有这些选项：see；可用：none（未上市）"),
    "Chinese value": ('"sse", "szse"', '"上交所", "szse"', "没有这些选项：上交所"),
    "test": ('test = "unique"', 'test = "uniqe"', r"rules\.repeated\.test：可用：since、until"),
    "kind": ('column = "certificate_end"', 'column = "name"', "不能用于“name”列：since、until 用于日期"),
    "number": ('column = "planned_investment"', 'column = "name"', "above 用于数字"),
    "targets": ('column = "directions"\ntest = "targets"', 'column = "field"\ntest = "targets"', "targets 只用于"),
    "no values": ('values = ["yes"]\n', "", "any_of、none_of 须写 values"),
    "no parameter": ('parameter = "entry_investment"\n', "", "above 须写 parameter"),
    "no least": ('least = "1200"\n', "", "least 须写数值"),
    "least": ('least = "1200"', 'least = "约1200"', r"rules\.rd_two_years\.least：.*约1200"),
    "parameter": ('"entry_investment"', '"entry"', "parameter“entry”不在政策文件 caijian-2024-148 中"),
    "award": ('award = "caijian-2024-148"', 'award = "caijian"', "没有名为“caijian”的政策文件"),
    "date": ('effective = "2025-01-01"', 'effective = "2025-13-01"', r"earlier_batch\.effective：应为日期.*2025-13-01"),
    "reason": ("已过期", "已过期{day}", r"certificate_end\.reason：花括号中只能写 \{value\}"),
    "brace": ("已过期", "已过期{", r"certificate_end\.reason：花括号"),
    "no clause": ('clause = "五（一）"\n', "", r"rules\.repeated\.clause：缺少此项"),
    "extra": ("assumed = true", "asumed = true", r"asumed：没有这一项"),
    "twice": ("[rules.target]", "[rules.listing]", "无法解析"),
    "switch": ("enabled = false", 'enabled = "no"', r"earlier_batch\.enabled：应为 true 或 false"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_the_conditions_is_told(tmp_path, case):
    old, new, said = MISTAKES[case]
    with pytest.raises(za.ScenarioError, match=said):
        own_conditions(tmp_path, (old, new))


def test_rules_change_in_their_file_and_act(tmp_path):
    batch, board = {"新一轮已获支持批次": "第二批"}, {"上市情况": "新三板"}
    own = own_conditions(tmp_path, ('"3"]\nenabled = false', '"3"]\nenabled = true'), ('"bse", "a_share", "overseas"', '"neeq"'),
                         ('"strategic", "future"]', '"strategic"]'))  # fmt: skip
    changes = ({}, batch, board, {"上市情况": "北交所"}, {"所属重点领域": "未来产业"})
    assert failed(*changes, conditions=own) == [[], ["earlier_batch"], ["listing"], [], ["field"]]
    assert failed(*changes) == [[], [], [], ["listing"], []]


def test_the_line_of_investment_changes_in_the_award_file_and_acts(tmp_path, monkeypatch):
    for file in shipped("data", "policy").glob("*.toml"):
        text = file.read_text(encoding="utf-8").replace('value = "2000"', 'value = "3000"', 1)
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(
        "zjtx_alloc.base.toml_files.shipped",
        lambda *parts: tmp_path if parts == ("data", "policy") else shipped(*parts),
    )
    raised = za.firms.load_conditions()
    found = reviewed({INVESTMENT: 3000}, {INVESTMENT: 3000.01}, conditions=raised)
    assert found.reasons()["理由"].tolist() == ["推进计划投资总额3,000万元，未超过3000万元〔三（一）〕"]
