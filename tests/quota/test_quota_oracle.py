"""An oracle for the engine on small problems: every integer vector, in fractions.

The rules are taken as they are written, and the tie rule by its definition.
"""

import pytest
from hypothesis import example, given
from support.examples import examples
from support.quota_oracle import EXTREME, EXTREMES, ORDINARY, PRICES, TIED, best, cases, check, check_extreme, feasible

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


@examples(300)
@given(case=cases(TIED, "crossing") | cases(ORDINARY, "linear"), prices=PRICES)
def test_law_no_prices_lift_the_lower_bound_above_the_optimum_nor_leave_an_equal_answer_no_room(case, prices):
    optimal, problem = best(case), case.problem()
    given = [prices[i % len(prices)] * (1 if i % 2 else -1) for i in range(1 + 2 * len(problem.rows))]
    if not optimal:
        return
    assert dual_bound(problem, given) <= problem.cost(list(optimal[0]))
    costs = {x: problem.cost(list(x)) for x in feasible(case)}
    for known, cost in list(costs.items())[:10]:
        room = leeway(problem, given, list(known))
        for x in (x for x, other in costs.items() if other <= cost):
            assert all(low <= k <= high for low, k, high in zip(room.low, x, room.high, strict=True))
            assert all(row.lower <= row.value(x) <= row.upper for row in room.rows)
