"""Fairness indices worked by hand, their laws, and the paradoxes that history knows."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, strategies as st

import zjtx_alloc as za
from zjtx_alloc.allocation.fairness import gini, gini_by_group, theil, theil_by_group


def series(*values, of=None):
    return pd.Series(values, index=list("ABCDEFGHIJ"[: len(values)]) if of is None else of, dtype=float)


def test_gini_and_theil_by_hand():
    # Values 1 and 3: mean 2; mean absolute difference over all four ordered pairs (0 2 2 0)/4 = 1, half of it over 2.
    assert gini(series(1, 3), series(1, 1)) == 0.25
    assert theil(series(1, 3), series(1, 1)) == pytest.approx(
        (0.5 * math.log(0.5) + 1.5 * math.log(1.5)) / 2, abs=1e-15
    )
    # 100 to three, 200 to one: Lorenz curve through (3/4, 3/5), so the Gini index is 3/4 - 3/5.
    assert gini(series(100, 200), series(3, 1)) == pytest.approx(0.15, abs=1e-15)
    # All to one of two: the Gini index is 1/2, Theil's T is ln 2.
    assert gini(series(0, 1), series(1, 1)) == 0.5
    assert theil(series(0, 1), series(1, 1)) == pytest.approx(math.log(2), abs=1e-15)
    assert (gini(series(0, 0), series(1, 1)), theil(series(0, 0), series(1, 1))) == (0, 0)


WEIGHTED = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.sampled_from("xyz")), min_size=1, max_size=8)


@given(WEIGHTED)
def test_a_weight_is_a_repetition(units):
    values, weights, groups = (pd.Series(column) for column in zip(*units, strict=True))
    repeated = [(v, 1, g) for v, w, g in units for _ in range(w)]
    expanded = [pd.Series(column) for column in zip(*repeated, strict=True)]
    for measure in (gini, theil):
        assert measure(values, weights) == pytest.approx(measure(*expanded[:2]), abs=1e-12)
    for measure in (gini_by_group, theil_by_group):
        parts, same = measure(values, weights, groups), measure(*expanded)
        assert parts.between == pytest.approx(same.between, abs=1e-12)
        assert parts.within == pytest.approx(same.within, abs=1e-12)


@given(WEIGHTED)
def test_the_parts_add_up(units):
    values, weights, groups = (pd.Series(column) for column in zip(*units, strict=True))
    found = theil_by_group(values, weights, groups)
    assert found.between + found.within == pytest.approx(found.whole, abs=1e-12)
    found = gini_by_group(values, weights, groups)
    assert found.overlap >= -1e-12


def test_gini_by_groups_that_do_and_do_not_overlap():
    # Groups {1, 3} and {5, 7}, mean 4. Whole: pairs differ by 2 4 6 2 4 2, sum 20; 20/(4*16) = 0.3125.
    # Between: means 2, 6 twice each: 4/(2*8) = 0.25. Within: 1/2*1/4*(1/4) + 1/2*3/4*(1/12) = 0.0625.
    apart = gini_by_group(series(1, 3, 5, 7), series(1, 1, 1, 1), pd.Series(list("xxyy"), index=list("ABCD")))
    assert (apart.whole, apart.between) == (pytest.approx(0.3125), pytest.approx(0.25))
    assert (apart.within, apart.overlap) == (pytest.approx(0.0625), pytest.approx(0, abs=1e-12))
    # {1, 7} and {3, 5}: both means are 4. Within: 1/4*(3/8) + 1/4*(1/8) = 0.125; the rest is overlap.
    mixed = gini_by_group(series(1, 7, 3, 5), series(1, 1, 1, 1), pd.Series(list("xxyy"), index=list("ABCD")))
    assert (mixed.between, mixed.within) == (pytest.approx(0), pytest.approx(0.125))
    assert mixed.overlap == pytest.approx(0.1875)


@pytest.fixture
def toy(allocation):
    """The shipped allocation with all but three units of 北京, 天津, 河北 emptied: numbers to check by hand."""

    def make(due, quota):
        codes = allocation.quota.index
        full = [pd.Series([*column, *[0] * 34], index=codes) for column in (due, quota)]
        return replace(
            allocation,
            entitlement=replace(allocation.entitlement, places=full[0].astype(float)),
            solution=replace(allocation.solution, quota=full[1].astype("int64")),
        )

    return make


def test_the_indices_of_the_literature_by_hand(toy):
    # Shares 0.5 0.3 0.2 of entitlement, 0.6 0.3 0.1 of quota: gaps 0.1 0 -0.1.
    found = za.fairness(toy((5, 3, 2), (6, 3, 1)))
    assert found.gallagher == pytest.approx(10)
    assert found.loosemore_hanby == pytest.approx(10)
    assert found.sainte_lague == pytest.approx(100 * (0.01 / 0.5 + 0.01 / 0.2))
    assert found.units["deviation"].head(3).tolist() == [1, 0, -1]
    assert found.units["relative"].head(3).tolist() == pytest.approx([0.2, 0, -0.5])
    assert found.violations["quota_rule"].to_dict() == {"110000": 1, "130000": -1}


def test_an_entitlement_of_zero_is_explicit(toy):
    found = za.fairness(toy((5, 5, 0), (5, 4, 1)))
    assert found.sainte_lague == math.inf
    assert math.isnan(found.units.at["130000", "relative"])
    assert found.units.at["130000", "quota_rule"] == 1
    assert za.fairness(toy((5, 5, 0), (5, 5, 0))).sainte_lague == 0


def test_fairness_of_the_baseline(allocation):
    found = za.fairness(allocation)
    assert found.indicator == "sme_count"
    assert found.counted == "规模以上工业中小企业数（2023-12）"
    assert found.units["firms"].sum() == 472_948
    assert found.units.at["110000", "per_1000"] == pytest.approx(41000 / found.units.at["110000", "firms"])
    assert found.regions["quota"].sum() == 1039
    # The floor lifts 西藏 to 1, which is 0.04 rounded up; without violations Webster's rounding is mild.
    assert found.violations.empty
    assert found.theil.between + found.theil.within == pytest.approx(found.theil.whole, abs=1e-12)


def test_no_firms_no_rate(allocation):
    panel = allocation.panel
    cells = panel.cells.copy()
    cells.loc[("sme_count", "2023-12", "540000"), "value"] = 0
    found = za.fairness(replace(allocation, panel=replace(panel, cells=cells)))
    assert math.isnan(found.units.at["540000", "per_1000"])
    assert not math.isnan(found.gini.whole)


# ---- paradoxes ----

# Populations and seats at 299 and 300: tests/published/README.md.
HOUSE_1880 = pd.read_csv(
    Path(__file__).parents[1] / "published" / "us_house_1880.csv", index_col="state", encoding="utf-8"
)


def house_of_1880(criterion):
    people = HOUSE_1880["population"]
    due = 299 * people / people.sum()
    return za.QuotaProblem(299, due, floor=1, criterion=criterion)


def test_the_alabama_paradox_is_found():
    found = za.paradoxes(house_of_1880("hamilton"), reach=1).found
    alabama = found[found["label"] == "Alabama"].iloc[0].to_dict()
    assert alabama == {"label": "Alabama", "total": 299, "places": 8, "next_total": 300, "next_places": 7}


def test_a_divisor_method_knows_no_alabama_paradox(allocation):
    assert za.paradoxes(house_of_1880("webster")).found.empty
    around = za.paradoxes(allocation.problem)
    assert around.found.empty
    assert around.checked == tuple(range(1019, 1060))
    assert str(around) == "名额总量从1019到1059逐一增加，没有单位的名额因此减少（无亚拉巴马悖论）。"


def test_equal_claims_are_no_paradox():
    # D's second place and A's fourth cost the same at every total; at 11, in billionths, they would not.
    due = pd.Series({"A": 2.0, "B": 1.0, "C": 1.0, "D": 0.5})
    assert za.paradoxes(za.QuotaProblem(6, due, criterion="adams"), reach=6).found.empty


def test_totals_that_the_rules_do_not_admit_are_told():
    capped = za.QuotaProblem(4, pd.Series({"A": 2.0, "B": 2.0}), floor=pd.Series({"A": 2, "B": 1}), cap=2)
    found = za.paradoxes(capped, reach=2)
    assert (found.checked, found.infeasible) == ((3, 4), (2, 5, 6))
