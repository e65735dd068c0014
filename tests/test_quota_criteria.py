"""Every criterion by its definition: numbers worked by hand, every vector of small problems, laws.

The definitions are written out here once more, in fractions and without the package.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_quota_oracle import BILLION, EXTREME, ORDINARY, TIED, cases, holds, vectors

import zjtx_alloc as za
from zjtx_alloc.quota.criteria import CRITERIA

SUMS = {
    "webster": lambda x, e: (x - e) ** 2 / e,
    "hamilton": lambda x, e: (x - e) ** 2,
    "huntington-hill": lambda x, e: (x - e) ** 2 / x if x else Fraction(0),
    "dean": lambda x, e: sum(Fraction(2 * k * (k - 1), 2 * k - 1) / e for k in range(1, x + 1)),
    "adams": lambda x, e: sum((k - 1) / e for k in range(1, x + 1)),
    "jefferson": lambda x, e: sum(k / e for k in range(1, x + 1)),
}
PAIRS = ("huntington-hill", "dean", "adams")


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
@settings(max_examples=20)
@given(case=NESTED)
def test_the_exact_engine_against_every_vector(case, name):
    check(case, name, "exact")


@pytest.mark.parametrize("name", CRITERIA)
@settings(max_examples=5)
@given(case=NESTED)
def test_the_model_against_every_vector(case, name):
    check(case, name, "model")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["exact", "model"])
@pytest.mark.parametrize("name", CRITERIA)
@settings(max_examples=400)
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


CROSSING = st.one_of([cases(due, rows) for due in (ORDINARY, TIED) for rows in ("crossing", "linear")])


@pytest.mark.parametrize("name", CRITERIA)
@settings(max_examples=5)
@given(case=CROSSING)
def test_crossing_rules_against_every_vector(case, name):
    check_crossing(case, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CRITERIA)
@settings(max_examples=300)
@given(case=CROSSING)
def test_many_crossing_rules_against_every_vector(case, name):
    check_crossing(case, name)


def quota(name, total, due, groups=(), **more):
    problem = za.QuotaProblem(total, pd.Series(due, dtype=float), groups=groups, criterion=name, **more)
    return za.solve(problem).quota.to_dict()


# Balinski and Young (1975), The Quota Method of Apportionment, Amer. Math. Monthly 82: five states, 26 seats,
# and every divisor method differs. By hand: after 9 7 5 3 1 the last seat goes to the least d(k)/population
# (in thousandths):     A      B      C      D      E
#   adams      (k - 1)  .993   .975   .951   .904   .846
#   dean                1.046  1.040  1.037  1.033  1.128
#   hill                1.0470 1.0424 1.0415 1.0437 1.1965
#   webster             1.0485 1.0447 1.0458 1.0545 1.2690
#   jefferson      (k)  1.104  1.114  1.141  1.205  1.692
# Hamilton: remainders .061 .179 .259 .319 .182.
STATES = {"A": 9.061, "B": 7.179, "C": 5.259, "D": 3.319, "E": 1.182}
LAST = {"adams": "E", "dean": "D", "huntington-hill": "C", "webster": "B", "jefferson": "A", "hamilton": "D"}


@pytest.mark.parametrize("name", LAST)
def test_published_apportionments_of_five_states(name):
    answer = {"A": 9, "B": 7, "C": 5, "D": 3, "E": 1}
    assert quota(name, 26, STATES) == answer | {LAST[name]: answer[LAST[name]] + 1}


def test_fewer_places_than_units_go_to_the_larger():
    for name in PAIRS:
        problem = za.QuotaProblem(2, pd.Series({"A": 0.1, "B": 1.0, "C": 0.9}), criterion=name)
        solution = za.solve(problem)
        assert (solution.quota.to_dict(), solution.unserved) == ({"A": 0, "B": 1, "C": 1}, ("A",))
    assert quota("webster", 3, {"A": 0.1, "B": 2.0, "C": 0.9}) == {"A": 0, "B": 2, "C": 1}
    assert quota("huntington-hill", 3, {"A": 0.1, "B": 2.0, "C": 0.9}) == {"A": 1, "B": 1, "C": 1}


def test_where_rules_cross_a_unit_that_may_have_no_place_is_not_waited_for():
    # F may have none. One place each to the others, and two more by e/sqrt(k(k - 1)): B 3.5/1.41, then A and E tie at
    # 3/1.41, before B's third at 3.5/2.45.
    due = pd.Series({"A": 3.0, "B": 3.5, "F": 0.5, "D": 1.5, "E": 3.0})
    floor, cap = pd.Series([0, 1, 0, 0, 1], due.index), pd.Series([2, 11, 0, 3, 2], due.index)
    weighted = za.Rule("r", {"B": Fraction(3, 2), "D": Fraction(-1), "E": Fraction(7)})
    solution = za.solve(za.QuotaProblem(6, due, floor, cap, rules=(weighted,), criterion="huntington-hill"))
    assert (solution.quota.to_list(), solution.unserved) == ([2, 2, 0, 1, 1], ("F",))


# Seven places beyond the entitlements 2 and 10, relative deviations a/2 and b/10 with a + b = 7: the largest is
# least at a = 1 (.5 .6; at a = 0 .7), the sum of squares at a = 0 (.49; at a = 1 .61). In places: 3 and 4.
def test_the_largest_deviation_decides_and_then_the_squares():
    due = {"A": 2, "B": 10}
    assert quota("minimax-relative", 19, due) == {"A": 3, "B": 16}
    assert quota("leximin-relative", 19, due) == {"A": 3, "B": 16}
    assert quota("minimax", 19, due) == {"A": 5, "B": 14}
    problem = za.QuotaProblem(19, pd.Series(due, dtype=float), criterion="minimax-relative")
    with pytest.raises(za.SolverError, match=r"最大偏差 0\.7 并非最小"):
        za.verify(problem, pd.Series({"A": 2, "B": 17}))
    # C is held at 3 by its floor, a relative deviation of 2 that nothing can help: minimax leaves the rest to
    # the squares, leximin goes on to the next largest.
    floor = pd.Series({"A": 0, "B": 0, "C": 3})
    assert quota("minimax-relative", 22, due | {"C": 1}, floor=floor) == {"A": 2, "B": 17, "C": 3}
    assert quota("leximin-relative", 22, due | {"C": 1}, floor=floor) == {"A": 3, "B": 16, "C": 3}


def test_places_that_change_no_deviation_go_by_the_tie_rule():
    # The first place of A and the second of B leave their deviations at 1/2 and 1/3; six places are one too few.
    due, cap = {"A": 0.5, "B": 1.5, "C": 2, "D": 1, "E": 1}, {"A": 1, "B": 2, "C": 2, "D": 1, "E": 3}
    answer = {"A": 0, "B": 2, "C": 2, "D": 1, "E": 1}
    for name in ("leximin", "leximin-relative"):
        assert quota(name, 6, due, cap=pd.Series(cap)) == answer
        assert quota(name, 1, {"B": 0.5, "A": 0.5}) == {"A": 1, "B": 0}


def test_a_relative_deviation_is_absolute_below_one_place():
    # Relative to 0.1 the first place of A would be a deviation of 9; so it is 0.9, and B's alternative 3/4.
    assert quota("minimax-relative", 5, {"A": 0.1, "B": 4.0, "C": 0.9}) == {"A": 0, "B": 4, "C": 1}
    solution = za.solve(za.QuotaProblem(1, pd.Series({"A": 0.1}), criterion="minimax-relative"))
    assert solution.cost == pytest.approx(0.9)
    assert solution.certificate.level == Fraction(9, 10)


def test_a_criterion_of_ones_own():
    # |x - e| by its marginal costs: -1 up to e, +1 beyond it, and in between what is left.
    def absolute(k, e):
        return abs(k - e) - abs(k - 1 - e)

    own = za.Criterion("绝对偏差之和", absolute)
    due = {"A": 2.5, "B": 1.25, "C": 1.25}
    # Beyond no places at all: -1 -1 for A, -1 each for B and C; the fifth place adds 0 with A and .5 with B or C.
    solution = za.solve(za.QuotaProblem(5, pd.Series(due), criterion=own))
    assert (solution.quota.to_dict(), solution.cost) == ({"A": 3, "B": 1, "C": 1}, -4.0)
    cubes = za.Criterion("三次方", lambda k, e: (k**3 - (k - 1) ** 3) / e)
    assert za.solve(za.QuotaProblem(9, pd.Series({"A": 8.0, "B": 1.0}), criterion=cubes)).quota.to_list() == [7, 2]


@settings(max_examples=10)
@given(case=NESTED)
def test_websters_marginal_costs_given_as_ones_own(case):
    own = za.Criterion("own", lambda k, e: (2 * k - 1) / e)
    if feasible(case):
        for engine in ("exact", "model"):
            found = za.solve(replace(case.problem(), criterion=own), engine).quota
            assert found.equals(za.solve(case.problem()).quota)


def test_a_group_at_its_cap_takes_its_own_cheapest_places_however_far_apart_they_are():
    """At the price where the whole asks for its one place the group asks for two, D's sure in floats and C's not."""
    due = pd.Series({"D": 1e9, "B": 9e6, "A": 9e6, "C": 1e12})
    problem = za.QuotaProblem(1, due, 0, 6, (za.Group("ABCD", tuple("ABCD"), 0, 1),), criterion="adams")
    assert za.solve(problem, "exact").quota.to_dict() == {"D": 0, "B": 0, "A": 0, "C": 1}


def test_a_group_of_no_unit_with_a_floor_is_a_clash_for_every_engine():
    problem = za.QuotaProblem(5, pd.Series({"A": 2.0, "B": 3.0}), groups=(za.Group("空", (), 1),))
    for engine in ("auto", "exact", "model"):
        with pytest.raises(za.InfeasibleError, match="空下限 1 大于0"):
            za.solve(problem, engine)


def test_a_quota_that_breaks_a_nested_group_is_refused():
    problem = za.QuotaProblem(3, pd.Series({"A": 2.0, "B": 1.0}), groups=(za.Group("西部", ("A",), cap=1),))
    assert za.solve(problem).quota.to_list() == [1, 2]
    with pytest.raises(za.SolverError, match="“西部”的值 2 超出"):
        za.verify(problem, pd.Series({"A": 2, "B": 1}))


def test_what_does_not_suit_is_refused():
    crossing = (za.Group("ab", ("A", "B"), 2), za.Group("bc", ("B", "C"), 2))
    due = pd.Series({"A": 1.0, "B": 0.1, "C": 1.0})
    problem = za.QuotaProblem(2, due, groups=crossing)
    with pytest.raises(za.ScenarioError, match="精确引擎"):
        za.solve(problem, "exact")
    with pytest.raises(za.ScenarioError, match="没有名为“cbc”的引擎"):
        za.solve(problem, "cbc")
    with pytest.raises(za.ScenarioError, match="逐级最小偏差"):
        za.solve(replace(problem, criterion="leximin"))
    with pytest.raises(za.ScenarioError, match="使部分单位得不到"):
        za.solve(replace(problem, criterion="dean"))
    with pytest.raises(za.ScenarioError, match="可用：webster、hamilton"):
        replace(problem, criterion="l1")


@settings(max_examples=20)
@given(case=NESTED, name=st.sampled_from(list(CRITERIA)), data=st.data())
def test_law_the_order_of_the_units_changes_nothing(case, name, data):
    labels = data.draw(st.permutations(list(case.due)))
    turned = replace(case, due={label: case.due[label] for label in labels})
    if feasible(case):
        found, again = (za.solve(replace(c.problem(), criterion=name)).quota.to_dict() for c in (case, turned))
        assert found == again


DIVISORS = ["webster", "huntington-hill", "dean", "adams", "jefferson"]


@pytest.mark.parametrize("name", DIVISORS)
@settings(max_examples=8)
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
