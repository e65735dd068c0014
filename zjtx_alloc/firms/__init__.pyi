from .chain import (
    Closing as Closing,
    Opening as Opening,
    Terms as Terms,
    close_batch as close_batch,
    firms_to_books as firms_to_books,
    open_batch as open_batch,
)
from .made_up import (
    concealed as concealed,
    made_up_firms as made_up_firms,
    made_up_results as made_up_results,
    made_up_table as made_up_table,
)
from .steps.amounts import (
    EQUAL as EQUAL,
    GrantRule as GrantRule,
    Grants as Grants,
    amounts as amounts,
    direct_money as direct_money,
)
from .steps.changes import check_change as check_change
from .steps.conditions import Conditions as Conditions, load_conditions as load_conditions
from .steps.evaluate import Evaluation as Evaluation, continuing as continuing, evaluate as evaluate, leaving as leaving
from .steps.review import Review as Review, review as review
from .steps.rubric import Rubric as Rubric, load_rubric as load_rubric
from .steps.select import Selection as Selection, city_quotas as city_quotas, cut_lines as cut_lines, select as select
from .steps.settle import (
    FirmSettlement as FirmSettlement,
    firm_cohort as firm_cohort,
    progress as progress,
    settle as settle,
    trace as trace,
)
from .steps.spot_check import spot_check as spot_check
from .table.lists import load_list as load_list
from .table.reading import load_firms as load_firms
from .table.roll import Firms as Firms, together as together
from .table.uses import load_uses as load_uses
