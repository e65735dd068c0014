"""The CSV files of the shipped scenarios, byte for byte: an intended change is copied over by hand."""

from pathlib import Path

import pytest

import zjtx_alloc as za
from zjtx_alloc.report.table import allocation_csv, budget_csv

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", za.scenario_names())
def test_shipped_scenarios_give_the_golden_files(name, panel, tmp_path):
    scenario = za.load_scenario(name)
    programme = za.allocate_programme(panel, scenario)
    allocation = next(a for a in programme if a.scenario is scenario)
    budget = za.forecast_budget(za.cohorts(*programme), za.load_award(scenario.award))
    for file, text in (("allocation.csv", allocation_csv(allocation)), ("budget.csv", budget_csv(budget))):
        assert text.encode("utf-8-sig") == (GOLDEN / name / file).read_bytes(), file


def test_every_golden_folder_belongs_to_a_shipped_scenario():
    assert tuple(sorted(path.name for path in GOLDEN.iterdir())) == za.scenario_names()
