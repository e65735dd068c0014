"""The parameters of a budget workbook, each with its clause, named so that formulas read as sentences."""

from functools import partial
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.expected import open_groups, share_of_the_left
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED, settlement_of
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.firms import allocation_of, batches, is_by_rate, rate_name
from zjtx_alloc.report.budget_xlsx.quotas import live_batches, total_name
from zjtx_alloc.report.budget_xlsx.shares import learned, shares_of
from zjtx_alloc.report.writers.sheet import Cell, Column, Row, Sheet, known_columns
from zjtx_alloc.rules.award import load_tails

_KINDS = {"占比": "percent", "万元/家": "money", "万元": "money"}
_LIVE = (
    "amount", "implementation_years", "opening_share", "empowerment_cap", "recovered_share", "empowerment_recovered", "discontinued_recovered",
)  # fmt: skip


def assumption_inputs(plan: BudgetPlan) -> dict[str, Any]:
    """The cells that users may change: name, and the value that this plan was computed with."""
    cells: list[Cell] = [row["value"] for row in _parameters(plan)]
    return {cell.name: cell.value for cell in cells if cell.is_input}


def assumption_sheet(plan: BudgetPlan, checks: list[str]) -> Sheet:
    """A row a parameter: value, measure, whether quoted or assumed, clause or source, words or basis.

    ``checks`` are the cells of other sheets that must be zero; their sum of absolutes stands at the end.
    """
    whole_money = "+".join(
        f"ABS({name}-ROUND({name},0))"
        for name in (say(f"cell.{cell}") for cell in ("opening", "closing", "implementation_years"))
    )
    shares = "".join(
        f"+ABS(ROUND({'+'.join(say(f'cell.{o}', number=n + 1) for o in ('missed', 'discontinued', 'under_invested'))}-1,9))"
        for n in range(len(plan.assumptions)) if not learned(plan, n).is_any
    )  # fmt: skip
    every = "+".join(f"ABS({cell})" for cell in checks)
    columns = {
        **known_columns(parameter=30), "value": Column(header("value"), "money"),
        **known_columns(measure=10), "status": Column(header("assumed"), "text", 10),
        "change": Column(say("workbook.changeable"), "text"), "source": Column(say("workbook.source"), "text", 26),
        "words": Column(header("note"), "text", 62),
    }  # fmt: skip
    check: Row = {
        **dict.fromkeys(columns, ""),
        "parameter": say("workbook.check"),
        "value": Cell(0, f"{every}+{whole_money}{shares}", "money"),
        "words": say("workbook.check_note"),
    }
    return Sheet(
        say("workbook.assumptions"), columns, _parameters(plan), check=check,
        note=say("workbook.assumptions_note"), frozen=1, is_filtered=True,
    )  # fmt: skip


def _parameters(plan: BudgetPlan) -> list[dict[str, Any]]:
    rows = [*_award_rows(plan), *_derived_rows(plan), *_batch_rows(plan), *_tail_rows(plan)]
    for number in range(len(plan.assumptions)):
        rows += _outcome_rows(plan, number)
    return rows


def _row(name: str, value: Cell, measure: str, *about: str, status: str = "assumed") -> dict[str, Any]:
    """A parameter; ``about`` it are its source and what that says."""
    source, words = about
    change = "" if value.formula else say("workbook.can_change" if value.is_input else "workbook.run_again")
    said = say("workbook.derived") if value.formula else say(f"status.{status}")
    return {
        "parameter": name, "value": value, "measure": measure, "status": said, "change": change, "source": source, "words": words
    }  # fmt: skip


def _given(value: float, kind: str, name: str) -> Cell:
    """A number that users may change if formulas refer to it by name."""
    return Cell(value, kind=kind, name=name, is_input=bool(name))


def _derived(name: str, formula: str, value: float, kind: str, measure: str) -> dict[str, Any]:
    """What follows from other parameters, named, its formula beside it."""
    return _row(name, Cell(value, formula, kind, name), measure, "", f"={formula}")


def _award_rows(plan: BudgetPlan) -> list[dict[str, Any]]:
    rows = []
    for key, parameter in plan.award.parameters.iterrows():
        name = say(f"cell.{key}") if key in _LIVE else ""
        value = _given(float(parameter["value"]), _KINDS.get(parameter["measure"], "plain"), name)
        words = "；".join(text for text in (parameter["quote"], parameter["note"]) if text)
        source, status = f"{plan.award.number}{parameter['clause']}", "assumed" if parameter["assumed"] else "quoted"
        rows.append(_row(say(f"parameter.{key}"), value, parameter["measure"], source, words, status=status))
    return rows


def _derived_rows(plan: BudgetPlan) -> list[dict[str, Any]]:
    """What a firm is paid and gives back, from the parameters above."""
    award, name = plan.award, {key: say(f"cell.{key}") for key in (*_LIVE, "opening", "each")}
    each, gone = (settlement_of(outcome, award).recovered for outcome in ("under_invested", DISCONTINUED))
    formulas = {
        "opening": (f"{name['amount']}*{name['opening_share']}", award.opening),
        "closing": (f"{name['amount']}-{name['opening']}", award.closing),
        "each": (
            f"{name['opening']}*{name['recovered_share']}*IF({name['empowerment_recovered']}=1,1,1-{name['empowerment_cap']})",
            each,
        ),
        "each_discontinued": (
            f"IF({name['discontinued_recovered']}=1,{name['each']},0)", gone
        ),
    }  # fmt: skip
    return [
        _derived(say(f"cell.{key}"), formula, float(value), "money", "万元/家")
        for key, (formula, value) in formulas.items()
    ]


def _batch_rows(plan: BudgetPlan) -> list[dict[str, Any]]:
    rows, live = [], [str(allocation.scenario.batch) for allocation in live_batches(plan)]
    for cohort in batches(plan):
        allocation = allocation_of(plan, cohort)
        scenario = allocation.scenario
        source, label, basis = say("workbook.scenario", name=scenario.name), cohort.label, scenario.assumptions
        named = say("workbook.of_batch", batch=label, what=header("total"))
        total = _given(scenario.total, "money", total_name(cohort.name) if cohort.name in live else "")
        status: str = scenario.total_status
        if allocation.has_known_quota:
            total, status = Cell(allocation.total, kind="money"), "known"
        rows.append(_row(named, total, "家", source, basis.get("total", ""), status=status))
        rows.append(_closing_row(plan, cohort))
        named = say("workbook.of_batch", batch=label, what=header("approval_rate"))
        if is_by_rate(plan, cohort):
            rate = _given(float(scenario.approval.exact), "percent", rate_name(cohort))
            rows.append(_row(named, rate, "占比", source, basis.get("approval", "")))
        else:
            known = Cell(int(cohort.approved.sum()) / max(allocation.total, 1), kind="percent")
            rows.append(_row(named, known, "占比", source, say("workbook.rate_known"), status="known"))
    return rows


def _closing_row(plan: BudgetPlan, cohort: Cohort) -> dict[str, Any]:
    """The year of a batch's closing: after the implementation period, or as the batch states."""
    named = say("workbook.of_batch", batch=cohort.label, what=header("closing_year"))
    name = say("cell.closing_year", batch=cohort.name)
    if int(cohort.name) in plan.award.years:
        stated = _given(cohort.closing_year, "plain", name)
        return _row(named, stated, say("workbook.year_measure"), say("workbook.stated"), "")
    formula = f"{cohort.opening_year}+{say('cell.implementation_years')}"
    return _derived(named, formula, cohort.closing_year, "year", say("workbook.year_measure")) | {
        "value": Cell(cohort.closing_year, formula, "year", name)
    }


def _tail_rows(plan: BudgetPlan) -> list[dict[str, Any]]:
    older = [cohort for cohort in plan.cohorts if cohort.payment is not None]
    if not older:
        return []
    paid = _given(older[0].payment or 0, "money", say("cell.tail"))
    names, known = "、".join(cohort.name for cohort in older), load_tails()
    notes = "".join(dict.fromkeys(cohort.assumption for cohort in older))
    return [_row(say("workbook.tails", names=names), paid, "万元/家", known.number, notes)]


def _outcome_rows(plan: BudgetPlan, number: int) -> list[dict[str, Any]]:
    """An assumption's mean shares, inputs; its range, correlations and states, which only the program uses.

    Where results are known the inputs are the shares of each batch after learning from them.
    """
    assumption, is_learned = plan.assumptions[number], learned(plan, number).is_any
    row_of = partial(_share_row, number, assumption)
    shares, basis = assumption.otherwise.model_dump(), assumption.basis
    completed, otherwise, rho = (basis.get(name, "") for name in ("completed", "otherwise", "rho"))

    def cell(name: str) -> str:
        return "" if is_learned else say(f"cell.{name}", number=number + 1)

    rows = [row_of(say("workbook.completed_mean"), assumption.completed.mean, cell("completed"), completed)]
    for outcome in ("missed", "discontinued", "under_invested"):
        what = say("workbook.otherwise", outcome=say(f"outcome.{outcome}"))
        rows.append(row_of(what, shares[outcome], cell(outcome), otherwise))
    rows += _learned_rows(plan, number) if is_learned else [_left_row(number, assumption)]
    for what, value in (("low", assumption.completed.low), ("high", assumption.completed.high)):
        rows.append(row_of(say(f"workbook.completed_{what}"), value, "", completed))
    for what, value in (("rho_unit", assumption.rho_unit), ("rho_nation", assumption.rho_nation)):
        rows.append(row_of(say(f"workbook.{what}"), value, "", rho))
    common = say("workbook.common_experience")
    return [*rows, row_of(common, assumption.common_experience, "", basis.get("common_experience", ""))]


def _share_row(
    number: int, assumption: OutcomeAssumption, what: str, value: float | str, *about: str
) -> dict[str, Any]:
    """One share of an assumption; ``about`` it are the name of its cell and its basis."""
    named = say("workbook.of_outcomes", number=number + 1, title=assumption.title, what=what)
    name, basis = about
    source = say("workbook.outcomes_source", title=assumption.title)
    return _row(named, _given(float(value), "percent", name), "占比", source, basis)


def _left_row(number: int, assumption: OutcomeAssumption) -> dict[str, Any]:
    left, gone, name = (
        say(f"cell.{cell}", number=number + 1) for cell in ("missed", "discontinued", "discontinued_left")
    )
    formula = f"IF({left}+{gone}>0,ROUND({gone}/({left}+{gone}),9),0)"
    return _derived(name, formula, float(share_of_the_left(assumption)), "percent", "占比")


def _learned_rows(plan: BudgetPlan, number: int) -> list[dict[str, Any]]:
    """The shares of each batch that learned from what is known."""
    assumption = plan.assumptions[number]
    return [
        _share_row(
            number, assumption, say(f"workbook.{name}_of", batch=cohort.label, group=say(f"workbook.group_{is_reported}")),
            float(share), cell, say("workbook.learned"),
        )
        for cohort in batches(plan)
        for _, is_reported in open_groups(cohort)
        for name, (cell, share) in shares_of(plan, number, cohort, is_reported).items()
    ]  # fmt: skip
