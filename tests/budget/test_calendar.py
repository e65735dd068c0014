"""The calendar: the notice's and the budget law's days by cohort, and what each rests on."""

from datetime import date

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.calendar import BASES

AWARD = za.load_award("caijian-2024-148")


@pytest.fixture(scope="module")
def dates():
    return za.calendar(AWARD)


def days(table, cohort, words):
    found = table[(table["cohort"] == cohort) & table["event"].str.contains(words)]
    return list(zip(found["date"], found["basis"], strict=True))


def test_plans_were_due_on_31_july_2024_and_by_analogy_later(dates):
    # 通知 六 speaks of the first batch only.
    assert days(dates, "第1批", "实施方案") == [(date(2024, 7, 31), "fixed")]
    assert days(dates, "第2批", "实施方案") == [(date(2025, 7, 31), "analogy")]
    assert days(dates, "第3批", "实施方案") == [(date(2026, 7, 31), "analogy")]


def test_evaluations_are_due_every_30_april_of_the_support(dates):
    # 通知 三（六）: 每年4月30日前.
    assert days(dates, "第2批", "年度绩效评价") == [(date(year, 4, 30), "fixed") for year in (2026, 2027, 2028)]


def test_transfers_are_released_early_by_31_october_and_in_full_90_days_after_the_budget(dates):
    # 财预〔2015〕230号 第十九条: 31 October, then 30 days; 预算法 第五十二条: 90 days, then 30.
    # The congress approved the budget of 2026 on 12 March: 12 March + 90 days = 10 June, + 30 = 10 July.
    assert days(dates, "第3批", "提前下达专项")[0] == (date(2025, 10, 31), "fixed")
    assert days(dates, "第3批", "提前下达数")[0] == (date(2025, 11, 30), "computed")
    assert days(dates, "第3批", "批准预算")[0] == (date(2026, 3, 12), "known")
    assert days(dates, "第3批", "正式下达")[0] == (date(2026, 6, 10), "computed")
    assert days(dates, "第3批", "^专项转移支付下达市县")[0] == (date(2026, 7, 10), "computed")
    # 2029 is not known: 11 March by analogy, and so is what is counted from it.
    assert days(dates, "第3批", "批准预算")[1] == (date(2029, 3, 11), "analogy")
    assert days(dates, "第3批", "正式下达")[1] == (date(2029, 6, 9), "analogy")
    assert days(dates, "第3批", "^专项转移支付下达市县")[1] == (date(2029, 7, 9), "analogy")


def test_the_settlement_has_a_year_and_no_day(dates):
    assert days(dates, "第1批", "清算") == [(None, "undated")]
    assert dates.loc[dates["basis"] == "undated", "fiscal_year"].tolist() == [2027, 2028, 2029]


def test_days_before_the_notice_concern_nobody(dates):
    # Batch 1's budget was approved, and its 90 days ended, before 2024-06-14.
    assert dates["date"].dropna().min() > AWARD.issued
    assert not ((dates["cohort"] == "第1批") & (dates["fiscal_year"] == 2024) & (dates["document"] == "预算法")).any()


def test_every_day_has_its_clause_and_the_days_are_in_order(dates):
    assert dates[["event", "who", "document", "clause"]].ne("").all(axis=None)
    assert set(dates["basis"]) == set(BASES)
    known = dates["date"].dropna().tolist()
    assert known == sorted(known)


def test_a_tail_has_the_dates_of_its_one_payment():
    tail = za.Cohort("上一轮第一批第三年", pd.Series([3], index=["120000"]), 2024, 2024, payment=200)
    found = za.calendar(AWARD, (tail,))
    # 财建〔2024〕142号 came on 8 June 2024, a day before the 90 days after 11 March were over.
    assert days(found, "上一轮第一批第三年", "正式下达") == [(date(2024, 6, 9), "computed")]
    assert set(found["document"]) == {"财预〔2015〕230号", "预算法"}


def test_a_cohort_in_other_years_has_its_own_dates():
    late = za.Cohort("1", pd.Series([3], index=["120000"]), 2024, 2028)
    found = za.calendar(AWARD, (late,))
    assert [day.year for day, _ in days(found, "第1批", "年度绩效评价")] == [2025, 2026, 2027, 2028]
    assert found.loc[found["basis"] == "undated", "fiscal_year"].tolist() == [2028]
