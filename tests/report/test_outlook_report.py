"""Tables and figures of distributions: the numbers of the forecast, every assumption named."""

from dataclasses import replace

import pytest

import zjtx_alloc as za
from zjtx_alloc.report.budget_xlsx.write import budget_sheets
from zjtx_alloc.report.figures.budget import fan_figure
from zjtx_alloc.report.notes.budget import plan_summary
from zjtx_alloc.report.notes.marks import batch_sizes, cohort_notes, outlook_summary
from zjtx_alloc.report.tables.budget import (
    batch_table,
    evidence_table,
    outcome_table,
    outlook_year_table,
    range_table,
    region_table,
    scenario_year_table,
    year_table,
)
from zjtx_alloc.rules.scenario import Approval


@pytest.fixture(scope="module")
def outlooks(allocation):
    award = za.load_award("caijian-2024-148")
    return tuple(za.forecast_budget(za.cohorts(allocation), award, name) for name in ("central", "stress"))


def test_the_range_table_says_what_the_forecast_says(outlooks, allocation):
    table = range_table(outlooks, (allocation,))
    assert table.frame["年度"].tolist() == ["2024*", "2024*", "2027", "2027"]
    assert table.frame["期末结果假设"].tolist() == ["中性", "压力"] * 2
    last = table.frame.iloc[-1]
    found = outlooks[1].distribution(2027)
    assert (last["P5（万元）"], last["中位数（万元）"]) == (found.quantile(0.05), found.quantile(0.5))
    notes = "".join(table.notes)
    for told in ("中性情景，非官方口径", "压力情景，非官方口径", "1,039家（公示企业数代用", "未含上一轮"):
        assert told in notes
    assert notes.count("企业结果的相关系数") == 1
    apart = (outlooks[0].outcomes, outlooks[1].outcomes.model_copy(update={"rho_unit": "0.1"}))
    assert "".join(outcome_table(apart).notes).count("企业结果的相关系数") == 2


@pytest.mark.thorough
def test_a_year_has_one_number_under_each_assumption_in_the_conclusions(panel):
    plan = za.plan_budget(za.BudgetRequest(["2024-baseline"], ["central", "stress"]), panel)
    year, table = plan.outlooks[0].distribution(2027), outlook_year_table(plan)
    said = plan_summary(plan) + "".join(table.texts().to_numpy().ravel())
    for other in (f"{year.mean:,.0f}", f"{year.quantile(0.5):,}"):
        assert other not in said
    ledger = plan.budgets[0].ledger.by_year().at[2027, "net"]
    assert f"{ledger:,}" in said
    assert "中性情景" in table.title
    assert "全部企业完成时）：2027年311,700万元" in said
    assert year_table(plan.full, plan.allocations, "全部企业完成时").title == "资金分年表（全部企业完成时）"
    assert "台账" in scenario_year_table(plan).title
    for one in (range_table(plan.outlooks, plan.allocations), region_table(plan)):
        assert "分布均值（万元）" in one.frame
        assert any("与台账的数略有不同" in note for note in one.notes)


@pytest.mark.thorough
def test_what_a_range_is_conditional_on_stands_beside_it(panel):
    plan = za.plan_budget(za.BudgetRequest(["2024-baseline", "2025-baseline", "2026-baseline"], ["central"]), panel)
    table = range_table(plan.outlooks, plan.allocations)
    given = table.frame.set_index("年度")["以企业数不变为前提"].to_dict()
    third = "第3批1,241家（假设）"
    assert [given[year] for year in ("2026", "2029")] == [third, third]
    assert given["2027"] == "第1批1,039家（公示企业数代用）"
    (fixed,) = table.frame.loc[table.frame["年度"] == "2026", ["P5（万元）", "P95（万元）"]].to_numpy().tolist()
    assert fixed == [372_300, 372_300]
    (sheet,) = (one for one in budget_sheets(plan) if one.title == "情景对比")
    assert [row["condition"] for row in sheet.rows if row["year"].value == 2026] == [third, third]
    lines = outlook_summary(plan.outlooks, plan.allocations).splitlines()
    assert len(lines) == 4  # 2027 to 2029; the openings do not depend on outcomes
    assert lines[0].startswith("- 若部分企业未完成（完成比例均为假设，非官方口径），实际下达约有90%的可能")
    assert lines[3] == f"  - 2029年，{third}：中性情景109,200—278,400万元。"
    figure = fan_figure(plan.outlooks, plan.allocations).get_supxlabel().replace("\n", "")
    for notes in (table.notes, region_table(plan).notes, sheet.note, figure):
        assert "范围和概率只反映期末结果的不确定，以各批企业数不变为前提：" in "".join(notes)
        assert "第3批1,241家（假设，审核通过率100%）" in "".join(notes)


def test_a_batch_is_as_large_as_what_the_batch_before_left_makes_it(panel, baseline):
    halved = baseline.model_copy(update={"approval": Approval(rate="0.5", unused="unit")})
    batches = za.allocate_programme(panel, halved)[:2]
    # Half of 1,039 firms, rounded, are 520: 519 places are left.
    assert batch_sizes(batches) == (
        "第1批1,039家（公示企业数代用，审核通过率50%）；第2批1,760家（公示企业数代用，含上批结余519家，审核通过率100%）"
    )
    cohorts = za.cohorts(*batches)
    table = batch_table(za.forecast_budget(cohorts, za.load_award("caijian-2024-148")), batches).frame
    assert table["名额总量"].tolist() == [1039, 1760]
    assert table["总量依据"].tolist() == ["公示企业数代用", "公示企业数代用，含上批结余519家"]


def test_what_cohorts_share_is_said_once(allocation):
    (one,) = za.cohorts(allocation)
    cohorts = [replace(one, assumption=text) for text in ("甲。乙。", "", "丙。甲。乙。", "乙。")]
    assert list(cohort_notes(cohorts)) == ["甲。乙。", "丙。"]


def test_assumptions_and_evidence_stand_in_tables():
    frame = outcome_table((za.load_outcomes("central"),)).frame
    assert frame["期末结果"].tolist() == ["完成", "投资达标未完成目标", "不再继续支持", "投资未达2000万元"]
    assert frame["均值占比"].tolist() == pytest.approx([0.6, 0.2, 0.12, 0.08])
    assert frame["依据"].ne("").all()
    assert evidence_table().frame["继续支持企业数"].tolist() == [409, 568, 381, 398]


def test_the_fan_draws_quantiles_medians_and_ceilings(outlooks, allocation):
    figure = fan_figure(outlooks[:1], (allocation,), {2027: 200_000})
    (axes,) = figure.axes
    found = outlooks[0].distribution(2027)
    bars = [(bar.get_y(), bar.get_height()) for bar in axes.patches if bar.get_x() > 0.5]
    for (bottom, height), (low, high) in zip(bars, ((0.05, 0.95), (0.25, 0.75)), strict=True):
        assert (bottom, bottom + height) == pytest.approx((found.quantile(low) / 1e4, found.quantile(high) / 1e4))
    texts = [text.get_text() for text in axes.texts]
    assert f"{found.quantile(0.5) / 1e4:.1f}" in texts
    due = outlooks[0].distribution(2027, "due").exceeds(200_000)
    assert due > found.exceeds(200_000) + 0.1
    assert f"限额20.0\n应下达超出概率{due:.1%}" in texts
    assert "中性情景，非官方口径" in figure.get_supxlabel().replace("\n", "")
    several = [text.get_text() for text in fan_figure(outlooks, (allocation,), {2027: 200_000}).axes[0].texts]
    assert "限额20.0" in several
