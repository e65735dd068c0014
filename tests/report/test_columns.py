"""Columns: described once in ``data/columns.csv``, and the allocation table, computed once with a view for each place."""

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.report.allocation_view import VIEWS, allocation_total, allocation_view
from zjtx_alloc.report.results import money_by_year
from zjtx_alloc.report.table import Column, of_kind, titled
from zjtx_alloc.report.tables import compare as tables


@pytest.fixture
def small():
    frame = pd.DataFrame({"short_name": ["北京", "天津"], "quota": [35, 12], 2025: [10, 20]})
    return frame.rename(columns={2025: Column("2025年（万元）", "money")})


def test_a_column_brings_its_header_and_its_kind(small):
    table = titled("plan", small, "注")
    assert table.title == "统筹名额表"
    assert table.kinds == {"单位": "text", "名额": "count", "2025年（万元）": "money"}
    assert table.frame.columns.tolist() == list(table.kinds)
    assert (table.notes, table.has_total) == (("注",), False)


def test_the_total_row_is_blank_in_words_and_has_no_number_where_none_is_given(small):
    money = small.columns[2]
    table = titled("plan", small.assign(region="华北"), total={"short_name": "合计", money: 30, "floor": 1})
    short_name, quota, year, region = table.frame.iloc[-1]
    assert (short_name, year, region) == ("合计", 30, "")
    assert pd.isna(quota)
    assert table.has_total
    assert len(table.frame) == 3


def test_a_column_that_is_not_described_is_refused(small):
    with pytest.raises(KeyError, match="quotas"):
        titled("plan", small.rename(columns={"quota": "quotas"}))


def test_labels_of_a_run_may_be_those_of_columns():
    frame = pd.DataFrame({"quota": [1], "region": [2]}).rename(columns=of_kind("count", lambda name: f"{name}！"))
    table = titled("plan", frame.assign(quota=3))
    assert table.frame.columns.tolist() == ["quota！", "region！", "名额"]


def test_a_title_takes_values():
    assert titled("composite", pd.DataFrame({"score": [1.0]}), title="创新").title == "综合指数：创新"


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_of_the_allocation_has_its_columns(view, allocation):
    nothing = dict.fromkeys(("quota_min", "quota_max", "baseline", "step"), allocation.quota)
    table = allocation_view(allocation, view, **nothing)
    without = {"rests_user", "rests_split", "rests_filled"}  # nothing of the baseline rests on these
    without |= {"previous", "previous_approved", "from_last"}  # the first batch has none before it
    without |= {"floor", "cap_set"} if view == "page" else set()  # the same for all units
    assert tuple(table) == tuple(column for column in VIEWS[view] if column not in without)
    assert table.index.tolist() == allocation.panel.units.index.tolist()


def test_the_views_agree_with_the_allocation_and_its_totals(allocation):
    whole = allocation.table()
    page, annex = allocation_view(allocation, "page"), allocation_view(allocation, "annex")
    pd.testing.assert_frame_equal(allocation_view(allocation, "csv").drop(columns="code"), whole)
    assert page["difference"].tolist() == (whole["quota"] - whole["entitlement"]).tolist()
    assert allocation_view(allocation, "sheet")["cap_set"].isna().all()  # no unit has a cap
    assert "quota_min" not in annex
    due = allocation.entitlement
    assert annex["rests_known"].tolist() == due.rests_on["known"].tolist()
    assert page["rests_modelled"].fillna(0).tolist() == due.rests_on["modelled"].tolist()
    total = allocation_total(allocation, page)
    assert total["rests_stand_in"] == due.stand_in_share
    assert (total["entitlement"], total["quota"]) == (1039, int(whole["quota"].sum()))
    assert "step" not in total


def test_a_cap_below_the_total_is_set(panel, baseline):
    capped = za.allocate(panel, baseline.model_copy(update={"cap": {"110000": 40}}))
    page = allocation_view(capped, "page")
    assert page["cap_set"].dropna().to_dict() == {"110000": 40}
    assert "floor" not in page  # 1 for each


@pytest.mark.parametrize("name", ["quota", "region", "short_name", "scenario", "setting", "fiscal_year"])
def test_a_scenario_may_be_called_as_a_column_is_in_code(name, panel, baseline):
    other = baseline.model_copy(update={"name": name, "criterion": "hamilton"})
    found = za.compare([baseline, other], panel)
    for table in (
        tables.unit_table,
        tables.region_table,
        tables.distance_table,
        tables.setting_table,
        lambda comparison: tables.year_table(comparison, money_by_year(comparison)),
    ):
        assert name in table(found).frame
