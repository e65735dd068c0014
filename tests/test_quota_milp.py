"""An oracle for the engine on 37 units: the textbook model, a binary for each place of each unit, by another solver."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

import zjtx_alloc as za


def milp_quota(problem, without=None):
    """Places by another solver: a binary a place, priced at its exact increase of the cost.

    ``without``: a quota to exclude, so that the best of all others comes out.
    """
    e, low, high = problem.entitlement.to_numpy(), problem.floor.to_numpy(), problem.cap.to_numpy()
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
    price = (2 * place - 1) / e[unit] - 2
    found = milp(
        price, integrality=np.ones(len(unit)), bounds=Bounds(0, 1), constraints=rows, options={"mip_rel_gap": 0}
    )
    assert found.status in {0, 2}, found.message
    if found.status == 2:
        return None, np.inf
    places = pd.Series(np.rint(sums @ found.x).astype(int), index=problem.entitlement.index)
    return places, float(e.sum() + found.fun)


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
