"""Several years together: by hand, by enumeration, and against a million draws that share no code."""

import datetime
import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.cohorts_by_hand import AWARD, cohort
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.budget.expected import expected_cohorts
from zjtx_alloc.budget.joint import joint_ranges, money_over, open_years, within

NOVEMBER = datetime.date(2026, 11, 30)


def assumption(mean="0.5", rho_unit="0", rho_nation="0.32", under="0"):
    """With a national correlation: states 0, .5 and 1 of weights .16, .68 and .16."""
    return za.OutcomeAssumption(
        name="trial", title="试算", completed={"low": "0", "mean": mean, "high": "1"},
        otherwise={"missed": f"{1 - float(under):g}", "discontinued": "0", "under_invested": under},
        rho_unit=rho_unit, rho_nation=rho_nation, nodes=3, basis={},
    )  # fmt: skip


def law(found):
    return dict(zip(found.values.tolist(), found.probability.tolist(), strict=True))


def pair(first, second, **known):
    return cohort(first, **known), cohort(second, name="2", years=(2025, 2028))


def test_one_state_for_both_years_by_hand():
    # One firm a batch: both complete in .68 x .25 + .16 of all, one does in .68 x .5.
    outlook = za.forecast_budget(pair([1], [1]), AWARD, assumption())
    assert law(money_over(outlook, (2027, 2028), "due")) == pytest.approx({0: 0.33, 300: 0.34, 600: 0.33})
    assert within(outlook, {2027: (300, 300), 2028: (1, 599)}) == pytest.approx(0.33)
    assert within(outlook, {2027: (300, 300), 2028: (0, 299)}) == pytest.approx(0.17)


def test_a_part_of_experience_in_common_by_hand():
    # Of batch 1 one firm is known to have completed: π = 0, .68, .32 and W = .5 diag(π) + .5 π wᵀ. Its other
    # firm and batch 2's both complete in .5 E π[p²] + .5 E π[p] E w[p] = .5 x .49 + .5 x .66 x .5 = .41.
    known = pair([1, 1], [1], ends=[(1, 0, 0), (pd.NA, pd.NA, pd.NA)])
    outlook = za.forecast_budget(known, AWARD, assumption())
    assert outlook.weights.shape == (2, 3)
    both, one = 0.41, 0.66 + 0.58 - 2 * 0.41
    expected = {300: 1 - both - one, 600: one, 900: both}
    assert law(money_over(outlook, (2027, 2028), "due")) == pytest.approx(expected)
    assert within(outlook, {2027: (600, 600), 2028: (300, 300)}) == pytest.approx(both)


def test_what_is_owed_before_the_first_year_counts():
    # Batch 1's firm owes 300 since 2027. Only if the firms of both later batches complete is anything paid: 300.
    batches = (*pair([1], [1], ends=[(0, 0, 1)]), cohort([1], name="3", years=(2026, 2029)))
    outlook = za.forecast_budget(batches, AWARD, assumption(rho_nation="0"))
    assert law(money_over(outlook, (2028, 2029))) == pytest.approx({0: 0.75, 300: 0.25})


def rising(rate, count, theta):
    return math.prod((rate + i * theta for i in range(count)), start=Fraction(1))


def unit_outcomes(firms, rates, theta):
    """Counts (completed, nothing, under-invested) of a unit and their Dirichlet-multinomial probabilities."""
    for x, y in itertools.product(range(firms + 1), repeat=2):
        if x + y <= firms:
            counts = (x, y, firms - x - y)
            ways = math.factorial(firms) // math.prod(map(math.factorial, counts))
            chance = math.prod(rising(r, n, theta) for r, n in zip(rates, counts, strict=True))
            yield counts, ways * chance / rising(Fraction(1), firms, theta)


@examples(20)
@given(
    firms=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)),
    mean=st.integers(1, 9), under=st.integers(0, 10), rho=st.integers(0, 9), skipped=st.integers(0, 1),
)  # fmt: skip
def test_law_what_is_paid_over_years_is_the_enumerated_sum(firms, mean, under, rho, skipped):
    p, share, theta = Fraction(mean, 10), Fraction(under, 10), Fraction(rho, 10) / (1 - Fraction(rho, 10))
    rates, expected = (p, (1 - p) * (1 - share), (1 - p) * share), {}
    for ends in itertools.product(*(list(unit_outcomes(n, rates, theta)) for n in firms)):
        owed, paid = 0, []
        for counts, _ in ends:
            left = 300 * (counts[0] - counts[2]) - owed
            paid.append(max(left, 0))
            owed = max(-left, 0)
        total = sum(paid[skipped:])
        expected[total] = expected.get(total, 0) + math.prod(chance for _, chance in ends)
    batches = tuple(cohort([n], name=str(k), years=(2023 + k, 2026 + k)) for k, n in enumerate(firms, 1))
    outlook = za.forecast_budget(batches, AWARD, assumption(f"{mean / 10:g}", f"{rho / 10:g}", "0", f"{under / 10:g}"))
    found = law(money_over(outlook, (2027, 2028, 2029)[skipped:]))
    assert found == pytest.approx({k: float(v) for k, v in expected.items() if v}, rel=1e-12)


def test_the_table_holds_each_year_and_all_together():
    outlook = za.forecast_budget(pair([3, 2], [4, 4]), AWARD, assumption(under="0.5"))
    table = joint_ranges(outlook)
    assert (
        list(zip(table["first_year"], table["last_year"], strict=True))
        == [(2027, 2027), (2028, 2028), (2027, 2028)] * 3
    )
    assert table["measure"].tolist() == ["due"] * 3 + ["recovered"] * 3 + ["net"] * 3
    for measure in ("due", "recovered", "net"):
        first, second, both = table.query("measure == @measure")["mean"]
        assert both == pytest.approx(first + second)
        assert first == pytest.approx(outlook.distribution(2027, measure).mean)
    bounds = {year: tuple(outlook.distribution(year, "due").quantile(q) for q in (0.05, 0.95)) for year in (2027, 2028)}
    assert table["within"][2] == pytest.approx(within(outlook, bounds))
    assert table["within"][:2].min() >= 0.9
    assert table["within"][2] > 0.8
    assert table["within"][3:].isna().all()


def test_tails_are_counted_in_their_years(panel):
    plan = (*pair([2], [2]), *za.tails(panel, 143))
    outlook = za.forecast_budget(plan, AWARD, assumption())
    tails = outlook.distribution(2025, "due").mean - 600
    assert tails > 50_000
    over = money_over(outlook, (2025, 2027), "due")
    assert over.mean == pytest.approx(tails + 600 + 300)
    assert within(outlook, {2025: (int(tails) + 600, int(tails) + 600)}) == pytest.approx(1)


def test_years_whose_money_is_open():
    known = pair([1], [1], ends=[(1, 0, 0)])
    assert open_years(za.forecast_budget(pair([1], [1]), AWARD, assumption())) == (2027, 2028)
    outlook = za.forecast_budget(known, AWARD, assumption())
    assert open_years(outlook) == (2028,)
    assert joint_ranges(outlook)["last_year"].tolist() == [2028] * 3
    assert open_years(replace(outlook, horizon=2027)) == ()


def test_wrong_years_are_refused():
    outlook = za.forecast_budget(pair([1], [1]), AWARD, assumption())
    with pytest.raises(za.DataError, match=r"2026年没有应下达或应收回的资金；有资金的年度：2024、2025、2027、2028"):
        money_over(outlook, (2026, 2027))
    with pytest.raises(
        za.DataError, match=r"须从早到晚、前后相接，现为“2024、2027”；有资金的年度：2024、2025、2027、2028"
    ):
        money_over(outlook, (2024, 2027))
    with pytest.raises(za.DataError, match=r"现为“2028、2027”"):
        money_over(outlook, (2028, 2027))


# --- a million draws --------------------------------------------------------------------------------------------------

DRAWS = 1_000_000


@pytest.fixture(scope="module")
def known(panel):
    """Batch 1 with 12 % of its firms gone by November 2026, but for three units that have not reported."""
    names = ("2024-baseline", "2025-baseline", "2026-baseline")
    one, *others = za.cohorts(*(za.allocate(panel, za.load_scenario(name)) for name in names))
    gone = pd.DataFrame({2025: 0, 2026: approved_firms(one.approved, Fraction(12, 100))}).astype("Int64")
    gone.loc[["110000", "440000", "630000"]] = pd.NA
    return replace(one, discontinued=gone), *others


@pytest.mark.slow
def test_the_posterior_is_the_share_of_states_among_draws_that_show_the_same(known, award):
    outlook = za.forecast_budget(known, award, "central", as_of=NOVEMBER)
    random, states, size = np.random.default_rng(148), outlook.outcomes.states, 1 / 0.05 - 1
    told = known[0].discontinued.dropna()
    state = random.choice(len(states.weights), DRAWS, p=states.weights)
    leaves = 0.3 * (1 - states.rates["completed"].to_numpy()[state])
    total = np.zeros(DRAWS, dtype="int64")
    for code in told.index:
        total += random.binomial(known[0].approved[code], random.beta(leaves * size, (1 - leaves) * size))
    kept = state[total == int(told.to_numpy().sum())]
    assert len(kept) > 8000
    seen = np.bincount(kept, minlength=len(states.weights)) / len(kept)
    expected = outlook.known.leaving
    assert (outlook.known.posterior == states.weights).all()  # departures say nothing of completion
    assert np.abs(seen - expected).max() < 5 * np.sqrt((expected * (1 - expected)).max() / len(kept))
    # A chi-squared statistic of 26 degrees of freedom is above 63 once in ten thousand times.
    common = expected * len(kept) > 5
    assert ((seen - expected)[common] ** 2 / expected[common]).sum() * len(kept) < 63


@pytest.mark.slow
def test_joint_ranges_are_those_of_a_million_draws(known, award):
    outlook = za.forecast_budget(known, award, "central", as_of=NOVEMBER)
    drawn, due, of_units = drawn_years(outlook, np.random.default_rng(149))
    years = (2027, 2028, 2029)
    for year in years:
        agrees(drawn[year], outlook.distribution(year))
        agrees(due[year], outlook.distribution(year, "due"))
    agrees(sum(drawn.values()), money_over(outlook, years))
    agrees(sum(due.values()), money_over(outlook, years, "due"))
    table = joint_ranges(outlook).query("measure == 'due'").set_index(["first_year", "last_year"])
    inside = np.logical_and.reduce([
        (table.at[(year, year), "p5"] <= due[year]) & (due[year] <= table.at[(year, year), "p95"]) for year in years
    ])  # fmt: skip
    assert inside.mean() == pytest.approx(table.at[(2027, 2029), "within"], abs=4 * 0.5 / math.sqrt(DRAWS))
    # The books are the means in whole firms: each unit's within one firm, a batch's within one (of two groups of units).
    booked = za.ledger(expected_cohorts(known, outlook.outcomes, NOVEMBER), award).table
    ends = booked[booked["fiscal_year"].isin(years)].groupby(["fiscal_year", "code"])[["due", "recovered"]].sum()
    apart = ends - of_units.reindex(ends.index)
    assert len(ends) == 3 * 37
    assert apart.abs().to_numpy().max() < 305
    assert apart.groupby("fiscal_year").sum().abs().to_numpy().max() < 450


def agrees(sample, exact):
    assert sample.mean() == pytest.approx(exact.mean, abs=4.5 * exact.sd / math.sqrt(DRAWS))
    below = np.searchsorted(np.sort(sample), exact.values, side="right") / DRAWS
    # Kolmogorov-Smirnov at one in a million: sqrt(ln(2e6)/2)/1000
    assert np.abs(below - np.cumsum(exact.probability)).max() < 0.0027


def drawn_years(outlook, random):
    """Net and due of the closing years, and units' means of due and recovered.

    One state for all batches, since departures say nothing of it; an end of the rate of leaving, firms, debts carried.
    """
    states, size = outlook.outcomes.states, 1 / 0.05 - 1
    p = states.rates["completed"].to_numpy()[random.choice(len(states.weights), DRAWS, p=states.weights)]
    # Of firms still there 12 % might have left, or the 80 % of those that do not complete that may; nobody, or twice as many.
    whole, end = 1 - np.minimum(0.12, 0.8 * (1 - p)), random.integers(0, 2, DRAWS) * 2 - 1
    share = p * (1 / whole + end * np.minimum(1 / whole - 1, 1 / p - 1 / whole))
    net = {c.closing_year: np.zeros(DRAWS, dtype="int64") for c in outlook.cohorts}
    due, means = {year: money.copy() for year, money in net.items()}, {}
    for code in outlook.cohorts[0].approved.index:
        owed = np.zeros(DRAWS, dtype="int64")
        for c in outlook.cohorts:
            told = c.discontinued is not None and not pd.isna(c.discontinued.at[code, 2026])
            firms = int(c.approved[code]) - (int(c.discontinued.at[code, 2026]) if told else 0)
            well, rest = (whole * share, whole * (1 - share)) if told else (p, 1 - p)
            under = 2 / 7 if told else 0.2  # of those that do not complete; who has not left can no longer leave
            completed = random.binomial(firms, beta(random, well * size, rest * size))
            failing = random.binomial(firms - completed, beta(random, under * rest * size, (1 - under) * rest * size))
            due[c.closing_year] += 300 * completed
            means[c.closing_year, code] = 300 * completed.mean(), 300 * failing.mean()
            left = 300 * (completed - failing) - owed
            net[c.closing_year] += np.maximum(left, 0)
            owed = np.maximum(-left, 0)
    index = pd.MultiIndex.from_tuples(means, names=["fiscal_year", "code"])
    return net, due, pd.DataFrame(list(means.values()), index=index, columns=["due", "recovered"])


def beta(random, a, b):
    """Beta draws, with the share that is sure where a side has no weight."""
    return random.beta(np.maximum(a, 1e-12), np.maximum(b, 1e-12))
