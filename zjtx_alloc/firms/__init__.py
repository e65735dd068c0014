"""The provinces' side (``za.firms``): firms reviewed, selected, funded, evaluated and settled.

The one sub-package that re-exports its verbs. It reads no personal data, and asks for none.
"""

from zjtx_alloc.firms.chain import Closing, Opening, Terms, close_batch, open_batch
from zjtx_alloc.firms.changes import check_change
from zjtx_alloc.firms.closing import FirmSettlement, firm_cohort, progress, settle, trace
from zjtx_alloc.firms.conditions import Conditions, load_conditions
from zjtx_alloc.firms.eligibility import Review, review
from zjtx_alloc.firms.evaluation import Evaluation, continuing, evaluate, leaving
from zjtx_alloc.firms.grants import EQUAL, GrantRule, Grants, amounts, direct_money
from zjtx_alloc.firms.lists import load_list
from zjtx_alloc.firms.made_up import concealed, made_up_firms, made_up_results, made_up_table
from zjtx_alloc.firms.reading import load_firms
from zjtx_alloc.firms.roll import Firms, together
from zjtx_alloc.firms.rubric import Rubric, load_rubric
from zjtx_alloc.firms.selection import Selection, city_quotas, cut_lines, select

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
