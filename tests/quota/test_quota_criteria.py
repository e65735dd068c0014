"""Every criterion by its definition: every vector of small problems, laws, proofs of large ones.

The definitions are written out here once more, in fractions and without the package.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.examples import examples
from support.quota_oracle import BILLION, EXTREME, ORDINARY, PAIRS, TIED, cases, holds, vectors

import zjtx_alloc as za
from zjtx_alloc.quota.crossing import model
from zjtx_alloc.quota.problem.criteria import CRITERIA

SUMS = {
    "webster": lambda x, e: (x - e) ** 2 / e,
    "hamilton": lambda x, e: (x - e) ** 2,
    "huntington-hill": lambda x, e: (x - e) ** 2 / x if x else Fraction(0),
    "dean": lambda x, e: sum(Fraction(2 * k * (k - 1), 2 * k - 1) / e for k in range(1, x + 1)),
    "adams": lambda x, e: sum((k - 1) / e for k in range(1, x + 1)),
    "jefferson": lambda x, e: sum(k / e for k in range(1, x + 1)),
}


def value(name, places, due):
    """What a criterion minimises, as something that compares."""
    pairs = [(x, Fraction(e, BILLION)) for x, e in zip(places, due, strict=True) if e]
    if name in SUMS:
        lacking = [e for x, e in pairs if not x] if name in PAIRS else []
        return len(lacking), sum(lacking), sum(SUMS[name](x, e) for x, e in pairs)
    relative = name.endswith("-relative")
    deviations = sorted((abs(x - e) / (max(e, 1) if relative else 1) for x, e in pairs), reverse=True)
    if name.startswith("leximin"):
        return deviations
    return [*deviations[:1], sum(d * d for d in deviations)]


def feasible(case):
    """Every vector that keeps the rules; a unit with e = 0 takes only its floor."""
    rows = [(dict.fromkeys(members, 1), low, high) for members, low, high in case.groups] + list(case.rules)
    box = [(low, high if e else min(low, high)) for (low, high), e in zip(case.box(), case.due.values(), strict=True)]
    labels = list(case.due)
    return [x for x in vectors(case.total, box) if all(holds(dict(zip(labels, x, strict=True)), row) for row in rows)]


def best(case, name):
    """All optimal vectors, the one of the tie rule first."""
    labels, due = list(case.due), list(case.due.values())
    order = sorted(range(len(due)), key=lambda i: (-due[i], labels[i]))
    valued = [(value(name, x, due), x) for x in feasible(case)]
    least = min((v for v, _ in valued), default=None)
    return sorted((x for v, x in valued if v == least), key=lambda x: [-x[i] for i in order])


def check(case, name, engine):
    optimal, problem = best(case, name), replace(case.problem(), criterion=name)
    if not optimal:
        with pytest.raises(za.InfeasibleError):
            za.solve(problem, engine)
        return
    solution = za.solve(problem, engine)
    assert tuple(solution.quota) == optimal[0]
    numbers = zip(case.due, zip(*optimal, strict=True), strict=True)
    assert {label for tied in solution.ties for label in tied} == {u for u, x in numbers if len(set(x)) > 1}
    assert za.verify(problem, solution.quota) == solution.certificate
    assert solution.unserved == tuple(u for u, x in solution.quota.items() if name in PAIRS and not x and case.due[u])
    for other in [x for x in feasible(case) if x != optimal[0]][:5]:
        with pytest.raises(za.SolverError):
            za.verify(problem, pd.Series(other, index=list(case.due)))


NESTED = st.one_of([cases(due, rows) for due in (ORDINARY, TIED, EXTREME) for rows in ("none", "nested")])


@pytest.mark.parametrize("name", CRITERIA)
@examples(20)
@given(case=NESTED)
def test_the_exact_engine_against_every_vector(case, name):
    check(case, name, "exact")


@pytest.mark.parametrize("name", CRITERIA)
@examples(5)
@given(case=NESTED)
def test_the_model_against_every_vector(case, name):
    check(case, name, "model")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["exact", "model"])
@pytest.mark.parametrize("name", CRITERIA)
@examples(400)
@given(case=NESTED)
def test_many_problems_against_every_vector(case, name, engine):
    check(case, name, engine)


def check_crossing(case, name):
    """Where rules cross: the value of the optimum, by a proof within a millionth."""
    optimal, problem = best(case, name), replace(case.problem(), criterion=name)
    try:
        solution = za.solve(problem)
    except za.InfeasibleError:
        assert optimal == []
        return
    except za.ScenarioError:
        assert name.startswith("leximin") or value(name, optimal[0], case.due.values())[0] > 0
        return
    assert tuple(solution.quota) == optimal[0]
    assert za.verify(problem, solution.quota, solution.certificate) == solution.certificate
    if problem.nested:
        return
    *least, cheapest = value(name, optimal[0], case.due.values())
    for other in feasible(case)[:30]:
        *first, cost = value(name, other, case.due.values())
        if first > least or cost > cheapest + Fraction(2, 10**6):
            with pytest.raises(za.SolverError):
                za.verify(problem, pd.Series(other, index=list(case.due)), solution.certificate)


CROSSING = st.one_of([cases(due, rows) for due in (ORDINARY, TIED) for rows in ("crossing", "linear")])


@pytest.mark.parametrize("name", CRITERIA)
@examples(5)
@given(case=CROSSING)
def test_crossing_rules_against_every_vector(case, name):
    check_crossing(case, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CRITERIA)
@examples(300)
@given(case=CROSSING)
def test_many_crossing_rules_against_every_vector(case, name):
    check_crossing(case, name)


@examples(10)
@given(case=NESTED)
def test_websters_marginal_costs_given_as_ones_own(case):
    own = za.Criterion("own", lambda k, e: (2 * k - 1) / e)
    if feasible(case):
        for engine in ("exact", "model"):
            found = za.solve(replace(case.problem(), criterion=own), engine).quota
            assert found.equals(za.solve(case.problem()).quota)


@examples(20)
@given(case=NESTED, name=st.sampled_from(list(CRITERIA)), data=st.data())
def test_law_the_order_of_the_units_changes_nothing(case, name, data):
    labels = data.draw(st.permutations(list(case.due)))
    turned = replace(case, due={label: case.due[label] for label in labels})
    if feasible(case):
        found, again = (za.solve(replace(c.problem(), criterion=name)).quota.to_dict() for c in (case, turned))
        assert found == again


DIVISORS = ["webster", "huntington-hill", "dean", "adams", "jefferson"]


@pytest.mark.parametrize("name", DIVISORS)
@examples(8)
@given(due=st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 3.25, 7.0]), min_size=2, max_size=6).filter(any))
def test_law_nobody_loses_when_the_total_grows(name, due):
    due = pd.Series(due, index=list("ABCDEF")[: len(due)])
    quotas = [za.solve(za.QuotaProblem(total, due, criterion=name)).quota for total in range(12)]
    assert all((more >= fewer).all() for fewer, more in pairwise(quotas))


def national(size, total, seed):
    """Units in 40 groups, a quarter of them with a floor, a quarter with a cap, whose half is capped again."""
    rng = np.random.default_rng(seed)
    weight = np.round(rng.lognormal(0, 1, size), 2)
    due = pd.Series(weight * total / weight.sum(), index=[f"{i:05d}" for i in range(size)])
    groups = []
    for g, members in enumerate(np.array_split(due.index, 40)):
        part, half = due[members].sum(), due[members[: len(members) // 2]].sum()
        floor, cap = (
            (int(part * 1.05), None) if g % 4 == 0 else (None, int(part * 0.97)) if g % 4 == 1 else (None, None)
        )
        groups.append(za.Group(f"g{g}", tuple(members), floor, cap))
        groups.append(za.Group(f"h{g}", tuple(members[: len(members) // 2]), None, int(half * (0.8 + 0.01 * g))))
    return za.QuotaProblem(total, due, pd.Series(rng.integers(0, 2, size), index=due.index), groups=tuple(groups))


@pytest.mark.parametrize("name", CRITERIA)
def test_two_thousand_units_are_proven_and_a_moved_place_is_found(name):
    problem = replace(national(2000, 60_000, 1), criterion=name)
    quota = za.solve(problem).quota
    assert problem.violations(quota.to_list()) == []
    assert za.verify(problem, quota).kind in ("exchange", "leximin", "minimax")
    rng = np.random.default_rng(0)
    for _ in range(5):
        giver, taker = rng.choice(quota.index[quota > problem.floor], 2, replace=False)
        moved = quota.copy()
        moved[giver] -= 1
        moved[taker] += 1
        with pytest.raises(za.SolverError):
            za.verify(problem, moved)


def test_a_rule_across_the_groups_of_many_units_takes_few_models(monkeypatch):
    """Chords come to the model that is there, and the tie rule asks only where equal answers may be: once here, or not."""
    problem = national(300, 9_000, 1)
    river = tuple(problem.labels[::3])
    floor = int(problem.entitlement[list(river)].sum() * 1.02)
    problem = replace(problem, groups=(*problem.groups, za.Group("river", river, floor)))
    models, real = [], model.admits_answer
    monkeypatch.setattr(model, "admits_answer", lambda *a, **k: models.append(1) or real(*a, **k))
    solution = za.solve(problem)
    assert len(models) <= 3
    assert za.verify(problem, solution.quota, solution.certificate).kind == "dual"
    assert solution.quota[list(river)].sum() == floor


def test_minimax_across_crossing_rules_beside_a_unit_that_is_fixed():
    e = pd.Series([2.6, 1.4, 1.2, 0.8], list("ABCD"))
    rules = (za.Rule("r", {"A": 1, "B": 1}, upper=3), za.Rule("s", {"B": 1, "C": 1}, lower=4))
    floor, cap = pd.Series([0, 0, 0, 1], e.index), pd.Series([6, 6, 6, 1], e.index)
    fixed = za.QuotaProblem(6, e, floor=floor, cap=cap, rules=rules, criterion="minimax")
    kept = [x for x in product(range(7), repeat=4) if not fixed.violations(list(x))]
    least = min(max(abs(Fraction(str(d)) - x) for x, d in zip(places, e, strict=True)) for places in kept)
    solution = za.solve(fixed)
    assert max(abs(Fraction(str(d)) - x) for x, d in zip(solution.quota, e, strict=True)) == least
