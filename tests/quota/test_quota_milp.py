"""An oracle for the engine on 37 units: the textbook model, a binary for each place of each unit, by another solver."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

import zjtx_alloc as za

# The price of the k-th place of a unit with entitlement e, in the textbook's own words; a first place that comes
# before all others is counted in stages of its own.
PRICES = {
    "webster": lambda k, e: (2 * k - 1) / e - 2,
    "hamilton": lambda k, e: (k - e) ** 2 - (k - 1 - e) ** 2,
    "huntington-hill": lambda k, e: np.where(k == 1, (1 - e) ** 2, 1 - e**2 / (k * np.maximum(k - 1, 1))),
    "dean": lambda k, e: k * (k - 1) / (k - 0.5) / e,
    "adams": lambda k, e: (k - 1) / e,
    "jefferson": lambda k, e: k / e,
}


def stages(criterion, place, e):
    """What is minimised, in turn, as a price for each place; where e = 0 there is nothing to choose."""
    price, first = (
        np.where(e > 0, PRICES[criterion](place, np.where(e > 0, e, 1.0)), 0.0),
        ((place == 1) & (e > 0)) * 1.0,
    )
    return [-first, -first * e, price] if criterion in ("huntington-hill", "dean", "adams") else [price]


def milp_quota(problem, without=None, *, tie_rule=False):
    """Places and least cost by another solver: a binary a place, priced at its exact increase of the cost.

    ``without``: a quota to exclude, so that the best of all others comes out. ``tie_rule``: go on, unit by unit
    in its order, to the most places among the optima.
    """
    e = problem.entitlement.to_numpy()
    low = problem.floor.to_numpy()
    high = np.where(e > 0, problem.cap.clip(upper=problem.total), low)
    unit = np.repeat(np.arange(len(e)), high)
    place = np.concatenate([np.arange(1, top + 1) for top in high])
    sums = csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(len(e), len(unit)))
    rows = [LinearConstraint(sums, low, high), LinearConstraint(np.ones((1, len(unit))), problem.total, problem.total)]
    for group in problem.groups:
        inside = np.isin(problem.entitlement.index, group.members)[unit][None, :]
        rows.append(
            LinearConstraint(inside.astype(float), group.floor or 0, problem.total if group.cap is None else group.cap)
        )
    for rule in problem.rules:
        weights = np.array([float(rule.coefficients.get(label, 0)) for label in problem.entitlement.index])
        bounds = [(-np.inf, np.inf)[i] if b is None else float(b) for i, b in enumerate((rule.lower, rule.upper))]
        rows.append(LinearConstraint(weights[unit][None, :], *bounds))
    if without is not None:
        taken = place <= without.to_numpy()[unit]
        rows.append(LinearConstraint(np.where(taken, -1.0, 1.0)[None, :], 1 - taken.sum(), np.inf))
    aims = stages(problem.criterion, place, e[unit])
    last = len(aims) - 1
    if tie_rule:
        order = sorted(range(len(e)), key=lambda i: (-problem.entitlement.iloc[i], problem.entitlement.index[i]))
        aims += [-(unit == i).astype(float) for i in order]
    cost = np.inf
    for number, aim in enumerate(aims):
        found = milp(
            aim, integrality=np.ones(len(unit)), bounds=Bounds(0, 1), constraints=rows, options={"mip_rel_gap": 0}
        )
        assert found.status in {0, 2}, found.message
        if found.status == 2:
            return None, np.inf
        rows.append(LinearConstraint(aim[None, :], -np.inf, found.fun + 1e-8))
        cost = found.fun if number <= last else cost
    places = pd.Series(np.rint(sums @ found.x).astype(int), index=problem.entitlement.index)
    return places, float(problem.entitlement.sum() + cost) if problem.criterion == "webster" else float(cost)


def national(panel, seed, rows):
    """A random problem over the 37 units: bounds, then regions or crossing groups, then linear rules."""
    rng = np.random.default_rng(seed)
    codes = panel.units.index
    due = rng.lognormal(1.0, 1.0, 37)
    due = pd.Series(due * (total := 240) / due.sum(), index=codes)
    floor = pd.Series(rng.integers(0, 3, 37), index=codes)
    cap = (due * rng.uniform(0.8, 1.5, 37) + 2).astype(int) + floor
    groups, rules = [], []
    if rows != "bounds":
        for i, (region, members) in enumerate(codes.groupby(panel.units["region"]).items()):
            near = round(due[members].sum() * (0.9, 1.1)[i % 2])
            groups.append(za.Group(region, tuple(members), *((None, near) if i % 2 == 0 else (near, None))))
    if rows in ("crossing", "linear"):
        river = tuple(codes[rng.permutation(37)[:12]])
        groups.append(za.Group("river", river, floor=round(due[list(river)].sum() * 1.1)))
    if rows == "linear":
        weights = {code: Fraction(int(w), 4) for code, w in zip(codes, rng.integers(-3, 6, 37), strict=True)}
        value = sum(float(w) * due[code] for code, w in weights.items())
        rules.append(za.Rule("weighted", weights, Fraction(round(value * 1.05)), Fraction(round(value * 1.2))))
    return za.QuotaProblem(total, due, floor, cap, tuple(groups), tuple(rules))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows", ["bounds", "nested", "crossing", "linear"])
def test_37_units_against_another_solver(panel, rows, seed):
    problem = national(panel, seed, rows)
    solution = za.solve(problem)
    places, cost = milp_quota(problem)
    assert solution.cost == pytest.approx(cost, abs=1e-6)
    # The best of all other quotas costs more, so the optimum is unique and must be the very same.
    assert milp_quota(problem, without=places)[1] > cost + 1e-6
    assert solution.quota.to_dict() == places.to_dict()
    assert solution.ties == ()


def test_37_units_that_admit_nothing_for_another_solver_either(panel):
    problem = national(panel, 0, "crossing")
    caps = tuple(za.Group(group.name, group.members, cap=40) for group in problem.groups[:4])
    clash = za.QuotaProblem(problem.total, problem.entitlement, problem.floor, problem.cap, caps)
    assert milp_quota(clash)[0] is None
    with pytest.raises(za.InfeasibleError):
        za.solve(clash)


def small(seed):
    """A random problem with ties, zeros, bounds and three levels of groups; and its criterion."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 9))
    labels = list(rng.permutation(list("ABCDEFGH"))[:size])
    due = pd.Series(rng.choice([0, 0.25, 0.5, 1, 1, 1.5, 2, 3.125], size), index=labels)
    places = np.where(due > 0, np.maximum(np.rint(due + rng.normal(0, 1, size)), 0), 0).astype(int)
    due.iloc[0], places[0] = 1.0, max(places[0], 1)
    floor, cap = np.maximum(places - rng.integers(0, 4, size), 0), places + rng.integers(0, 4, size)
    half, quarter = size // 2, size // 4
    groups = []
    for number, members in enumerate([labels[:half], labels[:quarter], labels[half:], labels[half : half + quarter]]):
        inside = int(places[[labels.index(label) for label in members]].sum())
        if members and rng.random() < 0.7:
            slack = rng.integers(0, 3, 2)
            groups.append(
                za.Group(f"g{number}", tuple(members), max(inside - int(slack[0]), 0), inside + int(slack[1]))
            )
    series = (pd.Series(bound, index=labels) for bound in (floor, cap))
    return za.QuotaProblem(int(places.sum()), due, *series, tuple(groups), criterion=list(PRICES)[seed % len(PRICES)])


def agree(problem):
    """Exact engine, model and the other solver: one cost, one quota."""
    exact, model = za.solve(problem, "exact"), za.solve(problem, "model")
    places, _ = milp_quota(problem, tie_rule=True)
    assert exact.quota.to_dict() == model.quota.to_dict() == places.to_dict()
    assert exact.cost == model.cost
    assert exact.ties == model.ties


@pytest.mark.parametrize("seed", range(18))
def test_small_problems_agree_between_both_engines_and_another_solver(seed):
    agree(small(seed))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(18, 1018, 100))
def test_a_thousand_problems_agree_between_both_engines_and_another_solver(first):
    for seed in range(first, first + 100):
        agree(small(seed))


@pytest.mark.parametrize("name", PRICES)
def test_the_cost_is_what_another_solver_finds(panel, name):
    problem = replace(national(panel, 7, "nested"), criterion=name)
    places, cost = milp_quota(problem)
    solution = za.solve(problem)
    assert solution.quota.to_dict() == places.to_dict()
    # The solver adds up increases; what no places at all cost, it leaves out.
    none = {"hamilton": (problem.entitlement**2).sum()}.get(name, 0.0)
    assert solution.cost == pytest.approx(cost + none, rel=1e-9)
