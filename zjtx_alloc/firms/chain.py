"""The whole chain: quota, recommended lists, review, opening paid, evaluation, settlement, ledger, reconciled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import Ledger, ledger
from zjtx_alloc.budget.ledger.settlement import DEFRAUDED
from zjtx_alloc.firms.steps.amounts import GrantRule, Grants, amounts, direct_money
from zjtx_alloc.firms.steps.conditions import Conditions
from zjtx_alloc.firms.steps.evaluate import Evaluation, continuing, evaluate, leaving
from zjtx_alloc.firms.steps.review import Review, review
from zjtx_alloc.firms.steps.rubric import Rubric
from zjtx_alloc.firms.steps.select import Selection, select
from zjtx_alloc.firms.steps.settle import FirmSettlement, firm_cohort, settle
from zjtx_alloc.firms.table.roll import Firms, marked
from zjtx_alloc.quota.problem.numbers import are_whole, as_whole


@dataclass(frozen=True)
class Terms:
    """What a batch is run by: batch, day of the review, conditions (with their award), rubrics, rule of amounts."""

    batch: int
    as_of: date
    conditions: Conditions
    selection: Rubric
    evaluation: Rubric
    grants: GrantRule


@dataclass(frozen=True)
class Opening:
    """A batch up to its opening payment."""

    terms: Terms
    quota: pd.Series  #: Series of int
    own_review: Review  #: The provinces' own, of all who apply.
    selection: Selection  #: The recommended lists of all units.
    review: Review  #: The ministries', of the lists.
    cohort: Cohort
    grants: Grants  #: The opening's direct money by firm.


@dataclass(frozen=True)
class Closing:
    """A batch to its end: evaluation, firms that go on, settlement, the cohort with its outcomes, the ledger."""

    opening: Opening
    evaluation: Evaluation
    continued: Firms
    settlement: FirmSettlement
    cohort: Cohort
    books: Ledger

    def steps(self) -> pd.DataFrame:
        """Every step with its firms and money (万元), as people read it: each agrees with the one before.

        Raises
        ------
        DataError
            If counts or money of a unit do not agree; names step and units.
        """
        _reconcile(self)
        columns = [header("stage"), header("firms"), header("money")]
        table = pd.DataFrame(_steps(self), columns=columns).astype({header("money"): "Int64"})
        return marked(table, self.continued)

    def by_unit(self) -> pd.DataFrame:
        """From what firms got to what the books of their unit say, line by line, as ``firms_to_books``.

        Raises
        ------
        DataError
            If the lines of a unit do not add up to its books; names the units.
        """
        return firms_to_books(self.opening.grants.by_unit, self.settlement, self.books)


def firms_to_books(paid: pd.Series, settled: FirmSettlement, books: Ledger) -> pd.DataFrame:
    """From what firms got to what the books of their unit say, line by line.

    Parameters
    ----------
    paid : Series of int
        Direct money of the opening, 万元 by unit, as ``Grants.by_unit``.
    settled : FirmSettlement
    books : Ledger
        Of the batch alone.

    Returns
    -------
    DataFrame
        Index ``code``, the units that have books; whole 万元: paid_opening, paid_closing (to firms), given_back (by firms,
        negative), to_firms (their sum), empowerment (培育赋能 less what of it is recovered), standard_gap (what firms gave
        back less the standard's direct part of it), settled_money (to_firms + empowerment + standard_gap, in the books
        应下达 less 应收回), receivable (recovered and not yet netted), net (settled_money + receivable: 实际下达).

    Raises
    ------
    DataError
        If what was paid is not whole, or the lines of a unit do not add up to its books; names the units.
    """
    if wrong := [str(unit) for unit in paid.index[~are_whole(paid)]]:
        raise DataError(say("grants.whole", units="、".join(wrong)))
    flows = books.table.groupby(["code", "fiscal_year"])[["due", "direct", "empowerment"]].sum()
    sums = flows.groupby("code", sort=False).sum()
    first = min(cohort.opening_year for cohort in books.cohorts)
    accounts, back = books.accounts.groupby("code", sort=False), settled.by_unit.reindex(sums.index)
    lines = pd.DataFrame(index=sums.index)
    lines["paid_opening"] = as_whole(paid).reindex(sums.index, fill_value=0)
    lines["paid_closing"] = sums["direct"] - flows.xs(first, level="fiscal_year")["direct"].reindex(sums.index)
    lines["given_back"] = -back["from_firms"]
    lines["to_firms"] = lines.sum(axis=1)
    lines["empowerment"] = sums["empowerment"] - back["empowerment"]
    lines["standard_gap"] = -back["difference"]
    lines["settled_money"] = lines[["to_firms", "empowerment", "standard_gap"]].sum(axis=1)
    lines["receivable"], lines["net"] = accounts["receivable"].last(), accounts["net"].sum()
    booked = sums["due"] - accounts["recovered"].sum()
    apart = (lines["settled_money"] != booked) | (lines["settled_money"] + lines["receivable"] != lines["net"])
    if apart.any():
        units = "、".join(load_units()["short_name"][apart[apart].index])
        raise DataError(say("chain.apart", step=say("chain.books"), units=units))
    return lines.astype("int64")


def open_batch(
    applicants: Firms, quota: pd.Series, terms: Terms, supported: Mapping[str, Iterable[str]] | None = None
) -> Opening:
    """From those who apply to the opening payment.

    Parameters
    ----------
    applicants : Firms
    quota : Series of int
        Places by unit, all 37.
    terms : Terms
    supported : mapping, optional
        Lists of firms already supported, which the ministries hold and the provinces may not: ``review``.

    Raises
    ------
    DataError, InfeasibleError
        As ``review``, ``select`` and ``amounts`` do.
    """
    award = terms.conditions.award
    own = review(applicants, None, terms.as_of, terms.conditions)
    selection = select(own.passed, terms.selection, quota)
    official = review(selection.chosen, quota, terms.as_of, terms.conditions, supported)
    cohort = firm_cohort(terms.batch, official.approved, award, quota)
    money = direct_money(cohort, award)
    grants = amounts(selection.only(official.passed), money[cohort.approved > 0], terms.grants)
    return Opening(terms, quota, own, selection, official, cohort, grants)


def close_batch(opening: Opening, yearly: Firms, final: Firms, least: str) -> Closing:
    """From the opening payment to the ledger.

    Parameters
    ----------
    opening : Opening
    yearly : Firms
        The approved firms with their results of the first year; recognised by credit code, whatever file they stand in.
    final : Firms
        The same with their results at the end.
    least : str
        Least score of the yearly evaluation with which a firm goes on being supported; one that does not leaves in
        the year after the opening.

    Raises
    ------
    DataError, ScenarioError
        As ``evaluate``, ``continuing`` and ``settle`` do, and if the firms are not those approved.
    """
    yearly, final = (roll.numbered_as(opening.grants.firms) for roll in (yearly, final))
    terms = opening.terms
    award = terms.conditions.award
    evaluation = evaluate(yearly, terms.evaluation)
    continued = continuing(evaluation, least=least)
    left = leaving(evaluation, continued, award.opening_year(terms.batch) + 1)
    settled = settle(final, award, left, opening.grants.amount)
    cohort = firm_cohort(terms.batch, opening.cohort.approved, award, opening.quota, settled)
    return Closing(opening, evaluation, continued, settled, cohort, ledger((cohort,), award))


def _reconcile(closing: Closing) -> None:
    """Hold counts and money of each step against the next, unit by unit."""
    opening, award = closing.opening, closing.opening.terms.conditions.award
    own, official, cohort = opening.own_review.by_unit, opening.review.by_unit, closing.cohort
    books = closing.books.table.groupby(["fiscal_year", "code"])[["due", "direct", "recovered"]].sum()
    first, last = books.loc[cohort.opening_year], books.loc[cohort.closing_year]
    recovered = closing.books.table.groupby("code")["recovered"].sum()
    ends = closing.settlement.outcomes.sum(axis=1)
    gone = closing.evaluation.firms.by_unit - closing.continued.by_unit - _defrauded_and_gone(closing)
    pairs = {
        "own": (own["recommended"] - own["struck"], opening.own_review.passed.by_unit),
        "recommended": (official["recommended"], own["passed"].clip(upper=opening.quota)),
        "approved": (cohort.approved, official["recommended"] - official["struck"]),
        "opening": (first["due"], award.opening * cohort.approved),
        "grants": (opening.grants.by_unit, first["direct"]),
        "evaluated": (closing.evaluation.firms.by_unit, cohort.approved),
        "settled": (ends + gone, cohort.approved),
        "closing": (last["due"], closing.settlement.by_unit["closing"]),
        "forgone": (closing.settlement.by_unit["forgone"], award.closing * cohort.approved - last["due"]),
        "recovered": (recovered, closing.settlement.by_unit["recovered"]),
    }
    units, names = load_units().index, load_units()["short_name"]
    for step, (one, other) in pairs.items():
        apart = one.reindex(units, fill_value=0) != other.reindex(units, fill_value=0)
        if apart.any():
            raise DataError(say("chain.apart", step=say(f"chain.{step}"), units="、".join(names[apart])))


def _defrauded_and_gone(closing: Closing) -> pd.Series:
    """Firms by unit that no longer go on and were found to defraud: settled as such, not as having left."""
    firms = closing.settlement.firms
    found = closing.settlement.table["outcome"].eq(DEFRAUDED)
    gone = ~firms.table["credit_code"].isin(closing.continued.table["credit_code"])
    return firms.only(firms.table.index[found & gone]).by_unit


_RECOVERED = ("recovered", "from_firms", "empowerment", "difference")  # the first is the sum of the others


def _steps(closing: Closing) -> list[tuple[str, int, int | None]]:
    opening, table, back = closing.opening, closing.settlement.table, closing.settlement.by_unit.sum()
    award, approved = opening.terms.conditions.award, int(closing.cohort.approved.sum())
    completed, owing = int(table["outcome"].eq("completed").sum()), int(table["recovered"].gt(0).sum())
    return [
        (say("chain.quota"), int(opening.quota.sum()), None),
        (say("chain.applied"), len(opening.own_review.firms), None),
        (say("chain.own"), len(opening.own_review.passed), None),
        (say("chain.recommended"), len(opening.review.firms), None),
        (say("chain.approved"), approved, award.amount * approved),
        (say("chain.opening"), approved, award.opening * approved),
        (say("chain.grants"), len(opening.grants.firms), int(opening.grants.amount.sum())),
        (say("chain.evaluated"), len(closing.evaluation.firms), None),
        (say("chain.settled"), len(closing.continued), None),
        (say("chain.closing"), completed, int(table["closing"].sum())),
        (say("chain.forgone"), len(table) - completed, int(table["forgone"].sum())),
        *((say(f"chain.{part}"), owing, int(back[part])) for part in _RECOVERED),
        (say("chain.books"), approved, int(closing.books.table["net"].sum())),
    ]
