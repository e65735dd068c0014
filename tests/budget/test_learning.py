"""What known results say of the rest: by hand, by enumeration, by drawing."""

import datetime
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from support.cohorts_by_hand import AWARD, UNITS, by_unit, cohort

import zjtx_alloc as za
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.budget import ceilings
from zjtx_alloc.budget.joint import money_over, within
from zjtx_alloc.budget.learning import Learned, early_share

NOVEMBER = datetime.date(2026, 11, 30)


def assumption(missed="1", gone="0", rho_unit="0", rho_nation="0.32", common="0.5"):
    """States 0, .5 and 1 of weights .16, .68 and .16: mean .5, variance .32/4 = .08."""
    return za.OutcomeAssumption(
        name="trial", title="试算", completed={"low": "0", "mean": "0.5", "high": "1"},
        otherwise={"missed": missed, "discontinued": gone, "under_invested": "0"},
        rho_unit=rho_unit, rho_nation=rho_nation, nodes=3, common_experience=common, basis={},
    )  # fmt: skip


def left(rows, year=2026):
    return by_unit([(row,) for row in rows], [year])


def mean(outlook, year, measure="due"):
    return outlook.distribution(year, measure).mean


@pytest.mark.parametrize(("common", "rate"), [("0", 0.50), ("0.5", 0.58), ("1", 0.66)])
def test_a_known_outcome_by_hand(common, rate):
    # Batch 1's only firm completed: weights in proportion to p, so 0, .68, .32, and a mean of .66.
    pair = (cohort([1], [(1, 0, 0)]), cohort([1], name="2", years=(2025, 2028)))
    outlook = za.forecast_budget(pair, AWARD, assumption(common=common))
    assert Learned(outlook.outcomes, pair).posterior == pytest.approx([0, 0.68, 0.32])
    assert mean(outlook, 2027) == 300
    assert mean(outlook, 2028) == pytest.approx(300 * rate)


def test_units_and_batches_speak_by_their_totals():
    # One of two firms completed, whichever: 2p(1-p) leaves only the state .5. Another batch that saw none adds nothing.
    pair = (cohort([1, 1], [(1, 0, 0), (0, 1, 0)]), cohort([1], [(0, 1, 0)], "2", (2025, 2028)))
    found = Learned(assumption(), pair)
    assert found.posterior == pytest.approx([0, 1, 0])
    # Batch 2 alone: 1 - p, so .32, .68, 0.
    assert Learned(assumption(), pair[1:]).posterior == pytest.approx([0.32, 0.68, 0])


def test_known_units_keep_their_outcomes_and_the_others_are_drawn():
    # One of two units is known: the other has the mean .66 of what was learned, the next batch .58.
    known = cohort([1, 1], [(1, 0, 0), (pd.NA, pd.NA, pd.NA)])
    outlook = za.forecast_budget((known, cohort([1], name="2", years=(2025, 2028))), AWARD, assumption())
    assert mean(outlook, 2027) == pytest.approx(300 * 1.66)
    assert outlook.distribution(2027, "due", UNITS[0]).values.tolist() == [300]
    assert mean(outlook, 2028) == pytest.approx(300 * 0.58)
    books = za.ledger((known,), AWARD)
    assert books.assumed_completed == ("1",)
    assert books.by_year()["due"][2027] == 600


def test_who_has_left_is_not_drawn_again():
    # One state: p = .5, and half of the others leave, half of them by the one evaluation of two. Of two firms
    # one left; the other had the shares .5, .25, .125, .125 and did not leave early: .5/.875.
    gone = cohort([2], discontinued=left([1], 2025))
    outlook = za.forecast_budget((gone,), AWARD, assumption("0.5", "0.5", rho_nation="0"))
    assert early_share(gone, None) == pytest.approx(1 / 2)
    assert mean(outlook, 2027) == pytest.approx(300 * 4 / 7)
    # By November 2026 both were held: .5/.75.
    outlook = za.forecast_budget((gone,), AWARD, outlook.outcomes, as_of=NOVEMBER)
    assert mean(outlook, 2027) == pytest.approx(300 * 2 / 3)


@pytest.mark.parametrize("rho", ["0", "0.5"])
def test_departures_that_were_expected_change_no_mean(rho):
    # p = .5, a fifth of the others leave: 10 of 100 firms left, as expected, and all evaluations are over.
    plain, gone = cohort([60, 40]), cohort([60, 40], discontinued=left([6, 4]))
    declared = assumption("0.8", "0.2", rho, "0")
    before, after = (za.forecast_budget((one,), AWARD, declared, as_of=NOVEMBER) for one in (plain, gone))
    assert mean(after, 2027) == pytest.approx(mean(before, 2027), rel=1e-12) == 15_000


def test_nothing_reported_is_not_none_left():
    # All who do not complete leave. A firm that stayed is sure to complete; a unit that has not reported says nothing,
    # and its firm completes with the declared .5: who stays in one unit tells nothing of completion in another.
    declared = assumption("0", "1")
    silent = za.forecast_budget((cohort([1, 1]),), AWARD, declared, as_of=NOVEMBER)
    assert mean(silent, 2027) == pytest.approx(300)
    told = za.forecast_budget((cohort([1, 1], discontinued=left([0, pd.NA])),), AWARD, declared, as_of=NOVEMBER)
    assert mean(told, 2027) == pytest.approx(300 * 1.5)
    assert told.distribution(2027, "due", UNITS[0]).values.tolist() == [300]
    nobody = cohort([1, 1], discontinued=left([pd.NA, pd.NA]))
    assert nobody.discontinued is None
    assert not nobody.reported.any()


@pytest.mark.parametrize(
    ("year", "day", "firms", "share"),
    [
        (2025, datetime.date(2025, 4, 29), 0, 0),  # the first evaluation is reported on 30 April 2025
        (2025, datetime.date(2025, 4, 30), 0, 1 / 2),
        (2025, datetime.date(2026, 4, 29), 3, 1 / 2),
        (2025, NOVEMBER, 3, 1),
        (2025, None, 0, 1 / 2),  # no day: the end of the last year that was reported
        (2026, None, 0, 1),
        (2024, datetime.date(2024, 12, 1), 3, 1 / 2),  # who has left shows that an evaluation was as good as held
        (2026, datetime.date(2026, 3, 1), 3, 1),
        (2027, None, 3, 1),
    ],
)
def test_the_share_of_departures_that_a_day_can_know(year, day, firms, share):
    assert early_share(cohort([9], discontinued=left([firms], year)), day) == share


def test_before_the_first_evaluation_nothing_is_learned():
    none_yet = cohort([5], name="3", years=(2026, 2029), discontinued=left([0], 2026))
    outlook = za.forecast_budget((none_yet,), AWARD, assumption("0.5", "0.5"), as_of=NOVEMBER)
    assert not outlook.known.is_any
    assert mean(outlook, 2029) == pytest.approx(300 * 5 * 0.5)


def test_evidence_of_other_cohorts_counts():
    known, open_ = cohort([1], [(1, 0, 0)]), cohort([1], name="2", years=(2025, 2028))
    outlook = za.BudgetOutlook((open_,), AWARD, assumption(), evidence=Learned(assumption(), (known, open_)))
    assert mean(outlook, 2028) == pytest.approx(300 * 0.58)


def test_expected_cohorts_book_what_was_learned():
    # 50 of 50 firms completed: only the state 1 is left; the next batch has .5 x 1 + .5 x .5 = .75 of 20.
    pair = (cohort([50], [(50, 0, 0)]), cohort([20], name="2", years=(2025, 2028)))
    known, expected = za.expected_cohorts(pair, assumption())
    assert known is pair[0]
    assert expected.outcomes.iloc[0].to_dict() == {"completed": 15, "missed": 5, "under_invested": 0}
    assert "均值已按已知结果更新（共同经验份额0.5）" in expected.assumption
    assert "有批次结果已知时，其余批次按共同经验份额0.5（假设）更新" in expected.assumption


def test_expected_cohorts_keep_who_has_left_and_who_is_known():
    # One state: .5 complete, half of the others leave. The first unit is known, the second reported 5 of 20 gone and
    # both evaluations are over: 2/3 of 15 complete, the rest misses; the third has not reported: half of 12, then 3 and 3.
    ends = [(4, 0, 0), (pd.NA, pd.NA, pd.NA), (pd.NA, pd.NA, pd.NA)]
    partly = cohort([4, 20, 12], ends, discontinued=left([0, 5, pd.NA]))
    (booked,) = za.expected_cohorts((partly,), assumption("0.5", "0.5", rho_nation="0"), NOVEMBER)
    assert booked.outcomes["completed"].tolist() == [4, 10, 6]
    assert booked.outcomes["missed"].tolist() == [0, 5, 3]
    assert booked.discontinued.to_numpy().tolist() == [[0, 0], [5, 0], [0, 3]]


def test_before_and_after_stand_side_by_side():
    pair = (cohort([1], [(1, 0, 0)]), cohort([1], name="2", years=(2025, 2028)))
    told = za.forecast_budget(pair, AWARD, assumption()).learned().set_index("cohort")
    assert told["rate_before"].tolist() == pytest.approx([0.5, 0.5])
    assert told["rate_after"].tolist() == pytest.approx([0.66, 0.58])
    assert told["net_before"].tolist() == pytest.approx([150, 150])
    assert told["net_after"].tolist() == pytest.approx([300, 174])
    assert told.loc["1", ["outcome", "units", "firms", "observed", "low", "high", "outside"]].tolist() == [
        "completed", 1, 1, 1.0, 0.0, 1.0, "",
    ]  # fmt: skip
    assert told.loc["2", ["outcome", "firms"]].tolist() == ["", 0]
    assert np.isnan(told.loc["2", "observed"])


@pytest.mark.parametrize(("completed", "outside", "near"), [(3, "below", 0.35), (6, "", 0.60), (10, "above", 0.87)])
def test_results_outside_the_declared_range_are_said_and_not_bent(completed, outside, near):
    known = cohort([300], [(30 * completed, 300 - 30 * completed, 0)])
    outlook = za.forecast_budget((known, cohort([100], name="2", years=(2025, 2028))), AWARD, "central")
    (row,) = outlook.learned().query("cohort == '1'").to_dict("records")
    assert (row["outside"], row["observed"]) == (outside, completed / 10)
    assert (row["low"], row["high"]) == pytest.approx((0.35, 0.87))
    assert 0.35 <= row["rate_after"] <= 0.87
    assert abs(row["rate_after"] - near) < 0.13


def test_departures_beyond_the_declared_are_said():
    # central: 30 % of 13 to 65 % leave, all of them by November 2026.
    outlook = za.forecast_budget((cohort([100], discontinued=left([30])),), AWARD, "central", as_of=NOVEMBER)
    (row,) = outlook.learned().to_dict("records")
    assert (row["outcome"], row["observed"], row["outside"]) == ("discontinued", 0.3, "above")
    assert (row["low"], row["high"]) == pytest.approx((0.039, 0.195))


@pytest.mark.parametrize(("completed", "rate"), [(0, 0.58), (2000, 1.0)])
def test_the_most_unlikely_results_still_have_a_posterior(completed, rate):
    # .42 to the power of 2000 is 1e-754, less than any float; whatever is left is the nearest end of the range.
    known = cohort([2000], [(completed, 2000 - completed, 0)])
    declared = za.load_outcomes("optimistic").model_copy(update={"rho_unit": "0"})
    found = Learned(declared, (known,))
    assert found.posterior @ declared.states.rates["completed"] == pytest.approx(rate, abs=1e-9)
    assert found.seen(known)[0].outside == ("below" if completed == 0 else "")


def test_the_likelihood_is_the_binomial_without_correlation():
    # 7 of 12 firms in units of 8, 3 and 1: binomial weights p^7 (1 - p)^5 of the states.
    known = (cohort([8, 3, 1], [(5, 3, 0), (2, 1, 0), (0, 1, 0)]),)
    declared = za.load_outcomes("central").model_copy(update={"rho_unit": "0"})
    states = declared.states
    p = states.rates["completed"].to_numpy()
    weights = states.weights * p**7 * (1 - p) ** 5
    assert Learned(declared, known).posterior == pytest.approx(weights / weights.sum(), rel=1e-10)


def test_what_an_assumption_rules_out_is_an_error():
    sure = assumption(rho_nation="0").model_copy(
        update={"completed": assumption().completed.model_copy(update={"low": "1", "mean": "1", "high": "1"})}
    )
    pair = (cohort([5], [(4, 1, 0)]), cohort([1], name="2", years=(2025, 2028)))
    with pytest.raises(za.ScenarioError, match=r"第1批已知5家中有4家“完成”，而“试算”假设认为这不可能出现；请放宽"):
        za.forecast_budget(pair, AWARD, sure).distribution(2028)


def test_partly_known_tables_are_checked_where_they_are_known():
    with pytest.raises(za.DataError, match=r"审核通过企业数：310000$"):
        cohort([1, 2], [(pd.NA, pd.NA, pd.NA), (1, 0, 0)])
    with pytest.raises(za.DataError, match=r"超过审核通过企业数：310000"):
        cohort([1, 2], discontinued=left([pd.NA, 3]))
    with pytest.raises(za.DataError, match=r"120000"):
        cohort([5], discontinued=by_unit([(1, pd.NA)], [2025, 2026]))


@pytest.mark.parametrize("name", ["central", "optimistic", "stress"])
@pytest.mark.parametrize("times", [0, 0.5, 1, 1.5])
def test_departures_never_narrow_the_range(name, times):
    # Compared with the declared range moved by the firms still there over those expected; more than all cannot complete.
    declared, firms = za.load_outcomes(name), [120, 90, 60]
    expected = (1 - float(declared.completed.mean)) * float(declared.otherwise.discontinued)
    gone = [round(times * expected * n) for n in firms]
    before = za.forecast_budget((cohort(firms),), AWARD, declared).distribution(2027, "due")
    outlook = za.forecast_budget((cohort(firms, discontinued=left(gone)),), AWARD, declared, as_of=NOVEMBER)
    after, moved = outlook.distribution(2027, "due"), (1 - sum(gone) / 270) / (1 - expected)
    (low, high), (least, most) = ([d.quantile(share) for share in (0.05, 0.95)] for d in (before, after))
    assert after.mean == pytest.approx(before.mean * moved, rel=4e-3)
    assert least <= low * moved
    assert most >= min(high * moved, 300 * (270 - sum(gone)))
    if name != "optimistic":  # which lets all firms complete
        assert most - least > high - low
        assert after.sd > before.sd


@pytest.mark.parametrize("parts", [("0.7", "0.1"), ("0.5", "0.3"), ("0.3", "0.5")])
def test_the_assumed_share_that_leaves_moves_no_other_batch(parts):
    declared = za.load_outcomes("central")
    declared = declared.model_copy(
        update={
            "otherwise": declared.otherwise.model_copy(update=dict(zip(("missed", "discontinued"), parts, strict=True)))
        }
    )
    pair = (cohort([50, 40], discontinued=left([0, pd.NA])), cohort([30], name="2", years=(2025, 2028)))
    outlook = za.forecast_budget(pair, AWARD, declared, as_of=NOVEMBER)
    assert mean(outlook, 2028) == pytest.approx(300 * 30 * 0.6)
    assert outlook.distribution(2027, "due", UNITS[1]).mean == pytest.approx(300 * 40 * 0.6)
    assert mean(outlook, 2027) - 300 * 40 * 0.6 == pytest.approx(300 * 50 * 0.6 / (1 - 0.4 * float(parts[1])), rel=1e-2)


def test_departures_teach_the_rate_of_leaving_of_the_others():
    # Three of three gone in states that let 0, .25 and .5 leave: weights .68/64 and .16/8, so .34 and .66 of them.
    pair = (cohort([3], discontinued=left([3])), cohort([1000], name="2", years=(2025, 2028)))
    outlook = za.forecast_budget(pair, AWARD, assumption("0.5", "0.5"), as_of=NOVEMBER)
    told = outlook.learned().set_index("cohort")
    learned = (0.25 * 0.68 / 64 + 0.5 * 0.16 / 8) / (0.68 / 64 + 0.16 / 8)
    assert told["gone_rate_before"].tolist() == pytest.approx([0.25, 0.25])
    assert told["gone_rate_after"].tolist() == pytest.approx([learned, (learned + 0.25) / 2])
    assert told["gone_rate_results"].tolist() == [3, 3]
    booked = za.expected_cohorts(pair, outlook.outcomes, NOVEMBER)[1]
    assert booked.outcomes["completed"].tolist() == [500]
    assert booked.left.sum().sum() == round(1000 * (learned + 0.25) / 2)


@pytest.mark.parametrize("gone", [0, 60])
def test_outcomes_beside_departures_settle_how_they_go_together(gone):
    # 60 % of 500 completed where as many left as in the other unit: that completes 60 % of its firms too, not 68.
    ends = [(300, 200 - gone, 0), (pd.NA, pd.NA, pd.NA)]
    outlook = za.forecast_budget(
        (cohort([500, 500], ends, discontinued=left([gone, gone])),), AWARD, "central", as_of=NOVEMBER
    )
    assert outlook.distribution(2027, "due", UNITS[1]).mean == pytest.approx(300 * 300, rel=0.01)


@pytest.mark.thorough
def test_known_departures_agree_with_drawing_from_the_model():
    """States, ends of the rate of leaving and rates of leaving are drawn, then firms; what was reported is picked out."""
    declared = za.OutcomeAssumption(
        name="trial", title="试算", completed={"low": "0.2", "mean": "0.5", "high": "0.8"},
        otherwise={"missed": "0.5", "discontinued": "0.3", "under_invested": "0.2"},
        rho_unit="0.1", rho_nation="0.1", nodes=3, common_experience="0.5", basis={},
    )  # fmt: skip
    pair = (cohort([4, 3], discontinued=left([1, 0])), cohort([5], name="2", years=(2025, 2028)))
    outlook = za.forecast_budget(pair, AWARD, declared, as_of=NOVEMBER)
    rng, draws, alike = np.random.default_rng(7), 400_000, 1 / 0.1 - 1
    rates, weights = np.array([0.2, 0.5, 0.8]), np.array([5 / 36, 26 / 36, 5 / 36])  # variance .025 = 2 x .09 x 5/36
    rate, leaving = rates[rng.choice(3, draws, p=weights)], 0.3 * (1 - rates[rng.choice(3, draws, p=weights)])
    end = rng.integers(0, 2, draws) * 2 - 1
    left_of = [rng.binomial(n, rng.beta(alike * leaving, alike * (1 - leaving))) for n in (4, 3)]
    picked = sum(left_of) == 1
    # The rate of leaving that goes with completion is .15, or the .8 (1 - p) that may leave; ends: none, or twice the effect.
    whole = 1 - np.minimum(0.15, 0.8 * (1 - rate))
    share = rate * (1 / whole + end * np.minimum(1 / whole - 1, 1 / rate - 1 / whole))
    ended = sum(rng.binomial(n, beta(rng, alike * whole * share, alike * whole * (1 - share))) for n in (3, 3))
    other = rng.binomial(5, rng.beta(alike * rate, alike * (1 - rate)))
    told = outlook.learned()
    error = 4 / np.sqrt(picked.sum())
    assert picked.sum() > 50_000
    assert told.loc[0, "gone_rate_after"] == pytest.approx(leaving[picked].mean(), abs=error * 0.05)
    assert told.loc[0, "rate_after"] == pytest.approx(rate[picked].mean(), abs=error * 0.16)
    for year, firms in ((2027, ended), (2028, other)):
        found = outlook.distribution(year, "due")
        drawn = np.bincount(firms[picked], minlength=7) / picked.sum()
        exact = pd.Series(found.probability, found.values // 300).reindex(range(7), fill_value=0.0)
        assert exact.tolist() == pytest.approx(drawn.tolist(), abs=error / 2)
    both = np.mean((ended + other)[picked] >= 10)
    total = money_over(outlook, (2027, 2028), "due")
    assert total.exceeds(300 * 10 - 1) == pytest.approx(both, abs=error * 0.5)


def beta(rng, a, b):
    """Beta draws, with the share that is sure where a side has no weight."""
    return rng.beta(np.maximum(a, 1e-12), np.maximum(b, 1e-12))


# --- the shipped programme --------------------------------------------------------------------------------------------


def shipped(panel):
    names = ("2024-baseline", "2025-baseline", "2026-baseline")
    return za.cohorts(*(za.allocate(panel, za.load_scenario(name)) for name in names))


def departed(batches, share, year=2026):
    """Batch 1 with this share of its firms reported gone in a year, by November 2026."""
    gone = approved_firms(batches[0].approved, share)
    return replace(batches[0], discontinued=pd.DataFrame({year: gone})), *batches[1:]


@pytest.mark.thorough
def test_departures_that_central_contains_leave_its_closing(panel, award):
    # 125 of 1039 firms are 12.03 %; central expects 12.
    batches = shipped(panel)
    outlook = za.forecast_budget(departed(batches, Fraction(12, 100)), award, "central", as_of=NOVEMBER)
    before = za.forecast_budget(batches, award, "central")
    assert round(mean(before, 2027)) == 187_020
    assert round(mean(outlook, 2027)) == 186_931


# No, few and many gone once moved the mean of 2027 to 273,474, 206,904 and 96,882 through an assumed share.
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("gone", "due", "net"), [(0, 212_496, 184_959), (79, 196_339, 170_948), (204, 170_774, 148_779)]
)
def test_departures_alone_move_money_by_the_firms_still_there(panel, award, gone, due, net):
    batches = shipped(panel)
    before = za.forecast_budget(batches, award, "central")
    outlook = za.forecast_budget(departed(batches, Fraction(gone, 1039)), award, "central", as_of=NOVEMBER)
    assert round(before.distribution(2027).mean) == 162_642
    assert round(mean(outlook, 2027)) == due == pytest.approx(187_020 * (1039 - gone) / (1039 * 0.88), rel=2e-4)
    assert round(outlook.distribution(2027).mean) == net
    told = outlook.learned()
    for name in ("rate", "rate_p5", "rate_p95"):
        known, declared = (told[name.replace("rate", f"rate_{when}")] for when in ("after", "before"))
        assert known.tolist() == declared.tolist()
    assert (told["rate_results"] == 0).all()
    assert (told["gone_rate_results"] == 1039).all()
    wide, declared = (told.loc[0, f"net_{when}_p95"] - told.loc[0, f"net_{when}_p5"] for when in ("after", "before"))
    assert wide > declared
    assert mean(outlook, 2028) == pytest.approx(mean(before, 2028), rel=1e-12)


@pytest.mark.thorough
@pytest.mark.parametrize("day", [None, NOVEMBER])
def test_ceilings_are_kept_under_what_is_known(panel, award, monkeypatch, day):
    # Batches 1 and 2 move, 3 stays; what batch 1 has shown counts for all, and the years keep their ceilings together.
    # Departures of 2025: on a day of November 2026 both evaluations were held, at the end of 2025 one. 北京 is over already.
    allocations = tuple(za.allocate(panel, za.load_scenario(f"{year}-baseline")) for year in (2024, 2025, 2026))
    one, *others = departed(za.cohorts(*allocations), Fraction(6, 100), 2025)
    ends = pd.DataFrame(pd.NA, one.approved.index, ["completed", "missed", "under_invested"], dtype="Int64")
    ends.loc["110000"] = [one.continued["110000"] - 9, 9, 0]
    known = (replace(one, outcomes=ends), *others)
    monkeypatch.setattr(ceilings, "cohorts", lambda *_: known)
    most = {2027: 190_000, 2028: 230_000}
    outlook = za.forecast_budget(known, award, "central", as_of=day)
    outcomes = outlook if day else za.load_outcomes("central")
    question = ceilings.Question(most, (1, 2), allocations, outcomes, 0.9)
    parts = [question.due((cohort,)) for cohort in known[:2]]
    assert outlook.weights.ndim == 2
    assert question.chance(*parts) == pytest.approx(within(outlook, {year: (0, money) for year, money in most.items()}))
    alone = [1 - outlook.exceeds(year, money) for year, money in most.items()]
    assert question.by_year(*parts)["kept"].tolist() == pytest.approx(alone)
