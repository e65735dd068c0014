"""Firms scored and selected: hand-worked scores, ties, cities, the cut line, wrong rubrics."""

from fractions import Fraction

import pandas as pd
import pytest
from support.firm_tables import INVESTMENT, PATENTS, RUBRIC, SHARE, credit_code, firms, quota, raw

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.firms.steps.rubric import scored

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
    text = shipped("data", "rubrics", "example-selection.toml").read_text(encoding="utf-8")
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
    nobody = pd.Series(dtype="int64")
    for step in (
        lambda: za.firms.select(twice, rubric, quota(js=1)),
        lambda: za.firms.settle(twice, award, nobody, nobody),
    ):
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
