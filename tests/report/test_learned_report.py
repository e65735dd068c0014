"""Tables and the figure of what known results change and of several years together: the forecast's own numbers."""

import datetime
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.budget.joint import joint_ranges
from zjtx_alloc.report.figures.budget import joint_figure
from zjtx_alloc.report.notes.budget import coming_lines
from zjtx_alloc.report.tables.learned import joint_table, learned_table, seen_table

pytestmark = pytest.mark.thorough
NAMES = ("2024-baseline", "2025-baseline", "2026-baseline")


@pytest.fixture(scope="module")
def allocations(panel):
    return tuple(za.allocate(panel, za.load_scenario(name)) for name in NAMES)


@pytest.fixture(scope="module")
def outlook(allocations):
    """Three units have reported, a third of their firms left."""
    one, *others = za.cohorts(*allocations)
    gone = pd.DataFrame({2026: approved_firms(one.approved, Fraction(1, 3))}).astype("Int64")
    gone.loc[~gone.index.isin(["320000", "330000", "440000"])] = pd.NA
    batches = (replace(one, discontinued=gone), *others)
    return za.BudgetOutlook(
        batches, za.load_award("caijian-2024-148"), za.load_outcomes("central"), as_of=datetime.date(2026, 11, 30)
    )


def test_what_is_known_stands_beside_what_was_declared(outlook):
    table = seen_table((outlook,))
    (row,) = table.texts().to_dict("records")
    firms = outlook.cohorts[0].approved[["320000", "330000", "440000"]]
    left = outlook.cohorts[0].discontinued[2026].sum()
    assert row == {
        "批次": "第1批", "期末结果假设": "中性", "已知结果": "已不再继续支持", "已报单位数": "3",
        "其企业数（家）": f"{firms.sum()}", "已知占比": f"{left / firms.sum():.1%}", "所声明的范围": "3.9%—19.5%",
        "与所声明范围比较": "高于范围",
    }  # fmt: skip
    assert "不当作零" in table.notes[0]
    assert table.notes[1] == "不再继续支持的企业为截至2026-11-30已知。"


def test_before_and_after_are_those_of_the_outlook(outlook, allocations):
    table, told = learned_table((outlook,), allocations), outlook.learned()
    frame = table.frame
    assert frame["批次"].tolist() == ["第1批", "第2批", "第3批"]
    assert frame["完成率（更新后）"].tolist() == frame["完成率（更新前）"].tolist() == told["rate_after"].tolist()
    assert frame["不再继续支持率（更新前）"].tolist() == told["gone_rate_before"].tolist() == pytest.approx([0.12] * 3)
    assert frame["不再继续支持率（更新后）"].tolist() == told["gone_rate_after"].tolist()
    assert frame["不再继续支持率（更新后）"][0] > frame["不再继续支持率（更新后）"][1] > 0.12
    firms = outlook.cohorts[0].approved[["320000", "330000", "440000"]].sum()
    assert frame["完成率所依据的已知结果（家）"].tolist() == [0] * 3
    assert frame["不再继续支持率所依据的已知结果（家）"].tolist() == [firms] * 3
    assert frame["期末年度实际下达均值（更新前）（万元）"].tolist() == told["net_before"].tolist()
    assert frame["实际下达P5—P95（更新后，万元）"][1] == f"{told['net_after_p5'][1]:,}—{told['net_after_p95'][1]:,}"
    assert frame["以企业数不变为前提"][2] == "第3批1,241家（假设）"
    assert "共同经验份额0.5（假设）" in table.notes[0]
    assert "不据以推断完成率" in table.notes[0]
    assert "范围因此加宽" in table.notes[1]


def test_nothing_known_makes_no_table(outlook, allocations):
    plain = (replace(outlook, cohorts=za.cohorts(*allocations)),)
    assert seen_table(plain) is None
    assert learned_table(plain, allocations) is None


def test_the_joint_table_says_which_sizes_it_holds_for(outlook, allocations):
    plain = replace(outlook, cohorts=za.cohorts(*allocations))
    frame, told = joint_table((plain,), allocations).frame, joint_ranges(plain)
    assert frame["年度"].tolist() == ["2027", "2028", "2029", "2027—2029合计"] * 2
    assert frame["资金口径"].tolist() == ["应下达"] * 4 + ["实际下达"] * 4
    net = told.query("measure == 'net'")
    assert frame["P95（万元）"][4:].tolist() == net["p95"].tolist()
    assert frame["同时在P5—P95之内的概率"][3] == told["within"][3]
    assert frame["以企业数不变为前提"][2] == "第3批1,241家（假设）"
    assert frame["以企业数不变为前提"][3].count("家") == 3


def test_the_first_sentence_is_on_all_open_years_together(panel):
    plan = za.plan_budget(za.BudgetRequest(NAMES, ["central"], as_of=datetime.date(2026, 11, 30)), panel)
    first, *each = coming_lines(plan)
    total = joint_ranges(plan.outlooks[0]).query("measure == 'net' and last_year > first_year").iloc[0]
    net = plan.budgets[0].ledger.by_year()["net"].loc[2027:2029].sum()
    assert first.startswith(f"2027—2029年合计应下达（扣回后）{net:,}万元（中性情景），有90%的可能在{total['p5']:,}至")
    assert f"至{total['p95']:,}万元之间；以第1批1,039家（公示企业数代用）、" in first
    assert [line[:4] for line in each] == ["2027", "2028", "2029"]


def test_the_joint_figure_draws_the_ranges_and_says_their_condition(outlook, allocations):
    plain = replace(outlook, cohorts=za.cohorts(*allocations))
    left, right = joint_figure(plain, allocations).axes
    table = joint_ranges(plain).query("measure == 'due'")
    tops = [bar.get_y() + bar.get_height() for bar in left.patches[:3]]
    assert tops == pytest.approx((table["p95"][:3] / 10_000).tolist())
    assert left.get_xlabel() == "年度及其批次企业数（范围以批次规模给定为条件）"
    assert [label.get_text() for label in left.get_xticklabels()][2] == "2029\n第3批1,241家\n（假设）"
    assert right.get_xlabel() == f"各年同时在P5—P95之内：{table['within'][3]:.0%}"
    assert right.patches[0].get_y() == pytest.approx(table["p5"][3] / 10_000)
