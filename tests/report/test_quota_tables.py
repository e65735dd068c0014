"""The criteria side by side, as the report shows them."""

import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.problem.criteria import CRITERIA
from zjtx_alloc.report.tables.criteria import criterion_table, index_table, paradox_note
from zjtx_alloc.rules.scenario import Rule


def test_every_criterion_hands_out_the_total(results, allocation):
    allocations = results.by_criterion
    assert list(allocations) == list(CRITERIA)
    assert {a.quota.sum() for a in allocations.values()} == {1039}
    table = criterion_table(allocations)
    assert table.frame["韦伯斯特法"].tolist() == allocation.quota.tolist()
    assert index_table(allocations).frame["与本情景准则不同的名额"].tolist()[0] == 0


@pytest.mark.slow
def test_where_rules_cross_the_criteria_left_out_are_named(panel, baseline):
    rules = {
        "甲": Rule(units=["110000", "120000"], min_share=0.06),
        "乙": Rule(units=["120000", "130000"], min_share=0.06),
    }
    results = za.Results(panel, baseline.model_copy(update={"rules": rules}))
    allocations = results.by_criterion
    assert {"webster", "hamilton"} <= set(allocations) < set(CRITERIA)
    assert any("未列：" in note and "逐级最小偏差" in note for note in criterion_table(allocations).notes)
    assert any("没有各单位共用的除数" in note for note in criterion_table(allocations).notes)
    assert "报告不作检验" in paradox_note(results.paradoxes)
