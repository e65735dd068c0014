"""Firms funded, evaluated and settled: hand-worked money, boundaries, the chain."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from support.firm_tables import DAY, INVESTMENT, PATENTS, SHARE, firms, quota

import zjtx_alloc as za

DONE, GOALS = "实际完成投资（万元）", "目标完成率（%）"
NOBODY = pd.Series(dtype="int64")  # leaves


def granted(roll):
    """The standard's direct part of the opening, 万元 a firm."""
    return pd.Series(285, roll.table.index)


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


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_what_is_left_goes_to_the_higher_score_in_whatever_order_the_table_stands(rubric, order):
    """Of equal shares; of equal scores the lower credit code goes first."""
    listed = [{PATENTS: 5}, {PATENTS: 10}, {PATENTS: 5}]
    roll = firms(*listed)
    roll = replace(roll, table=roll.table.iloc[order].reset_index(drop=True).rename_axis("firm"))
    codes = roll.table["credit_code"]
    grants = za.firms.amounts(za.firms.select(roll, rubric, quota(js=3)), quota(js=857), za.firms.EQUAL)
    best = codes[roll.table["invention_patents"].eq(10)].item()
    assert set(codes[grants.amount.eq(286)]) == {best, min(set(codes) - {best})}


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
    said = "江苏2家企业每家下限200万元，合计400万元，多于应拨付企业的300万元；下限最多可填150，请改"
    with pytest.raises(za.InfeasibleError, match=said):
        za.firms.amounts(selection, quota(js=300), za.firms.GrantRule("0.5", floor=200))
    with pytest.raises(
        za.InfeasibleError, match="每家上限150万元，合计300万元，少于应拨付企业的301万元；上限至少须填151"
    ):
        za.firms.amounts(selection, quota(js=301), za.firms.GrantRule("0.5", cap=150))
    shares = ({"score_share": share} for share in ("1.5", "many", "", "nan", "1e999999999"))
    for rule in (*shares, {"score_share": "0.5", "floor": 5, "cap": 4}, {"score_share": "0.5", "floor": 0.5}):
        with pytest.raises(za.ScenarioError, match="分配规则"):
            za.firms.GrantRule(**rule)


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
    settled = za.firms.settle(listed, award, pd.Series({4: 2025}), granted(listed))
    outcomes = ["under_invested", "completed", "missed", "under_invested", "discontinued"]
    assert settled.table["outcome"].tolist() == outcomes
    assert settled.table["closing"].tolist() == [0, 300, 0, 0, 0]
    assert settled.table["forgone"].tolist() == [300, 0, 300, 300, 300]
    assert settled.table["recovered"].tolist() == [285, 0, 0, 285, 0]
    assert settled.by_unit.loc["320000"].to_dict() == {
        "closing": 300, "forgone": 1200, "recovered": 600, "from_firms": 570, "empowerment": 30, "difference": 0,
    }  # fmt: skip
    assert settled.outcomes.loc["320000"].tolist() == [1, 1, 2]
    assert settled.discontinued.loc["320000"].to_dict() == {2025: 1}
    approved = settled.table["unit"].value_counts().reindex(settled.by_unit.index, fill_value=0)
    cohort = za.firms.firm_cohort(1, approved, award, settled=settled)
    assert cohort.outcomes.loc["320000", "under_invested"] == 2


def test_a_firm_gives_back_what_it_got_and_the_books_say_what_else_the_unit_owes(award):
    listed = firms({DONE: 1}, {DONE: 1}, {DONE: 3000})
    settled = za.firms.settle(listed, award, NOBODY, pd.Series({0: 280, 1: 295, 2: 280}))
    assert settled.table["recovered"].tolist() == [280, 295, 0]
    # Two firms at 300 are 600 in the books; 30 of it were never the firms' (5 %), and 570 - 575 the unit graded itself.
    parts = ["recovered", "from_firms", "empowerment", "difference"]
    assert settled.by_unit.loc["320000", parts].tolist() == [600, 575, 30, -5]
    assert settled.by_unit.drop("320000").eq(0).all(axis=None)
    kept = replace(award, empowerment_recovered=False)
    settled = za.firms.settle(listed, kept, NOBODY, pd.Series({0: 280, 1: 295, 2: 280}))
    assert settled.by_unit.loc["320000", parts].tolist() == [570, 575, 0, -5]


def test_a_share_of_what_a_firm_got_is_rounded_down_and_the_books_as_the_ledger(award):
    ninth = replace(award, recovered_share=Fraction(1, 9))  # of 280: 31.1; in the books 33⅓ a firm, four firms: 133
    settled = za.firms.settle(firms(*[{DONE: 1}] * 4), ninth, NOBODY, pd.Series(280, range(4)))
    assert settled.table["recovered"].tolist() == [31] * 4
    assert settled.by_unit.loc["320000", ["recovered", "from_firms", "empowerment"]].tolist() == [133, 124, 133 - 126]


def test_a_firm_stopped_gives_back_what_it_got_if_the_award_says_so(award):
    asked = replace(award, discontinued_recovered=True)
    settled = za.firms.settle(firms({}), asked, pd.Series({0: 2025}), pd.Series({0: 280}))
    assert settled.table["recovered"].tolist() == [280]
    assert settled.by_unit.loc["320000", "recovered"] == 300


@pytest.mark.parametrize("paid", [{}, {0: None}, {0: -1}, {0: 280.5}])
def test_what_a_firm_got_must_be_known_in_whole_wan(award, paid):
    with pytest.raises(za.DataError, match=r"没有期初分配金额，或不是非负整数（万元）：.*第2行）；请以 grants\.amount"):
        za.firms.settle(firms({}), award, NOBODY, pd.Series(paid, dtype="float64"))


def test_a_missing_result_is_told_and_a_stranger_refused(award):
    with pytest.raises(za.DataError, match="“实际完成投资”列有1家空白"):
        za.firms.settle(firms({DONE: ""}), award, NOBODY, pd.Series({0: 285}))
    with pytest.raises(za.DataError, match="不在本表中：7"):
        za.firms.settle(firms({}), award, pd.Series({7: 2025}), pd.Series({0: 285}))


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


@pytest.fixture
def poor(rubric):
    """A firm graded 优 and one graded 差, both with all their targets met, and who goes on."""
    evaluation = za.firms.evaluate(firms({PATENTS: 10, SHARE: 3}, {PATENTS: 4, SHARE: 9}), rubric)  # 100, 0
    return evaluation, za.firms.continuing(evaluation, least="60")


def test_a_firm_that_is_no_longer_supported_is_paid_nothing_whatever_it_achieved(poor, award):
    evaluation, goes_on = poor
    left = za.firms.leaving(evaluation, goes_on, 2025)
    assert left.to_dict() == {1: 2025}
    settled = za.firms.settle(evaluation.firms, award, left, granted(evaluation.firms))
    traced = za.firms.trace(evaluation, goes_on, settled)
    assert traced[["等次", "继续支持", "期末结果", "期末下达（万元）"]].to_numpy().tolist() == [
        ["优", "是", "完成", 300],
        ["差", "否", "不再继续支持", 0],
    ]
    assert settled.discontinued.loc["320000"].to_dict() == {2025: 1}


def test_a_settlement_that_pays_a_firm_no_longer_supported_is_refused(poor, award):
    evaluation, goes_on = poor
    for unsaid in ({}, {"discontinued": NOBODY}, {"granted": granted(evaluation.firms)}):
        with pytest.raises(za.DataError, match="清算须说明两件事：哪些企业不再继续支持"):
            za.firms.settle(evaluation.firms, award, **unsaid)
    forgotten = za.firms.settle(evaluation.firms, award, NOBODY, granted(evaluation.firms))
    name = evaluation.firms.table.at[1, "name"]
    with pytest.raises(
        za.DataError, match=f"不再继续支持，清算却按支持到期末计算：{name}（企业表第3行）；请用 leaving"
    ):
        za.firms.trace(evaluation, goes_on, forgotten)


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
    done = final.table["actual_investment"].where(np.arange(len(final)) >= 5, 1999)  # the first five invest too little
    final = replace(final, table=final.table.assign(actual_investment=done))
    return za.firms.close_batch(opening, yearly, final, least="80")


def test_the_chain_reconciles_from_quota_to_ledger(chain, award):
    steps = chain.steps().set_index("环节")
    firms_, money = steps["企业数（家）"], steps["金额（万元）"]
    approved = firms_["两部门审核通过（应安排总额）"]
    assert approved < firms_["省级遴选推荐"]  # the ministries' list strikes some out
    assert money["期初下达"] == 300 * approved
    assert money["其中：直接拨付企业"] == chain.opening.grants.amount.sum()
    carried = chain.books.by_year()["receivable"].iloc[-1]  # more comes back than some units are still due
    assert money["台账：实际下达合计"] == 600 * approved - money["不再安排"] - money["收回"] + carried
    parts = [money[step] for step in ("其中：企业退回", "其中：培育赋能", "其中：标准与分配之差")]
    assert sum(parts) == money["收回"]
    under = chain.settlement.table["outcome"].eq("under_invested")
    assert parts[0] == chain.opening.grants.amount[under[under].index].sum() > 0
    assert chain.cohort.discontinued.sum(axis=None) == approved - firms_["继续支持至期末"] > 0
    assert steps["说明"].eq("虚构数据，仅供试用").all()


def test_from_firms_to_the_books_of_their_unit_by_hand(award):
    """Three firms share the opening's 855; one invests too little and gives back its 295, of which the standard is 285."""
    listed = firms({DONE: 3000}, {DONE: 1}, {DONE: 3000})
    settled = za.firms.settle(listed, award, NOBODY, pd.Series({0: 280, 1: 295, 2: 280}))
    approved = pd.Series({"320000": 3}).reindex(settled.by_unit.index, fill_value=0)
    books = za.ledger([za.firms.firm_cohort(1, approved, award, settled=settled)], award)
    found = za.firms.firms_to_books(pd.Series({"320000": 855}), settled, books)
    # Closing: 600 for two firms, 570 of it direct; 培育赋能 45 + 30, less 15 that is recovered.
    assert found.loc["320000"].to_dict() == {
        "paid_opening": 855, "paid_closing": 570, "given_back": -295, "to_firms": 1130, "empowerment": 60,
        "standard_gap": 10, "settled_money": 1200, "receivable": 0, "net": 1200,
    }  # fmt: skip
    assert 1200 == 900 + 600 - 300
    with pytest.raises(za.DataError, match="“台账：实际下达合计”与上一环节不符：江苏；请核对"):
        za.firms.firms_to_books(pd.Series({"320000": 854}), settled, books)


def test_who_defrauded_gives_back_whatever_was_achieved(award):
    """Three firms completed; one of them defrauded, and so did one that has left: 280 and 295 come back, 300 is paid."""
    fraud = "是否认定虚报冒领"
    listed = firms({fraud: "是"}, {fraud: "是", DONE: ""}, {fraud: "否"}, {fraud: ""})
    left = pd.Series({1: 2025, 3: 2025})
    settled = za.firms.settle(listed, award, left, pd.Series({0: 280, 1: 295, 2: 280, 3: 285}))
    assert settled.table["outcome"].tolist() == ["defrauded", "defrauded", "completed", "discontinued"]
    assert settled.table[["closing", "forgone", "recovered"]].to_numpy().tolist() == [
        [0, 300, 280], [0, 300, 295], [300, 0, 0], [0, 300, 0],
    ]  # fmt: skip
    assert settled.displayed()["期末结果"].tolist()[:2] == ["虚报、冒领"] * 2
    assert settled.outcomes.loc["320000"].to_dict() == {"completed": 1, "missed": 0, "under_invested": 2}
    assert settled.discontinued.loc["320000"].to_dict() == {2025: 1}
    approved = pd.Series({"320000": 4}).reindex(settled.by_unit.index, fill_value=0)
    books = za.ledger([za.firms.firm_cohort(1, approved, award, settled=settled)], award)
    found = za.firms.firms_to_books(pd.Series({"320000": 1140}), settled, books).loc["320000"]
    assert found["given_back"] == -575
    assert found["net"] - found["receivable"] == 1200 + 300 - 600  # the opening of four, one closing, two openings back


def test_the_chain_reconciles_where_a_firm_that_left_defrauded(chain):
    gone = chain.settlement.table.index[chain.settlement.table["outcome"].eq("discontinued")][:1]
    roll = chain.settlement.firms
    told = replace(
        roll, table=roll.table.assign(fraud="no").assign(fraud=lambda t: t["fraud"].where(~t.index.isin(gone), "yes"))
    )
    closing = za.firms.close_batch(chain.opening, told, told, least="80")
    assert closing.settlement.table.loc[gone, "outcome"].tolist() == ["defrauded"]
    assert len(closing.steps())


def test_a_chain_reconciles_unit_by_unit(chain):
    lines, steps = chain.by_unit(), chain.steps().set_index("环节")["金额（万元）"]
    assert lines["net"].sum() == steps["台账：实际下达合计"]
    assert lines["given_back"].sum() == -steps["其中：企业退回"] < 0
    assert (lines["to_firms"] + lines["empowerment"] + lines["standard_gap"]).eq(lines["settled_money"]).all()


def test_a_chain_that_does_not_reconcile_is_refused(chain):
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


def shuffled(roll, seed):
    """The same firms as a new file has them: in another order, numbered from 0."""
    table = roll.table.sample(frac=1, random_state=seed).reset_index(drop=True).rename_axis("firm")
    return za.firms.Firms(table, roll.made_up)


def by_code(table, roll):
    return table.set_axis(pd.Index(roll.table.loc[table.index, "credit_code"])).sort_index()


def test_results_in_files_of_another_order_are_told_apart_by_credit_code(chain):
    yearly, final = shuffled(chain.evaluation.firms, 1), shuffled(chain.settlement.firms, 2)
    again = za.firms.close_batch(chain.opening, yearly, final, least="80")
    ends = [by_code(one.settlement.table, one.settlement.firms) for one in (chain, again)]
    pd.testing.assert_frame_equal(*ends)
    evaluation = za.firms.evaluate(yearly, chain.opening.terms.evaluation)
    settled = za.firms.settle(final, chain.opening.terms.conditions.award, NOBODY, granted(final))
    traced = za.firms.trace(evaluation, za.firms.continuing(evaluation, least="0"), settled)
    completed = settled.firms.table.set_index("credit_code")["target_completion"].ge(100)
    missed = traced.set_index("统一社会信用代码")["期末结果"].eq("投资达标未完成目标")
    assert missed.any()
    assert not completed[missed.index[missed]].any()


def test_a_batch_in_which_nobody_passes_comes_to_its_end(chain):
    nobody = firms({"企业名称": "某某设备有限公司（虚构）", "上市情况": "深交所"})
    opening = za.firms.open_batch(nobody, chain.opening.quota, chain.opening.terms)
    steps = za.firms.close_batch(opening, opening.grants.firms, opening.grants.firms, "60").steps()
    assert steps["企业数（家）"].tolist()[1:] == [1] + [0] * 14
    assert steps["金额（万元）"].sum() == 0


def test_firms_that_were_not_approved_are_refused(chain):
    stranger = firms({"企业名称": "某某设备有限公司（虚构）"})
    with pytest.raises(za.DataError, match="某某设备有限公司"):
        za.firms.close_batch(chain.opening, stranger, chain.settlement.firms, least="80")


def test_results_are_not_invented_for_real_firms():
    with pytest.raises(za.DataError, match="不为真实企业虚构结果"):
        za.firms.made_up_results(firms({}), pd.Series({0: 285}))
