"""Settlement (清算): which outcome a firm reaches at its boundaries, and what each means in money."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from support.cohorts_by_hand import AWARD

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.settlement import outcome_of, settlement_of


@pytest.mark.parametrize(
    ("investment", "achieved", "missed"),
    [
        (1999, "under_invested", "under_invested"),
        (Decimal("1999.9999"), "under_invested", "under_invested"),
        (2000, "completed", "missed"),  # 未达2000万元: exactly 2000 is not below
        (Decimal("2000.0001"), "completed", "missed"),
        (2001, "completed", "missed"),
    ],
)
def test_exactly_2000_is_not_recovered(investment, achieved, missed):
    assert outcome_of(investment, True, AWARD) == achieved
    assert outcome_of(investment, False, AWARD) == missed


@pytest.mark.parametrize("investment", [-1, float("nan"), float("inf"), Decimal("NaN"), None])
def test_an_investment_that_is_no_amount_is_refused(investment):
    with pytest.raises(za.DataError, match="投资额须为非负数"):
        outcome_of(investment, True, AWARD)


@pytest.mark.parametrize(
    ("outcome", "changes", "money"),
    [
        ("completed", {}, (300, 0, 0)),
        ("missed", {}, (0, 300, 0)),
        ("under_invested", {}, (0, 300, 300)),
        ("under_invested", {"empowerment_recovered": False}, (0, 300, 285)),
        ("under_invested", {"recovered_share": Fraction(1, 2)}, (0, 300, 150)),
        ("discontinued", {}, (0, 300, 0)),
        ("discontinued", {"discontinued_recovered": True}, (0, 300, 300)),
    ],
)
def test_what_each_outcome_means_for_a_firm(outcome, changes, money):
    found = settlement_of(outcome, replace(AWARD, **changes))
    assert (found.closing, found.forgone, found.recovered) == money
