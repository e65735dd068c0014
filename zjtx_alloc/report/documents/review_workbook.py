"""A review as a workbook: the counts, who passed, who was struck out and why, what to look at, the rules, unmatched entries."""

from pathlib import Path

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.messages import say
from zjtx_alloc.firms.steps.review import Review
from zjtx_alloc.report.tables.firms import condition_table, firm_table, review_table, unmatched_table
from zjtx_alloc.report.writers.xlsx import write_workbook

_PASSED = ("unit", "credit_code", "name", "city", "field", "directions", "planned_investment")


def write_review(found: Review, path: str | Path) -> Path:
    """Write a review as ``.xlsx``, a sheet each.

    Raises
    ------
    ReportError
        If the file is no ``.xlsx``.
    """
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise ReportError(say("review.not_xlsx", file=path))
    passed = found.passed
    day = say("review.day", day=f"{found.as_of:%Y-%m-%d}")
    parts = [
        review_table(found),
        firm_table("review_passed", passed.displayed(_PASSED), found.firms, day),
        firm_table("struck", found.reasons(), found.firms, day),
        firm_table("review_doubts", found.doubts(), found.firms, say("review.doubts")),
        condition_table(found.conditions),
    ]
    if not found.lists["held"].all():
        parts.append(unmatched_table(found))
    return write_workbook(path, parts, say("review.heading"))
