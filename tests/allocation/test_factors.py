"""The factor method: worked values, an independent computation in fractions, estimates."""

import csv
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.facts.panel import SUPPLIED

# Places, worked separately from the package.
WORKED = {"北京": 40.65, "江苏": 110.07, "广东": 79.54, "深圳": 39.35, "天津": 18.35, "西藏": 0.40}
SPLIT = {"210000", "210200", "330000", "330200", "350000", "350200"} | {
    "370000", "370200", "440000", "440300", "650000", "660000",
}  # fmt: skip
FACTORS = {"rd_active_firms": "2020", "little_giants": "2021-06", "first_round_continued_r1_sum": "2024-04"}
SPLIT_BY = ("little_giants", "2025-12")
A, B, C = "110000", "320000", "540000"  # 东部, 东部, 西部


def scenario(**changes):
    return za.Scenario(**{"name": "toy", "title": "toy", "batch": 1, "total": 100} | changes)


@pytest.fixture(scope="module")
def toy(panel):
    """Three units; gdp 60, 30, 10 and population 10, 30, 10."""
    cells = [("gdp", "2020", u, v) for u, v in ((A, 60.0), (B, 30.0), (C, 10.0))]
    cells += [("population", "2020", u, v) for u, v in ((A, 10.0), (B, 30.0), (C, 10.0))]
    frame = pd.DataFrame(cells, columns=["indicator", "period", "code", "value"]).assign(estimated=False)
    frame = frame.set_index(["indicator", "period", "code"])
    frame.loc[("gdp", "2020", B), "estimated"] = True
    return replace(panel, units=panel.units.loc[[A, B, C]], cells=frame)


HALVES = {"gdp": {"period": "2020", "weight": 0.5}, "population": {"period": "2020", "weight": 0.5}}
GDP = {"gdp": {"period": "2020", "weight": 1.0}}
WEST = {"东部": 1.0, "中部": 1.0, "西部": 2.0, "东北": 1.0}


def test_toy_without_coefficients(toy):
    # gdp shares .6 .3 .1, population shares .2 .6 .2, half each: .40 .45 .15
    found = za.entitlement(toy, scenario(factors=HALVES))
    assert found.places.tolist() == pytest.approx([40, 45, 15], abs=1e-12)
    assert found.share.tolist() == pytest.approx([0.40, 0.45, 0.15], abs=1e-14)
    assert (found.places.name, found.share.name) == ("entitlement", "share")
    assert found.contributions["gdp"].tolist() == pytest.approx([30, 15, 5], abs=1e-12)
    assert found.contributions["population"].tolist() == pytest.approx([10, 30, 10], abs=1e-12)
    assert found.contributions["adjustment"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    # 江苏's gdp cell is estimated: .15 of its base .45, and .15 of the whole.
    assert found.estimated.tolist() == pytest.approx([0, 1 / 3, 0])
    assert found.estimated_share == pytest.approx(0.15)


def test_toy_with_a_region_coefficient(toy):
    # 西部 counts double: .40 .45 .30 out of 1.15
    found = za.entitlement(toy, scenario(factors=HALVES, region_coefficient=WEST))
    assert found.places.tolist() == pytest.approx([4000 / 115, 4500 / 115, 3000 / 115])
    assert found.contributions["gdp"].tolist() == pytest.approx([30, 15, 5])
    assert found.contributions["adjustment"].tolist() == pytest.approx([-600 / 115, -675 / 115, 1275 / 115])
    assert found.estimated_share == pytest.approx(15 / 115)


def test_toy_with_a_multiplier_inside_the_share(toy):
    # gdp 60, 30 and 10 x 4 = 40 out of 130
    factors = {"gdp": {"period": "2020", "weight": 1.0, "multiplier": "difficulty"}}
    found = za.entitlement(toy, scenario(factors=factors, multipliers={"difficulty": {"default": 1.0, C: 4.0}}))
    assert found.places.tolist() == pytest.approx([6000 / 130, 3000 / 130, 4000 / 130])


def test_toy_with_grades(toy):
    # .40 x 1.2, .45 x 1.0, .15 x 0.8 = .48 .45 .12 out of 1.05
    grades = {"default": "良", A: "优", C: "差"}
    coefficients = {"优": 1.2, "良": 1.0, "差": 0.8}
    found = za.entitlement(toy, scenario(factors=HALVES, grade=grades, grade_coefficient=coefficients))
    assert found.places.tolist() == pytest.approx([4800 / 105, 4500 / 105, 1200 / 105])


def test_toy_with_two_pools_and_their_own_coefficients(toy):
    # task 60 %: gdp with 西部 doubled, .6 .3 .2 out of 1.1; reward 40 %: population with A graded up, .4 .6 .2 out of 1.2
    pools = {
        "task": {"share": 0.6, "factors": GDP, "coefficients": ["region_coefficient"]},
        "reward": {
            "share": 0.4,
            "factors": {"population": {"period": "2020", "weight": 1.0, "stand_in_for": "sme_count"}},
            "coefficients": ["grade_coefficient"],
        },
    }
    grades = {"grade": {"default": "良", A: "优"}, "grade_coefficient": {"优": 2.0, "良": 1.0}}
    found = za.entitlement(toy, scenario(pools=pools, region_coefficient=WEST, **grades))
    task, reward = [360 / 11, 180 / 11, 120 / 11], [160 / 12, 240 / 12, 80 / 12]
    assert found.pools["task"].tolist() == pytest.approx(task)
    assert found.pools["reward"].tolist() == pytest.approx(reward)
    assert found.places.tolist() == pytest.approx([t + r for t, r in zip(task, reward, strict=True)])
    assert found.stand_in_share == pytest.approx(0.4)
    assert found.estimated_share == pytest.approx(1.8 / 11)


def test_a_pool_takes_every_coefficient_unless_it_names_some(toy):
    pools = {"all": {"share": 0.5, "factors": GDP}, "none": {"share": 0.5, "factors": GDP, "coefficients": []}}
    found = za.entitlement(toy, scenario(pools=pools, region_coefficient=WEST))
    assert found.pools["all"].tolist() == pytest.approx([300 / 11, 150 / 11, 100 / 11])
    assert found.pools["none"].tolist() == pytest.approx([30, 15, 5])
    assert found.contributions["gdp"].tolist() == pytest.approx([60, 30, 10])


def shipped_facts():
    """Values of the former stand-ins by unit, in fractions, read and split without the package."""
    with shipped("data", "units.csv").open(encoding="utf-8-sig", newline="") as file:
        units = list(csv.DictReader(file))
    with shipped("data", "facts.csv").open(encoding="utf-8-sig", newline="") as file:
        facts = [
            f for f in csv.DictReader(file) if FACTORS.get(f["indicator"]) == f["period"] and f["scope"] != "nation"
        ]
    raw = {k: {f["unit"]: Fraction(f["value"]) for f in facts if f["indicator"] == k} for k in FACTORS}
    with shipped("data", "nowcast.csv").open(encoding="utf-8", newline="") as file:
        estimates = [row for row in csv.DictReader(file) if (row["indicator"], row["period"]) == SPLIT_BY]
    giants = {row["unit"]: Fraction(row["value"]) for row in estimates}
    for inner, outer in ((u["code"], u["parent"]) for u in units if u["parent"]):
        whole = raw["rd_active_firms"][outer]
        raw["rd_active_firms"][inner] = whole * giants[inner] / (giants[inner] + giants[outer])
        raw["rd_active_firms"][outer] = whole * giants[outer] / (giants[inner] + giants[outer])
    return raw, {u["code"]: u["region"] for u in units}


def worked_share(factors, coefficient):
    """The formula of one pool in fractions: [(weight, values by unit)] and coefficient by unit to share by unit."""
    base = {u: sum(w * x[u] / sum(x.values()) for w, x in factors) for u in coefficient}
    whole = sum(base[u] * coefficient[u] for u in coefficient)
    return {u: base[u] * coefficient[u] / whole for u in coefficient}


REGION = {"东部": Fraction(1), "中部": Fraction("1.05"), "西部": Fraction("1.1"), "东北": Fraction("1.1")}


def test_the_stand_ins_agree_with_the_formula_in_fractions(panel, stand_ins):
    raw, region = shipped_facts()
    weights = {"rd_active_firms": "0.4", "little_giants": "0.4", "first_round_continued_r1_sum": "0.2"}
    share = worked_share([(Fraction(w), raw[k]) for k, w in weights.items()], {u: REGION[r] for u, r in region.items()})
    places = za.entitlement(panel, stand_ins).places
    assert len(share) == 37
    for unit, worked in share.items():
        assert places[unit] == pytest.approx(float(1039 * worked), abs=1e-9)


def test_two_pools_agree_with_the_formula_in_fractions(panel):
    # 80 % by tasks with a difficulty multiplier in one factor, 20 % by grades.
    raw, region = shipped_facts()
    hard = {"540000": "2.5", "630000": "1.75"}
    grade = {"110000": "优", "440300": "优", "620000": "差"}
    pools = {
        "task": {
            "share": 0.8,
            "factors": {
                "rd_active_firms": {"period": "2020", "weight": 0.5, "multiplier": "difficulty"},
                "little_giants": {"period": "2021-06", "weight": 0.5},
            },
            "coefficients": ["region_coefficient"],
        },
        "reward": {
            "share": 0.2,
            "factors": {"first_round_continued_r1_sum": {"period": "2024-04", "weight": 1.0}},
            "coefficients": ["grade_coefficient"],
        },
    }
    found = za.entitlement(
        panel,
        scenario(
            total=1039,
            pools=pools,
            multipliers={"difficulty": {"default": 1.0} | {u: float(a) for u, a in hard.items()}},
            region_coefficient={r: float(c) for r, c in REGION.items()},
            grade={"default": "良"} | grade,
            grade_coefficient={"优": 1.2, "良": 1.0, "差": 0.85},
        ),
    )
    multiplied = {u: x * Fraction(hard.get(u, 1)) for u, x in raw["rd_active_firms"].items()}
    half = Fraction(1, 2)
    task = worked_share([(half, multiplied), (half, raw["little_giants"])], {u: REGION[r] for u, r in region.items()})
    graded = {"优": Fraction("1.2"), "良": Fraction(1), "差": Fraction("0.85")}
    reward = worked_share(
        [(Fraction(1), raw["first_round_continued_r1_sum"])], {u: graded[grade.get(u, "良")] for u in region}
    )
    for unit in region:
        assert found.pools.at[unit, "task"] == pytest.approx(float(Fraction("831.2") * task[unit]), abs=1e-9)
        assert found.pools.at[unit, "reward"] == pytest.approx(float(Fraction("207.8") * reward[unit]), abs=1e-9)
        worked = 1039 * (Fraction("0.8") * task[unit] + Fraction("0.2") * reward[unit])
        assert found.places[unit] == pytest.approx(float(worked), abs=1e-9)


def test_the_six_worked_entitlements_of_the_baseline(panel, baseline):
    places = za.entitlement(panel, baseline).places
    found = {name: places[panel.units.index[panel.units["short_name"] == name][0]] for name in WORKED}
    assert found == pytest.approx(WORKED, abs=0.005)


@pytest.mark.parametrize("name", za.scenario_names())
def test_contributions_sum_to_the_entitlement_and_entitlements_to_the_total(panel, name):
    loaded = za.load_scenario(name)
    found = za.entitlement(panel, loaded)
    assert list(found.contributions) == [*loaded.factors, "adjustment"]
    assert (found.contributions.sum(axis=1) - found.places).abs().max() < 1e-9
    assert (found.pools.sum(axis=1) - found.places).abs().max() < 1e-9
    assert found.places.sum() == pytest.approx(loaded.total, abs=1e-9)
    assert found.share.sum() == pytest.approx(1, abs=1e-12)


def test_the_estimated_share_of_the_stand_ins(panel, stand_ins):
    found = za.entitlement(panel, stand_ins)
    assert round(found.estimated_share, 3) == 0.177
    assert set(found.estimated.index[found.estimated > 0]) == SPLIT
    # Before coefficients: weight 0.4 x the six split provinces' part of the nation.
    split = 1874 + 23846 + 5979 + 11604 + 23081 + 185
    plain = za.entitlement(panel, stand_ins.model_copy(update={"region_coefficient": {}}))
    assert plain.estimated_share == pytest.approx(0.4 * split / 146691, abs=1e-12)
    assert round(plain.estimated_share, 3) == 0.182
    # Every factor stands in for another.
    assert plain.stand_in_share == pytest.approx(1, abs=1e-12)


def test_the_estimated_share_of_the_baseline(panel, baseline):
    """Before coefficients: weight 0.4 x what is not known of each factor; a fifth stands in for 培育绩效."""
    with shipped("data", "nowcast.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] != "known"]
    parts = {
        key: sum(int(row["value"]) for row in rows if (row["indicator"], row["period"]) == key)
        for key in (("sme_count", "2023-12"), ("little_giants", "2024-06"))
    }
    plain = za.entitlement(panel, baseline.model_copy(update={"region_coefficient": {}}))
    worked = 0.4 * parts["sme_count", "2023-12"] / 472948 + 0.4 * parts["little_giants", "2024-06"] / 12183
    assert plain.estimated_share == pytest.approx(worked, abs=1e-12)
    assert plain.stand_in_share == pytest.approx(0.2, abs=1e-12)


def test_forbidden_estimates_are_named(panel, stand_ins):
    with pytest.raises(za.DataError) as caught:
        za.entitlement(panel, stand_ins.model_copy(update={"allow_estimates": False}))
    named = "辽宁、大连、浙江、宁波、福建、厦门、山东、青岛、广东、深圳、新疆、兵团；"
    assert "有R&D活动的规模以上工业企业数 2020 的下列单位为估算：" + named in str(caught.value)


def test_a_scenario_without_estimates_may_forbid_them(panel):
    factors = {"little_giants": {"period": "2021-06", "weight": 1.0}}
    found = za.entitlement(panel, scenario(factors=factors, allow_estimates=False))
    assert found.places[A] == pytest.approx(100 * 90 / 1832)
    assert found.estimated_share == 0


def test_a_factor_of_which_less_is_better_is_refused(toy):
    indicators = toy.indicators.copy()
    indicators.loc["gdp", "direction"] = "-1"
    with pytest.raises(za.ScenarioError, match=r"地区生产总值（gdp）不是“越大越好”的指标"):
        za.entitlement(replace(toy, indicators=indicators), scenario(factors=HALVES))


def test_a_factor_that_sums_to_zero_is_refused(toy):
    cells = toy.cells.copy()
    cells.loc["gdp", "value"] = 0.0
    with pytest.raises(za.DataError, match=r"地区生产总值 2020 各单位合计为0"):
        za.entitlement(replace(toy, cells=cells), scenario(factors=HALVES))


def test_a_users_own_column_of_the_indicator_is_no_stand_in(toy):
    older = scenario(factors={"gdp": {"period": "2020", "weight": 1.0, "stand_in_for": "gdp"}})
    assert za.entitlement(toy, older).stand_in_share == 1
    for indicator, share in (("gdp", 0), ("population", 1)):
        own = pd.DataFrame({"indicator": [indicator], "period": ["2020"], "status": [SUPPLIED]})
        assert za.entitlement(replace(toy, facts=own), older).stand_in_share == share


def test_a_stand_in_for_an_unknown_indicator_is_refused(toy):
    factors = {"gdp": {"period": "2020", "weight": 1.0, "stand_in_for": "smes"}}
    with pytest.raises(za.ScenarioError, match=r"gdp 的 stand_in_for“smes”"):
        za.entitlement(toy, scenario(factors=factors))
