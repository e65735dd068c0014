"""Totals that money affords: against a walk over every total, joint probabilities, laws, errors."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.budget import affordable
from zjtx_alloc.budget.affordable import _kept_in_turn, _staircase
from zjtx_alloc.budget.ceilings import Question
from zjtx_alloc.budget.frontier import frontiers, years_over
from zjtx_alloc.quota import solve as engines

ODDS = za.load_outcomes("central").model_copy(update={"nodes": 5})


@pytest.fixture(autouse=True, scope="module")
def each_total_allocated_once():
    """The walks of this file meet the same few totals again and again, and pass over those that rules do not admit."""
    known = {}

    def under(allocation, scenario):
        key = scenario.model_dump_json()
        if key not in known:
            try:
                known[key] = za.allocate(allocation.panel, scenario)
            except za.InfeasibleError as error:
                known[key] = error
        if isinstance(known[key], za.InfeasibleError):
            raise known[key]
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(za.Allocation, "under", under)
        patch.setattr(engines, "diagnosed", lambda problem, error: error)  # what clashes in them is nobody's question
        yield


@pytest.fixture(scope="module")
def pair(panel):
    """Batches 1 and 2, small: totals of 60 and 50."""
    return tuple(
        za.allocate(panel, za.load_scenario(name).model_copy(update={"total": total}))
        for name, total in (("2024-baseline", 60), ("2025-baseline", 50))
    )


@pytest.fixture(scope="module")
def first(pair):
    return pair[:1]


def chance_of(allocation, total, ceilings, outcomes=ODDS):
    """Joint probability at one total of one batch, by forecasts of each state of the nation by itself."""
    return joint(small(allocation, total), ceilings, outcomes)


def small(allocation, total):
    scenario = allocation.scenario.model_copy(update={"total": total})
    return za.cohorts(allocation.under(scenario))


def joint(cohorts, ceilings, outcomes=ODDS):
    return outcomes.states.weights @ kept_by_state(cohorts, ceilings, outcomes)


def kept_by_state(cohorts, ceilings, outcomes=ODDS):
    award, kept = za.load_award("caijian-2024-148"), []
    for rate in outcomes.states.rates["completed"]:
        sure = outcomes.completed.model_copy(update={"mean": repr(float(rate))})
        fixed = outcomes.model_copy(update={"completed": sure, "rho_nation": "0"})
        outlook = za.forecast_budget(cohorts, award, fixed)
        kept.append(np.prod([1 - outlook.distribution(y, "due").exceeds(c) for y, c in ceilings.items()]))
    return np.array(kept)


def test_an_opening_ceiling_is_simply_divided(first):
    # 16,499 万元 at 300 a firm: 54 firms
    found = za.affordable_total({2024: 16_499}, 1, first, ODDS, 0.95)
    assert (found.batch, found.total, found.probability) == (1, 54, pytest.approx(1))
    assert found.by_year.index.tolist() == [2024]


def test_a_closing_ceiling_that_never_binds_affords_its_quotient_at_full_certainty(first):
    assert za.affordable_total({2027: 15_000}, 1, first, ODDS, 1.0).total == 50


@pytest.mark.thorough
@pytest.mark.parametrize(("ceilings", "confidence"), [({2027: 10_200}, 0.9), ({2024: 15_000, 2027: 9_900}, 0.8)])
def test_the_total_is_that_of_a_walk_over_every_total(first, ceilings, confidence):
    total = 37  # the floor of one place each
    assert chance_of(first[0], total, ceilings) >= confidence
    while chance_of(first[0], total + 1, ceilings) >= confidence:
        total += 1
    found = za.affordable_total(ceilings, 1, first, ODDS, confidence)
    assert found.total == total
    assert found.probability == pytest.approx(chance_of(first[0], total, ceilings), abs=1e-12)


@pytest.mark.thorough
def test_a_year_in_which_the_batch_has_no_money_says_nothing_about_its_total(pair):
    # Batch 2's closing falls in 2028, whatever batch 1's total is.
    ceilings = {2027: 12_000, 2028: 12_000}
    alone = za.affordable_total({2027: 12_000}, 1, pair, ODDS, 0.9)
    both = za.affordable_total(ceilings, 1, pair, ODDS, 0.9)
    assert (both.total, both.probability) == (alone.total, pytest.approx(alone.probability, abs=1e-12))
    assert both.probability == pytest.approx(chance_of(pair[0], both.total, {2027: 12_000}), abs=1e-12)
    assert both.by_year["ceiling"].to_dict() == ceilings  # each stated year is still shown by itself
    assert both.by_year.at[2028, "kept"] == pytest.approx(joint(za.cohorts(pair[1]), {2028: 12_000}), abs=1e-12)
    assert "假设" in both.assumption


@pytest.mark.thorough
def test_law_a_higher_ceiling_never_affords_less(first):
    totals = [
        za.affordable_total({2024: 18_000, 2027: c}, 1, first, ODDS, 0.9).total for c in range(9_300, 16_000, 1_200)
    ]
    assert totals == sorted(totals)
    assert totals[0] < totals[-1] == 60


@pytest.mark.thorough
def test_law_more_confidence_never_affords_more(first):
    totals = [za.affordable_total({2027: 12_000}, 1, first, ODDS, p).total for p in (0.5, 0.8, 0.95, 1.0)]
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > totals[-1]


def test_firms_not_places_are_paid(first):
    # At an approval rate of one half, 30 firms stand for up to 60 places (30.5 would round to 31).
    half = first[0].scenario.model_copy(update={"approval": type(first[0].scenario.approval)(rate="0.5")})
    allocation = za.allocate(first[0].panel, half)
    assert za.affordable_total({2024: 9_000}, 1, (allocation,), ODDS, 0.9).total == 60


def carrying(pair, rate="0.5"):
    """Batch 1 approves a part of its places and leaves the others to batch 2."""
    scenario = pair[0].scenario
    approval = type(scenario.approval)(rate=rate, unused="unit")
    return za.allocate(pair[0].panel, scenario.model_copy(update={"approval": approval})), pair[1]


@pytest.mark.thorough
def test_places_carried_into_the_batch_count(pair):
    # 30 of batch 1's 60 places are carried: 54 firms of 2025 leave batch 2 places for 24 of its own, 13 below its floors.
    with pytest.raises(za.InfeasibleError, match=r"第2批.*最小总量"):
        za.affordable_total({2025: 54 * 300}, 2, carrying(pair), ODDS, 0.9)
    assert za.affordable_total({2025: 80 * 300}, 2, carrying(pair), ODDS, 0.9).total == 50


@pytest.mark.thorough
def test_places_that_the_batch_leaves_to_the_next_count_there(pair):
    # T places at one half: one half are batch 1's firms, the other half batch 2's beside its own 50. 2025 pays 75 firms,
    # so 25 places may be left: of 51 places 25.5 firms round up to 26 and leave 25, of 52 26 are left.
    found = za.affordable_total({2024: 90_000, 2025: 75 * 300}, 1, carrying(pair), ODDS, 0.9)
    assert found.total == 51
    assert found.by_year["kept"].tolist() == pytest.approx([1, 1])
    with pytest.raises(za.ScenarioError, match=r"第1批结余名额由本单位补回.*第2批"):
        za.affordable_frontier({2024: 9_000, 2025: 9_000}, (1, 2), carrying(pair), ODDS, 0.9)


def test_rules_may_end_before_the_money_does(first):
    capped = za.allocate(first[0].panel, first[0].scenario.model_copy(update={"cap": {"default": 2}}))
    assert za.affordable_total({2024: 90_000, 2027: 90_000}, 1, (capped,), ODDS, 0.9).total == 74


def cohort_of(total):
    """One unit with as many firms as the total, but two more at 70: totals are not nested."""
    firms = pd.Series([total + 2 * (total == 70), 0], index=["a", "b"])
    return None if total == 5 else (za.Cohort("1", firms, 2024, 2027),)


@pytest.mark.parametrize(("limit", "last"), [(71, 69), (68, 68), (72, 72), (64, 64), (4, 4), (5, 4), (6, 6)])
def test_every_smaller_total_must_be_kept(limit, last):
    # At 70 there are 72 firms: with a limit of 71 it fails although 71 itself would not.
    seen = list(_kept_in_turn(cohort_of, 0, 100, lambda moved: moved[0].approved["a"] <= limit))
    assert seen[-1] == last


def test_blocks_grow_and_are_settled_by_one_look_each():
    looks = []
    assert list(_kept_in_turn(cohort_of, 6, 69, lambda moved: looks.append(moved) or True)) == [7, 9, 13, 21, 37, 69]
    assert len(looks) == 6


@pytest.mark.thorough
def test_the_frontier_is_that_of_all_pairs(pair):
    ceilings, confidence = {2027: 9_000, 2028: 9_000}, 0.7
    found = za.affordable_frontier(ceilings, (1, 2), pair, ODDS, confidence)
    weights, (one, two) = (
        ODDS.states.weights,
        (
            {total: kept_by_state(small(allocation, total), {year: ceilings[year]}) for total in range(37, 48)}
            for allocation, year in zip(pair, ceilings, strict=True)
        ),
    )
    kept = {(a, b) for a in one for b in two if weights @ (one[a] * two[b]) >= confidence}
    corners = sorted(p for p in kept if not {(p[0] + 1, p[1]), (p[0], p[1] + 1)} & kept)
    assert max(map(max, kept)) < 47, "the trial grid reaches beyond the frontier"
    assert len(corners) > 1
    assert list(found[["batch_1", "batch_2"]].itertuples(index=False, name=None)) == corners
    for row in found.itertuples():
        assert row.probability == pytest.approx(weights @ (one[row.batch_1] * two[row.batch_2]), abs=1e-12)


@pytest.mark.thorough
def test_some_pairs_from_one_end_of_the_frontier_to_the_other(pair):
    # From 40 and 40, which 12,000 bear for certain, each second total is the largest beside its first.
    ceilings = {2027: 12_000, 2028: 12_000}
    found = affordable.affordable_pairs(Question(ceilings, (1, 2), pair, ODDS, 0.7))
    whole = za.affordable_frontier(ceilings, (1, 2), pair, ODDS, 0.7)
    corners = list(whole.itertuples(index=False, name=None))
    pairs = list(found.itertuples(index=False, name=None))
    assert [pair[:2] for pair in pairs] == [pair[:2] for pair in corners if pair in pairs]
    assert (pairs[0], pairs[-1]) == (corners[0], corners[-1])
    assert len(pairs) >= min(len(corners), 3)


def test_pairs_are_sought_where_most_is_open():
    # A curve that is flat up to 80 and then falls: the ends, and the bend between them.
    def corner(one):
        two = min(100, 100 - (one - 80) * 5)
        return max(one, 80) if two == 100 else one, two

    found = affordable._between(corner, corner(0), corner(100))
    assert (found[0], found[-1], len(found)) == ((80, 100), (100, 0), 6)
    assert all(pair == corner(pair[0]) for pair in found)
    assert max(b[0] - a[0] for a, b in pairwise(found)) <= 6
    assert affordable._between(corner, (80, 100), (81, 95)) == [(80, 100), (81, 95)]


@pytest.mark.parametrize("most", [5, 17, 100])
@pytest.mark.parametrize("kept", [5, 6, 40, 200])
def test_the_largest_by_bisection(kept, most):
    assert affordable._largest(lambda total: total <= kept, 5, most) == min(kept, most)


@pytest.mark.thorough
def test_pairs_of_a_plan_where_two_years_are_over(baseline, panel):
    small = baseline.model_copy(update={"total": 60, "floor": {"default": 0}, "budget_with": []})
    later = za.load_scenario("2025-baseline").model_copy(
        update={"total": 50, "floor": {"default": 0}, "budget_with": []}
    )
    # 2024 pays 15,000 for batch 1 and 2025 pays 12,299 for batch 2, openings both: 50 and 40 firms, whatever the other.
    plan = za.plan_budget(
        za.BudgetRequest([small, later], ["central"], {2024: 15_000, 2025: 12_299, 2028: 10**6}), panel
    )
    assert years_over(plan) == (2024, 2025)
    (table,) = frontiers(plan).values()
    assert table.to_numpy().tolist() == [[50, 40, pytest.approx(1)]]
    one = za.plan_budget(za.BudgetRequest([small, later], ["central"], {2024: 15_000}), panel)
    assert frontiers(one) == {}


@pytest.mark.parametrize("slope", [(1, 1), (2, 1), (1, 3)])
def test_corners_of_a_staircase_by_hand(slope):
    def keeps(one, two):
        return slope[0] * one + slope[1] * two <= 12

    kept = {(a, b) for a in range(1, 14) for b in range(1, 14) if keeps(a, b)}
    corners = sorted(p for p in kept if not {(p[0] + 1, p[1]), (p[0], p[1] + 1)} & kept)
    assert list(_staircase(keeps, 1, 1)) == corners


@pytest.mark.thorough
def test_nothing_kept_is_an_empty_frontier(pair):
    assert za.affordable_frontier({2024: 300, 2025: 90_000}, (1, 2), pair, ODDS, 0.9).empty
    assert affordable.affordable_pairs(Question({2024: 300, 2025: 90_000}, (1, 2), pair, ODDS, 0.9)).empty


@pytest.mark.thorough
def test_too_little_money_even_for_the_floors(first):
    with pytest.raises(za.InfeasibleError, match=r"第1批.*最小总量，也不能以 0.9 的概率"):
        za.affordable_total({2024: 37 * 300 - 1}, 1, first, ODDS, 0.9)


def test_a_year_that_another_batch_breaks_leaves_each_batch_its_own_answer(pair):
    # Both years are over: 60 x 300 and 50 x 300. 15,000 of 2024 are 50 firms, 12,299 of 2025 are 40.
    ceilings = {2024: 15_000, 2025: 12_299}
    one, two = (za.affordable_total(ceilings, batch, pair, ODDS, 0.9) for batch in (1, 2))
    assert (one.total, two.total) == (50, 40)
    assert one.by_year["kept"].tolist() == pytest.approx([1, 0])
    assert (one.probability, two.probability) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.thorough
def test_a_year_that_both_batches_share_is_still_broken_by_the_other(pair):
    # Batch 1 leaves half of its places to batch 2, whose own 50 firms are more than 14,999 pays for.
    with pytest.raises(za.InfeasibleError, match=r"守住本批有资金的年度的限额.*压减同年度的其他批次"):
        za.affordable_total({2024: 30_000, 2025: 14_999}, 1, carrying(pair), ODDS, 0.9)


def test_wrong_questions_are_refused(first):
    with pytest.raises(za.DataError, match=r"大于0、不大于1，现为 95"):
        za.affordable_total({2024: 30_000}, 1, first, ODDS, 95)
    with pytest.raises(za.ScenarioError, match=r"没有第2批；现有：1"):
        za.affordable_total({2024: 30_000}, 2, first, ODDS, 0.9)
    with pytest.raises(za.DataError, match=r"与第1批无关（期初 2024 年、期末 2027 年）"):
        za.affordable_total({2025: 30_000}, 1, first, ODDS, 0.9)
    with pytest.raises(za.DataError, match=r"可容纳10000家.*现有总量60家的50倍以上.*单位是否为万元"):
        za.affordable_total({2024: 3_000_000}, 1, first, ODDS, 0.9)
    with pytest.raises(za.DataError, match=r"年度限额须为非负整数（万元）.*现为 2027=10200.5"):
        za.affordable_total({2027: 10_200.5}, 1, first, ODDS, 0.9)
    with pytest.raises(za.DataError, match=r"年度限额须为非负整数（万元）.*现为 2027=nan"):
        za.BudgetRequest(["2024-baseline"], ceilings={2027: float("nan"), 2024: 1})
