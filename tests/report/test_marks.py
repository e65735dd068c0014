"""Estimated cells and stand-ins to the last page: whatever shows quotas, or a unit's money, says what it rests on."""

import openpyxl
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.report.budget_xlsx.write import write_budget_workbook
from zjtx_alloc.report.tables import (
    allocation as allocation_tables,
    backtest as backtest_tables,
    budget as budget_tables,
    budget as plan_tables,
    compare as comparison_tables,
    criteria as quota_tables,
    plan as horizon_tables,
    ranges as uncertainty_tables,
    sweep as sweep_tables,
)
from zjtx_alloc.report.writers.document import Grid

pytestmark = pytest.mark.thorough

ESTIMATED, STAND_IN = "估算", "代用"


@pytest.fixture(scope="module")
def plan(panel):
    return za.plan_budget(za.BudgetRequest(["2024-baseline"], ["central"]), panel)


@pytest.fixture(scope="module")
def every_table(allocation, panel, baseline, plan, results):
    other = baseline.model_copy(update={"name": "hamilton", "criterion": "hamilton"})
    comparison, by_criterion = za.compare([allocation, other], panel), results.by_criterion
    paid = pd.DataFrame([["北京", 2024, "359号", 10_500]], columns=["单位", "年度", "文号", "金额"])
    ranges, robust = za.weight_range(panel, baseline), za.robust(panel, baseline)
    swept, together = za.sweep(panel, baseline, draws=64), za.plan([a.scenario for a in plan.allocations], panel)
    return [
        allocation_tables.allocation_table(allocation),
        allocation_tables.region_table(allocation),
        allocation_tables.contribution_table(allocation),
        *(quota_tables.criterion_table(by_criterion), quota_tables.index_table(by_criterion)),
        quota_tables.rate_table(allocation),
        *(uncertainty_tables.range_table(ranges), uncertainty_tables.robust_table(robust)),
        uncertainty_tables.robust_quota_table(robust),
        *(sweep_tables.sweep_table(swept), sweep_tables.driver_table(swept), sweep_tables.weight_effect_table(swept)),
        *(horizon_tables.plan_table(together), horizon_tables.deviation_table(together)),
        backtest_tables.known_table([allocation]),
        *(comparison_tables.unit_table(comparison), comparison_tables.region_table(comparison)),
        *(comparison_tables.distance_table(comparison), comparison_tables.fairness_table(comparison)),
        budget_tables.unit_year_table(plan.full, plan.allocations),
        plan_tables.region_table(plan),
        plan_tables.reconciliation_table(plan, za.reconcile(plan.budgets[0].ledger, paid)),
    ]


def test_every_table_of_quotas_or_units_money_bears_the_marks(every_table):
    bare = [table.title for table in every_table if not _is_marked("".join(table.notes))]
    assert bare == []


def test_the_annexes_of_the_proposal_bear_them_too_and_its_text_says_them_once(manuscript):
    grids = [block for section in manuscript.sections for block in section.blocks if isinstance(block, Grid)]
    by_title = {grid.title: "".join(grid.notes) for grid in [*grids, *(annex.grid for annex in manuscript.annexes)]}
    for title in ("名额分配表", "资金分年表"):
        assert _is_marked(by_title[title]), title
    assert "按全部企业完成推进计划测算" in by_title["资金分年表"], "its later years hang on outcomes"


def test_every_sheet_of_the_budget_bears_them(plan, tmp_path):
    book = openpyxl.load_workbook(write_budget_workbook(tmp_path / "budget.xlsx", plan), read_only=True)
    assert [sheet.title for sheet in book if not _is_marked(str(sheet["A2"].value))] == []


def _is_marked(notes):
    return ESTIMATED in notes and STAND_IN in notes and "%" in notes
