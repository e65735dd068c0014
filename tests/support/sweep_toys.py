"""Scenarios of which everything is uncertain, for the tests of sweeps."""

import zjtx_alloc as za

WEIGHTS = {
    "sme_count": {"min": 0.2, "max": 0.6},
    "little_giants": {"min": 0.2, "max": 0.6},
    "first_round_continued_r1_sum": {"min": 0.0, "max": 0.4},
}
EVERYTHING = {
    "weights": WEIGHTS,
    "region_coefficient": {"西部": {"min": 1.0, "max": 1.3}, "东北": {"min": 1.0, "max": 1.2}},
    "facts": {"published": 0.01, "estimated": 0.2},
    "total": {"min": 1030, "max": 1045},
}


def toy(panel, **changes):
    """A scenario of two pools with everything a factor may have."""
    codes = panel.units.index
    factors = {
        "gdp": {"period": "2020", "weight": 0.3, "multiplier": "m"},
        "population": {"period": "2020", "weight": 0.7},
    }
    pool = {"share": 0.4, "factors": factors, "coefficients": ["grade_coefficient"]}
    table = {
        "name": "toy", "title": "toy", "batch": 1, "total": 40,
        "pools": {"a": pool, "b": pool | {"share": 0.6, "coefficients": ["region_coefficient", "grade_coefficient"]}},
        "multipliers": {"m": {codes[0]: 2.0, "default": 1.0}},
        "grade": {codes[1]: "优", "default": "中"}, "grade_coefficient": {"优": 1.2, "中": 1.0},
        "region_coefficient": {"东部": 1.0, "中部": 1.5, "西部": 1.1, "东北": 1.0},
    }  # fmt: skip
    return za.Scenario(**table | changes)


def toy_doubt(**more):
    ranges = {"gdp": {"min": 0.1, "max": 0.6}, "population": {"min": 0.4, "max": 0.9}}
    return {
        "pools": {"a": {"share": {"min": 0.2, "max": 0.5}, "weights": ranges}, "b": {"share": {"min": 0.5, "max": 0.8}}},
        "region_coefficient": {"中部": {"min": 1.0, "max": 2.0}},
        "grade_coefficient": {"优": {"min": 1.0, "max": 1.5}},
        "facts": {"published": 0.1, "estimated": 0.1},
        "total": {"min": 35, "max": 45},
    } | more  # fmt: skip
