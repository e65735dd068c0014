"""Robust quotas: brute force over all quotas, regret over the whole polytope, other engines' optima."""

import random
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.quota.crossing import model_regret
from zjtx_alloc.quota.crossing.model_regret import Target, least_worst
from zjtx_alloc.report.tables.ranges import robust_notes
from zjtx_alloc.uncertainty.admissible import admissible_weights

FACTORS = ("gdp", "population", "little_giants")
COLUMNS = ([31, 7, 17, 3], [4, 19, 6, 23], [8, 9, 3, 30])
RANGES = {"gdp": (0.1, 0.6), "population": (0.1, 0.6), "little_giants": (0.1, 0.6)}


def scenario(**changes):
    factors = {c: {"period": "2020", "weight": w} for c, w in zip(FACTORS, (0.4, 0.35, 0.25), strict=True)}
    return za.Scenario(**{"name": "toy", "title": "toy", "batch": 1, "total": 9, "factors": factors} | changes)


def all_quotas(problem):
    spans = [range(low, high + 1) for low, high in zip(problem.lower, problem.upper, strict=True)]
    return np.array([x for x in product(*spans) if not problem.violations(list(x))])


@given(st.data())
@examples(15)
def test_least_worst_equals_brute_force(data):
    n, total = data.draw(st.integers(2, 4)), data.draw(st.integers(3, 8))
    number = st.integers(0, 400)
    targets = [
        Target(tuple(Fraction(data.draw(number), 50) for _ in range(n)), Fraction(data.draw(number), 20))
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    labels = [f"u{i}" for i in range(n)]
    rules = (
        za.Rule("r", {labels[0]: Fraction(1), labels[1]: Fraction(1)}, upper=Fraction(data.draw(st.integers(1, 8)))),
    )
    if n > 2 and data.draw(st.booleans()):
        rules += (
            za.Rule(
                "s", {labels[1]: Fraction(1), labels[2]: Fraction(2)}, upper=Fraction(data.draw(st.integers(2, 9)))
            ),
        )
    problem = za.QuotaProblem(total, pd.Series(1.0, index=labels), rules=rules)
    quotas = all_quotas(problem)
    if not len(quotas):
        with pytest.raises(za.InfeasibleError):
            least_worst(problem, targets)
        return
    found = least_worst(problem, targets)
    assert found.worst == min(max(t.loss([int(v) for v in x]) for t in targets) for x in quotas)
    assert max(t.loss(found.places) for t in targets) == found.worst
    assert found.bound <= found.worst


@pytest.mark.thorough
@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"cap": {"default": 3}},
        {"rules": {"r": {"units": ["110000", "120000"], "max": 3.0}, "s": {"units": ["120000", "130000"], "max": 3.0}}},
    ],
)
def test_robust_equals_brute_force_and_its_worst_regret_holds_everywhere(toy_panel, rules):
    panel, trial = toy_panel(**dict(zip(FACTORS, COLUMNS, strict=True))), scenario(**rules)
    found = za.robust(panel, trial, RANGES, draws=50, seed=1)
    admissible, quotas = admissible_weights(panel, trial, RANGES), all_quotas(za.quota_problem(panel, trial))

    def regrets(points):
        e = np.vstack([admissible.entitlements(point)[0] for point in points])
        losses = ((quotas[:, None, :] - e[None]) ** 2).sum(axis=2)
        return losses - losses.min(axis=0)

    worst = regrets(admissible.vertices).max(axis=1)
    everywhere = regrets(admissible.draws(2000, seed=5)).max(axis=1)
    assert (everywhere <= worst + 1e-9).all()  # for every quota: the worst lies at a vertex
    assert found.covers_all
    assert found.measures.at["robust", "worst_regret"] == pytest.approx(worst.min(), abs=1e-7)
    assert found.gap <= 1e-6
    mean = regrets(admissible.draws(50, seed=1)).mean(axis=1)
    assert found.measures.at["average", "mean_regret"] == pytest.approx(mean.min(), abs=1e-7)
    baseline = int(np.flatnonzero((quotas == found.quota["baseline"].to_numpy()).all(axis=1))[0])
    assert found.measures.at["baseline", "worst_regret"] == pytest.approx(worst[baseline], abs=1e-7)
    assert found.measures.at["baseline", "mean_regret"] == pytest.approx(mean[baseline], abs=1e-7)


def test_places_that_rules_drive_far_off_are_found_in_few_solves(monkeypatch):
    """Five units are due some 25 places in all and must have 150: chords far off lead there, not one place at a time."""
    rng, labels = random.Random(1), [f"u{i}" for i in range(12)]
    target = Target(tuple(Fraction(rng.randint(100, 900), 100) for _ in labels))
    rules = (za.Rule("r", dict.fromkeys(labels[:5], Fraction(1)), lower=Fraction(150)),)
    rules += (za.Rule("s", dict.fromkeys(labels[4:8], Fraction(1)), upper=Fraction(40)),)
    problem = za.QuotaProblem(200, pd.Series(1.0, index=labels), rules=rules)
    solves, real = [], model_regret.admits_answer
    monkeypatch.setattr(model_regret, "admits_answer", lambda *a, **k: solves.append(1) or real(*a, **k))
    found = least_worst(problem, [target])
    assert len(solves) <= 6
    assert sum(found.places[:5]) == 150
    moves = [(i, j) for i in range(12) for j in range(12) if i != j]
    nearby = [[x - (k == i) + (k == j) for k, x in enumerate(found.places)] for i, j in moves]
    assert all(problem.violations(x) or target.loss(x) >= found.worst for x in nearby)


def test_places_moved_are_counted_once(toy_panel):
    panel = toy_panel(**dict(zip(FACTORS, COLUMNS, strict=True)))
    found = za.robust(
        panel, scenario(), {"gdp": (0.0, 0.4), "population": (0.0, 0.35), "little_giants": (0.25, 1.0)}, draws=5
    )
    moved = (found.quota["robust"] - found.quota["baseline"]).abs().sum() / 2
    assert found.measures.at["robust", "moved"] == moved > 0
    assert found.measures.at["baseline", "moved"] == 0


@pytest.mark.thorough
def test_the_baselines_price_of_robustness(panel, baseline):
    found = za.robust(panel, baseline, draws=20)
    measures = found.measures
    assert measures["worst_regret"].idxmin() == "robust"
    assert measures["mean_regret"].idxmin() == "average"
    assert measures.at["baseline", "worst_webster"] > 0
    assert (found.quota.sum() == baseline.total).all()
    assert found.vertices == 6


@pytest.mark.parametrize("criterion", ["webster", "hamilton", "minimax", "adams"])
def test_websters_regret_is_websters_under_any_criterion(toy_panel, criterion):
    panel = toy_panel(**dict(zip(FACTORS, COLUMNS, strict=True)))
    found = za.robust(panel, scenario(criterion=criterion), RANGES, draws=2)
    quotas, admissible = all_quotas(found.allocation.problem), admissible_weights(panel, scenario(), RANGES)
    own = found.quota["baseline"].to_numpy()
    worst = max(
        ((own - e) ** 2 / e).sum() - ((quotas - e) ** 2 / e).sum(axis=1).min()
        for point in admissible.vertices
        for e in admissible.entitlements(point)
    )
    assert found.measures.at["baseline", "worst_webster"] == pytest.approx(worst, abs=1e-7)
    says = "不是本情景的准则" in "".join(robust_notes(found))
    assert says == (criterion != "webster")


@pytest.mark.parametrize("numbers", [{"draws": 0}, {"seed": -1}])
def test_no_draws_and_a_negative_seed_are_refused(panel, baseline, numbers):
    with pytest.raises(za.ScenarioError, match="draws 应为1至10,000的整数"):
        za.robust(panel, baseline, **numbers)


def test_pools_that_share_weights_are_covered_at_the_vertices_only(toy_panel):
    panel = toy_panel(gdp=[1, 8, 3, 9], population=[9, 3, 8, 1])
    factors = {c: {"period": "2020", "weight": 0.5} for c in ("gdp", "population")}
    trial = scenario(
        factors={}, region_coefficient={"东部": 1.0, "中部": 9.0, "西部": 1.0, "东北": 1.0},
        pools={"a": {"share": 0.5, "factors": factors, "coefficients": []}, "b": {"share": 0.5, "factors": factors}},
        uncertainty={"weights": {c: {"min": 0.0, "max": 1.0} for c in factors}},
    )  # fmt: skip
    assert not za.robust(panel, trial, draws=2).covers_all
