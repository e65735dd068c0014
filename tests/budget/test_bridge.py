"""The bridge from one budget to the next, cause by cause."""

from dataclasses import replace

from hypothesis import given, strategies as st
from support.cohorts_by_hand import AWARD, batches, by_unit, clawback, cohort
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.bridge import CAUSES
from zjtx_alloc.report.figures.budget import bridge_figure
from zjtx_alloc.report.figures.style import picture


def test_the_bridge_by_hand():
    # Before: 10 of 10 places, all completed. After: 20 places, 15 approved, 700 a firm (350 + 350), closing a year
    # later, 3 of them under-invested, and 73 of another scheme. Net by step, in the order of the causes:
    before = za.ledger((cohort([10], quota=by_unit([10])),), AWARD)
    after = za.ledger(
        (cohort([15], [(12, 0, 3)], years=(2024, 2028), quota=by_unit([20])),),
        replace(AWARD, amount=700, opening=350),
        clawback(("120000", 2024, "文", 73)),
    )
    steps = za.bridge(before, after)
    assert steps.index.tolist() == ["before", *CAUSES, "after"]
    assert (steps.index.name, steps.columns.name) == ("step", "fiscal_year")
    assert steps[[2024, 2027, 2028]].to_numpy().tolist() == [
        [3000, 3000, 0],
        [3000, 3000, 0],  # 20 firms
        [-1500, -1500, 0],  # 15 firms
        [750, 750, 0],  # 50 more a firm, twice
        [0, -5250, 5250],
        [0, 0, -3 * 350 - 3 * 350],  # no closing, opening back
        [-73, 0, 0],
        [5250 - 73, 0, 12 * 350 - 3 * 350],
    ]
    assert steps.index[steps.sum(axis=1) == 0].tolist() == ["timing"]
    picture(bridge_figure(steps))


def test_the_bridge_keeps_shares_of_outcomes_when_firms_change():
    # 10 firms (6 completed, 4 missed) become 5: 3 completed; the outcomes told afterwards are the outcomes' step.
    before = za.ledger((cohort([10], [(6, 4, 0)]),), AWARD)
    after = za.ledger((cohort([5], [(5, 0, 0)]),), AWARD)
    steps = za.bridge(before, after)
    assert steps.loc["approval"].to_dict() == {2024: -1500, 2025: 0, 2026: 0, 2027: -900}
    assert steps.loc["outcomes"].to_dict() == {2024: 0, 2025: 0, 2026: 0, 2027: 600}


def test_a_batch_that_comes_is_a_change_of_total_and_a_changed_rule_one_of_recoveries():
    one = cohort([10], [(6, 0, 4)])
    before = za.ledger((one,), AWARD)
    after = za.ledger((one, cohort([3], name="2", years=(2025, 2028))), replace(AWARD, empowerment_recovered=False))
    steps = za.bridge(before, after)
    assert steps.loc["batch_total"].to_dict() == {2024: 0, 2025: 900, 2026: 0, 2027: 0, 2028: 900}
    assert steps.loc["recoveries"].to_dict() == {2024: 0, 2025: 0, 2026: 0, 2027: 4 * 15, 2028: 0}
    assert steps.drop(["before", "batch_total", "recoveries", "after"]).eq(0).all(axis=None)


@examples(15)
@given(before=batches(), after=batches(), money=st.sampled_from([600, 660]))
def test_law_the_steps_sum_to_the_difference(before, after, money):
    steps = za.bridge(za.ledger(before, AWARD), za.ledger(after, replace(AWARD, amount=money)))
    assert steps.iloc[:-1].sum().eq(steps.loc["after"]).all()


def test_a_larger_batch_is_approved_at_the_old_rate_and_an_unchanged_one_as_before():
    # 10 of 20 places were approved; 40 places make 20 firms, and 15 of them were approved in the end.
    half = za.ledger((cohort([10], quota=by_unit([20])),), AWARD)
    steps = za.bridge(half, za.ledger((cohort([15], quota=by_unit([40])),), AWARD))
    assert steps.loc[["batch_total", "approval"], 2024].tolist() == [3000, -1500]
    # The same places: units approved unevenly, and now evenly, are a matter of approval alone.
    uneven = za.ledger((cohort([4, 0], [(0, 4, 0), (0, 0, 0)], quota=by_unit([4, 4])),), AWARD)
    even = za.ledger((cohort([2, 2], [(0, 2, 0), (2, 0, 0)], quota=by_unit([4, 4])),), AWARD)
    assert za.bridge(uneven, even).loc["batch_total"].eq(0).all()
    assert za.bridge(uneven, even).loc["approval"].to_dict() == {2024: 0, 2025: 0, 2026: 0, 2027: 600}


def test_nothing_changed_makes_no_step():
    firms = cohort([10, 3], [(6, 2, 1), (1, 1, 1)], discontinued=by_unit([[1], [0]], [2025]))
    books = za.ledger((firms,), AWARD, clawback(("120000", 2024, "文", 73)))
    assert za.bridge(books, books).loc[list(CAUSES)].eq(0).all(axis=None)
