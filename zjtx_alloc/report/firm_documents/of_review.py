"""From a review: the list that is made public (公示), the opinion (审核意见) that goes back to the province."""

import pandas as pd

from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.firms.steps.review import Review
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.firm_documents.fillings import Filling, counts, listed, numbered, spoken


def list_notice(dossier: Dossier) -> Filling:
    """The firms that passed."""
    found = _reviewed(dossier)
    return Filling({"firms": len(found.passed)}, {"passed": listed(found.passed, "unit", "name", "credit_code")})


def opinion(dossier: Dossier) -> Filling:
    """Counts, who was struck out and why, what to look at, and a form for the merit of the plans that passed."""
    found = _reviewed(dossier)
    rules = found.failures["clause"].value_counts(sort=False).to_dict()
    facts = {
        "recommended": len(found.firms),
        "passed": len(found.passed),
        "struck": len(found.firms) - len(found.passed),
        "day": spoken(found.as_of),
        "reasons": counts({str(clause): int(count) for clause, count in rules.items()}),
        "doubts": found.flags["firm"].nunique(),
        "lists": "、".join(found.lists["list"].unique()) or say("firm_document.no_list"),
    }
    where = [header("file"), header("row")]
    tables = {
        "struck": numbered(found.reasons().drop(columns=where)),
        "doubts": numbered(found.doubts().drop(columns=where)),
        "merit": merit_form(found),
    }
    return Filling(facts, tables)


def merit_form(found: Review) -> pd.DataFrame:
    """A row a firm that passed and a question of 三（四） on its plan; what reviewers find is theirs to write."""
    plans = listed(found.passed, "name", "directions", "planned_investment")
    rows = plans.loc[plans.index.repeat(len(words("merit")))].reset_index(drop=True)
    rows[header("merit")] = words("merit") * len(plans)
    return rows


def _reviewed(dossier: Dossier) -> Review:
    assert dossier.review is not None  # the form says that it is needed
    return dossier.review
