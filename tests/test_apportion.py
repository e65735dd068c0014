"""The classical methods: hand-worked cases, laws, and agreement with a plain exact heap on random instances."""

import heapq
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zjtx_alloc as za
from zjtx_alloc.quota.methods import METHODS
from zjtx_alloc.quota.signposts import SIGNPOSTS, Signposts

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
    return [lambda k, w=w: (1, k - w / Fraction(row.quota(total, seats))) for w in weights]


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


@settings(max_examples=600)
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
