"""What reports show of a scenario with places before the formula (基数)."""

import pytest

import zjtx_alloc as za
from zjtx_alloc.report.documents.unit_tables import contribution_rows
from zjtx_alloc.report.tables.allocation import contribution_table, rule_table


@pytest.fixture(scope="module")
def based(panel, baseline):
    base = {"default": 2, "计划单列市": 1, "540000": 5}
    return za.allocate(
        panel, baseline.model_copy(update={"base": base, "redistribution": "equal", "cap": {"440000": 60}})
    )


def test_rules_name_the_base_and_what_becomes_of_what_caps_take_back(based):
    rows = rule_table(based).frame.set_index("规则")["取值"]
    assert rows["基数"].tolist() == ["各单位 2家", "计划单列市 1家", "西藏 5家"]
    assert (rows["下限"], rows["上限"]) == ("各单位 ≥ 1家", "广东 ≤ 60家")
    assert rows["上限收回的名额"] == "平均"


def test_contributions_and_the_base_sum_to_the_entitlement(based):
    frame = contribution_table(based).frame.drop(columns="单位")
    assert frame.drop(columns="理论名额").sum(axis=1).tolist() == pytest.approx(frame["理论名额"].tolist())
    unit = contribution_rows(based, "540000")
    assert unit.notes[0].startswith("贡献 = 基数之外的名额967家 × 权重")
    assert unit.frame["贡献（家）"].iloc[:-1].sum() == pytest.approx(unit.frame["贡献（家）"].iloc[-1])
    assert unit.frame["因素"].iloc[-2] == "基数"
