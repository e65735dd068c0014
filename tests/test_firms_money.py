"""Firms selected, funded, evaluated and settled: hand-worked scores and money, ties, boundaries, the chain."""

import datetime
from fractions import Fraction

import pandas as pd
import pytest
from firm_tables import credit_code, firms, raw

import zjtx_alloc as za
from zjtx_alloc.firms.changes import targets
from zjtx_alloc.firms.rubric import scored

DAY = datetime.date(2024, 7, 31)
INVESTMENT, PATENTS, SHARE = "推进计划投资总额（万元）", "有效发明专利数（件）", "研发费用占营业收入比重（%）"
DONE, GOALS = "实际完成投资（万元）", "目标完成率（%）"

RUBRIC = """
title = "试"
ties = ["-planned_investment"]
[indicators.invention_patents]
weight = "0.6"
bands = [["10", "100"], ["5", "80"]]
[indicators.rd_share]
weight = "0.4"
direction = "down"
bands = [["3", "100"], ["6", "50"]]
"""


@pytest.fixture
def rubric(tmp_path):
    path = tmp_path / "标准.toml"
    path.write_text(RUBRIC, encoding="utf-8")
    return za.firms.load_rubric(path)


@pytest.fixture(scope="module")
def award():
    return za.load_award("caijian-2024-148")


def quota(**places):
    codes = {"js": "320000", "zj": "330000"}
    return pd.Series({codes[unit]: n for unit, n in places.items()})


# Scores


def test_scores_worked_by_hand_on_and_off_each_bound(rubric):
    listed = firms(
        {PATENTS: 10, SHARE: 3}, {PATENTS: 9, SHARE: 3.01}, {PATENTS: 5, SHARE: 6}, {PATENTS: 4, SHARE: 6.01}
    )
    scores = scored(listed, rubric)
    assert scores.score.tolist() == [100.0, 68.0, 68.0, 0.0]  # 0.6 × 80 + 0.4 × 50 = 68
    assert scores.parts().to_numpy().tolist() == [[60, 40], [48, 20], [48, 20], [0, 0]]
    assert scores.reaches("68").tolist() == [True, True, True, False]
    assert scores.reaches("68.00001").tolist() == [True, False, False, False]


def test_a_choice_gives_its_best_points_and_directions_are_counted():
    rubric = za.firms.load_rubric("example-selection")
    assert rubric.example
    listed = firms({"所属重点领域": "未来产业、工业六基", "推进计划方向": "打造新动能、开发新产品"})
    parts = scored(listed, rubric).parts().iloc[0]
    assert parts["所属重点领域"] == 9.0  # 0.10 × 90
    assert parts["推进计划覆盖的方面数"] == 8.5  # 0.10 × 85


def test_a_blank_indicator_is_never_zero(rubric):
    with pytest.raises(za.DataError, match="“有效发明专利数”列有1家空白"):
        scored(firms({PATENTS: ""}), rubric)


MISTAKES = [
    ('weight = "0.6"', 'weight = "0.5"', "权重之和应为1，现为 0.9"),
    ('weight = "0.6"', "weight = 0.6", r"invention_patents\.weight：应为文字（加引号）"),
    ('weight = "0.6"', 'weight = "60%"', r"weight：应为不带正负号和百分号的小数文字.*60%"),
    ('weight = "0.6"', 'weight = "-0.6"', r"weight：应为不带正负号"),
    ('weight = "0.6"\n', "", r"invention_patents\.weight：缺少此项"),
    ('[["10", "100"], ["5", "80"]]', '[["5", "80"], ["10", "100"]]', "由优到劣"),
    ('["5", "80"]', '["5", "101"]', "分值不升且不超过100"),
    ('["5", "80"]', '["5"]', r"bands\.1：不能为空或少项"),
    ('["5", "80"]', '["5", "80", "1"]', r"bands\.1：项数过多"),
    ('["5", "80"]', '["5", 80]', r"bands\.1\.1：应为文字（加引号）"),
    ('bands = [["10", "100"], ["5", "80"]]\n', "", "bands 与 points 须有且只有一个"),
    ("rd_share", "shoe_size", "shoe_size"),
    ("rd_share", '"研发费用占营业收入比重"', "列的代码见 data/firm_columns.csv"),
    ("invention_patents", "field", "选择列用 points"),
    ('direction = "down"', 'direction = "sideways"', "up、down"),
    ('["-planned_investment"]', '["-name"]', "ties 只能用数字列：-name"),
    ('["-planned_investment"]', '["field"]', "ties 只能用数字列：field"),
    ('title = "试"', 'titel = "试"', "title：缺少此项.*titel：没有这一项"),
    ('title = "试"', "title = 试", "无法解析"),
    ('bands = [["3", "100"], ["6", "50"]]', "", "bands 与 points"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES)
def test_a_wrong_rubric_says_what_is_wrong(tmp_path, old, new, said):
    path = tmp_path / "标准.toml"
    assert old in RUBRIC
    path.write_text(RUBRIC.replace(old, new), encoding="utf-8")
    with pytest.raises(za.ScenarioError, match=said):
        za.firms.load_rubric(path)


def test_a_choice_that_does_not_exist_gives_no_silent_zero(tmp_path):
    text = za.resources.shipped("data", "rubrics", "example-selection.toml").read_text(encoding="utf-8")
    path = tmp_path / "标准.toml"
    path.write_text(text.replace("key_chain =", "key_chian ="), encoding="utf-8")
    with pytest.raises(za.ScenarioError, match="没有这些选项：key_chian；可用：key_chain（重点产业链）"):
        za.firms.load_rubric(path)


# Selection


def test_the_best_are_selected_and_ties_are_shown_and_ruled(rubric):
    listed = firms({PATENTS: 6}, {PATENTS: 6, INVESTMENT: 4000}, {PATENTS: 12}, {PATENTS: 6})
    selection = za.firms.select(listed, rubric, quota(js=3))
    assert selection.table["rank"].to_dict() == {2: 1, 1: 2, 0: 3, 3: 4}
    assert selection.chosen.table.index.tolist() == [2, 1, 0]
    (tie,) = selection.ties.to_dict("records")
    assert (tie["score"], tie["tied"], tie["selected"], tie["decided_by"]) == (68.0, 3, 2, "统一社会信用代码")
    (tie,) = za.firms.select(listed, rubric, quota(js=2)).ties.to_dict("records")
    assert tie["decided_by"] == "推进计划投资总额"
    assert za.firms.select(listed, rubric, quota(js=1)).ties.empty


def test_each_unit_has_its_own_list_and_a_short_one_is_whole(rubric):
    listed = firms({}, {"省级单位": "浙江"}, {"省级单位": "浙江", PATENTS: 12})
    assert za.firms.select(listed, rubric, quota(js=5, zj=1)).chosen.table.index.tolist() == [0, 2]
    with pytest.raises(za.DataError, match="没有名额：浙江"):
        za.firms.select(listed, rubric, quota(js=5))


def test_sub_quotas_by_city_go_through_the_engine(rubric):
    cities = ["甲市"] * 6 + ["乙市"] * 3 + ["丙市"]
    listed = firms(*({"所在城市": city, PATENTS: n} for n, city in enumerate(cities)))
    sub = za.firms.city_quotas(listed, quota(js=5), floor=1)
    # 5 × (6, 3, 1)/10 = 3, 1.5, 0.5; the floor takes one for 丙市, Webster gives 甲市 3 and 乙市 1.
    assert sub["320000"].to_dict() == {"甲市": 3, "乙市": 1, "丙市": 1}
    chosen = za.firms.select(listed, rubric, quota(js=5), sub).chosen.table
    assert chosen["city"].value_counts().to_dict() == {"甲市": 3, "乙市": 1, "丙市": 1}
    with pytest.raises(za.DataError, match="超过该单位名额4家"):
        za.firms.select(listed, rubric, quota(js=4), sub)


@pytest.mark.parametrize(
    ("cell", "sub", "said"),
    [("乙市", {"甲市": 1}, "江苏的分市名额中没有：乙市"), ("", {"甲市": 1}, "“所在城市”列有1家空白"),
     ("甲市", {"甲市": 0.5, "乙市": 0.5}, "甲市 0.5、乙市 0.5"), ("甲市", {"甲市": 2, "乙市": -1}, "乙市 -1")],
)  # fmt: skip
def test_wrong_sub_quotas_are_told(rubric, cell, sub, said):
    with pytest.raises(za.DataError, match=said):
        za.firms.select(firms({"所在城市": cell}), rubric, quota(js=1), {"320000": pd.Series(sub)})


def test_sub_quotas_need_cities_and_a_quota(rubric):
    listed = za.firms.load_firms(raw({}).drop(columns="所在城市"))
    with pytest.raises(za.DataError, match="缺少列：所在城市"):
        za.firms.select(listed, rubric, quota(js=1), {"320000": pd.Series({"甲市": 1})})
    with pytest.raises(za.DataError, match="没有名额：江苏"):
        za.firms.city_quotas(firms({}), quota(zj=1))
    with pytest.raises(za.DataError, match=r"江苏 0\.5"):
        za.firms.city_quotas(firms({}), quota(js=0.5))


def test_a_firm_that_stands_twice_is_neither_selected_nor_settled(rubric, award):
    twice = firms({}, {"统一社会信用代码": credit_code(0)})
    for step in (lambda: za.firms.select(twice, rubric, quota(js=1)), lambda: za.firms.settle(twice, award)):
        with pytest.raises(za.DataError, match=r"企业表中有重复的统一社会信用代码：.*第3行"):
            step()


def test_the_cut_line_moves_with_a_weight_and_says_who_comes_and_goes(rubric):
    # a: 60 + 0 = 60; b: 48 + 20 = 68 ... raising patents to 0.96 turns them: 96 against 76.8 + 2 = 78.8.
    listed = firms({PATENTS: 10, SHARE: 9}, {PATENTS: 5, SHARE: 6})
    selection = za.firms.select(listed, rubric, quota(js=1))
    assert selection.chosen.table.index.tolist() == [1]
    lines = za.firms.cut_lines(selection, "0.6").set_index(["indicator", "step"])
    raised = lines.loc[("有效发明专利数", "+60%")]
    assert (raised["changed"], raised["cut"]) == (1, 96.0)
    assert raised["entering"] == listed.table.at[0, "name"]
    assert raised["leaving"] == listed.table.at[1, "name"]
    assert lines.loc[("研发费用占营业收入比重", "+60%"), "changed"] == 0


def test_scores_stay_exact_where_weights_are_long(rubric):
    listed = firms({PATENTS: 10, SHARE: 9}, {PATENTS: 5, SHARE: 6})
    selection = za.firms.select(listed, rubric, quota(js=2))
    step = "0.1234567890123"  # denominators past what int64 holds
    lines = za.firms.cut_lines(selection, step).set_index(["indicator", "step"])
    # Two firms, all chosen: the cut is the lower of 100 p and 80 p + 50 (1 - p).
    raised = Fraction("0.6") * (1 + Fraction(step))
    assert lines.at[("有效发明专利数", "+12.35%"), "cut"] == float(min(100 * raised, 80 * raised + 50 * (1 - raised)))


@pytest.mark.parametrize("step", ["many", "-0.1", "1.1"])
def test_a_senseless_step_and_places_are_refused(rubric, step):
    selection = za.firms.select(firms({}), rubric, quota(js=1))
    with pytest.raises(za.ScenarioError, match=f"权重增减幅度须为0—1之间的小数，现为 {step}"):
        za.firms.cut_lines(selection, step)
    with pytest.raises(za.DataError, match="名额须为不小于0的整数：江苏 -1"):
        za.firms.select(firms({}), rubric, quota(js=-1))


# Amounts


def test_amounts_sum_exactly_within_floor_and_cap(rubric, award):
    listed = firms({PATENTS: 10, SHARE: 3}, {PATENTS: 5, SHARE: 6, INVESTMENT: 5000}, {PATENTS: 5, SHARE: 3})
    selection = za.firms.select(listed, rubric, quota(js=3))
    grants = za.firms.amounts(selection, quota(js=855), za.firms.GrantRule("0.5", floor=200, cap=320))
    # Scores 100, 68, 88 of 256, investments 3000, 5000, 3000 of 11000:
    # 855 × ½ × (100/256 + 3/11) = 283.6, 855 × ½ × (68/256 + 5/11) = 307.9, 855 × ½ × (88/256 + 3/11) = 263.5
    assert grants.table["entitlement"].round(1).to_dict() == {0: 283.6, 1: 307.9, 2: 263.5}
    assert grants.amount.to_dict() == {0: 284, 1: 308, 2: 263}
    assert grants.simple == ()
    by_score = za.firms.amounts(selection, quota(js=855), za.firms.GrantRule("1"))
    assert by_score.table["entitlement"].round(1).to_dict() == {0: 334.0, 1: 227.1, 2: 293.9}
    tight = za.firms.amounts(selection, quota(js=855), za.firms.GrantRule("0.5", floor=275, cap=290))
    assert (tight.amount.sum(), tight.amount.min() >= 275, tight.amount.max() <= 290) == (855, True, True)


def test_an_equal_split_is_possible_and_called_what_it_is(rubric):
    selection = za.firms.select(firms({}, {}, {}), rubric, quota(js=3))
    grants = za.firms.amounts(selection, quota(js=856), za.firms.EQUAL)
    assert sorted(grants.amount) == [285, 285, 286]
    assert grants.notes() == ("江苏的各企业金额相等，属于简单分配；通知四（三）要求避免简单分配",)


def test_the_direct_share_is_tianjins_of_2024(award):
    # 5700 = 19 × 300; 285 kept (5 %), 5415 to firms: 津工信 2024-12-11, 财建〔2024〕359号.
    approved = pd.Series({"120000": 19})
    assert za.firms.direct_money(za.firms.firm_cohort(1, approved, award), award).to_dict() == {"120000": 5415}


@pytest.mark.parametrize(
    ("money", "said"),
    [
        ({"zj": 5}, "没有资金数：江苏"),
        ({"js": 5, "zj": 5}, "没有企业：浙江"),
        ({"js": 0.5}, "整数"),
        ({"js": float("inf")}, "整数"),
    ],
)
def test_money_without_firms_and_firms_without_money_are_refused(rubric, money, said):
    selection = za.firms.select(firms({}), rubric, quota(js=1))
    with pytest.raises(za.DataError, match=said):
        za.firms.amounts(selection, quota(**money), za.firms.EQUAL)


def test_floors_that_cannot_be_met_and_a_senseless_rule_are_refused(rubric):
    selection = za.firms.select(firms({}, {}), rubric, quota(js=2))
    with pytest.raises(za.InfeasibleError):
        za.firms.amounts(selection, quota(js=300), za.firms.GrantRule("0.5", floor=200))
    shares = ({"score_share": share} for share in ("1.5", "many", "", "nan", "1e999999999"))
    for rule in (*shares, {"score_share": "0.5", "floor": 5, "cap": 4}, {"score_share": "0.5", "floor": 0.5}):
        with pytest.raises(za.ScenarioError, match="分配规则"):
            za.firms.GrantRule(**rule)


# Changes of plans


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({INVESTMENT: 2999}, "调整后投资额低于原计划"),
        ({"开发新产品绩效目标": "新增发明专利4件"}, "绩效目标降低"),
        ({"开发新产品绩效目标": "新产品2个"}, "绩效目标取消"),
        ({"开发新产品绩效目标": "2025年新增发明专利5件"}, "绩效目标无法逐项比较，须人工核对"),
        ({"推进计划方向": "打造新动能", "打造新动能绩效目标": "新增研发人员3人"}, "调整后不再覆盖此方面"),
        ({"统一社会信用代码": credit_code(7)}, "调整后的表中没有此企业"),
    ],
)
def test_a_change_may_lower_nothing(change, said):
    assert said in za.check_change(firms({}), firms(change))["问题"].tolist()


@pytest.mark.parametrize(
    "change",
    [{}, {INVESTMENT: 3000.5}, {"开发新产品绩效目标": "新增发明专利不少于6件；新产品2个"},
     {"推进计划方向": "打造新动能、开发新产品", "打造新动能绩效目标": "新增研发人员3人"}],
)  # fmt: skip
def test_a_change_may_raise_everything(change):
    assert za.check_change(firms({}), firms(change)).empty


@pytest.mark.parametrize(
    "target",
    ["不良率不大于{}%", "不良率不多于{}%", "不良率小于{}%", "不良率至多{}%", "不良率≦{}%", "不良率＜{}%", "不良率{}%以内",
     "不良率控制在{}%以下", "能耗降至{}吨", "能耗降低至{}吨", "周期缩短到{}天", "用工减少到{}人"],
)  # fmt: skip
def test_a_ceiling_is_known_by_its_words(target):
    before, lower, higher = (firms({"开发新产品绩效目标": target.format(n)}) for n in (5, 4, 6))
    assert za.check_change(before, lower).empty
    assert za.check_change(before, higher)["问题"].tolist() == ["绩效目标降低"]


@pytest.mark.parametrize("target", ["专利不小于{}件", "专利不少于{}件", "产值≧{}亿元", "成本降低{}%", "人员增至{}人"])
def test_a_floor_is_known_by_its_words(target):
    before, lower, higher = (firms({"开发新产品绩效目标": target.format(n)}) for n in (5, 4, 6))
    assert za.check_change(before, higher).empty
    assert za.check_change(before, lower)["问题"].tolist() == ["绩效目标降低"]


def test_a_ceiling_may_fall_but_not_rise():
    before = firms({"开发新产品绩效目标": "单位产品能耗≤0.3吨标煤"})
    lower, higher = (firms({"开发新产品绩效目标": f"单位产品能耗≤{n}吨标煤"}) for n in (0.2, 0.4))
    assert za.check_change(before, lower).empty
    assert za.check_change(before, higher)["问题"].tolist() == ["绩效目标降低"]
    assert targets("提高水平") is None


# Evaluation, settlement


def test_grades_at_their_bounds_and_bands_of_ones_own(rubric):
    listed = firms({PATENTS: 10, SHARE: 3}, {PATENTS: 10, SHARE: 6}, {PATENTS: 10, SHARE: 9}, {PATENTS: 5, SHARE: 9})
    found = za.firms.evaluate(listed, rubric)  # 100, 80, 60, 48
    assert found.grade.tolist() == ["优", "良", "中", "差"]
    assert found.by_unit.loc["320000"].tolist() == [1, 1, 1, 1]
    own = za.firms.evaluate(listed, rubric, {"合格": "60.0001", "不合格": "0"})
    assert own.grade.tolist() == ["合格", "合格", "不合格", "不合格"]
    with pytest.raises(za.ScenarioError, match="最低一等为0分：合格60"):
        za.firms.evaluate(listed, rubric, {"合格": "60"})
    for wrong in ("多", "120", "80%"):
        with pytest.raises(za.ScenarioError, match=f"等次“合格”的最低分须为0—100之间的小数，现为 {wrong}"):
            za.firms.evaluate(listed, rubric, {"合格": wrong, "不合格": "0"})


def test_who_goes_on_is_decided_by_threshold_or_by_rank(rubric):
    found = za.firms.evaluate(firms({PATENTS: 10}, {PATENTS: 4}, {PATENTS: 5}), rubric)  # 80, 20, 68
    assert za.firms.continuing(found, least="68").table.index.tolist() == [0, 2]
    assert za.firms.continuing(found, places=quota(js=1)).table.index.tolist() == [0]
    with pytest.raises(za.DataError, match="只写一个"):
        za.firms.continuing(found)
    with pytest.raises(za.ScenarioError, match="继续支持的最低分须为0—100之间的小数，现为 及格"):
        za.firms.continuing(found, least="及格")


def test_a_rate_of_nothing_is_not_zero():
    paid = {"到账奖补资金（万元）": 0, "已使用奖补资金（万元）": 0}
    with pytest.raises(za.DataError, match="“到账奖补资金”为0，无法计算资金使用率"):
        za.firms.evaluate(firms({}, paid), za.firms.load_rubric("example-evaluation"))


def test_each_outcome_and_its_money_at_the_boundary(award):
    listed = firms(
        {DONE: 1999.99, GOALS: 100}, {DONE: 2000, GOALS: 100}, {DONE: 2000, GOALS: 99.9}, {DONE: 1999.99, GOALS: 50}, {}
    )
    settled = za.firms.settle(listed, award, pd.Series({4: 2025}))
    outcomes = ["under_invested", "completed", "missed", "under_invested", "discontinued"]
    assert settled.table["outcome"].tolist() == outcomes
    assert settled.table["closing"].tolist() == [0, 300, 0, 0, 0]
    assert settled.table["forgone"].tolist() == [300, 0, 300, 300, 300]
    assert settled.table["recovered"].tolist() == [300, 0, 0, 300, 0]
    assert settled.outcomes.loc["320000"].tolist() == [1, 1, 2]
    assert settled.discontinued.loc["320000"].to_dict() == {2025: 1}
    approved = settled.table["unit"].value_counts().reindex(settled.by_unit.index, fill_value=0)
    cohort = za.firms.firm_cohort(1, approved, award, settled=settled)
    assert cohort.outcomes.loc["320000", "under_invested"] == 2


def test_odd_money_is_spread_so_that_the_unit_gets_back_what_the_ledger_says(award):
    from dataclasses import replace  # noqa: PLC0415 - only here

    third = replace(award, recovered_share=Fraction(1, 9))  # 33⅓ a firm, two firms: 66
    settled = za.firms.settle(firms({DONE: 1}, {DONE: 1}), third)
    assert settled.table["recovered"].tolist() == [33, 33]
    settled = za.firms.settle(firms({DONE: 1}, {DONE: 1}, {DONE: 1}, {DONE: 1}), third)
    assert settled.table["recovered"].tolist() == [34, 33, 33, 33]


def test_a_missing_result_is_told_and_a_stranger_refused(award):
    with pytest.raises(za.DataError, match="“实际完成投资”列有1家空白"):
        za.firms.settle(firms({DONE: ""}), award)
    with pytest.raises(za.DataError, match="不在本表中：7"):
        za.firms.settle(firms({}), award, pd.Series({7: 2025}))


def test_payment_progress_and_what_cannot_be():
    listed = firms({"到账奖补资金（万元）": 200, "已使用奖补资金（万元）": 150})
    pace = za.firms.progress(listed, pd.Series({0: 285}))
    assert pace.loc[0, ["received", "spent", "idle", "due", "unpaid"]].tolist() == [200, 150, 50, 285, 85]
    with pytest.raises(za.DataError, match="到账资金多于应拨资金"):
        za.firms.progress(listed, pd.Series({0: 199}))
    with pytest.raises(za.DataError, match="没有应拨资金数"):
        za.firms.progress(listed, pd.Series({7: 285}))
    with pytest.raises(za.DataError, match="没有应拨资金数"):
        za.firms.progress(listed, pd.Series({0: float("nan")}))
    with pytest.raises(za.DataError, match="已使用资金多于到账资金"):
        za.firms.progress(firms({"到账奖补资金（万元）": 1}))


# The chain


@pytest.fixture(scope="module")
def chain(award):
    """A small nation: 600 made-up firms, 74 places."""
    everyone = za.firms.made_up_firms(seed=2, total=600)
    places = everyone.table["unit"].value_counts().reindex(za.load_panel().units.index, fill_value=0).clip(upper=2)
    terms = za.firms.Terms(
        1, DAY, za.firms.load_conditions(), za.firms.load_rubric("example-selection"),
        za.firms.load_rubric("example-evaluation"), za.firms.GrantRule("0.6", 200, 400),
    )  # fmt: skip
    lists = {"first_round": everyone.table["credit_code"].iloc[::9]}
    opening = za.firms.open_batch(everyone, places, terms, lists)
    yearly, final = (za.firms.made_up_results(opening.grants.firms, opening.grants.amount, seed=n) for n in (3, 4))
    return za.firms.close_batch(opening, yearly, final, least="80")


def test_the_chain_reconciles_from_quota_to_ledger(chain, award):
    steps = chain.steps().set_index("环节")
    firms_, money = steps["企业数（家）"], steps["金额（万元）"]
    approved = firms_["两部门审核通过（应安排总额）"]
    assert approved < firms_["省级遴选推荐"]  # the ministries' list strikes some out
    assert money["期初下达"] == 300 * approved
    assert money["其中：直接拨付企业"] == chain.opening.grants.amount.sum()
    assert money["台账：实际下达合计"] == 600 * approved - money["不再安排"] - money["收回"]
    assert chain.cohort.discontinued.sum(axis=None) == approved - firms_["继续支持至期末"] > 0
    assert steps["说明"].eq("虚构数据，仅供试用").all()


def test_a_chain_that_does_not_reconcile_is_refused(chain):
    from dataclasses import replace  # noqa: PLC0415 - only here

    grants = chain.opening.grants
    table = grants.table.copy()
    table.iloc[0, table.columns.get_loc("amount")] += 1
    broken = replace(chain, opening=replace(chain.opening, grants=replace(grants, table=table)))
    with pytest.raises(za.DataError, match="“其中：直接拨付企业”与上一环节不符"):
        broken.steps()


def test_a_trace_leads_from_score_to_grade_to_money(chain):
    table = za.firms.trace(chain.evaluation, chain.continued, chain.settlement)
    stopped = table[table["继续支持"] == "否"]
    assert (stopped["得分"] < 80).all()
    assert (stopped["期末下达（万元）"] == 0).all()
    assert (stopped["期末结果"] == "不再继续支持").all()
    parts = ["目标完成率", "投资完成率（%）", "资金使用率（%）"]
    assert (table[parts].sum(axis=1) - table["得分"]).abs().max() < 1e-9
