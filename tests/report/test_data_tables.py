"""The data notebook's tables: coverage and the stand-in against known counts, by hand from the facts."""

import pytest

import zjtx_alloc as za
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
    assert frame.loc[("规模以上工业企业数", "2024-02"), "有数单位数"] == 1
    assert len(frame) == len(panel.cells.groupby(level=["indicator", "period"]))


def test_the_stand_in_is_held_against_the_known_counts_nearest_in_time(panel):
    """河北 3,137 of 13,263 (2020); 广东 without 深圳 of 58,504 − 11,255 (2020-12), the part estimated."""
    frame = tables.stand_in_comparison(panel)
    assert list(frame.index) == ["130000", "350200", "360000", "420000", "440000", "440300"]
    assert frame.loc["130000", ["part", "whole"]].tolist() == [3137, 13_263]
    assert frame.at["130000", "part_of_whole"] == pytest.approx(3137 / 13_263)
    assert frame.loc["440000", ["whole", "period", "estimated"]].tolist() == [47_249, "2020-12", True]


def test_the_users_own_figures_are_compared_of_whatever_period(panel, tmp_path):
    path = tmp_path / "因素表.csv"
    rows = [f"{name},{2000 + i},{500 + i}" for i, name in enumerate(panel.units["short_name"])]
    titles = "单位,规模以上工业企业数（个）,有R&D活动的规模以上工业企业数（个，2023年末）"
    path.write_text("\n".join([titles, *rows]), encoding="utf-8")
    own = za.load_panel(path)
    frame = tables.stand_in_comparison(own)
    assert frame["whole"].tolist() == list(range(2000, 2037))
    assert frame["period"].unique().tolist() == ["用户提供"]
    assert frame.loc["110000", "part_of_whole"] == 500 / 2000
    assert "代用指标（2023）占规模以上工业企业数" in tables.stand_in_table(own).notes[0]
    assert "2023" in figures_data.stand_in_figure(own).get_supxlabel()


def test_every_estimated_cell_is_listed(panel):
    frame = tables.estimated_cells_table(panel).frame
    listed = sum(len(row["数据期"].split("、")) * len(row["单位"].split("、")) for row in frame.to_dict("records"))
    assert listed == panel.cells["estimated"].sum()


def test_every_source_of_a_fact_is_listed_with_its_reliability(panel):
    frame = tables.all_sources_table(panel).frame
    assert set(frame["来源"]) == set(panel.facts["source"])
    assert (frame["可靠性"] != "").all()
