"""Amounts (资金分配): a unit's direct money to its firms in whole 万元, through the quota engine."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError, InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import ledger
from zjtx_alloc.firms.steps.rubric import decimal
from zjtx_alloc.firms.steps.select import Selection
from zjtx_alloc.firms.table.roll import Firms, marked
from zjtx_alloc.quota.problem.numbers import are_whole, as_floats, entitled, is_count
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve
from zjtx_alloc.rules.award import Award


@dataclass(frozen=True)
class GrantRule:
    """How money is graded: a share by score, the rest by plan investment, within bounds a firm.

    Parameters
    ----------
    score_share : str, optional
        A decimal from 0 to 1; None: an equal split, which the notice asks provinces to avoid (四（三）).
    floor, cap : int
        万元 a firm; no cap if not given.

    Raises
    ------
    ScenarioError
        If the share is no decimal from 0 to 1, or the bounds are no whole 万元 in order.
    """

    score_share: str | None
    floor: int = 0
    cap: int | None = None

    def __post_init__(self) -> None:
        if self.score_share is not None:
            decimal(self.score_share, say("grants.score_share"), 1)
        if not (is_count(self.floor) and (self.cap is None or is_count(self.cap, self.floor))):
            raise ScenarioError(say("grants.rule", floor=shown(self.floor), cap=shown(self.cap)))


EQUAL = GrantRule(score_share=None)


@dataclass(frozen=True)
class Grants:
    """What each firm gets."""

    firms: Firms
    rule: GrantRule
    #: Index ``firm``: unit, score, planned_investment (万元), entitlement (万元, float), amount (万元, int64).
    table: pd.DataFrame

    @property
    def amount(self) -> pd.Series:
        """万元 by firm, int64."""
        return self.table["amount"]

    @property
    def by_unit(self) -> pd.Series:
        """万元 by unit, int64: exactly the money handed out."""
        return self.table.groupby("unit")["amount"].sum()

    @property
    def simple(self) -> tuple[str, ...]:
        """Units whose firms all get the same, to the odd 万元: 简单分配."""
        spread = self.table.groupby("unit")["amount"].agg(["size", "max", "min"])
        return tuple(spread.index[spread["size"].gt(1) & (spread["max"] - spread["min"]).le(1)])

    def notes(self) -> tuple[str, ...]:
        """How the money was graded, and where it was not."""
        names = load_units()["short_name"]
        notes = (
            []
            if self.rule.score_share is None
            else [say("grants.graded", share=f"{float(100 * Fraction(self.rule.score_share)):.10g}%")]
        )
        if self.simple:
            notes.append(say("grants.simple", units="、".join(names[unit] for unit in self.simple)))
        return (*notes, self.firms.mark) if self.firms.made_up else tuple(notes)

    def displayed(self) -> pd.DataFrame:
        """The amounts as people read them."""
        frame = self.firms.displayed(["unit", "credit_code", "name", "planned_investment"])
        added = {header("score"): self.table["score"].round(4), header("amount"): self.amount}
        return marked(frame.assign(**added), self.firms)


def amounts(selected: Selection, money: pd.Series, rule: GrantRule) -> Grants:
    """Share each unit's money among its selected firms.

    Parameters
    ----------
    selected : Selection
        Its chosen firms get money; ``selection.only(review.passed)`` are those approved.
    money : Series of int
        万元 by unit: the direct share, as ``direct_money`` gives it.
    rule : GrantRule

    Returns
    -------
    Grants
        A firm's entitlement is money × (share × its part of the scores + (1 − share) × its part of the
        investments); the integers nearest to it within floor and cap, by Webster's criterion Σ (x − e)²/e. Of equal
        entitlements the higher score, then the lower credit code, goes first: in whatever order the table stands.

    Raises
    ------
    DataError
        If money is not whole, or units with firms and units with money differ.
    InfeasibleError
        If floors or caps cannot be met; names them.
    """
    firms = selected.chosen
    table = firms.table[["unit", "credit_code", "planned_investment"]].assign(score=selected.scores.score)
    _check_money(money, table["unit"])
    parts = []
    for unit, group in table.sort_values(["score", "credit_code"], ascending=[False, True]).groupby("unit", sort=False):
        total = int(money[unit])
        _check_bounds(str(unit), len(group), total, rule)
        entitlement = _entitlement(group, total, rule)
        problem = QuotaProblem(
            total=total,
            entitlement=entitlement.set_axis(range(len(group))),  # the tie rule goes by label
            floor=rule.floor,
            cap=rule.cap,
            names=dict[Any, str](enumerate(firms.table["name"].reindex(group.index))),
        )
        amount = solve(problem).quota.set_axis(group.index)
        parts.append(pd.DataFrame({"entitlement": entitlement.astype(float), "amount": amount}))
    shares = pd.concat(parts) if parts else pd.DataFrame({"entitlement": 0.0, "amount": 0}, index=table.index)
    return Grants(firms, rule, table[["unit", "score", "planned_investment"]].join(shares))


def direct_money(cohort: Cohort, award: Award) -> pd.Series:
    """What of a cohort's opening payment goes to its firms, 万元 by unit: at least 95 % (四（三）)."""
    table = ledger((cohort,), award).table
    opening = table[table["fiscal_year"].eq(cohort.opening_year)]
    return opening.groupby("code", sort=False)["direct"].sum()


def _entitlement(group: pd.DataFrame, total: int, rule: GrantRule) -> pd.Series:
    if rule.score_share is None:
        return pd.Series(Fraction(total, len(group)), group.index)
    share = Fraction(rule.score_share)
    by_score, by_investment = (_parts(group[column]) for column in ("score", "planned_investment"))
    return total * (share * by_score + (1 - share) * by_investment)


def _parts(values: pd.Series) -> pd.Series:
    exact = pd.Series(map(entitled, values), values.index, dtype=object)
    total = sum(exact)
    return exact / total if total else exact + Fraction(1, len(values))


def _check_bounds(unit: str, count: int, total: int, rule: GrantRule) -> None:
    """Raise InfeasibleError, in words of money, if all floors are above the money or all caps below it."""
    values = {"unit": load_units().at[unit, "short_name"], "count": count, "total": f"{total:,}"}
    for name, each, apart in (("floor", rule.floor, 1), ("cap", rule.cap, -1)):
        if each is not None and (each * count - total) * apart > 0:
            bound = total // count if name == "floor" else -(-total // count)
            raise InfeasibleError(say(f"grants.{name}", each=each, sum=f"{each * count:,}", bound=bound, **values))


def _check_money(money: pd.Series, units: pd.Series) -> None:
    names, held = load_units()["short_name"], set(units)
    wrong = {
        "no_money": sorted(held - set(money.index)),
        "whole": list(money.index[~are_whole(money)]),
        "no_firms": [
            unit for unit, amount in zip(money.index, as_floats(money), strict=True) if amount > 0 and unit not in held
        ],
    }
    for kind, found in wrong.items():
        if found:
            raise DataError(say(f"grants.{kind}", units="、".join(names.get(unit, str(unit)) for unit in found)))
