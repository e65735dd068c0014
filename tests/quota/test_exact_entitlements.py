"""Entitlements are fractions from the facts to the proof: ties are seen and ruled as fractions say, however they are given."""

import heapq
import random
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.quota.problem.numbers import entitled, exactly

PRICES = {  # of the k-th place; a first place that is free comes before all others, the larger unit first
    "webster": lambda k, e: (0, Fraction(2 * k - 1) / e),
    "jefferson": lambda k, e: (0, Fraction(k) / e),
    "hamilton": lambda k, e: (0, 2 * k - 1 - 2 * e),
    "adams": lambda k, e: (0, (k - 1) / e) if k > 1 else (-1, -e),
    "dean": lambda k, e: (0, Fraction(2 * k * (k - 1), 2 * k - 1) / e) if k > 1 else (-1, -e),
    "huntington-hill": lambda k, e: (0, k * (k - 1) / e**2) if k > 1 else (-1, -e),
}


def oracle(criterion, total, due):
    """Place by place in fractions: the quota by the tie rule, and the units that are tied for the last place."""
    price = PRICES[criterion]
    order = sorted(due, key=lambda u: (-due[u], u))
    rank = {u: n for n, u in enumerate(order)}
    places = dict.fromkeys(due, 0)
    queue = [(price(1, due[u]), rank[u], u) for u in due]
    heapq.heapify(queue)
    for _ in range(total):
        last, _, u = heapq.heappop(queue)
        places[u] += 1
        heapq.heappush(queue, (price(places[u] + 1, due[u]), rank[u], u))
    takers = {u for cost, _, u in queue if cost == last}
    givers = {u for u in due if places[u] and price(places[u], due[u]) == last}
    return places, givers | takers if takers else set()


def random_ties(number, seed, criteria=("webster",)):
    """Problems of two to nine units with whole weights whose last place is exactly tied."""
    draw = random.Random(seed)
    while number:
        criterion = draw.choice(criteria)
        weights = {f"u{n}": draw.randint(1, draw.choice([9, 30, 99])) for n in range(draw.randint(2, 9))}
        total = draw.randint(1, 30)
        due = {u: Fraction(total * w, sum(weights.values())) for u, w in weights.items()}
        quota, tied = oracle(criterion, total, due)
        if tied:
            yield criterion, total, weights, due, quota, tied
            number -= 1


def ways_to_say(total, weights, due):
    """The same entitlements as fractions, and as floats rounded once, twice and three times."""
    given = pd.Series(weights)
    shares = given / given.sum()
    return pd.Series(due), given * total / given.sum(), shares * total, given * (total / given.sum())


def check(case, ways=slice(None)):
    """Solved and verified, however the entitlements are given."""
    criterion, total, weights, due, quota, tied = case
    for entitlement in ways_to_say(total, weights, due)[ways]:
        problem = za.QuotaProblem(total, entitlement, criterion=criterion)
        solution = za.solve(problem)
        assert (solution.quota.to_dict(), [set(found) for found in solution.ties]) == (quota, [tied]), problem
        assert za.verify(problem, solution.quota).kind == "exchange"


def check_together(cases):
    """All of one criterion, total and number of units in one table, however the entitlements are given."""
    for (criterion, total, _), same in groupby(sorted(cases, key=kind), kind):
        rows, quotas = [], []
        for case in same:
            rows += [entitlement.to_list() for entitlement in ways_to_say(*case[1:4])]
            quotas += [list(case[4].values())] * 4
        problem = za.QuotaProblem(total, pd.Series(1.0, list(case[3])), criterion=criterion)
        assert za.solve_many(problem, pd.DataFrame(rows, columns=problem.labels)).tolist() == quotas


def kind(case):
    return case[0], case[1], len(case[3])


def test_a_tie_worked_by_hand():
    """Six places over 8, 6, 2, 4, 6: 1/8, 1/6, 1/6, 1/4 and 3/8 are given; the sixth costs 3/6 with B and E, 1/2 with C."""
    weights = dict(zip("ABCDE", (8, 6, 2, 4, 6), strict=True))
    due = {unit: Fraction(6 * w, 26) for unit, w in weights.items()}
    quota = dict(zip("ABCDE", (2, 2, 0, 1, 1), strict=True))
    check(("webster", 6, weights, due, quota, {"B", "C", "E"}))
    check_together([("webster", 6, weights, due, quota, {"B", "C", "E"})])
    for entitlement in ways_to_say(6, weights, due):
        problem = za.QuotaProblem(6, entitlement)
        assert za.solve(problem, "model").quota.tolist() == [2, 2, 0, 1, 1]
        with pytest.raises(za.SolverError, match="按并列规则"):
            za.verify(problem, pd.Series(dict(zip("ABCDE", (2, 1, 1, 1, 1), strict=True))))


@pytest.mark.parametrize(
    ("number", "criteria"),
    [
        (12, tuple(PRICES)),
        pytest.param(10_000, ("webster",), marks=pytest.mark.slow),
        pytest.param(600, tuple(PRICES), marks=pytest.mark.thorough),
    ],
)
def test_random_exact_ties_are_reported_and_ruled(number, criteria):
    cases = list(random_ties(number, number, criteria))
    for at, case in enumerate(cases):
        check(case, slice(at % 4, at % 4 + 1))  # fractions, or floats rounded so often
    check_together(cases)


@examples(40)
@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=7),
    st.integers(1, 25),
    st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**30),
    st.sampled_from([name for name in PRICES if name != "hamilton"]),
)
def test_entitlements_scaled_by_any_rational_change_nothing(weights, total, scale, criterion):
    assume(scale > 0)
    labels = [f"u{n}" for n in range(len(weights))]
    groups = (za.Group("front", tuple(labels[: len(labels) // 2]), None, max(total * 2 // 3, 1)),)
    found = []
    for factor in (Fraction(1), scale):
        due = pd.Series([factor * w for w in weights], labels, dtype=object)
        problem = za.QuotaProblem(total, due, groups=groups, criterion=criterion)
        solution = za.solve(problem)
        row = za.solve_many(problem, due.to_frame().T)[0]
        found.append((solution.quota.tolist(), solution.ties, solution.unserved, row.tolist()))
    assert found[0] == found[1]
    assert found[0][0] == found[0][3]


def test_fractions_that_no_float_tells_apart_are_told_apart():
    """B is larger than A by 10^-30: its place comes first, and no tie is left."""
    third = Fraction(1, 3)
    due = pd.Series({"A": third, "B": third + Fraction(1, 10**30), "C": third})
    problem = za.QuotaProblem(1, due)
    solution = za.solve(problem)
    assert (solution.quota.tolist(), solution.ties) == ([0, 1, 0], ())
    table = pd.DataFrame([list(due), [due["B"], third, third], [third] * 3], columns=list("ABC"))
    assert za.solve_many(problem, table).tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert [problem.labels[i] for i in problem.order] == ["B", "A", "C"]


@pytest.mark.parametrize("criterion", ["minimax", "minimax-relative", "leximin"])
def test_deviations_are_fractions_too(criterion):
    """Two places over thirds: one unit is 2/3 of a place off either way, the tie is between all three."""
    due = pd.Series(dict.fromkeys("ABC", Fraction(1, 3)))
    solution = za.solve(za.QuotaProblem(1, due, criterion=criterion))
    assert (solution.quota.tolist(), solution.ties) == ([1, 0, 0], (("A", "B", "C"),))
    if criterion == "minimax":
        assert solution.certificate.level == Fraction(2, 3)


@given(st.integers(1, 10**9 - 1), st.integers(0, 9))
def test_a_float_of_nine_digits_is_the_decimal_that_it_prints_as(digits, decimals):
    number = float(f"{digits}e-{decimals}")
    assume(number >= 1e-3)
    assert entitled(number) == exactly(number) == Fraction(digits, 10**decimals)


@given(st.integers(1, 10**4), st.integers(1, 10**4), st.integers(1, 10**4))
def test_a_float_that_roundings_made_of_small_numbers_is_their_fraction(total, weight, rest):
    whole = weight + rest
    for number in (total * weight / whole, weight / whole * total, weight * (total / whole)):
        assert entitled(number) == Fraction(total * weight, whole)


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        ([1, Fraction(1, 3), 0.1], [1, Fraction(1, 3), Fraction(1, 10)]),
        ([Decimal("0.123456789012345678901"), 2.5], [Fraction("0.123456789012345678901"), Fraction(5, 2)]),
        ([np.float64(0.1), np.int64(3)], [Fraction(1, 10), 3]),
        ([1e-13, 1.0], [0, 1]),  # what floats leave of none
        (["0.1", "3"], [Fraction(1, 10), 3]),
    ],
)
def test_what_numbers_mean(given, exact):
    assert za.QuotaProblem(3, pd.Series(given, dtype=object)).exact == exact


def test_what_is_no_number_is_named():
    for wrong in (None, "x", Decimal("nan"), Fraction(-1, 3), Decimal("inf")):
        with pytest.raises(za.ScenarioError, match="乙"):
            za.QuotaProblem(3, pd.Series({"甲": Fraction(1, 3), "乙": wrong}))


def test_a_scenario_s_entitlements_are_fractions_of_its_facts(panel, baseline):
    """Weights × facts over their sums × coefficients, in fractions throughout; the problem is given these."""
    codes, columns = list(panel.units.index), []
    for code, factor in baseline.factors.items():
        facts = [entitled(value) for value in panel.values(code, factor.period)]
        columns.append([Fraction(str(factor.weight)) * fact / sum(facts) for fact in facts])
    coefficients = [Fraction(str(baseline.region_coefficient[region])) for region in panel.units["region"]]
    bases = [sum(parts) * c for parts, c in zip(zip(*columns, strict=True), coefficients, strict=True)]
    by_hand = {code: 1039 * base / sum(bases) for code, base in zip(codes, bases, strict=True)}
    found = za.entitlement(panel, baseline)
    assert found.exact.to_dict() == by_hand
    assert sum(by_hand.values()) == baseline.total == 1039
    assert za.quota_problem(panel, baseline).exact == list(by_hand.values())
    assert found.places.to_list() == [float(e) for e in by_hand.values()]
