"""What entitlements rest on: published counts, kinds of estimates, stand-ins; by hand from the raw files."""

from dataclasses import replace

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.explanation_text import rests_text
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.report.notes.marks import budget_marks, doubts_note, mostly_guessed, rests_note

JIANGSU, SHANXI = "320000", "140000"


@pytest.fixture(scope="module")
def raw():
    return pd.read_csv(shipped("data", "nowcast.csv"), dtype={"unit": str}, encoding="utf-8")


def column(raw, indicator, period):
    return raw[raw["indicator"].eq(indicator) & raw["period"].eq(period)].set_index("unit")


def test_a_units_parts_are_those_of_its_factors_by_status(raw, panel, allocation):
    """Coefficients multiply a unit's whole base: they change no part of it."""
    smes, giants = column(raw, "sme_count", "2023-12"), column(raw, "little_giants", "2024-06")
    stand_in = panel.values("first_round_continued_r1_sum", "2024-04")
    base = 0.4 * smes["value"] / smes["value"].sum() + 0.4 * giants["value"] / giants["value"].sum()
    base = base + 0.2 * stand_in / stand_in.sum()
    rests_on = allocation.entitlement.rests_on
    for unit in (JIANGSU, SHANXI, "440300", "540000"):
        by_hand = {"stand_in": 0.2 * stand_in[unit] / stand_in.sum() / base[unit]}
        for table in (smes, giants):
            part = 0.4 * table.at[unit, "value"] / table["value"].sum() / base[unit]
            status = table.at[unit, "status"]
            by_hand[status] = by_hand.get(status, 0.0) + part
        assert rests_on.loc[unit][list(by_hand)].tolist() == pytest.approx(list(by_hand.values()), abs=1e-12)
        assert rests_on.loc[unit].drop(list(by_hand)).tolist() == [0] * (rests_on.shape[1] - len(by_hand))


def test_parts_sum_to_one_and_the_nation_is_their_mean_by_places(allocation):
    due = allocation.entitlement
    assert due.rests_on.sum(axis=1).tolist() == pytest.approx([1.0] * 37)
    weighted = (due.rests_on.mul(due.places, axis=0)).sum() / 1039
    assert due.rests_on_share.tolist() == pytest.approx(weighted.tolist())
    assert due.estimated_share == pytest.approx(due.rests_on_share[["adjusted", "modelled"]].sum())
    assert due.stand_in_share == due.rests_on_share["stand_in"]


def test_what_stands_in_counts_as_nothing_else(panel):
    old = za.allocate(panel, za.load_scenario("2024-old-stand-ins")).entitlement
    assert old.rests_on_share["stand_in"] == pytest.approx(1)
    assert old.rests_on_share.drop("stand_in").tolist() == [0] * 6
    assert old.estimated_share > 0.1  # split cells are still 估算


def test_users_figures_and_splits_have_their_own_parts(panel, baseline):
    cells = panel.cells.copy()
    mine = ("little_giants", "2024-06")
    cells.loc[mine, "status"], cells.loc[mine, "estimated"] = "user", False
    cells.loc[("sme_count", "2023-12"), "status"] = "published"
    cells.loc[("sme_count", "2023-12"), "estimated"] = True
    found = za.entitlement(replace(panel, cells=cells), baseline).rests_on_share
    assert found[found > 0].index.tolist() == ["user", "split", "stand_in"]


def test_filled_cells_of_a_composite_are_a_part_of_their_own(panel, baseline):
    gone = replace(panel, cells=panel.cells.drop(("population", "2020", "110000")))
    recipe = {
        "title": "指数",
        "aggregation": "arithmetic",
        "parts": {
            "population": {
                "period": "2020",
                "weight": 1.0,
                "direction": 1,
                "normalisation": {"kind": "share"},
                "missing": "median",
            }
        },
    }
    fields = baseline.model_dump() | {"factors": {"index": {"weight": 1.0}}, "composites": {"index": recipe}}
    made = za.Scenario.model_validate(fields | {"uncertainty": {}})
    found = za.entitlement(gone, made).rests_on
    assert (found.at["110000", "filled"], found.at["120000", "known"], found.at["210000", "split"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([{"known": 0.25, "adjusted": 0.5, "modelled": 0.05, "stand_in": 0.2}],
         "公布数25.0%、估算55.0%（按全国增长推到该日50.0%、按各省关系推算5.0%）、代用20.0%"),
        ([{"known": 0.85, "split": 0.15}], "公布数85.0%、估算15.0%（由省级合计拆分）"),
        ([{"known": 0.9996, "modelled": 0.0004}], "公布数100.0%"),
        ([{"user": 0.8, "filled": 0.2}, {"user": 0.6, "filled": 0.4}], "用户提供的数60.0%—80.0%、估算20.0%—40.0%（按规则补足）"),
    ],
)  # fmt: skip
def test_the_words(parts, told):
    assert rests_text(*(pd.Series(part) for part in parts)) == told


def test_notes_say_it_once_and_short(allocation, panel):
    first, *others = doubts_note(allocation)
    share = allocation.entitlement.rests_on_share
    assert first == rests_note(allocation)
    assert first.startswith(f"理论名额的依据：公布数{share['known']:.1%}、估算")
    assert others == ["代用：以上一轮绩效评价后继续支持企业数（2024-04）代用中小企业培育绩效（权重0.2）。"]
    (marks,) = budget_marks(za.Results(panel, allocation.scenario).programme)
    assert "—" in marks  # batches differ
    assert marks.count("代用") == 1


def test_units_whose_number_is_mostly_guessed_are_marked_on_the_map(allocation):
    guessed = mostly_guessed(allocation)
    assert guessed[SHANXI]
    assert not guessed[JIANGSU]
    assert 0 < guessed.sum() < 20
    assert "理论名额的依据：估算" in za.explain(allocation, "山西").text
