"""The key figures and the open decisions of a report's first page: the library's numbers, nothing that is not there."""

from dataclasses import replace

import pytest

import zjtx_alloc as za
from zjtx_alloc.report.notes.marks import rounding_note
from zjtx_alloc.report.tables.headline import key_figures, open_decisions


def test_key_figures_are_the_librarys_numbers(second):
    rows = {name: (value, note) for name, value, note in key_figures(second).frame.itertuples(index=False)}
    assert list(rows) == [
        "名额", "本批资金", "2024—2026年资金", "有公布数可依的份额", "权重未知时名额会变的单位", "与第1批相比",
    ]  # fmt: skip
    # 600 万元 a firm; batches of 1,039, 1,241 and 1,241, half at the opening and half three years on.
    assert rows["名额"][0] == "1,241家"
    assert rows["本批资金"] == ("744,600万元", "2025年372,300万元、2028年372,300万元（全部企业完成推进计划时）")
    assert rows["2024—2026年资金"][0] == f"{300 * (1039 + 1241 + 1241):,}万元"
    assert rows["有公布数可依的份额"][0] == f"{second.allocation.entitlement.rests_on_share['known']:.1%}"
    table = second.ranges.table
    assert rows["权重未知时名额会变的单位"][0] == f"{(table['quota_upper'] > table['quota_lower']).sum()}个"
    steps = second.allocation.quota - second.programme[0].quota
    assert rows["与第1批相比"][0] == "+202家"
    assert rows["与第1批相比"][1].startswith(
        f"{(steps > 0).sum()}个单位增加、{(steps < 0).sum()}个减少；变化最大的为江苏+39"
    )


def test_without_ranges_or_a_batch_before_nothing_is_said_of_them(panel, baseline):
    alone = baseline.model_copy(update={"uncertainty": type(baseline.uncertainty)(), "budget_with": []})
    names = key_figures(za.Results(panel, alone)).frame["要点"].tolist()
    assert names == ["名额", "本批资金", "2024—2026年资金", "有公布数可依的份额"]


def test_three_decisions_are_the_readers(second, panel, baseline):
    assert open_decisions(second).frame["事项"].tolist() == ["因素权重", "名额总量", "取整的零头和未用名额"]
    settled = baseline.model_copy(update={"total_status": "official", "budget_with": []})
    rows = open_decisions(za.Results(panel, settled)).frame
    assert rows["事项"].tolist() == ["因素权重", "取整的零头和未用名额", "系数和下限"]
    assert rows["测算的取法"].tolist()[1:] == [
        "各批单独取整；未用名额作废",
        "区域调节系数东部1、中部1.05、西部1.1、东北1.1；下限1家",
    ]


@pytest.mark.parametrize("kind", ["exchange", "leximin", "minimax", "dual", "cases"])
def test_whatever_proves_a_quota_is_said(allocation, kind):
    solution = replace(allocation.solution, certificate=za.Certificate(kind))
    assert "核对" in rounding_note(replace(allocation, solution=solution))
