"""Distributions of a year's money: by hand, by enumeration in fractions, in closed form, by drawing."""

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.examples import examples

import zjtx_alloc as za

UNITS = ["120000", "310000", "440300"]


@pytest.fixture(scope="module")
def programme(panel):
    names = ("2024-baseline", "2025-baseline", "2026-baseline")
    return za.cohorts(*(za.allocate(panel, za.load_scenario(name)) for name in names))


def assumption(mean="0.6", rho_unit="0", rho_nation="0", under="0.5"):
    return za.OutcomeAssumption(
        name="trial", title="试算", completed={"low": "0", "mean": mean, "high": "1"},
        otherwise={"missed": f"{1 - float(under):g}",
                   "discontinued": "0", "under_invested": under},
        rho_unit=rho_unit, rho_nation=rho_nation, nodes=3, basis={},
    )  # fmt: skip


def cohort(firms, name="1", years=(2024, 2027), outcomes=None):
    return za.Cohort(name, pd.Series(firms, index=pd.Index(UNITS[: len(firms)], name="code")), *years, outcomes)


def law(outlook, *question):
    told = outlook.distribution(*question)
    return dict(zip(told.values.tolist(), told.probability.tolist(), strict=True))


def test_one_firm_by_hand(award):
    # completed .6: 300 due; of the rest half under-invested: 300 owed, no net payment
    outlook = za.forecast_budget((cohort([1]),), award, assumption())
    assert law(outlook, 2024, "due") == {300: 1.0}
    assert law(outlook, 2027, "due") == pytest.approx({0: 0.4, 300: 0.6})
    assert law(outlook, 2027, "recovered") == pytest.approx({0: 0.8, 300: 0.2})
    assert law(outlook, 2027, "net") == pytest.approx({0: 0.4, 300: 0.6})


def test_two_firms_of_one_unit_fare_alike(award):
    # Pólya's urn with θ = ρ/(1-ρ) = 1: .6(.6+1)/2 = .48 both, .4(.4+1)/2 = .28 neither
    outlook = za.forecast_budget((cohort([2]),), award, assumption(rho_unit="0.5"))
    assert law(outlook, 2027, "due") == pytest.approx({0: 0.28, 300: 0.24, 600: 0.48})
    # of two units they do not: .36, .48, .16
    outlook = za.forecast_budget((cohort([1, 1]),), award, assumption(rho_unit="0.5"))
    assert law(outlook, 2027, "due") == pytest.approx({0: 0.16, 300: 0.48, 600: 0.36})


def test_a_national_shock_by_hand(award):
    # States 0, .5, 1; mean .5, variance ρ/4 = .08: weights .16, .68, .16. Two firms of two units:
    # both complete .68 x .25 + .16 = .33
    shocked = assumption(mean="0.5", rho_nation="0.32")
    assert shocked.states.weights == pytest.approx([0.16, 0.68, 0.16], abs=1e-12)
    outlook = za.forecast_budget((cohort([1, 1]),), award, shocked)
    assert law(outlook, 2027, "due") == pytest.approx({0: 0.33, 300: 0.34, 600: 0.33})


def test_what_a_unit_owes_is_carried_into_its_next_payment(award):
    # Batch 1's firm owes 300 with .2 and is due nothing then; batch 2's firm completes with .6.
    pair = (cohort([1]), cohort([1], "2", (2025, 2028)))
    outlook = za.forecast_budget(pair, award, assumption())
    assert law(outlook, 2028, "net") == pytest.approx({0: 1 - 0.6 * 0.8, 300: 0.6 * 0.8})
    assert law(outlook, 2028, "due") == pytest.approx({0: 0.4, 300: 0.6})


def test_what_one_unit_owes_is_not_taken_from_another(award):
    # Each unit pays 0 or 300: its debt leaves the other's 300 whole.
    outlook = za.forecast_budget((cohort([1, 1]),), award, assumption())
    assert law(outlook, 2027, "net") == pytest.approx({0: 0.16, 300: 0.48, 600: 0.36})


# --- enumeration in fractions -----------------------------------------------------------------------------------------


def rising(rate, count, theta):
    return math.prod((rate + i * theta for i in range(count)), start=Fraction(1))


def unit_outcomes(firms, rates, rho):
    """Counts (completed, nothing, under-invested) of a unit and their Dirichlet-multinomial probabilities."""
    theta = rho / (1 - rho)
    for x, y in itertools.product(range(firms + 1), repeat=2):
        if x + y <= firms:
            counts = (x, y, firms - x - y)
            ways = math.factorial(firms) // math.prod(map(math.factorial, counts))
            chance = math.prod(rising(r, n, theta) for r, n in zip(rates, counts, strict=True))
            yield counts, ways * chance / rising(Fraction(1), firms, theta)


def enumerated(firms, rates, rho):
    """Distribution of the net of the second closing year, of two batches, all units together."""
    total = {0: Fraction(1)}
    for first, second in zip(*firms, strict=True):
        unit = {}
        for (a, p), (b, q) in itertools.product(unit_outcomes(first, rates, rho), unit_outcomes(second, rates, rho)):
            carried = max(300 * (a[2] - a[0]), 0)
            paid = max(300 * (b[0] - b[2]) - carried, 0)
            unit[paid] = unit.get(paid, 0) + p * q
        pairs = list(itertools.product(total.items(), unit.items()))
        total = {}
        for (v, p), (w, q) in pairs:
            total[v + w] = total.get(v + w, 0) + p * q
    return {value: chance for value, chance in total.items() if chance}


@examples(40)
@given(
    firms=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3),
    mean=st.integers(1, 9), under=st.integers(0, 10), rho=st.integers(0, 9),
)  # fmt: skip
def test_law_the_distribution_is_the_enumerated_one(award, firms, mean, under, rho):
    first, second = zip(*firms, strict=True)
    p, share, r = Fraction(mean, 10), Fraction(under, 10), Fraction(rho, 10)
    expected = enumerated((first, second), (p, (1 - p) * (1 - share), (1 - p) * share), r)
    made = assumption(f"{mean / 10:g}", f"{rho / 10:g}", under=f"{under / 10:g}")
    outlook = za.forecast_budget((cohort(list(first)), cohort(list(second), "2", (2025, 2028))), award, made)
    assert law(outlook, 2028, "net") == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-12)


def test_tails_keep_their_relative_accuracy(award):
    # 300 firms of one unit, all complete: Π (.1 + iθ)/(1 + iθ), about 1e-91 with θ = 1/99
    outlook = za.forecast_budget((cohort([300]),), award, assumption("0.1", "0.01"))
    theta = Fraction(1, 99)
    exact = rising(Fraction(1, 10), 300, theta) / rising(Fraction(1), 300, theta)
    assert law(outlook, 2027, "due")[90000] == pytest.approx(float(exact), rel=1e-11)


# --- the shipped programme --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rho_unit", "rho_nation", "spread"), [("0.05", "0", 0.90), ("0", "0.05", 3.45)])
def test_which_shock_is_declared_decides_the_spread(programme, award, rho_unit, rho_nation, spread):
    # Standard deviation of batch 1's closing, 亿元, at 1039 firms of which 60 % complete.
    declared = za.load_outcomes("central").model_copy(update={"rho_unit": rho_unit, "rho_nation": rho_nation})
    closing = za.forecast_budget(programme, award, declared).distribution(2027, "due")
    assert round(closing.sd / 10_000, 2) == spread
    assert closing.mean == pytest.approx(300 * 1039 * 0.6, rel=1e-12)


@pytest.mark.parametrize("name", ["optimistic", "central", "stress"])
@pytest.mark.parametrize(("measure", "outcome"), [("due", "completed"), ("recovered", "under_invested")])
def test_mean_and_variance_in_closed_form(programme, award, name, measure, outcome):
    outlook = za.forecast_budget(programme, award, name)
    declared = outlook.outcomes
    p, rho, nation = (float(x) for x in (declared.completed.mean, declared.rho_unit, declared.rho_nation))
    share = 1.0 if outcome == "completed" else float(declared.otherwise.under_invested)
    q = p if outcome == "completed" else (1 - p) * share
    between = share**2 * nation * p * (1 - p)  # variance of the rate over the states of the nation
    firms = programme[0].approved.to_numpy()
    within = (q * (1 - q) - between) * (firms * (1 + (firms - 1) * rho)).sum()
    found = outlook.distribution(2027, measure)
    assert found.mean == pytest.approx(300 * 1039 * q, rel=1e-11)
    assert found.sd == pytest.approx(300 * math.sqrt(within + 1039**2 * between), rel=1e-11)
    assert found.probability.sum() == pytest.approx(1, abs=1e-11)


def test_money_is_conserved_in_expectation(programme, award):
    # Over all years Σ net = Σ due − Σ recovered + what is still owed at the end, which is little here.
    table = za.forecast_budget(programme, award, "stress").table()
    sums = table.groupby("measure")["mean"].sum()
    owed = sums["net"] - sums["due"] + sums["recovered"]
    assert 0 < owed < 0.05 * sums["recovered"]


@pytest.mark.slow
def test_a_million_draws_agree(programme, award):
    outlook = za.forecast_budget(programme, award, "stress")
    drawn = drawn_net(outlook, 1_000_000, np.random.default_rng(148))
    for year, sample in drawn.items():
        exact = outlook.distribution(year)
        assert sample.mean() == pytest.approx(exact.mean, abs=4 * exact.sd / 1000)
        below = np.searchsorted(np.sort(sample), exact.values, side="right") / len(sample)
        # Kolmogorov-Smirnov at one in a million: sqrt(ln(2e6)/2)/1000
        assert np.abs(below - np.cumsum(exact.probability)).max() < 0.0027


def drawn_net(outlook, draws, random):
    """Net of the closing years, drawn firm counts and all; recoveries carried by unit."""
    declared, rho = outlook.outcomes, float(outlook.outcomes.rho_unit)
    states = declared.states
    p = states.rates["completed"].to_numpy()[random.choice(len(states.weights), draws, p=states.weights)]
    size, under = (1 - rho) / rho, float(declared.otherwise.under_invested)
    net = {c.closing_year: np.zeros(draws, dtype="int64") for c in outlook.cohorts}
    for code in outlook.cohorts[0].approved.index:
        owed = np.zeros(draws, dtype="int64")
        for c in outlook.cohorts:
            completed = random.binomial(c.approved[code], random.beta(p * size, (1 - p) * size))
            rest = (1 - p) * size
            failing = random.binomial(c.approved[code] - completed, random.beta(rest * under, rest * (1 - under)))
            left = 300 * (completed - failing) - owed
            net[c.closing_year] += np.maximum(left, 0)
            owed = np.maximum(-left, 0)
    return net


@given(mean=st.integers(300, 700), firms=st.lists(st.integers(0, 30), min_size=1, max_size=3))
def test_law_more_completion_makes_larger_payments(award, mean, firms):
    lower, higher = (
        za.forecast_budget((cohort(firms),), award, assumption(f"{m / 1000:g}", "0.1")) for m in (mean, mean + 20)
    )
    for measure in ("due", "net"):
        one, two = lower.distribution(2027, measure), higher.distribution(2027, measure)
        assert all(two.exceeds(v) >= one.exceeds(v) - 1e-12 for v in one.values)


@pytest.mark.thorough
def test_regions_and_units_are_parts_of_the_nation(programme, award):
    outlook = za.forecast_budget(programme, award, "central")
    nation, regions, units = (outlook.table(by).query("measure == 'due'") for by in ("nation", "region", "unit"))
    for part in (regions, units):
        assert part.groupby("fiscal_year")["mean"].sum().tolist() == pytest.approx(nation["mean"].tolist())
    assert len(units) == 37 * len(outlook.years)
    assert outlook.distribution(2027, "due", "江苏").mean == pytest.approx(300 * programme[0].approved["320000"] * 0.6)
    # The nation's standard deviation is more than that of independent regions: they share its state.
    apart = (regions.query("fiscal_year == 2027")["sd"] ** 2).sum()
    assert nation.query("fiscal_year == 2027")["sd"].item() ** 2 > 2 * apart


def test_the_table_has_its_columns_and_names_its_assumption(programme, award):
    table = za.forecast_budget(programme, award, "central").table("region")
    assert list(table.columns) == [
        "fiscal_year", "region", "measure", "mean", "sd", "p5", "p25", "p50", "p75", "p95", "outcomes",
    ]  # fmt: skip
    assert set(table["outcomes"]) == {"central"}
    certain_year = table.query("fiscal_year == 2024 and measure == 'net'")
    assert certain_year["sd"].tolist() == [0.0] * 4
    assert certain_year["p5"].tolist() == certain_year["p95"].tolist()


def test_quantiles_and_ceilings_by_hand(award):
    found = za.forecast_budget((cohort([1, 1]),), award, assumption()).distribution(2027, "due")
    # 0 .16, 300 .48, 600 .36
    assert [found.quantile(share) for share in (0, 0.16, 0.17, 0.64, 0.65, 1)] == [0, 0, 300, 300, 600, 600]
    assert [found.exceeds(c) for c in (-1, 0, 299, 300, 600)] == pytest.approx([1, 0.84, 0.84, 0.36, 0])
    assert found.mean == pytest.approx(360)
    assert found.sd == pytest.approx(math.sqrt(2 * 0.24) * 300)


def test_known_outcomes_stay_known(award):
    ends = pd.DataFrame([(7, 2, 1)], UNITS[:1], ["completed", "missed", "under_invested"])
    known, open_ = cohort([10], outcomes=ends), cohort([1], "2", (2025, 2028))
    outlook = za.forecast_budget((known, open_), award, assumption())
    assert law(outlook, 2027, "net") == {1800: 1.0}
    assert law(outlook, 2028, "due") == pytest.approx({0: 0.4, 300: 0.6})


def test_closings_of_one_year_add_up(award):
    pair = (cohort([1]), cohort([1], "4", (2026, 2027)))
    found = law(za.forecast_budget(pair, award, assumption()), 2027, "due")
    assert found == pytest.approx({0: 0.16, 300: 0.48, 600: 0.36})


@pytest.mark.parametrize(("mean", "paid"), [("1", 600), ("0", 0)])
def test_an_assumption_that_leaves_no_doubt_is_certain(award, mean, paid):
    sure = assumption(mean, "0.05", "0.05")
    assert len(sure.states.weights) == 1
    assert law(za.forecast_budget((cohort([2]),), award, sure), 2027, "due") == {paid: pytest.approx(1)}


def test_wrong_questions_are_refused(award):
    with pytest.raises(za.ScenarioError, match=r"没有名为“rosy”的期末结果假设；可用：central、optimistic、stress"):
        za.forecast_budget((cohort([1]),), award, "rosy")
    outlook = za.forecast_budget((cohort([1]),), award, assumption())
    with pytest.raises(za.DataError, match=r"2025年没有.*有资金的年度：2024、2027"):
        outlook.distribution(2025)
    with pytest.raises(za.DataError, match=r"没有“paid”这一口径；可用：due、recovered、net"):
        outlook.distribution(2027, "paid")
    with pytest.raises(za.DataError, match=r"没有单位或地区“广东”"):
        outlook.distribution(2027, "due", "广东")
    with pytest.raises(za.DataError, match=r"分位须在0到1之间，现为 95"):
        outlook.distribution(2027).quantile(95)


def test_known_events_are_those_of_the_books(award, panel):
    # A tail paid once, a firm discontinued in 2025, known outcomes: every year is a point, as in the ledger.
    ends = pd.DataFrame([(7, 1, 1)], UNITS[:1], ["completed", "missed", "under_invested"])
    gone = pd.DataFrame({2025: [1]}, pd.Index(UNITS[:1], name="code"))
    known = za.Cohort("1", pd.Series([10], pd.Index(UNITS[:1], name="code")), 2024, 2027, ends, gone)
    everything = (known, *za.tails(panel))
    outlook = za.forecast_budget(everything, award, "central")
    books = za.forecast_budget(everything, award).by_year()
    for year in outlook.years:
        for measure in ("due", "recovered", "net"):
            assert law(outlook, year, measure) == {books.at[year, measure]: pytest.approx(1)}


def test_a_recovery_of_parts_of_a_wan_has_no_exact_distribution(programme, award):
    odd = replace(award, recovered_share=Fraction(1, 7))
    with pytest.raises(za.DataError, match=r"每家收回 42\.857\d* 万元，不是整万元"):
        za.forecast_budget(programme, odd, "central").distribution(2027, "recovered")
