"""Every optimal answer, compared with enumeration; the interval of divisors, compared with rounding at and around its ends."""

import itertools
import math
import random
from fractions import Fraction

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS

CRITERIA = ("webster", "hamilton", "adams", "leximin", "minimax", "jefferson")
METHODS = ("webster", "jefferson", "adams", "dean", "huntington-hill", "danish")


def problems(count):
    """Small problems full of ties."""
    chance = random.Random(4)
    for number in range(count):
        weights = [chance.choice([1, 2, 3]) for _ in range(4)]
        base, total = pd.Series([chance.randint(0, 1) for _ in range(4)], list("ABCD")), 8
        due = pd.Series([Fraction(w * (total - int(base.sum())), sum(weights)) for w in weights], base.index)
        group = (za.Group("g", ("A", "B"), cap=chance.choice([3, 4, 8])),)
        yield za.QuotaProblem(total, due, groups=group, criterion=CRITERIA[number % 6], base=base)


def worth(problem, places):
    """What the criterion puts first, then second: lexicographic where it is not a sum."""
    rest = problem.plain
    measure, own = rest.yardstick, problem.beyond_base(places)
    if measure.name.startswith("leximin"):
        return sorted((abs(x - e) for x, e in zip(own, rest.exact, strict=True)), reverse=True)
    if measure.name.startswith("minimax"):
        return [problem.cost(places), sum((x - e) ** 2 for x, e in zip(own, rest.exact, strict=True))]
    unserved = problem.unserved(places)  # fewest first, then those of the least entitlement
    return [len(unserved), sum(problem.entitlement[label] for label in unserved), problem.cost(places)]


def check_against_enumeration(problem):
    every = [x for x in itertools.product(range(9), repeat=4) if sum(x) == 8 and not problem.violations(x)]
    least = min(worth(problem, x) for x in every)
    found = za.all_optimal(problem)
    assert found.complete
    assert set(map(tuple, found.quotas.to_numpy().tolist())) == {x for x in every if worth(problem, x) == least}
    assert found.quotas.iloc[0].equals(za.solve(problem).quota.rename(0))
    assert (len(found.quotas) > 1) == bool(za.solve(problem).ties)
    return len(found.quotas)


def test_all_answers_are_those_of_enumeration():
    assert max(map(check_against_enumeration, problems(12))) > 1


@pytest.mark.thorough
def test_all_answers_are_those_of_enumeration_on_many():
    assert max(map(check_against_enumeration, problems(120))) >= 6


def test_no_more_answers_than_asked_for():
    problem = za.QuotaProblem(5, pd.Series([0.5] * 10, list("ABCDEFGHIJ")))
    assert len(za.all_optimal(problem).quotas) == math.comb(10, 5)
    some = za.all_optimal(problem, most=7)
    assert not some.complete
    assert some.quotas.shape == (7, 10)
    assert some.quotas.iloc[0].tolist() == [1] * 5 + [0] * 5
    with pytest.raises(za.ScenarioError, match="最多列出的方案数须为正整数，现为 0"):
        za.all_optimal(problem, most=0)


def test_where_rules_cross_not_all_can_be_listed():
    groups = (za.Group("g", ("A", "B"), 1), za.Group("h", ("B", "C"), 1))
    with pytest.raises(za.ScenarioError, match="规则交叉，成本相同的方案未必能逐家移动得到"):
        za.all_optimal(za.QuotaProblem(3, pd.Series([1.0, 1.0, 1.0], list("ABC")), groups=groups))


def rounded(weight, divisor, method, bounds):
    """How many signposts are at most weight ÷ divisor, within bounds: by counting, in fractions."""
    signposts = SIGNPOSTS[method]
    places = sum(signposts.exact(k) * divisor**signposts.power <= weight**signposts.power for k in range(1, 60))
    return min(max(places, bounds[0]), bounds[1])


@pytest.mark.parametrize("method", METHODS)
def test_every_divisor_inside_gives_the_answer_and_none_outside(method):
    chance, looked = random.Random(3), 0
    for _ in range(25):
        weights = [chance.randint(1, 40) for _ in range(4)]
        floor, cap = [chance.randint(0, 2) for _ in weights], [chance.randint(5, 9) for _ in weights]
        seats = chance.randint(8, 20)
        order = range(4)
        places = za.apportion(weights, seats, method, floor, cap, ties=order).tolist()
        found = za.divisors(weights, seats, method, floor, cap)
        bounds = list(zip(floor, cap, strict=True))

        def at(divisor, bounds=bounds, weights=weights):
            return [rounded(w, divisor, method, b) for w, b in zip(weights, bounds, strict=True)]

        low, high = (Fraction(0) if math.isinf(end) else Fraction(end) for end in (found.least, found.most))
        if found.short is None:
            assert found.least == found.most
            continue
        looked += 1
        assert found.short in found
        assert at(found.short) == places
        assert low == 0 or sum(at(low * Fraction(999999, 10**6))) != seats
        assert math.isinf(found.most) or sum(at(high * Fraction(1000001, 10**6))) != seats
        if not math.isinf(found.most):
            assert at(low + (high - low) / 3) == at(low + (high - low) * 2 / 3) == places
    assert looked > 15


def test_divisors_by_hand():
    """53, 24, 23 on ten seats by Webster: 6, 2 and 2; the last seat is 53/5.5, the next would be 24/2.5 = 9.6."""
    found = za.divisors([53, 24, 23], 10)
    assert za.apportion([53, 24, 23], 10).tolist() == [6, 2, 2]
    assert found.powers == (Fraction(240, 25), Fraction(530, 55))
    assert found.short == Fraction(961, 100)
    assert 9.61 in found
    assert 9.64 not in found
    tied = za.divisors([1, 1], 1)
    assert tied.powers == (2, 2)
    assert tied.short is None
    assert za.divisors([3, 3], 4, base=1).powers == (2, 6)


def test_no_divisor_is_said():
    with pytest.raises(za.DataError, match="方法“hamilton”不是除数法，没有除数"):
        za.divisors([1, 2], 3, "hamilton")
    with pytest.raises(za.DataError, match="1家不够每个单位先得1家，没有除数能得出这一结果"):
        za.divisors([1, 2], 1, "adams")
