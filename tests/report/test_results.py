"""Results of a scenario: each computed once, on demand, and the numbers of the library's own functions."""

from collections import Counter

import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation import allocate as allocating
from zjtx_alloc.report import results as computing
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.documents.unit_page import unit_sheet
from zjtx_alloc.report.report_xlsx.annexes import report_sheets

DECIDED = 'extends = "2024-baseline"\n[fixed."西藏"]\nquota = 2\nreason = "会商确定"\n'


@pytest.mark.thorough
def test_a_report_and_its_pages_of_units_compute_each_thing_once(panel, write_scenario, monkeypatch):
    counted = Counter()

    def count(module, name):
        known = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, **named: counted.update([name]) or known(*given, **named))

    for name in ("ranges_of", "forecast_budget", "duties", "allocate_programme", "explain"):
        count(computing, name)
    count(allocating, "solve")
    results = za.Results(panel, za.load_scenario(write_scenario(DECIDED)))
    manuscript = proposal(results)
    report_sheets(results, manuscript)
    for code in ("540000", "440000", "540000"):
        unit_sheet(results, code)
    # The three batches and the one without its decision; two units.
    once = dict.fromkeys(["ranges_of", "forecast_budget", "duties", "allocate_programme"], 1)
    assert counted == once | {"solve": 3 + 1, "explain": 2}


@pytest.mark.thorough
def test_studies_of_a_scenario_rest_on_its_own_allocations(panel, baseline):
    results = za.Results(panel, baseline)
    assert results.ranges.allocation is results.robust.allocation is results.allocation
    assert all(a.solution is b.solution for a, b in zip(results.plan.allocations, results.programme, strict=True))


def test_nothing_is_computed_before_it_is_asked_for(panel, write_scenario):
    results = za.Results(panel, za.load_scenario(write_scenario('extends = "2024-baseline"\n[floor]\ndefault = 40\n')))
    for name in ("allocation", "programme", "budget", "plan"):
        with pytest.raises(za.InfeasibleError, match="1480"):
            getattr(results, name)


@pytest.mark.thorough
def test_the_numbers_are_those_of_the_library(panel, baseline):
    results = za.Results(panel, baseline)
    assert results.allocation.quota.equals(za.allocate(panel, baseline).quota)
    assert [a.scenario.batch for a in results.programme] == [1, 2, 3]
    assert results.programme[0] is results.allocation
    assert results.budget.by_year().equals(za.forecast_budget(za.cohorts(*results.programme), za.load_award(baseline.award)).by_year())  # fmt: skip
    assert results.ranges.table.equals(za.weight_range(panel, baseline).table)
    assert results.plan.quota.equals(za.plan([a.scenario for a in results.programme], panel).quota)
    assert str(results.explanation("浙江")) == str(za.explain(results.allocation, "浙江"))
    assert results.allocation.decisions.empty


@pytest.mark.thorough
def test_a_user_s_column_ends_its_stand_in_in_all_results(panel, baseline, tmp_path):
    """The scenario of the results is the one in force, whose ranges follow the column."""
    codes = panel.units.index
    rows = "\n".join(f"{code},{1000 + 137 * number}" for number, code in enumerate(codes))
    (tmp_path / "因素.csv").write_text(f"代码,规模以上工业中小企业数\n{rows}\n", encoding="utf-8")
    results = za.Results(za.load_panel(tmp_path / "因素.csv"), baseline)
    assert "sme_count" in results.allocation.scenario.factors
    assert {factor for _, factor in results.ranges.weights.columns} >= {"sme_count"}
    assert "规模以上工业中小企业数" in unit_sheet(results, "330000")._repr_html_()
