"""From the firms that a unit recommends: its implementation plan (实施方案), and a sheet (信息表) of each firm in four parts."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.calendar import duties
from zjtx_alloc.firms.plan_changes import changes_of
from zjtx_alloc.firms.steps.settle import firm_cohort
from zjtx_alloc.firms.table.columns import SEVERAL, choices_of
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.documents.unit_tables import duty_rows
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.firm_documents.fillings import Filling, counts, money, numbered, spoken, with_spoken_days
from zjtx_alloc.report.table import titled
from zjtx_alloc.report.writers.document import PORTRAIT, Annex, Cell, Grid

_LABEL = 66  # mm


def plan(dossier: Dossier) -> Filling:
    """How many firms, where, in which fields and directions, with which investment, and what the award comes to.

    Raises
    ------
    DataError
        If there is no firm of the unit.
    """
    table = recommended(dossier).need("planned_investment", "directions", "field", "listing", "first_round")
    if not len(table):
        raise DataError(say("plan.firms", unit=dossier.scope))
    award, research = dossier.award, table.get("research_money", pd.Series(dtype=float))
    partner = table.get("research_partner", pd.Series(dtype=str))
    city = table.get("city", pd.Series("", table.index)).replace("", say("plan.no_city"))
    investment = math.fsum(table["planned_investment"])
    facts = {
        "firms": len(table),
        "cities": counts(city.value_counts().to_dict()),
        **{column: _chosen(table, column) for column in ("field", "directions")},
        "investment": money(investment),
        "average": f"{investment / len(table):,.0f}",
        "least": money(table["planned_investment"].min()),
        "partners": int((~partner.isin(["", say("plan.none")])).sum()),
        "research": money(math.fsum(research.dropna())),
        "compliance": _compliance(dossier, table),
        "commitment": money(award.amount * len(table)),
        "opening": money(award.opening * len(table)),
    }
    return Filling(facts)


def _compliance(dossier: Dossier, table: pd.DataFrame) -> str:
    """What a review found of the firms; without one, what they say of themselves."""
    found = dossier.review
    if found is None or len(table.index.difference(found.passed.table.index)):
        return say("plan.declared", **{column: _chosen(table, column) for column in ("listing", "first_round")})
    return say(
        "plan.reviewed",
        day=spoken(found.as_of),
        clauses="、".join(dict.fromkeys(rule.clause for rule in found.conditions.in_force.values())),
    )


def _chosen(table: pd.DataFrame, column: str) -> str:
    """Firms by choice; one with several counts at each."""
    found = table[column].str.get_dummies(SEVERAL).sum()
    return counts({name: int(found[code]) for code, name in choices_of(column).items() if code in found})


def recommended(dossier: Dossier) -> Firms:
    """The firms that the unit recommends."""
    assert dossier.firms is not None  # the form says that they are needed
    return dossier.firms


def total(firms: Firms, column: str) -> str:
    """The sum of an amount over all firms; blank where it is not known of each."""
    amounts = firms.table.get(column, pd.Series(math.nan, firms.table.index))
    return "" if amounts.isna().any() else money(math.fsum(amounts))


def firm_sheets(firms: Firms, form: dict[str, Any]) -> Iterator[Annex]:
    """A sheet of each firm: the parts of the form, what the table says, blank where it does not."""
    columns = [column for part in form["parts"] for _, column in part["rows"] if column]
    texts = firms.displayed(columns).set_axis(columns, axis=1).map(with_spoken_days)
    for row in texts.to_dict("records"):
        grid = Grid(form["title"], tuple(_rows(form["parts"], row)), (_LABEL, PORTRAIT - _LABEL), 0, small=True)
        yield Annex(grid, landscape=False)


def _rows(parts: Sequence[dict[str, Any]], row: dict[Any, str]) -> Iterator[tuple[Cell, ...]]:
    for part in parts:
        yield (Cell(part["heading"], across=2),)
        yield from ((Cell(label), Cell(row[column] if column else "")) for label, column in part["rows"])


def submissions(dossier: Dossier) -> Filling:
    """What the notice asks of a unit and by when, and what is known of the plan's way to approval."""
    cohort = firm_cohort(dossier.batch, pd.Series(0, load_units().index), dossier.award)
    rows = titled("unit_duties", duty_rows(duties(dossier.award, cohort))).texts()
    return Filling({"opening_year": cohort.opening_year}, {"duties": numbered(rows)})


def measures(dossier: Dossier) -> Filling:
    """The changes of plans, what was found of each, and room for the opinions of both departments."""
    return Filling({}, {"changes": numbered(changes_of([]) if dossier.changes is None else dossier.changes)})
