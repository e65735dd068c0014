"""Settlement (清算): which outcome (期末结果) a firm reaches, and what each outcome means in money. Nowhere else."""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.rules.award import Award

OUTCOMES = ("completed", "missed", "under_invested")
DISCONTINUED = "discontinued"
DEFRAUDED = "defrauded"  # 虚报、冒领 (五（二）): of firms alone; the ledger books it as under_invested
Amount = int | Decimal | Fraction


@dataclass(frozen=True)
class Settlement:
    """Money of one firm at its end, in 万元."""

    closing: int  #: Paid at the end (期末下达).
    forgone: int  #: Of the award, what is no longer paid (不再安排).
    recovered: Fraction  #: Of the opening payment, what comes back (收回).


def settlement_of(outcome: str, award: Award) -> Settlement:
    """What an outcome means for one firm.

    Parameters
    ----------
    outcome : {"completed", "missed", "under_invested", "discontinued", "defrauded"}
    award : Award

    Notes
    -----
    财建〔2024〕148号 四（二）: under-invested firms give the money back, firms that invested but missed
    their goals get no more of it. 三（六）: firms may not be supported further; what becomes of their
    opening the notice does not say (``Award.discontinued_recovered``). 五（二）: money got by fraud is dealt with by other
    rules; here it comes back as from an under-invested firm.
    """
    closing = award.closing if outcome == "completed" else 0
    owes = outcome in ("under_invested", DEFRAUDED) or (outcome == DISCONTINUED and award.discontinued_recovered)
    return Settlement(closing, award.closing - closing, _recoverable(award) if owes else Fraction(0))


def recovered_money(firms: pd.Series, outcome: str, award: Award) -> pd.Series:
    """What comes back from this many firms of one outcome, whole 万元, index as ``firms``.

    Rounded down, so that no more comes back than was paid.
    """
    each = settlement_of(outcome, award).recovered
    return firms.map(lambda count: math.floor(int(count) * each)).astype("int64")


def outcome_of(investment: Amount, achieved: bool, award: Award) -> str:
    """The outcome of a firm that was supported to the end (四（二））: completed, missed or under_invested.

    Parameters
    ----------
    investment : int, Decimal or Fraction
        万元 really invested; exactly at the line is not below it.
    achieved : bool
        Whether the goals of the plan (目标任务) were met.
    award : Award

    Raises
    ------
    DataError
        If the investment is negative or no number.
    """
    if _exact(investment) < award.recovery_investment:
        return "under_invested"
    return "completed" if achieved else "missed"


def _recoverable(award: Award) -> Fraction:
    reached = 1 if award.empowerment_recovered else 1 - award.empowerment_cap
    return award.opening * award.recovered_share * reached


def _exact(investment: Amount) -> Fraction:
    try:
        exact = Fraction(investment)
    except (ValueError, OverflowError, TypeError):
        exact = Fraction(-1)
    if exact < 0:
        raise DataError(say("settlement.investment", value=investment))
    return exact
