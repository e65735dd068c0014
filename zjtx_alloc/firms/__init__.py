"""The provinces' side (``za.firms``): firms reviewed, selected, funded, evaluated and settled.

The one sub-package that re-exports its verbs. It reads no personal data, and asks for none.
"""

from zjtx_alloc.firms.chain import Closing, Opening, Terms, close_batch, open_batch
from zjtx_alloc.firms.made_up import concealed, made_up_firms, made_up_results, made_up_table
from zjtx_alloc.firms.steps.amounts import EQUAL, GrantRule, Grants, amounts, direct_money
from zjtx_alloc.firms.steps.changes import check_change
from zjtx_alloc.firms.steps.conditions import Conditions, load_conditions
from zjtx_alloc.firms.steps.evaluate import Evaluation, continuing, evaluate, leaving
from zjtx_alloc.firms.steps.review import Review, review
from zjtx_alloc.firms.steps.rubric import Rubric, load_rubric
from zjtx_alloc.firms.steps.select import Selection, city_quotas, cut_lines, select
from zjtx_alloc.firms.steps.settle import FirmSettlement, firm_cohort, progress, settle, trace
from zjtx_alloc.firms.table.lists import load_list
from zjtx_alloc.firms.table.reading import load_firms
from zjtx_alloc.firms.table.roll import Firms, together

__all__ = [
    "EQUAL",
    "Closing",
    "Conditions",
    "Evaluation",
    "FirmSettlement",
    "Firms",
    "GrantRule",
    "Grants",
    "Opening",
    "Review",
    "Rubric",
    "Selection",
    "Terms",
    "amounts",
    "check_change",
    "city_quotas",
    "close_batch",
    "concealed",
    "continuing",
    "cut_lines",
    "direct_money",
    "evaluate",
    "firm_cohort",
    "leaving",
    "load_conditions",
    "load_firms",
    "load_list",
    "load_rubric",
    "made_up_firms",
    "made_up_results",
    "made_up_table",
    "open_batch",
    "progress",
    "review",
    "select",
    "settle",
    "together",
    "trace",
]
