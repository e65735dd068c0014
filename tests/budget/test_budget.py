"""Money: approved firms, payments by fiscal year in whole 万元, outcomes, identities, errors."""

import math
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, strategies as st

import zjtx_alloc as za
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.base import toml_files
from zjtx_alloc.budget.ledger import cohorts as batches
from zjtx_alloc.budget.ledger.budget import MONEY
from zjtx_alloc.rules.award import Payment, award_in_force
from zjtx_alloc.rules.scenario import Approval

HEAD = 'extends = "2024-baseline"\n'
UNITS = ["120000", "310000", "440300"]


@pytest.fixture(scope="module")
def three_batches(panel):
    names = ("2024-baseline", "2025-baseline", "2026-baseline")
    return za.cohorts(*(za.allocate(panel, za.load_scenario(name)) for name in names))


def cohort(firms, outcomes=None, name="1", years=(2024, 2027)):
    """A batch of these firms by unit, its outcomes a row (completed, missed, under_invested) a unit."""
    index = pd.Index(UNITS[: len(firms)], name="code")
    return za.Cohort(name, pd.Series(firms, index=index), *years, outcomes and ends(outcomes))


def ends(rows):
    return pd.DataFrame(rows, UNITS[: len(rows)], ["completed", "missed", "under_invested"])


def test_the_award_is_that_of_the_notice(award):
    assert (award.number, award.issued) == ("财建〔2024〕148号", date(2024, 6, 14))
    assert (award.amount, award.opening, award.closing) == (600, 300, 300)
    assert award.empowerment_cap == Fraction(1, 20)
    assert [award.opening_year(batch) for batch in (1, 2, 3)] == [2024, 2025, 2026]
    assert [award.closing_year(batch) for batch in (1, 2, 3)] == [2027, 2028, 2029]
    assert (award.entry_investment, award.recovery_investment) == (2000, 2000)
    # The year of the closing payment and what is recovered are not in the notice: assumptions, marked as such.
    assert award.parameters.index[award.parameters["assumed"]].tolist() == [
        "implementation_years", "recovered_share", "empowerment_recovered", "discontinued_recovered",
    ]  # fmt: skip
    assert (award.recovered_share, award.empowerment_recovered, award.discontinued_recovered) == (1, True, False)
    assert award.parameters["clause"].ne("").all()


def test_a_batch_is_paid_at_first_for_sure_and_at_the_end_by_its_outcome(award, panel):
    # 四（二）: 期初下达50%, the rest after the evaluation, three years on.
    assert award.payments_of(2) == (("opening", 2025, 300, False), ("closing", 2028, 300, True))
    assert cohort([1, 2]).payments(award) == award.payments_of(1)
    unequal = replace(award, opening=200)
    assert [payment.each for payment in unequal.payments_of(1)] == [200, 400]
    (tail, *_) = za.tails(panel, payment=143)
    assert tail.payments(award) == (("tail", 2024, 143, False),)


@pytest.mark.parametrize("opening", [0, 120, 200, 600])
def test_years_and_steps_follow_any_division_of_the_amount(award, opening):
    divided = replace(award, opening=opening)
    outlook = za.forecast_budget((cohort([3, 2, 1]),), divided, "central")
    table = za.forecast_budget((cohort([3, 2, 1]),), divided).table
    assert table["due"].sum() == 6 * 600
    assert table.groupby("fiscal_year")["due"].sum()[2024] == 6 * opening
    assert outlook.distribution(2027, "due").values[-1] == 6 * (600 - opening)
    assert outlook.distribution(2024, "due").mean == 6 * opening


class Interim(za.Award):
    """The award of the notice, a tenth of it paid a year after the opening instead."""

    def payments(self, first, last):
        opening, closing = super().payments(first, last)
        return opening._replace(each=240), Payment("interim", first + 1, 60, False), closing


def test_a_third_payment_is_followed_by_ledger_forecast_calendar_and_reconciliation(award):
    thrice, made = Interim(**vars(award)), (cohort([3, 2, 1]),)
    books = za.ledger(made, thrice)
    assert books.by_year()["due"].to_dict() == {2024: 1440, 2025: 360, 2026: 0, 2027: 1800}
    assert books.by_year()["commitment"].sum() == 3600
    outlook = za.forecast_budget(made, thrice, "central")
    assert outlook.years == (2024, 2025, 2027)
    assert outlook.distribution(2025, "due").mean == 360
    assert (za.calendar(thrice, made).query("fiscal_year == 2025")["event"] == "正式下达专项转移支付").any()
    paid = pd.DataFrame({"单位": ["天津"], "年度": [2025], "文号": ["财建〔2025〕1号"], "金额": [120]})
    assert za.reconcile(books, paid)["explanation"].iloc[0] == (  # 180 was due, of three firms
        "下列任一均可解释：财建〔2025〕1号的120可能错一位数字，改为180则相符；"
        "或相当于1家企业的资金（每家60万元），请核对审核通过企业数"
    )


def test_an_unknown_award_is_told_with_the_awards_that_there_are():
    with pytest.raises(za.ScenarioError, match="没有名为“caijian”的政策文件；可用：") as caught:
        za.load_award("caijian")
    known = str(caught.value).rpartition("：")[2].split("、")
    assert "caijian-2024-148" in known
    assert [za.load_award(name).name for name in known] == known


def test_three_batches_by_year(three_batches, award):
    # 1039, 1241 and 1241 firms: 300 each at the start and at the end, 600 committed at the start.
    by_year = za.forecast_budget(three_batches, award).by_year()
    assert by_year["due"].to_dict() == {
        2024: 311700, 2025: 372300, 2026: 372300, 2027: 311700, 2028: 372300, 2029: 372300,
    }  # fmt: skip
    assert by_year["commitment"].to_dict() == {2024: 623400, 2025: 744600, 2026: 744600, 2027: 0, 2028: 0, 2029: 0}
    assert by_year["net"].equals(by_year["due"].rename("net"))
    assert by_year["recovered"].eq(0).all()
    # Each unit's 5 % is a whole number (15 a firm), so the national 5 % is exact.
    assert by_year["empowerment"].tolist() == [15585, 18615, 18615, 15585, 18615, 18615]


def test_batches_that_overlap_in_a_year_are_kept_apart(award):
    pair = (cohort([2]), cohort([3], name="4", years=(2027, 2030)))
    found = za.forecast_budget(pair, award)
    assert found.by_year()["due"].to_dict() == {2024: 600, 2027: 600 + 900, 2030: 900}
    assert found.by_batch_and_year()["due"].to_dict() == {
        ("1", 2024): 600, ("1", 2027): 600, ("4", 2027): 900, ("4", 2030): 900,
    }  # fmt: skip


def test_the_cohorts_are_the_quotas_in_batch_order(three_batches, panel, allocation):
    assert [(c.name, int(c.approved.sum()), c.opening_year, c.closing_year) for c in three_batches] == [
        ("1", 1039, 2024, 2027),
        ("2", 1241, 2025, 2028),
        ("3", 1241, 2026, 2029),
    ]
    assert three_batches[0].approved.to_dict() == allocation.quota.to_dict()
    late = za.allocate(panel, za.load_scenario("2026-baseline"))
    assert [c.name for c in za.cohorts(late, allocation)] == ["1", "3"]


def test_tianjins_payment_of_2024(award):
    # 天津市, 财建〔2024〕359号: 5700万元 for 19 firms, of which 285 for empowerment.
    table = za.forecast_budget((cohort([19]),), award).table
    assert table.to_dict("records") == [
        {
            "batch": "1", "code": "120000", "fiscal_year": year, "commitment": commitment,
            "due": 5700, "recovered": 0, "net": 5700, "direct": 5415, "empowerment": 285,
        }
        for year, commitment in ((2024, 11400), (2027, 0))
    ]  # fmt: skip


def test_the_table_has_its_columns_types_and_rows(three_batches, award):
    table = za.forecast_budget(three_batches, award).table
    assert list(table.columns) == [
        "batch", "code", "fiscal_year", "commitment", "due", "recovered", "net", "direct", "empowerment",
    ]  # fmt: skip
    assert len(table) == 3 * 2 * 37
    assert set(table[list(MONEY)].dtypes.astype(str)) == {"int64"}


def test_empowerment_is_rounded_down_to_whole_money(award):
    # 3.3 % of 300 is 9.9, of 600 is 19.8
    table = za.forecast_budget((cohort([1, 2]),), replace(award, empowerment_cap=Fraction("0.033"))).table
    assert table["empowerment"].tolist() == [9, 19] * 2
    assert table["direct"].tolist() == [291, 581] * 2


@pytest.mark.parametrize(
    ("quotas", "rate", "approved"),
    [
        ([10, 10, 5], "1.00", [10, 10, 5]),
        ([10, 10, 5], "0.9", [9, 9, 5]),  # 22.5 rounds half up to 23
        ([3, 3, 3, 1], "0.85", [3, 3, 2, 1]),  # 8.5 to 9; remainders .55 .55 .55 .85, equal ones in order
        ([100], "0.145", [15]),  # 14.5 exactly; in floats 14.499999999999998
        ([1, 1, 1], "0.5", [1, 1, 0]),  # 1.5 to 2
        ([1, 1, 0], "0.2", [0, 0, 0]),  # 0.4 to 0
        ([7, 2], "0", [0, 0]),
    ],
)
def test_approved_firms_by_hand(quotas, rate, approved):
    labels = list("ABCD")[: len(quotas)]
    found = approved_firms(pd.Series(quotas, index=labels), Approval(rate=rate).exact, labels)
    assert found.tolist() == approved


def test_equal_remainders_go_in_the_order_that_is_given():
    quotas = pd.Series([3, 3, 3, 1], index=list("ABCD"))
    assert approved_firms(quotas, Fraction("0.85"), list("DCBA")).to_dict() == {"A": 2, "B": 3, "C": 3, "D": 1}


@given(
    quotas=st.lists(st.integers(0, 60), min_size=1, max_size=37),
    rate=st.integers(0, 1000).map(lambda n: f"{n // 1000}.{n % 1000:03}"),
)
def test_law_approved_firms_are_the_rounded_national_number_within_the_quotas(quotas, rate):
    exact = Approval(rate=rate).exact
    series = pd.Series(quotas, index=[f"{i:02}" for i in range(len(quotas))])
    found = approved_firms(series, exact, list(series.index))
    assert found.sum() == math.floor(sum(quotas) * exact + Fraction(1, 2))
    for firms, places in zip(found, quotas, strict=True):
        assert math.floor(places * exact) <= firms <= min(math.ceil(places * exact), places)


def test_a_scenarios_rate_makes_the_cohort(panel, write_scenario):
    scenario = za.load_scenario(write_scenario(HEAD + '[approval]\nrate = "0.95"\n'))
    (found,) = za.cohorts(za.allocate(panel, scenario))
    assert found.approved.sum() == 987  # 987.05
    assert found.approved["440000"] == 76  # 80 x 0.95


def test_among_equal_remainders_the_larger_entitlement_goes_first(allocation):
    # 1 place at half rate is .5 everywhere: 37 units make 18.5, so 19 firms.
    ones = pd.Series(1, index=allocation.quota.index, dtype="int64", name="quota")
    halved = replace(
        allocation,
        scenario=allocation.scenario.model_copy(update={"approval": Approval(rate="0.5")}),
        solution=replace(allocation.solution, quota=ones),
    )
    (found,) = za.cohorts(halved)
    largest = allocation.entitlement.places.sort_values(ascending=False).index[:19]
    assert set(found.approved.index[found.approved == 1]) == set(largest)


def test_outcomes_by_hand(award):
    # 10 firms: 7 completed, 2 missed (no closing), 1 under-invested (no closing, opening recovered).
    # 1 firm under-invested: it is due nothing more and owes 300, which no payment is there to net.
    table = za.forecast_budget((cohort([10, 1], [(7, 2, 1), (0, 0, 1)]),), award).table
    assert table[["code", "fiscal_year", *MONEY]].to_numpy().tolist() == [
        ["120000", 2024, 6000, 3000, 0, 3000, 2850, 150],
        ["310000", 2024, 600, 300, 0, 300, 285, 15],
        ["120000", 2027, 0, 2100, 300, 1800, 1995, 105],
        ["310000", 2027, 0, 0, 300, 0, 0, 0],
    ]


def test_outcomes_that_are_toldreplace_those_a_cohort_carries(award):
    carried = cohort([10], [(0, 10, 0)])
    closing = [za.forecast_budget((carried,), award, told).by_year().at[2027, "due"] for told in (None, {})]
    assert closing == [0, 0]
    told = {"1": ends([(4, 6, 0)])}
    assert za.forecast_budget((carried,), award, told).by_year().at[2027, "due"] == 1200


outcome_rows = st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=3)


@pytest.mark.thorough
@given(rows=outcome_rows)
def test_law_money_adds_up(award, rows):
    table = za.forecast_budget((cohort([sum(row) for row in rows], rows),), award).table
    assert (table["direct"] + table["empowerment"]).equals(table["due"].rename(None))
    assert table["net"].tolist() == (table["due"] - table["recovered"]).clip(lower=0).tolist()
    assert (20 * table["empowerment"]).le(table["due"]).all()
    lost = sum(missed + under for _, missed, under in rows)
    assert table["due"].sum() + 300 * lost == table["commitment"].sum() == 600 * sum(map(sum, rows))
    assert table["recovered"].sum() == 300 * sum(under for *_, under in rows)


def test_two_scenarios_of_one_batch_are_an_error(panel, allocation, write_scenario):
    other = za.allocate(panel, za.load_scenario(write_scenario(HEAD)))
    with pytest.raises(za.ScenarioError, match=r"情景 trial 与另一情景同为第1批"):
        za.cohorts(allocation, other)


def test_batches_under_different_awards_are_an_error(panel, allocation, award, monkeypatch):
    monkeypatch.setattr(batches, "load_award", lambda name: award)
    other = replace(allocation, scenario=allocation.scenario.model_copy(update={"award": "other", "batch": 2}))
    with pytest.raises(za.ScenarioError, match=r"奖补标准（award）不同：caijian-2024-148、other"):
        za.cohorts(allocation, other)


def test_a_batch_beyond_the_notice_is_an_error(panel, award, write_scenario):
    allocation = za.allocate(panel, za.load_scenario(write_scenario(HEAD + "batch = 4\n")))
    with pytest.raises(za.ScenarioError, match=r"批次 4 不在政策规定的批次内（财建〔2024〕148号：1至3）"):
        za.cohorts(allocation)
    with pytest.raises(za.ScenarioError, match=r"批次 0 "):
        award.opening_year(0)


BAD = {
    "outcomes that do not add up": (lambda: cohort([10, 5], [(7, 2, 1), (4, 0, 0)]), "第1批.*审核通过企业数：310000$"),
    "negative outcome": (lambda: cohort([10], [(11, -1, 0)]), "非负整数.*：120000$"),
    "fraction of a firm": (lambda: cohort([10], [(9.5, 0.5, 0)]), "非负整数.*：120000$"),
    "unit without outcomes": (lambda: cohort([10, 5], [(10, 0, 0)]), "须有全部单位"),
    "unit twice": (lambda: replace(cohort([10]), outcomes=pd.concat([ends([(10, 0, 0)])] * 2)), "期末结果"),
    "column missing": (
        lambda: replace(cohort([10]), outcomes=ends([(10, 0, 0)])[["completed"]]),
        "第1批的期末结果须有全部单位.*completed、missed",
    ),
    "negative firms": (lambda: cohort([-1]), "第1批.*非负整数：120000$"),
    "half a firm approved": (lambda: cohort([1.5]), "非负整数：120000$"),
    "firms without end": (lambda: cohort([1, float("inf")]), "非负整数：310000$"),
    "firms unknown": (lambda: cohort([pd.NA, 1]), "非负整数：120000$"),
    "firms in words": (lambda: cohort([1, "三"]), "非负整数：310000$"),
    "outcomes unknown": (lambda: cohort([10, 5], [(10, 0, 0), (5, pd.NA, 0)]), "期末结果.*：310000$"),
    "years backwards": (lambda: cohort([1], years=(2027, 2024)), "期末年度 2024 早于期初年度 2027"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_cohort_is_refused(case):
    make, message = BAD[case]
    with pytest.raises(za.DataError, match=message):
        make()


def test_a_tail_of_nothing_is_a_tail():
    assert replace(cohort([5], years=(2024, 2024)), payment=0).payment == 0


def test_wrong_outcomes_of_a_forecast_are_refused(award):
    with pytest.raises(za.DataError, match=r"批次不存在：2"):
        za.forecast_budget((cohort([10]),), award, {"2": ends([(10, 0, 0)])})
    with pytest.raises(za.DataError, match=r"第1批.*：120000$"):
        za.forecast_budget((cohort([10]),), award, {"1": ends([(9, 0, 0)])})


def test_an_unknown_policy_is_an_error_that_says_what_is_there():
    with pytest.raises(za.ScenarioError, match=r"“caijian-2021-2”的政策文件；可用：caijian-2024-148"):
        za.load_award("caijian-2021-2")


def test_the_award_in_force_is_the_last_that_has_the_batch_and_is_in_effect(tmp_path, monkeypatch):
    """A notice of 2026 rules the third batch (opened in 2026), not the second (2025); nor does one with two batches."""
    text = toml_files.shipped("data", "policy", "caijian-2024-148.toml").read_text(encoding="utf-8")
    later = text.replace('effective = "2024-06-14"', 'effective = "2026-03-01"')
    two = later.replace("2026-03-01", "2026-04-01").replace(
        'value = "3"\nmeasure = "批"', 'value = "2"\nmeasure = "批"'
    )
    for name, content in (("first", text), ("later", later), ("two", two)):
        (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
    monkeypatch.setattr(toml_files, "shipped", lambda *parts: tmp_path)
    assert [award_in_force(batch).name for batch in (1, 2, 3)] == ["first", "first", "later"]
    days = (date(2024, 1, 1), date(2026, 2, 28), date(2026, 3, 1), date(2027, 1, 1))
    assert [award_in_force(on=day).name for day in days] == ["first", "first", "later", "two"]
    assert award_in_force().name == "two"


def test_a_scenario_may_name_an_award_and_else_has_that_in_force(baseline):
    assert baseline.award == "caijian-2024-148"
    assert "award" not in baseline.resolved()
    plain = baseline.model_dump()
    named = type(baseline).model_validate(plain | {"award": "another"})
    del plain["award"]
    assert type(baseline).model_validate(plain).award == "caijian-2024-148"
    assert (named.award, named.resolved()["award"]) == ("another", "another")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('value = "0"', 'value = "2"', "discontinued_recovered 只能是 0（否）或 1（是），现为 2.0"),
        ('value = "0.5"', 'value = "0.333"', "opening_share 使金额或年数不是整数"),
        ("[parameters.recovered_share]", "[parameters.recovered]", "缺少参数 recovered_share"),
        ('clause = "四（一）"', "", "parameters.amount.clause：缺少此项"),
    ],
)
def test_a_malformed_policy_is_refused(tmp_path, monkeypatch, old, new, said):
    text = toml_files.shipped("data", "policy", "caijian-2024-148.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "trial.toml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(toml_files, "shipped", lambda *parts: tmp_path / Path(*parts[2:]))
    with pytest.raises(za.ScenarioError, match=said):
        za.load_award("trial")
