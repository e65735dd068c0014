"""The sheets of report.xlsx that recalculate from what may be changed: written by the report, read back when handed in."""

from zjtx_alloc.report.report_xlsx.calculation import calculation_sheet, comparison_sheet
from zjtx_alloc.report.report_xlsx.model import Model
from zjtx_alloc.report.report_xlsx.parameters import parameter_sheet
from zjtx_alloc.report.report_xlsx.search import COMPARED, search_sheet
from zjtx_alloc.report.writers.sheet import Sheet


def live_sheets(model: Model) -> list[Sheet]:
    """参数, 测算 and 对比, and how the latter two are solved."""
    return [
        parameter_sheet(model), calculation_sheet(model), comparison_sheet(model),
        search_sheet(model.search), search_sheet(model.search, COMPARED),
    ]  # fmt: skip
