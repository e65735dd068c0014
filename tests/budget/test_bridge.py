"""The bridge from one budget to the next, cause by cause."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from support.cohorts_by_hand import AWARD, batches, by_unit, clawback, cohort
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.bridge import CAUSES, _whole
from zjtx_alloc.report.figures.budget import bridge_figure
from zjtx_alloc.report.figures.style import picture


def averaged(net, causes=CAUSES):
    """The part of each cause by definition: its step in every order of the causes, averaged; in exact fractions."""
    steps = dict.fromkeys(causes, 0)
    orders = list(permutations(causes))
    for order in orders:
        for place, cause in enumerate(order):
            steps[cause] = steps[cause] + net(frozenset(order[: place + 1])) - net(frozenset(order[:place]))
    return {cause: step * Fraction(1, len(orders)) for cause, step in steps.items()}


@pytest.mark.thorough
def test_the_bridge_is_the_average_over_all_orders():
    # Before: 10 of 10 places, all completed. After: 20 places, 15 approved, 700 a firm (350 + 350), closing a year
    # later, 3 of 15 under-invested, and 73 of another scheme.
    before = za.ledger((cohort([10], quota=by_unit([10])),), AWARD)
    after = za.ledger(
        (cohort([15], [(12, 0, 3)], years=(2024, 2028), quota=by_unit([20])),),
        replace(AWARD, amount=700, opening=350),
        clawback(("120000", 2024, "文", 73)),
    )

    @cache
    def net(changed):
        """2024, 2027 and 2028: 8 firms are 10 at 15 of 20, rounded half up; of 8, 6.4 and 1.6 make 6 and 2."""
        firms = {(0, 0): 10, (1, 0): 20, (0, 1): 8, (1, 1): 15}["batch_total" in changed, "approval" in changed]
        each = 350 if "award" in changed else 300
        kept, lost = {10: (8, 2), 20: (16, 4), 8: (6, 2), 15: (12, 3)}[firms] if "outcomes" in changed else (firms, 0)
        opening = firms * each - (73 if "recoveries" in changed else 0)
        closing = (kept - lost) * each
        return np.array([opening, 0, closing] if "timing" in changed else [opening, closing, 0], dtype=object)

    steps = za.bridge(before, after)
    assert steps.index.tolist() == ["before", *CAUSES, "after"]
    assert (steps.index.name, steps.columns.name) == ("step", "fiscal_year")
    shown = steps[[2024, 2027, 2028]].astype(object)
    assert (shown.loc["before"] == net(frozenset())).all()
    assert (shown.loc["after"] == net(frozenset(CAUSES))).all()
    exact = averaged(net)
    # 10 firms more, or 7 where the approval changed before, at 300 or 350: 3000 ÷ 3 + 2100 ÷ 6 + 3500 ÷ 6 + 2450 ÷ 3
    assert shown.loc["batch_total", 2024] == exact["batch_total"][0] == 2750
    for cause in CAUSES:  # whole 万元: less than one away, and not at all where the part is whole
        assert all(abs(shown.loc[cause] - exact[cause]) < 1), cause
        assert all(s == e for s, e in zip(shown.loc[cause], exact[cause], strict=True) if e.denominator == 1)
    picture(bridge_figure(steps))


def test_parts_are_made_whole_by_largest_remainder():
    # Parts in sixths: 0, 7 and 9 of 6, then 4, 4 and 4; 2 whole ones each go to the largest remainders, the first first.
    parts = {"award": np.array([0, 4]), "timing": np.array([7, 4]), "outcomes": np.array([11, 4])}
    assert {k: v.tolist() for k, v in _whole(parts, 6).items()} == {
        "award": [0, 1],
        "timing": [1, 1],
        "outcomes": [2, 0],
    }


def changed(steps):
    """The causes that moved money in some year."""
    return [cause for cause in CAUSES if steps.loc[cause].ne(0).any()]


@pytest.mark.parametrize("rate", ["1", "0.95"])
def test_only_the_total_changes_and_only_the_total_moves_money(panel, rate):
    # The firms at each outcome are whole in both budgets, and not in the same proportion.
    odds = za.load_outcomes("central")

    def books(total):
        scenario = za.load_scenario("2024-baseline").model_copy(update={"total": total})
        scenario = scenario.model_copy(update={"approval": scenario.approval.model_copy(update={"rate": rate})})
        return za.ledger(za.expected_cohorts(za.cohorts(za.allocate(panel, scenario)), odds), AWARD)

    before, after = books(1000), books(1039)
    steps = za.bridge(before, after)
    assert changed(steps) == ["batch_total"]
    assert (steps.loc["batch_total"] == after.by_year()["net"] - before.by_year()["net"]).all()


def test_only_the_assumption_changes_and_only_outcomes_move_money():
    firms = (cohort([37, 11, 5], quota=by_unit([40, 12, 6])),)
    one, two = (za.ledger(za.expected_cohorts(firms, za.load_outcomes(n)), AWARD) for n in ("central", "stress"))
    assert changed(za.bridge(one, two)) == ["outcomes"]
    assert changed(za.bridge(za.ledger(firms, AWARD), one)) == ["outcomes"]


@pytest.mark.parametrize(
    ("cause", "made", "rules", "other"),
    [
        ("approval", {"firms": [33, 9, 5]}, {}, None),
        ("award", {}, {"amount": 660, "opening": 330}, None),
        ("timing", {"years": (2024, 2028)}, {}, None),
        ("recoveries", {}, {"empowerment_recovered": False, "recovered_share": Fraction(1, 2)}, None),
        ("recoveries", {}, {}, clawback(("120000", 2024, "文", 73))),
    ],
)
def test_one_changed_cause_is_one_cause(cause, made, rules, other):
    odds = za.load_outcomes("stress")

    def books(award, given=None, **more):
        described = cohort(**{"firms": [37, 11, 5], "quota": by_unit([40, 12, 6]), **more})
        return za.ledger(za.expected_cohorts((described,), odds), award, given)

    steps = za.bridge(books(AWARD), books(replace(AWARD, **rules), other, **made))
    assert changed(steps) == [cause]


def test_known_outcomes_keep_each_units_shares_when_firms_change():
    # 10 firms (6 completed, 4 missed) become 5, of which 3 would be completed; in the end all 5 are. Firms alone: -1500
    # and -900 of 1800; outcomes alone: 4 more of 10. Both orders averaged, in 2027: (-900 - 1500) ÷ 2, (1200 + 600) ÷ 2.
    before = za.ledger((cohort([10], [(6, 4, 0)]),), AWARD)
    after = za.ledger((cohort([5], [(5, 0, 0)]),), AWARD)
    steps = za.bridge(before, after)
    assert steps.loc["approval"].to_dict() == {2024: -1500, 2025: 0, 2026: 0, 2027: -1200}
    assert steps.loc["outcomes"].to_dict() == {2024: 0, 2025: 0, 2026: 0, 2027: 900}


def test_a_batch_that_comes_is_a_change_of_total_and_a_changed_rule_one_of_recoveries():
    one = cohort([10], [(6, 0, 4)])
    before = za.ledger((one,), AWARD)
    after = za.ledger((one, cohort([3], name="2", years=(2025, 2028))), replace(AWARD, empowerment_recovered=False))
    steps = za.bridge(before, after)
    assert steps.loc["batch_total"].to_dict() == {2024: 0, 2025: 900, 2026: 0, 2027: 0, 2028: 900}
    assert steps.loc["recoveries"].to_dict() == {2024: 0, 2025: 0, 2026: 0, 2027: 4 * 15, 2028: 0}
    assert steps.drop(["before", "batch_total", "recoveries", "after"]).eq(0).all(axis=None)


@examples(4)
@given(before=batches(), after=batches(), money=st.sampled_from([600, 660]))
def test_law_the_steps_sum_to_the_difference(before, after, money):
    steps = za.bridge(za.ledger(before, AWARD), za.ledger(after, replace(AWARD, amount=money)))
    assert steps.iloc[:-1].sum().eq(steps.loc["after"]).all()


def test_a_larger_batch_is_approved_at_the_old_rate_and_an_unchanged_one_as_before():
    # 10 of 20 places were approved; 40 places would make 20 firms, and 15 of them were; of 20 that would be 7.5, so 8.
    half = za.ledger((cohort([10], quota=by_unit([20])),), AWARD)
    steps = za.bridge(half, za.ledger((cohort([15], quota=by_unit([40])),), AWARD))
    assert steps.loc[["batch_total", "approval"], 2024].tolist() == [(3000 + 2100) / 2, (-600 - 1500) / 2]
    # The same places: units approved unevenly, and now evenly, are a matter of approval and outcomes alone.
    uneven = za.ledger((cohort([4, 0], [(0, 4, 0), (0, 0, 0)], quota=by_unit([4, 4])),), AWARD)
    even = za.ledger((cohort([2, 2], [(0, 2, 0), (2, 0, 0)], quota=by_unit([4, 4])),), AWARD)
    assert changed(za.bridge(uneven, even)) == ["approval"]
    assert za.bridge(uneven, even).loc["approval"].to_dict() == {2024: 0, 2025: 0, 2026: 0, 2027: 600}


def test_departures_assumed_at_the_end_move_with_the_end():
    leaving = by_unit([[1], [2]], [2027])
    one = cohort([10, 4], [(5, 2, 2), (2, 0, 0)], discontinued=leaving)
    later = cohort([10, 4], [(5, 2, 2), (2, 0, 0)], years=(2024, 2028), discontinued=leaving.set_axis([2028], axis=1))
    assert changed(za.bridge(za.ledger((one,), AWARD), za.ledger((later,), AWARD))) == ["timing"]


@pytest.mark.thorough
@examples(10)
@given(before=batches(), after=batches(), money=st.sampled_from([600, 660]))
def test_law_the_way_back_is_the_way_there(before, after, money):
    one, two = za.ledger(before, AWARD), za.ledger(after, replace(AWARD, amount=money))
    there, back = za.bridge(one, two), za.bridge(two, one)
    assert (there.loc[list(CAUSES)] + back.loc[list(CAUSES)]).abs().le(1).all(axis=None)  # remainders are rounded alike


def test_nothing_changed_makes_no_step():
    firms = cohort([10, 3], [(6, 2, 1), (1, 1, 1)], discontinued=by_unit([[1], [0]], [2025]))
    books = za.ledger((firms,), AWARD, clawback(("120000", 2024, "文", 73)))
    assert za.bridge(books, books).loc[list(CAUSES)].eq(0).all(axis=None)
