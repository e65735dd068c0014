"""What is known of a batch of firms when a document is written: the results of the steps that are done."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import NATION, load_units
from zjtx_alloc.firms.book import FirmBook
from zjtx_alloc.firms.stages import evaluated, granted, left_by, reviewed, settled_firms
from zjtx_alloc.firms.steps.amounts import Grants
from zjtx_alloc.firms.steps.evaluate import Evaluation
from zjtx_alloc.firms.steps.review import Review
from zjtx_alloc.firms.steps.settle import FirmSettlement
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.rules.award import Award

_Graded = TypeVar("_Graded", Grants, FirmSettlement)


@dataclass(frozen=True)
class Dossier:
    """A batch, and what its steps found; None for a step that is not done.

    Attributes
    ----------
    batch : int
    award : Award
    unit : str
        Whose document it is: a unit's code, or ``NATION`` for the ministries'.
    review : Review, optional
    approved : Series of int, optional
        Firms approved by unit, index ``code``; those that passed the review if not given.
    grants : Grants, optional
    evaluation : Evaluation, optional
    goes_on : Firms, optional
        As ``continuing`` gives them.
    settled : FirmSettlement, optional
    uses : DataFrame, optional
        What 培育赋能 was spent on, as ``load_uses`` reads it.
    share, seed : str, int
        Of the sample for 抽查, as ``spot_check`` takes them.
    """

    batch: int
    award: Award
    unit: str = NATION
    review: Review | None = None
    approved: pd.Series | None = None
    grants: Grants | None = None
    evaluation: Evaluation | None = None
    goes_on: Firms | None = None
    settled: FirmSettlement | None = None
    uses: pd.DataFrame | None = None
    share: str = "0.1"
    seed: int = 1

    @property
    def scope(self) -> str:
        """The unit's name, or 全国."""
        return say("firm_document.nation") if self.unit == NATION else str(load_units().at[self.unit, "name"])

    @property
    def mark(self) -> str:
        """What invented firms are marked with; blank for real ones."""
        held = (self.review, self.grants, self.evaluation, self.settled)
        return next((found.firms.mark for found in held if found is not None), "")

    def complete(self) -> "Dossier":
        """With what follows from the rest: the firms approved from the review; only the unit's own firms."""
        approved = self.approved
        if approved is None and self.review is not None and not len(self.review.over_quota):
            approved = self.review.approved
        whole = replace(self, approved=approved)
        if self.unit == NATION:
            return whole
        return replace(
            whole,
            approved=None if approved is None else approved[approved.index == self.unit],
            review=None if self.review is None else _review_of(self.review, self.unit),
            grants=None if self.grants is None else _rows_of(self.grants, self.unit),
            evaluation=None if self.evaluation is None else _evaluation_of(self.evaluation, self.unit),
            goes_on=None if self.goes_on is None else _firms_of(self.goes_on, self.unit),
            settled=None if self.settled is None else _rows_of(self.settled, self.unit),
        )


def _firms_of(firms: Firms, unit: str) -> Firms:
    return firms.only(firms.table.index[firms.table["unit"].eq(unit)])


def _review_of(found: Review, unit: str) -> Review:
    firms = _firms_of(found.firms, unit)
    failures, flags = (rows[rows["firm"].isin(firms.table.index)] for rows in (found.failures, found.flags))
    return replace(found, firms=firms, failures=failures, flags=flags)


def _evaluation_of(found: Evaluation, unit: str) -> Evaluation:
    firms = _firms_of(found.firms, unit)
    return replace(found, firms=firms, grade=found.grade[firms.table.index])


def _rows_of(found: _Graded, unit: str) -> _Graded:
    firms = _firms_of(found.firms, unit)
    return replace(found, firms=firms, table=found.table.loc[firms.table.index])


def dossier_of(book: FirmBook, day: date | None = None, uses: pd.DataFrame | None = None) -> Dossier:
    """What a firm workbook holds: the stages that were run, as the sheets now say.

    Parameters
    ----------
    book : FirmBook
    day : date, optional
        Of the review, in place of the sheet's.
    uses : DataFrame, optional
        What 培育赋能 was spent on, as ``load_uses`` reads it.

    Raises
    ------
    DataError, InfeasibleError
        As the stages do.
    """
    said, found = book.decisions, dict[str, Any]()
    if said["review"].notna().any():
        firms = book.selected if said["selected"].eq("yes").any() else book.firms
        found["review"] = reviewed(book, firms, book.day(day))
    if said["granted"].notna().any():
        supported, _ = book.supported
        found |= {"grants": granted(book), "approved": supported.by_unit}
        if _holds(book, "yearly", "goes_on"):
            found["evaluation"], _ = evaluated(book)
            gone = left_by(book, supported).index
            found["goes_on"] = supported.only(supported.table.index.difference(gone, sort=False))
        if _holds(book, "ending", "outcome"):
            found["settled"] = settled_firms(book)
    return Dossier(book.batch, book.award, book.unit, uses=uses, **found)


def _holds(book: FirmBook, form: str, column: str) -> bool:
    return any(record[column] is not None for record in book.entries[form].records)
