"""An oracle for the engine on small problems: every integer vector, in fractions.

The rules are taken as they are written, and the tie rule by its definition.
"""

import pytest
from hypothesis import example, given, strategies as st
from support.examples import examples
from support.quota_oracle import EXTREME, EXTREMES, ORDINARY, PRICES, TIED, best, cases, check, check_extreme, feasible

from zjtx_alloc.quota.crossing.cases import Case, Ladders
from zjtx_alloc.quota.crossing.lagrangian_bound import dual_bound, leeway


@pytest.mark.hypothesis
@pytest.mark.parametrize("rows", ["none", "nested", "crossing", "linear"])
@pytest.mark.parametrize("due", [ORDINARY, TIED], ids=["ordinary", "tied"])
def test_small_problems_against_every_vector(due, rows):
    examples(60 if rows in ("crossing", "linear") else 120)(given(cases(due, rows))(check))()


@pytest.mark.slow
@pytest.mark.hypothesis
@pytest.mark.parametrize("rows", ["none", "nested", "crossing", "linear"])
@pytest.mark.parametrize("due", [ORDINARY, TIED, EXTREME], ids=["ordinary", "tied", "extreme"])
def test_many_small_problems_against_every_vector(due, rows):
    law = check_extreme if due is EXTREME else check
    examples(500)(given(cases(due, rows))(law))()


@pytest.mark.parametrize("case", EXTREMES)
def test_extreme_entitlements_against_every_vector(case):
    check_extreme(EXTREMES[case])


@pytest.mark.thorough
@examples(200)
@given(case=cases(EXTREME, "none") | cases(EXTREME, "nested"))
@example(case=EXTREMES["plain"])
def test_mixed_extremes_under_nested_rules_against_every_vector(case):
    check_extreme(case)


@examples(100)
@given(case=cases(EXTREME, "crossing") | cases(EXTREME, "linear"))
@example(case=EXTREMES["linear"])
def test_mixed_extremes_under_crossing_rules_against_every_vector(case):
    check_extreme(case)


@pytest.mark.thorough
@examples(300)
@given(case=cases(TIED, "crossing") | cases(ORDINARY, "linear"), prices=PRICES)
def test_law_no_prices_lift_the_lower_bound_above_the_optimum_nor_leave_an_equal_answer_no_room(case, prices):
    optimal, problem = best(case), case.problem()
    given = [prices[i % len(prices)] * (1 if i % 2 else -1) for i in range(1 + 2 * len(problem.rows))]
    if not optimal:
        return
    assert dual_bound(problem, given) <= problem.cost(list(optimal[0]))
    costs = {x: problem.cost(list(x)) for x in feasible(case)}
    for cost in list(costs.values())[:10]:
        fewest, most = leeway(problem, given, cost)
        for x in (x for x, other in costs.items() if other <= cost):
            assert all(low <= k <= high for low, k, high in zip(fewest, x, most, strict=True))


@pytest.mark.thorough
@examples(300)
@given(
    case=cases(TIED, "crossing") | cases(ORDINARY, "linear"),
    prices=PRICES,
    empty=st.booleans(),
    ends=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8)), min_size=5, max_size=5),
)
def test_law_a_case_leaves_every_answer_of_its_box_that_costs_less(case, prices, empty, ends):
    """Whatever the prices, the box and the cost to be proven: so what cases prove holds, whoever made them."""
    problem = case.problem()
    box = (
        [max(a, b) for a, (b, _) in zip(problem.lower, ends, strict=False)],
        [min(a, b) for a, (_, b) in zip(problem.upper, ends, strict=False)],
    )
    if any(low > high for low, high in zip(*box, strict=True)):
        return
    ladders = Ladders(problem, box)
    named = Case(tuple(prices[i % len(prices)] * (-1) ** i for i in range(1 + len(problem.rows))), empty=empty)
    within = [
        x for x in feasible(case) if all(low <= k <= high for low, k, high in zip(box[0], x, box[1], strict=True))
    ]
    for known in within[:5]:
        cost = problem.cost(list(known))
        left = ladders.left(named, box, ladders.part(cost) + 1)
        assert left is not None
        for x in (x for x in within if problem.cost(list(x)) <= cost):
            assert all(low <= k <= high for low, k, high in zip(left[0], x, left[1], strict=True))
