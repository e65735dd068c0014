"""The tables and figures of facts: coverage, each cell with its range and basis, by hand from the committed files."""

from itertools import pairwise

import pytest

from zjtx_alloc.report.figures import data as figures_data
from zjtx_alloc.report.tables import data as tables


def test_coverage_counts_units_and_shows_the_national_figure(panel):
    frame = tables.coverage_table(panel).frame.set_index(["因素", "数据期"])
    row = frame.loc[("有R&D活动的规模以上工业企业数", "2020")]
    assert row[["有数单位数", "估算单位数", "各单位合计", "全国数"]].tolist() == [
        37,
        12,
        pytest.approx(146_691),
        146_691,
    ]
    assert frame.loc[("有效期内“小巨人”企业数", "2024-06"), ["有数单位数", "估算单位数", "各单位合计"]].tolist() == [
        37,
        34,
        12_183,
    ]
    assert len(frame) == len(panel.cells.groupby(level=["indicator", "period"]))


def test_each_cell_of_a_factor_is_listed_with_its_range_and_what_it_rests_on(panel):
    """From the committed estimates: 河北 published in June 2024, 北京 brought there, 山西 modelled."""
    table = tables.cell_table(panel, [("little_giants", "2024-06"), ("first_round_continued_r1_sum", "2024-04")])
    rows = table.texts().set_index("单位")
    assert len(rows) == 37  # the other column is published throughout
    columns = ["取值", "可能最小", "可能最大", "性质"]
    assert rows.loc["河北", columns].tolist() == ["383", "383", "383", "公布数"]
    assert rows.loc["北京", columns].tolist() == ["784", "677", "907", "按全国增长推到该日"]
    assert rows.loc["山西", columns].tolist() == ["122", "60", "247", "按各省关系推算"]
    assert rows.at["河北", "依据"] == "2024-06报383家（https://www.gztexun.com/article/4482.html）"
    assert rows.at["山西", "依据"].startswith(
        "由当年认定高新技术企业数（2021—2023）、有R&D活动的规模以上工业企业数（2023）、"
    )
    assert "90%范围" in table.notes[0]


def test_cells_that_are_split_have_no_range_and_name_the_rule(panel):
    rows = tables.cell_table(panel, [("rd_active_firms", "2020")]).texts().set_index("单位")
    assert len(rows) == 12
    assert rows.loc["大连", ["可能最小", "性质", "依据"]].tolist() == [
        "—", "由省级合计拆分", "省级合计按各单位的有效期内“小巨人”企业数拆分",
    ]  # fmt: skip


def test_columns_with_ranges_are_found(panel, baseline):
    lines = [(code, line.period) for code, line in baseline.indicators()]
    assert tables.estimated_columns(panel, lines) == [("sme_count", "2023-12"), ("little_giants", "2024-06")]
    assert dict(tables.estimated_columns(panel)) == {"little_giants": "2025-12", "sme_count": "2024-12"}


def test_the_figure_sets_each_factor_beside_the_stand_in_scaled_to_its_total(panel):
    columns = [("sme_count", "2023-12"), ("little_giants", "2024-06")]
    figure = figures_data.estimate_figure(panel, columns)
    for axes, (code, period), old in zip(
        figure.axes, columns, (("rd_active_firms", "2020"), ("little_giants", "2021-06")), strict=True
    ):
        cells = panel.column(code, period)
        published, guessed, former = axes.lines
        assert len(published.get_xdata()) == (~cells["estimated"]).sum()
        assert len(guessed.get_xdata()) == cells["estimated"].sum()
        by_hand = panel.values(*old) * cells["value"].sum() / panel.values(*old).sum()
        assert former.get_xdata()[::-1].tolist() == pytest.approx(by_hand.clip(lower=0.8).tolist())
    assert "数据来源：本工具推算（2023-12、2024-06）" in figure.get_supxlabel().replace("\n", "")
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts[::-1][:3] == ["784（677—907）", "268（196—364）", "383"]


@pytest.mark.thorough
def test_nothing_of_the_figure_overlaps(panel):
    figure = figures_data.estimate_figure(panel, [("sme_count", "2023-12"), ("little_giants", "2024-06")])
    figure.draw_without_rendering()
    left, right = figure.axes
    numbers = [text.get_window_extent() for text in left.texts]
    names = [label.get_window_extent() for label in right.get_yticklabels()]
    assert max(box.x1 for box in numbers) <= min(box.x0 for box in names)
    assert max(text.get_window_extent().x1 for text in right.texts) <= figure.bbox.width
    for one, other in pairwise(numbers):
        assert one.y1 <= other.y0 or other.y1 <= one.y0


def test_every_estimated_cell_is_listed(panel):
    frame = tables.estimated_cells_table(panel).frame
    listed = sum(len(row["数据期"].split("、")) * len(row["单位"].split("、")) for row in frame.to_dict("records"))
    assert listed == panel.cells["estimated"].sum()


def test_every_source_of_a_fact_is_listed_with_its_reliability(panel):
    frame = tables.all_sources_table(panel).frame
    assert set(frame["来源"]) == set(panel.facts["source"])
    assert (frame["可靠性"] != "").all()
