"""The classical methods: hand-worked cases, laws, and agreement with a plain exact heap on random instances."""

import heapq
import itertools
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.apportionment.methods import METHODS
from zjtx_alloc.quota.problem.criteria import criterion_name
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS, Signposts

DIVISORS = [*SIGNPOSTS, za.stationary("0.3"), za.power_mean(2), za.power_mean(-2), za.power_mean(0)]
REMAINDERS = ["hamilton", "droop", "imperiali-quota"]


def exactly(weight):
    return Fraction(repr(weight)) if isinstance(weight, float) else Fraction(weight)


def claims(method, weights, seats):
    """For each unit a function k -> exact cost of its k-th place, as a pair where first places are free."""
    total = sum(weights)
    row = METHODS[method] if isinstance(method, str) else method
    if isinstance(row, Signposts):
        return [lambda k, w=w: (0, 1 / w) if row.exact(k) == 0 else (1, row.exact(k) / w**row.power) for w in weights]
    quota = {
        "hamilton": lambda: Fraction(total, seats), "droop": lambda: total // (seats + 1) + 1,
        "imperiali-quota": lambda: imperiali(weights, seats),
    }[method]()  # fmt: skip
    return [lambda k, w=w: (1, k - w / Fraction(quota)) for w in weights]


def imperiali(weights, seats):
    """Italy, decree no. 361 of 1957, article 77: the divisor falls by one until whole quotas are no more than the seats."""
    for divisor in (seats + 2, seats + 1, seats):
        quota = Fraction(sum(weights), divisor)
        if sum(w // quota for w in weights) <= seats:
            return quota
    raise AssertionError


def oracle(method, weights, seats, floor, cap):
    """Certain places, tied positions and open places, one place at a time in fractions."""
    weights = [exactly(w) for w in weights]
    costs = claims(method, [w or 1 for w in weights], seats) if seats else []
    if seats and METHODS.get(method if isinstance(method, str) else "") is not None and method in REMAINDERS:
        costs = claims(method, weights, seats)
    places = list(floor)
    heap = (
        [(costs[i](places[i] + 1), i) for i in range(len(places)) if weights[i] and places[i] < cap[i]] if seats else []
    )
    heapq.heapify(heap)
    given = []
    for _ in range(seats - sum(floor)):
        cost, i = heapq.heappop(heap)
        places[i] += 1
        given.append((cost, i))
        if places[i] < cap[i]:
            heapq.heappush(heap, (costs[i](places[i] + 1), i))
    if given:
        last = max(cost for cost, _ in given)
        losers = [i for cost, i in heap if cost == last]
        if losers:
            winners = [i for cost, i in given if cost == last]
            for i in winners:
                places[i] -= 1
            return places, sorted(winners + losers), len(winners)
    return places, [], 0


weight = st.one_of(
    st.integers(0, 12),
    st.integers(0, 10**6),
    st.integers(2**62, 2**63 - 1),
    st.integers(10**30, 10**30 + 5),
    st.floats(0, 100, allow_subnormal=False).map(lambda x: round(x, 2)),
    st.floats(1e-6, 1e9),
    st.fractions(0, 5, max_denominator=9),
)


@st.composite
def instances(draw):
    """Weights (often small and equal, so that ties are common), bounds, and seats between their sums."""
    small = draw(st.booleans())
    weights = draw(st.lists(st.integers(0, 6) if small else weight, min_size=1, max_size=9))
    if draw(st.booleans()):
        floor, cap = [0] * len(weights), [10**6] * len(weights)
    else:
        floor = draw(st.lists(st.integers(0, 3), min_size=len(weights), max_size=len(weights)))
        cap = [f + draw(st.integers(0, 9)) for f in floor]
    most = sum(c if w else f for w, f, c in zip(weights, floor, cap, strict=True))
    seats = draw(st.integers(sum(floor), min(most, sum(floor) + 60)))
    return weights, seats, floor, cap


@pytest.mark.thorough
@examples(600)
@given(instances(), st.sampled_from([*DIVISORS, *REMAINDERS]))
def test_the_fast_path_agrees_with_a_heap_of_fractions(instance, method):
    weights, seats, floor, cap = instance
    places, tied, left = oracle(method, weights, seats, floor, cap)
    answer = za.apportion_ties(weights, seats, method, floor, cap)
    assert (answer.certain.tolist(), list(answer.tied), answer.places) == (places, tied, left)
    if tied:
        with pytest.raises(za.TieError) as raised:
            za.apportion(weights, seats, method, floor, cap)
        assert (raised.value.tied, raised.value.places) == (tuple(tied), left)
        broken = za.apportion(weights, seats, method, floor, cap, ties=tied[::-1])
        assert set(np.flatnonzero(broken - answer.certain)) == set(tied[::-1][:left])
        assert broken.sum() == seats
    else:
        assert za.apportion(weights, seats, method, floor, cap).tolist() == places


@examples(200)
@given(instances(), st.sampled_from([*DIVISORS, *REMAINDERS]), st.randoms())
def test_anonymity_and_scale(instance, method, random):
    """Permuted units get the permuted places; multiplied weights get the same; bounds always hold."""
    weights, seats, floor, cap = instance
    answer = za.apportion_ties(weights, seats, method, floor, cap)
    assert answer.certain.sum() + answer.places == seats
    assert all(f <= x <= c for f, x, c in zip(floor, answer.certain, cap, strict=True))
    assert all(answer.certain[i] < cap[i] for i in answer.tied)
    order = random.sample(range(len(weights)), len(weights))
    moved = za.apportion_ties(*([values[i] for i in order] for values in (weights,)), seats, method,
                              [floor[i] for i in order], [cap[i] for i in order])  # fmt: skip
    assert moved.certain.tolist() == [answer.certain[i] for i in order]
    assert {order[i] for i in moved.tied} == set(answer.tied)
    if method != "droop":  # whose quota is a whole number of votes
        scaled = za.apportion_ties([exactly(w) * Fraction(7, 3) for w in weights], seats, method, floor, cap)
        assert scaled.certain.tolist() == answer.certain.tolist()


@examples(200)
@given(instances(), st.sampled_from(DIVISORS), st.integers(0, 8))
def test_house_and_population_monotonicity(instance, method, grown):
    """One seat more takes none from anybody; a unit that alone grows does not lose."""
    weights, seats, floor, cap = instance
    answer = za.apportion_ties(weights, seats, method, floor, cap)
    if seats < sum(c if w else f for w, f, c in zip(weights, floor, cap, strict=True)):
        more = za.apportion_ties(weights, seats + 1, method, floor, cap)
        assert (more.certain >= answer.certain).all()
    i = grown % len(weights)
    if weights[i]:
        larger = [exactly(w) * (2 if j == i else 1) for j, w in enumerate(weights)]
        assert za.apportion_ties(larger, seats, method, floor, cap).certain[i] >= answer.certain[i]


@pytest.mark.thorough
@examples(150)
@given(instances())
def test_hamilton_within_bounds_is_nearest_in_least_squares(instance):
    weights, seats, floor, cap = instance
    weights, floor, cap = weights[:4], floor[:4], cap[:4]
    total = sum(map(exactly, weights))
    most = sum(min(c, 12) if w else f for w, f, c in zip(weights, floor, cap, strict=True))
    seats = min(max(seats, sum(floor)), most, 12 + sum(floor))
    if not total:
        return
    ranges = [range(f, (min(c, seats) if w else f) + 1) for w, f, c in zip(weights, floor, cap, strict=True)]
    vectors = [x for x in itertools.product(*ranges) if sum(x) == seats]
    distance = {x: sum((k - seats * exactly(w) / total) ** 2 for k, w in zip(x, weights, strict=True)) for x in vectors}
    nearest = [x for x in vectors if distance[x] == min(distance.values())]
    answer = za.apportion_ties(weights, seats, "hamilton", floor, cap)
    assert answer.certain.tolist() == [min(column) for column in zip(*nearest, strict=True)]
    assert list(answer.tied) == [i for i, column in enumerate(zip(*nearest, strict=True)) if len(set(column)) > 1]


def test_hamilton_within_caps_spreads_what_is_left_equally():
    """Due 100, 10 and 1 of 111: of the 40 places above the cap the others get 20 each; in proportion it is 10 to 1."""
    assert za.apportion([100, 10, 1], 111, "hamilton", cap=[60, 111, 111]).tolist() == [60, 30, 21]
    assert za.apportion([100, 10, 1], 111, "webster", cap=[60, 111, 111]).tolist() == [60, 46, 5]
    assert "不按比例" in criterion_name("hamilton")


def quota_method(weights, seats):
    """All outcomes of Balinski & Young's quota method, every tie taken every way."""
    total, states = sum(weights), {(0,) * len(weights)}
    for house in range(1, seats + 1):
        grown = set()
        for places in states:
            claims = {
                i: Fraction(w, k + 1)
                for i, (w, k) in enumerate(zip(weights, places, strict=True))
                if k * total < house * w
            }
            for i in (i for i in claims if claims[i] == max(claims.values())):
                grown.add((*places[:i], places[i] + 1, *places[i + 1 :]))
        states = grown
    return states


@examples(300)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=5).filter(any), st.integers(0, 14))
def test_the_quota_method_agrees_with_all_its_outcomes(weights, seats):
    outcomes = quota_method(weights, seats)
    answer = za.apportion_ties(weights, seats, "balinski-young")
    assert answer.certain.tolist() == [min(column) for column in zip(*outcomes, strict=True)]
    assert set(answer.tied) == {i for i, column in enumerate(zip(*outcomes, strict=True)) if len(set(column)) > 1}
    assert answer.tied == tuple(i for units, _ in answer.sets for i in units)
    units = range(len(weights))
    if len(weights) <= 4:
        assert {tuple(za.apportion(weights, seats, "balinski-young", ties=p)) for p in permutations(units)} == outcomes


def in_order(weights, seats, rank):
    """The quota method with every tie broken by one order."""
    places = [0] * len(weights)
    for house in range(1, seats + 1):
        open_to = [i for i, w in enumerate(weights) if places[i] * sum(weights) < house * w]
        most = max(Fraction(weights[i], places[i] + 1) for i in open_to)
        places[min((i for i in open_to if Fraction(weights[i], places[i] + 1) == most), key=rank.index)] += 1
    return places


@examples(300)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.integers(0, 14), st.permutations(range(6)))
@example([1, 1, 2, 6, 2], 8, [4, 3, 2, 1, 0])
def test_the_quota_method_breaks_ties_as_one_order_of_units_does(weights, seats, rank):
    assert za.apportion(weights, seats, "balinski-young", ties=rank).tolist() == in_order(weights, seats, rank)


def test_ties_that_have_nothing_to_do_with_each_other_are_told_apart():
    # Of 0 and 1 one has had its first place (claim 1), of 3 and 4 one its third (claim 4/3); 2, whose claim to a second
    # place is 1 too, may have it from 7 seats on, and the seventh goes to the larger claim.
    assert quota_method([1, 1, 2, 4, 4], 7) == {(*a, 1, *b) for a in [(0, 1), (1, 0)] for b in [(2, 3), (3, 2)]}
    answer = za.apportion_ties([1, 1, 2, 4, 4], 7, "balinski-young")
    assert answer.certain.tolist() == [0, 0, 1, 2, 2]
    assert answer.sets == (((3, 4), 1), ((0, 1), 1))
    assert (answer.tied, answer.places) == ((3, 4, 0, 1), 2)
    said = "下列单位的请求完全相等，只剩 1 个名额：3、4；下列单位的请求完全相等，只剩 1 个名额：0、1；请用 ties"
    with pytest.raises(za.TieError, match=said):
        za.apportion([1, 1, 2, 4, 4], 7, "balinski-young")


def test_an_equal_claim_admitted_later_is_no_tie():
    # 3 and 6 have equal claims (3/2 = 6/4) in the end, but 6 may have its fourth place only after 3 has had its second
    weights = [9, 1, 6, 3, 1, 30]
    assert quota_method(weights, 27) == {(5, 0, 3, 2, 0, 17)}
    assert za.apportion(weights, 27, "balinski-young").tolist() == [5, 0, 3, 2, 0, 17]


def test_large_instances_agree_with_a_heap():
    """Every unit's place checked by its claims: no given place is dearer than one not given."""
    rng = np.random.default_rng(1)
    weights = rng.integers(1, 10**6, 3000)
    for method in DIVISORS:
        row = SIGNPOSTS[method] if isinstance(method, str) else method
        answer = za.apportion_ties(weights, 200_000, row)
        places, w = answer.certain.tolist(), weights.tolist()
        given_ = max(row.exact(k) / v**row.power for k, v in zip(places, w, strict=True) if k > row.first_is_free)
        left = min(row.exact(k + 1) / v**row.power for k, v in zip(places, w, strict=True))
        assert sum(places) + answer.places == 200_000
        assert given_ < left or (given_ == left and answer.tied)
