"""Ranges under admissible weights: brute force over every breakpoint, samples, brackets."""

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from support.range_oracle import every_quota_on, triangle_rows

import zjtx_alloc as za
from zjtx_alloc.report.tables.ranges import range_table, uncertainty_summary
from zjtx_alloc.report.tables.sweep import sweep_table
from zjtx_alloc.rules.scenario_files import put_together
from zjtx_alloc.uncertainty import search
from zjtx_alloc.uncertainty.admissible import admissible_weights
from zjtx_alloc.uncertainty.polytope import simplices

FACTORS = ("gdp", "population", "little_giants")
SHARED = {"gdp": [1, 8, 3, 9], "population": [9, 3, 8, 1]}
NINE = {"东部": 1.0, "中部": 9.0, "西部": 1.0, "东北": 1.0}


def scenario(weights=(0.4, 0.35, 0.25), factors=FACTORS, **changes):
    table = {code: {"period": "2020", "weight": w} for code, w in zip(factors, weights, strict=True)}
    return za.Scenario(**{"name": "toy", "title": "toy", "batch": 1, "total": 8, "factors": table} | changes)


@pytest.mark.parametrize(("floor", "cap", "group"), [(0, 8, None), (1, 3, None), (0, 8, 3)])
def test_two_factors_equal_brute_force_over_all_breakpoints(toy_panel, floor, cap, group):
    columns = [[31, 7, 17, 3, 11, 5], [4, 19, 6, 23, 2, 12]]
    panel = toy_panel(gdp=columns[0], population=columns[1])
    rules = {"groups": {"g": {"units": list(panel.units.index[:3]), "cap": group}}} if group else {}
    trial = scenario((0.5, 0.5), FACTORS[:2], floor={"default": floor}, cap={"default": cap}, **rules)
    found = za.weight_range(panel, trial, {"gdp": (0.1, 0.8), "population": (0.2, 0.9)})
    segment = [(Fraction(1, 10), Fraction(9, 10)), (Fraction(8, 10), Fraction(2, 10))]
    bounds = ([floor] * 6, [cap] * 6, ((0, 1, 2), group) if group else None)
    all_of = list(every_quota_on(columns, 8, segment, bounds))
    assert found.table["quota_exact"].all()
    assert found.table["quota_min"].tolist() == [min(x) for x in zip(*all_of, strict=True)]
    assert found.table["quota_max"].tolist() == [max(x) for x in zip(*all_of, strict=True)]


@pytest.mark.parametrize("seed", range(40))
def test_at_one_point_what_is_possible_and_what_is_certain_enclose_the_quota(seed):
    rng = random.Random(seed)
    n, total = rng.randint(4, 8), rng.randint(8, 40)
    labels = [f"u{i}" for i in range(n)]
    e = pd.Series([rng.uniform(0, 9) for _ in labels], index=labels)
    inner, outer = rng.randint(1, 2), rng.randint(3, n)
    groups = (
        za.Group("outer", tuple(labels[:outer]), floor=rng.randint(0, total), cap=rng.randint(0, total)),
        za.Group("inner", tuple(labels[:inner]), floor=rng.randint(0, total // 2), cap=rng.randint(0, total)),
        za.Group("other", tuple(labels[outer:]), floor=rng.randint(0, total // 2)),
    )
    floor = pd.Series([rng.choice((0, 0, 1, 2)) for _ in labels], index=labels)
    problem = za.QuotaProblem(total, e * total / e.sum(), floor=floor, groups=groups[: rng.randint(1, 3)])
    try:
        quota = za.solve(problem).quota
    except za.InfeasibleError:
        return
    corners, asked = problem.entitlement.to_numpy()[None], search._asked(problem)
    for i, places in enumerate(quota):
        for k in range(1, total + 1):
            for everywhere in (False, True):
                assert asked.gets(corners, i, k, everywhere=everywhere) == (places >= k), (i, k, everywhere)


@pytest.mark.slow
def test_three_factors_equal_brute_force_over_all_breakpoints(toy_panel):
    columns = [[31, 7, 17, 3, 11, 5], [4, 19, 6, 23, 2, 13], [8, 9, 3, 10, 21, 6]]
    panel = toy_panel(**dict(zip(FACTORS, columns, strict=True)))
    trial = scenario(total=5)
    found = za.weight_range(panel, trial, {"gdp": (0.3, 0.5), "population": (0.3, 0.5), "little_giants": (0.0, 1.0)})
    low, high = [Fraction(3, 10)] * 2 + [Fraction(0)], [Fraction(1, 2)] * 2 + [Fraction(1)]
    all_of = [
        quota
        for triangle in simplices(low, high)
        for segment in triangle_rows(columns, 5, triangle)
        for quota in every_quota_on(columns, 5, segment, ([0] * 6, [5] * 6, None))
    ]
    assert found.table["quota_exact"].all()
    assert found.table["quota_min"].tolist() == [min(x) for x in zip(*all_of, strict=True)]
    assert found.table["quota_max"].tolist() == [max(x) for x in zip(*all_of, strict=True)]


def test_an_end_that_only_a_tie_could_reach_is_called_a_bracket(toy_panel):
    # e4 = 5·e5 and e6 = 3·e5 at one and the same weight: there three places cost the same, and the tie rule decides.
    panel = toy_panel(gdp=[31, 7, 17, 3, 11, 5], population=[4, 19, 6, 23, 2, 13])
    table = za.weight_range(
        panel, scenario((0.5, 0.5), FACTORS[:2]), {"gdp": (0.1, 0.8), "population": (0.2, 0.9)}
    ).table
    last = table.iloc[5]
    assert (last["quota_max"], last["quota_upper"], bool(last["quota_exact"])) == (1, 2, False)
    assert table["quota_exact"].iloc[:5].all()


def entitlement_of(columns, weights, coefficient):
    base = sum(w * np.array(c) / sum(c) for w, c in zip(weights, columns, strict=True)) * coefficient
    return base / base.sum()


def test_two_pools_that_vary_on_their_own_have_ends_at_vertices(toy_panel, write_scenario):
    columns = {"gdp": [31, 7, 17, 3], "population": [4, 19, 6, 23]}
    panel = toy_panel(**columns)
    pool = {"share": 0.5, "factors": {c: {"period": "2020", "weight": 0.5} for c in columns}}
    either = {"gdp": {"min": 0.2, "max": 0.8}, "population": {"min": 0.2, "max": 0.8}}
    doubt = {"a": {"share": {"min": 0.3, "max": 0.6}, "weights": either}, "b": {"share": {"min": 0.4, "max": 0.7}}}
    west = {"东部": 1.0, "中部": 2.0, "西部": 1.0, "东北": 1.0}
    pools = {"a": pool | {"coefficients": []}, "b": pool}
    trial = scenario((), (), pools=pools, region_coefficient=west, uncertainty={"pools": doubt})
    found = za.weight_range(panel, trial)
    coefficient = panel.units["region"].map(west).to_numpy()
    values = list(columns.values())
    at = [
        8 * (s * entitlement_of(values, (w, 1 - w), 1) + (1 - s) * entitlement_of(values, (0.5, 0.5), coefficient))
        for s in (0.3, 0.6) for w in (0.2, 0.8)
    ]  # fmt: skip
    assert found.table["entitlement_exact"].all()
    assert np.allclose(found.table["entitlement_min"], np.min(at, axis=0), atol=1e-12)
    assert np.allclose(found.table["entitlement_max"], np.max(at, axis=0), atol=1e-12)
    assert set(found.weights.columns) == {("a", ""), ("b", ""), *((p, c) for p in "ab" for c in columns)}


def shared_pools(toy_panel):
    """One pool without, one with a coefficient of 9 for the 中部 unit: a sum of two ratios, greatest inside for it."""
    panel = toy_panel(**SHARED)
    factors = {c: {"period": "2020", "weight": 0.5} for c in SHARED}
    doubt = {"weights": {c: {"min": 0.0, "max": 1.0} for c in SHARED}}
    pools = {"a": {"share": 0.5, "factors": factors, "coefficients": []}, "b": {"share": 0.5, "factors": factors}}
    return panel, scenario((), (), pools=pools, region_coefficient=NINE, uncertainty=doubt)


def test_pools_that_share_weights_give_a_bracket(toy_panel):
    panel, trial = shared_pools(toy_panel)
    table = za.weight_range(panel, trial).table
    coefficient = panel.units["region"].map(NINE).to_numpy()
    values = list(SHARED.values())
    grid = np.array([
        4 * (entitlement_of(values, (w, 1 - w), 1) + entitlement_of(values, (w, 1 - w), coefficient))
        for w in np.linspace(0, 1, 2001)
    ])  # fmt: skip
    assert not table["entitlement_exact"].all()
    assert (grid <= table["entitlement_upper"].to_numpy() + 1e-12).all()
    assert (grid >= table["entitlement_lower"].to_numpy() - 1e-12).all()
    assert np.allclose(table["entitlement_max"], grid.max(axis=0), atol=2e-3)
    assert np.allclose(table["entitlement_min"], grid.min(axis=0), atol=2e-3)


def test_where_rules_cross_quotas_are_bracketed_by_the_units_own_bounds(toy_panel):
    panel = toy_panel(gdp=[31, 7, 17, 3], population=[4, 19, 6, 23])
    a, b, c, _ = panel.units.index
    rules = {"r": {"units": [a, b], "max": 5.0}, "s": {"units": [b, c], "max": 4.0}}
    trial = scenario((0.5, 0.5), FACTORS[:2], rules=rules, cap={"default": 6})
    table = za.weight_range(panel, trial, {"gdp": (0.1, 0.8), "population": (0.2, 0.9)}).table
    assert not table["quota_exact"].any()
    assert table["entitlement_exact"].all()
    assert (table["quota_lower"] == 0).all()
    assert (table["quota_upper"] == 6).all()
    assert (table["quota_min"] <= table["quota"]).all()
    assert (table["quota_max"] >= table["quota"]).all()


@pytest.mark.parametrize("criterion", ["hamilton", "leximin", "minimax"])
def test_under_another_criterion_quotas_are_bracketed_by_the_units_own_bounds(panel, stand_ins, criterion):
    trial = stand_ins.model_copy(update={"criterion": criterion, "cap": {"default": 200}})
    table = za.weight_range(panel, trial).table
    assert not table["quota_exact"].any()
    assert table["entitlement_exact"].all()
    assert (table["quota_lower"].unique().tolist(), table["quota_upper"].unique().tolist()) == ([1], [200])
    # Here Webster's method gives 青海 3 places, the most that it ever does; these give 4.
    weights = zip(trial.factors.items(), (0.375, 0.598, 0.027), strict=True)
    changed = {code: factor.model_copy(update={"weight": weight}) for (code, factor), weight in weights}
    assert za.allocate(panel, trial.model_copy(update={"factors": changed})).quota["630000"] == 4


@pytest.mark.thorough
def test_the_ends_are_attained_by_the_weights_that_are_named(panel, baseline):
    found = za.weight_range(panel, baseline)
    for (code, end), weights in found.weights.iloc[::7].iterrows():
        changed = {c: f.model_copy(update={"weight": weights[("", c)]}) for c, f in baseline.factors.items()}
        at = za.allocate(panel, baseline.model_copy(update={"factors": changed}))
        got = at.quota[code] if end.startswith("quota") else at.entitlement.places[code]
        assert got == pytest.approx(found.table.at[code, end], abs=1e-9), (code, end)


def test_the_baseline_is_searched_exactly_over_its_ranges_and_over_all_weights(panel, baseline):
    assert za.weight_range(panel, baseline).table[["entitlement_exact", "quota_exact"]].all(axis=None)
    free = za.weight_range(panel, baseline, dict.fromkeys(baseline.factors, (0.0, 1.0))).table
    assert free[["entitlement_exact", "quota_exact"]].all(axis=None)
    # With all weight on one factor 江苏 has its share of it, after coefficients, of 1039 places.
    assert free.at["320000", "quota_max"] >= max(
        za.allocate(panel, baseline.model_copy(update={"factors": {c: f.model_copy(update={"weight": 1.0})}})).quota[
            "320000"
        ]
        for c, f in baseline.factors.items()
    )


def held_against_samples(found, admissible, problem):
    """Assert that no entitlement and no quota at 100,000 admissible weights lies outside the bounds; returns both."""
    drawn = np.vstack([admissible.entitlements(point)[0] for point in admissible.draws(100_000, seed=7)])
    assert (drawn >= found["entitlement_lower"].to_numpy() - 1e-9).all()
    assert (drawn <= found["entitlement_upper"].to_numpy() + 1e-9).all()
    quotas = za.solve_many(problem, drawn)
    assert (quotas >= found["quota_lower"].to_numpy()).all()
    assert (quotas <= found["quota_upper"].to_numpy()).all()
    for row in range(0, len(drawn), 5_000):
        alone = za.solve(replace(problem, entitlement=pd.Series(drawn[row], index=problem.entitlement.index)))
        assert (quotas[row] == alone.quota.to_numpy()).all()
    return drawn, quotas


@pytest.mark.slow
@pytest.mark.parametrize(
    "extra",
    ["", '[groups."中部"]\nregion = "中部"\ncap = 200\n[groups."湘鄂"]\nunits = ["湖南", "湖北"]\nfloor = 100\n'],
)
def test_ranges_contain_a_hundred_thousand_samples(panel, write_scenario, extra):
    trial = za.load_scenario(write_scenario('extends = "2024-baseline"\n' + extra))
    found, problem = za.weight_range(panel, trial).table, za.quota_problem(panel, trial)
    drawn, quotas = held_against_samples(found, admissible_weights(panel, trial), problem)
    if not extra:
        assert all((quotas[row] == fast_webster(drawn[row], trial.total)).all() for row in range(0, len(drawn), 10))


@pytest.mark.slow
def test_brackets_contain_a_hundred_thousand_samples(toy_panel):
    panel, trial = shared_pools(toy_panel)
    found = za.weight_range(panel, trial).table
    assert not found["entitlement_exact"].all()
    held_against_samples(found, admissible_weights(panel, trial), za.quota_problem(panel, trial))


def fast_webster(e, total):
    """Webster with floors of 1, in floats: an oracle for many samples."""
    low, high = 0.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(np.floor(middle * e + 0.5), 1).sum() < total else (low, middle)
    x = np.maximum(np.floor(high * e + 0.5), 1).astype(int)
    while x.sum() > total:  # a tie within floats
        x[np.argmax(np.where(x > 1, (2 * x - 1) / e, -np.inf))] -= 1
    return x


@pytest.mark.thorough
def test_studies_take_the_batch_on_its_own_and_say_so_beside_the_quota_that_counts(small_panel, tmp_path):
    """A unit has a place of the batch before again: ranges, robust quotas and draws are all of the batch on its own."""
    codes = list(small_panel.units.index)
    known = {"granted": dict.fromkeys(codes, 2), "approved": dict.fromkeys(codes, 2) | {codes[0]: 1}}
    first = scenario((0.5, 0.5), FACTORS[:2], known=known, approval={"rate": "1.00", "unused": "unit"})
    doubt = {"weights": {"gdp": {"min": 0.2, "max": 0.8}, "population": {"min": 0.2, "max": 0.8}}}
    second = scenario((0.5, 0.5), FACTORS[:2], batch=2, budget_with=["b1.toml"], uncertainty=doubt)
    put_together({"b1.toml": first, "b2.toml": second}, tmp_path)
    alone = za.allocate(small_panel, second).quota
    ranges, robust = za.weight_range(small_panel, second), za.robust(small_panel, second, draws=5)
    swept = za.sweep(small_panel, second, draws=8)
    for found in (ranges, robust, swept):
        assert (found.allocation.quota - alone).tolist() == [1, 0, 0, 0, 0, 0]
    assert (
        ranges.table["quota"].tolist()
        == robust.quota["baseline"].tolist()
        == swept.table["quota"].tolist()
        == alone.tolist()
    )
    note = (
        "权重变动的范围、稳健名额和模拟只看本批单独测算的名额，不含本单位补回；以此为准的名额见“名额”列和名额分配表。"
    )
    for table in (range_table(ranges), sweep_table(swept)):
        assert table.frame["名额"].tolist() == ranges.allocation.quota.tolist()
        assert table.frame["本批单独测算"].tolist() == alone.tolist()
        assert note in table.notes
    assert uncertainty_summary(ranges, robust).splitlines()[0] == f"- {note}"
    plain = za.weight_range(small_panel, second.model_copy(update={"budget_with": []}))
    assert "本批单独测算" not in range_table(plain).frame
