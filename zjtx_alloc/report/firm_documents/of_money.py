"""Of money: who gets how much, made public; what the ministry proposes; what 培育赋能 was spent on; what comes back."""

from decimal import Decimal
from itertools import accumulate

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import ledger
from zjtx_alloc.budget.ledger.settlement import DEFRAUDED
from zjtx_alloc.firms.steps.settle import firm_cohort
from zjtx_alloc.firms.table.uses import USES
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.firm_documents.fillings import Filling, counts, money, numbered, with_total

_PARTS = {"opening_money": "due", "direct": "direct", "empowerment": "empowerment"}  # of the ledger's opening year


def money_notice(dossier: Dossier) -> Filling:
    """Each firm's part of the opening payment, and how it was graded."""
    grants = dossier.grants
    assert grants is not None
    amount = grants.amount
    facts = {
        "firms": len(grants.firms),
        "money": money(amount.sum()),
        "least": money(amount.min()),
        "most": money(amount.max()),
        "graded": "；".join(note for note in grants.notes() if note != dossier.mark),
    }
    rows = with_total(numbered(grants.displayed()))
    return Filling(facts, {"grants": rows}, frozenset({"grants"}))


def money_proposal(dossier: Dossier) -> Filling:
    """By unit: firms approved, what the award comes to, and the opening payment with its parts."""
    cohort, table = _opening(dossier)
    table = table[table["approved"].gt(0)]
    names = load_units()["short_name"]
    frame = pd.DataFrame({header("short_name"): names[table.index]}).join(table.rename(columns=header))
    facts = {
        "approved": money(table["approved"].sum()),
        "units": len(table),
        "commitment": money(table["commitment"].sum()),
        "opening_money": money(table["opening_money"].sum()),
        "opening_year": cohort.opening_year,
        "closing_year": cohort.closing_year,
        "rest": money((table["commitment"] - table["opening_money"]).sum()),
    }
    return Filling(facts, {"units": with_total(frame.reset_index(drop=True))}, frozenset({"units"}))


def empowerment_use(dossier: Dossier) -> Filling:
    """The most that 培育赋能 may take of the opening payment, and what it was spent on, or a form for that."""
    cohort, table = _opening(dossier)
    facts = {
        "opening_money": money(table["opening_money"].sum()),
        "most": money(table["empowerment"].sum()),
        "opening_year": cohort.opening_year,
        "used": _used(dossier.uses, int(table["empowerment"].sum())),
    }
    return Filling(facts, {"uses": _uses(dossier.uses)})


def _uses(entries: pd.DataFrame | None) -> pd.DataFrame:
    """The entries with what was spent up to each."""
    rows = pd.DataFrame(columns=list(USES)) if entries is None else entries[list(USES)]
    spent = list(accumulate(map(_exact, rows["use_money"])))
    rows = rows.assign(use_money=[money(value) for value in rows["use_money"]])
    rows.insert(len(USES) - 1, "use_total", [money(value) for value in spent])
    return numbered(rows.rename(columns=header))


def _used(entries: pd.DataFrame | None, most: int) -> str:
    """What was spent, and what is left of the most or beyond it."""
    if entries is None or not len(entries):
        return say("uses.none")
    spent = sum(map(_exact, entries["use_money"]), Decimal(0))
    if spent > most:
        return say("uses.over", used=money(spent), over=money(spent - most))
    return say("uses.within", used=money(spent), left=money(most - spent))


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def recovery(dossier: Dossier) -> Filling:
    """The firms that give money back, how much, and by which outcome."""
    settled = dossier.settled
    assert settled is not None
    defrauded = settled.table["outcome"].eq(DEFRAUDED)
    owes = settled.table["recovered"].gt(0)
    shown = settled.displayed()[owes]
    rows = shown.drop(columns=[header("closing_money"), header("forgone_money")])
    facts = {
        "firms": int(owes.sum()),
        "money": money(settled.table["recovered"].sum()),
        "defrauded": int(defrauded.sum()),
        "defrauded_money": money(settled.table.loc[defrauded, "recovered"].sum()),
        "outcomes": counts({str(name): int(n) for name, n in shown[header("outcome")].value_counts().items()}),
    }
    return Filling(facts, {"recovered": with_total(numbered(rows))}, frozenset({"recovered"}))


def _opening(dossier: Dossier) -> tuple[Cohort, pd.DataFrame]:
    """The cohort of the firms approved, and by unit: approved, commitment, opening_money, direct, empowerment."""
    assert dossier.approved is not None
    approved = dossier.approved.reindex(load_units().index, fill_value=0).astype("int64")
    cohort = firm_cohort(dossier.batch, approved, dossier.award)
    books = ledger((cohort,), dossier.award).table
    first = books[books["fiscal_year"].eq(cohort.opening_year)].groupby("code", sort=False)[[*_PARTS.values()]].sum()
    parts = first.rename(columns={column: name for name, column in _PARTS.items()})
    frame = pd.DataFrame({"approved": approved, "commitment": approved * dossier.award.amount})
    return cohort, frame.join(parts).fillna(0).astype("int64")
