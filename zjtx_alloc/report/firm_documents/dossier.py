"""What is known of a batch of firms when a document is written: the results of the steps that are done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import NATION, load_units
from zjtx_alloc.firms.book import FirmBook
from zjtx_alloc.firms.plan_changes import plans_on
from zjtx_alloc.firms.stages import evaluated, granted, left_by, listed_in, need_sound, review_decided, settled_firms
from zjtx_alloc.firms.steps.amounts import Grants
from zjtx_alloc.firms.steps.evaluate import Evaluation, due_on, united
from zjtx_alloc.firms.steps.review import Review
from zjtx_alloc.firms.steps.settle import FirmSettlement
from zjtx_alloc.firms.table.roll import Firms, together
from zjtx_alloc.report.firm_documents.fillings import spoken
from zjtx_alloc.rules.award import Award, award_in_force

_MOST_NAMED = 3  # units in a title
_DAYS = ("submitted", "filed", "approval_day")
_Graded = TypeVar("_Graded", Grants, FirmSettlement)


@dataclass(frozen=True)
class Dossier:
    """A batch, and what its steps found; None for a step that is not done."""

    batch: int
    award: Award
    unit: str = NATION  #: Whose document it is: a unit's code, or ``NATION`` for the ministries'.
    review: Review | None = None
    #: Firms approved by unit, index ``code``; those that passed the review if not given (Series of int).
    approved: pd.Series | None = None
    grants: Grants | None = None
    evaluation: Evaluation | None = None
    goes_on: Firms | None = None  #: As ``continuing`` gives them.
    settled: FirmSettlement | None = None
    uses: pd.DataFrame | None = None  #: What 培育赋能 was spent on, as ``load_uses`` reads it.
    share: str = "0.1"  #: share, seed: of the sample for 抽查, as ``spot_check`` takes them.
    seed: int = 1  #: See ``share``.
    firms: Firms | None = None  #: Those that the unit recommends.
    day: date | None = None  #: On which the document is written.
    #: What is known of the plan's way: submitted, filed, approval_day (days as text) and approval_number.
    way: Mapping[str, str] = field(default_factory=dict)
    changes: pd.DataFrame | None = None  #: Of plans, as ``plans_on`` lists them.
    units: tuple[str, ...] = ()  #: Those whose workbooks the ministries' document is of; empty: of all.

    @property
    def scope(self) -> str:
        """The unit's name; of many the names or the number, and 全国 where they are all of them or nobody says which."""
        names = load_units()["name"]
        of = list(self.units if self.unit == NATION else [self.unit])
        if not of or len(of) == len(names):
            return say("firm_document.nation")
        few = "、".join(names[of[:_MOST_NAMED]])
        return few if len(of) <= _MOST_NAMED else say("firm_document.units", first=names[of[0]], count=len(of))

    @property
    def mark(self) -> str:
        """What invented firms are marked with; blank for real ones."""
        held = (self.review, self.grants, self.evaluation, self.settled)
        rolls = [
            roll for roll in (self.firms, *(found.firms for found in held if found is not None)) if roll is not None
        ]
        return rolls[0].mark if rolls else ""

    @property
    def state(self) -> dict[str, str]:
        """The plan's way and the day on which the yearly report is due, for sentences; 【】 where nobody has said."""
        days = {name: spoken(pd.Timestamp(self.way[name])) for name in _DAYS if name in self.way}
        told = {name: days.get(name, say("firm_document.unsaid")) for name in ("submitted", "filed")}
        parts = [self.way.get("approval_number"), days.get("approval_day")]
        approval = "，".join(filter(None, parts)) or say("firm_document.unapproved")
        due = say("firm_document.due") if self.day is None else spoken(due_on(self.day))
        return told | {"approval": approval, "due": due}

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
            firms=None if self.firms is None else _firms_of(self.firms, self.unit),
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


def dossier_of(book: FirmBook, day: date | None = None, **given: Any) -> Dossier:
    """What a firm workbook holds: the stages that were run, as the sheets now say.

    Parameters
    ----------
    book : FirmBook
    day : date, optional
        In place of the sheet's.
    given :
        Of ``Dossier``: uses, share, seed.

    Raises
    ------
    DataError, InfeasibleError
        As the stages do.
    """
    need_sound(book)
    said, found = book.decisions, dict[str, Any]()
    plans = plans_on(book, day or book.days.get(say("stage.settle")) or book.days.get(say("stage.evaluate")))
    if said["selected"].eq("yes").any():
        found["firms"] = book.selected
    if said["review"].notna().any():
        found["review"] = review_decided((book,), listed_in((book,)), book.day(day, "review"))
    if said["granted"].notna().any():
        supported, _ = plans.book.supported
        found |= {"grants": granted(book), "approved": supported.by_unit}
        if _holds(book, "yearly", "goes_on"):
            found["evaluation"], _ = evaluated(plans.book)
            gone = left_by(plans.book, supported).index
            found["goes_on"] = supported.only(supported.table.index.difference(gone, sort=False))
        if _holds(book, "ending", "outcome"):
            found["settled"] = settled_firms(plans.book)
    way = {name: f"{book.basics[name]}" for name in (*_DAYS, "approval_number") if book.basics[name] is not None}
    known = day or book.days.get(say("stage.evaluate")) or (book.day(None) if book.basics["as_of"] else None)
    return Dossier(book.batch, book.award, book.unit, day=known, way=way, changes=plans.table, **found, **given)


def nation_of(books: Sequence[FirmBook], day: date | None = None, **given: Any) -> Dossier:
    """What the firm workbooks of many units hold together, for the ministries' documents; as ``dossier_of``.

    The firms that they recommend are reviewed as one list, so that one that two units recommend is found.

    Raises
    ------
    DataError
        If the books are not of one batch; as ``dossier_of`` does.
    """
    if len(batches := sorted({book.batch for book in books})) > 1:
        raise DataError(say("firm_document.batches", batches="、".join(map(str, batches))))
    each = [dossier_of(book, day) for book in books]
    found: dict[str, Any] = {}
    if all(one.review is not None for one in each):
        found["review"] = review_decided(books, listed_in(books), max(book.day(day, "review") for book in books))
    if approvals := [one.approved for one in map(Dossier.complete, each) if one.approved is not None]:
        found["approved"] = pd.concat(approvals).groupby(level=0).sum()
    if evaluations := [one.evaluation for one in each if one.evaluation is not None]:
        found["evaluation"] = united(evaluations)
        found["goes_on"] = together(*(one.goes_on for one in each if one.goes_on is not None))
    days = [one.day for one in each if one.day is not None]
    award, units = award_in_force(books[0].batch), tuple(book.unit for book in books)
    return Dossier(books[0].batch, award, units=units, day=max(days, default=None), **found, **given)


def _holds(book: FirmBook, form: str, column: str) -> bool:
    return any(record[column] is not None for record in book.entries[form].records)
