"""The parameters of a budget workbook, each with its clause, named so that formulas read as sentences."""

from fractions import Fraction
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.expected import share_of_the_left
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.cells import Column, Given, Live, LiveSheet
from zjtx_alloc.report.budget_xlsx.firms import batches, rate_name
from zjtx_alloc.rules.award import load_tails

_KINDS = {"占比": "percent", "万元/家": "money", "万元": "money"}
_LIVE = {
    "amount": "amount", "opening_share": "opening_share", "empowerment_cap": "empowerment_cap",
    "recovered_share": "recovered_share", "empowerment_recovered": "empowerment_recovered",
    "discontinued_recovered": "discontinued_recovered",
}  # fmt: skip


def assumption_inputs(plan: BudgetPlan) -> dict[str, float]:
    """The cells that users may change: name, and the value that this plan was computed with."""
    given = [cell for row in _parameters(plan) for cell in row if isinstance(cell, Given)]
    return {cell.name: cell.value for cell in given if cell.is_input}


def assumption_sheet(plan: BudgetPlan, checks: list[str]) -> LiveSheet:
    """A row a parameter: value, measure, whether quoted or assumed, clause or source, words or basis.

    ``checks`` are the cells of other sheets that must be zero; their sum of absolutes stands at the end.
    """
    whole_money = "+".join(f"ABS({name}-ROUND({name},0))" for name in (say("cell.opening"), say("cell.closing")))
    shares = "".join(
        f"+ABS(ROUND({'+'.join(say(f'cell.{o}', number=n) for o in ('missed', 'discontinued', 'under_invested'))}-1,9))"
        for n in range(1, len(plan.assumptions) + 1)
    )
    every = "+".join(f"ABS({cell})" for cell in checks)
    tail = [
        [
            say("workbook.check"),
            Live(f"{every}+{whole_money}{shares}", 0, "money"),
            *[""] * 4,
            say("workbook.check_note"),
        ]
    ]
    columns = [
        Column(header("parameter"), "text", 30), Column(header("value"), "money", 12), Column(header("measure"), "text", 10),
        Column(header("assumed"), "text", 10), Column(say("workbook.changeable"), "text", 12),
        Column(say("workbook.source"), "text", 26), Column(header("note"), "text", 62),
    ]  # fmt: skip
    note = say("workbook.assumptions_note")
    return LiveSheet(say("workbook.assumptions"), note, columns, _parameters(plan), tail, frozen=1)


def _parameters(plan: BudgetPlan) -> list[list[Any]]:
    rows = [*_award_rows(plan), *_derived_rows(plan), *_batch_rows(plan), *_tail_rows(plan)]
    for number, assumption in enumerate(plan.assumptions, start=1):
        rows += _outcome_rows(number, assumption)
    return rows


def _row(name: str, value: Any, measure: str, assumed: bool, *told: str) -> list[Any]:
    """A parameter; told are its source and what that says."""
    status = say("status.assumed" if assumed else "status.quoted")
    free = isinstance(value, Given) and value.is_input
    change = "" if isinstance(value, Live) else say("workbook.can_change" if free else "workbook.run_again")
    return [name, value, measure, status, change, *told]


def _award_rows(plan: BudgetPlan) -> list[list[Any]]:
    rows = []
    for key, told in plan.award.parameters.iterrows():
        name = say(f"cell.{_LIVE[str(key)]}") if key in _LIVE else ""
        value = Given(float(told["value"]), _KINDS.get(told["measure"], "plain"), name, bool(name))
        words = "；".join(text for text in (told["quote"], told["note"]) if text)
        source = f"{plan.award.number}{told['clause']}"
        rows.append(_row(say(f"parameter.{key}"), value, told["measure"], bool(told["assumed"]), source, words))
    return rows


def _derived_rows(plan: BudgetPlan) -> list[list[Any]]:
    """What a firm is paid and gives back, from the parameters above."""
    award, name = plan.award, {key: say(f"cell.{key}") for key in (*_LIVE, "opening", "each")}
    reached = Fraction(1) if award.empowerment_recovered else 1 - award.empowerment_cap
    each = award.opening * award.recovered_share * reached
    formulas = {
        "opening": (f"{name['amount']}*{name['opening_share']}", award.opening),
        "closing": (f"{name['amount']}-{name['opening']}", award.closing),
        "each": (
            f"{name['opening']}*{name['recovered_share']}*IF({name['empowerment_recovered']}=1,1,1-{name['empowerment_cap']})",
            each,
        ),
        "each_discontinued": (
            f"IF({name['discontinued_recovered']}=1,{name['each']},0)", each if award.discontinued_recovered else 0
        ),
    }  # fmt: skip
    return [
        [
            say(f"cell.{key}"),
            Live(formula, float(value), "money", say(f"cell.{key}")),
            "万元/家",
            say("workbook.derived"),
            "",
            "",
            f"={formula}",
        ]
        for key, (formula, value) in formulas.items()
    ]


def _batch_rows(plan: BudgetPlan) -> list[list[Any]]:
    rows = []
    for cohort in batches(plan):
        (scenario,) = (a.scenario for a in plan.allocations if str(a.scenario.batch) == cohort.name)
        source, label = say("workbook.scenario", name=scenario.name), cohort.label
        total, rate = (
            Given(scenario.total, "count", "", False),
            Given(float(scenario.approval.exact), "percent", rate_name(cohort)),
        )
        status = say(f"status.{scenario.total_status}")
        named = say("workbook.of_batch", batch=label, what=header("total"))
        rows.append(
            [named, total, "家", status, say("workbook.run_again"), source, scenario.assumptions.get("total", "")]
        )
        named = say("workbook.of_batch", batch=label, what=header("approval_rate"))
        rows.append(_row(named, rate, "占比", True, source, scenario.assumptions.get("approval", "")))
    return rows


def _tail_rows(plan: BudgetPlan) -> list[list[Any]]:
    older = [cohort for cohort in plan.cohorts if cohort.payment is not None]
    if not older:
        return []
    paid = Given(older[0].payment or 0, "money", say("cell.tail"))
    names, known = "、".join(cohort.name for cohort in older), load_tails()
    notes = "".join(dict.fromkeys(cohort.assumption for cohort in older))
    return [_row(say("workbook.tails", names=names), paid, "万元/家", True, known.number, notes)]


def _outcome_rows(number: int, assumption: OutcomeAssumption) -> list[list[Any]]:
    """An assumption's mean shares, inputs; its range, correlations and states, which only the program uses."""

    def told(what: str, value: str, cell: str, basis: str) -> list[Any]:
        given = Given(float(value), "percent", cell, bool(cell))
        return _row(
            say("workbook.of_outcomes", number=number, title=assumption.title, what=what),
            given,
            "占比",
            True,
            assumption.name,
            basis,
        )

    shares, basis = assumption.otherwise.model_dump(), assumption.basis
    otherwise, rho = basis.get("otherwise", ""), basis.get("rho", "")
    rows = [
        told(
            say("workbook.completed_mean"),
            assumption.completed.mean,
            say("cell.completed", number=number),
            basis.get("completed", ""),
        )
    ]
    for outcome in ("missed", "discontinued", "under_invested"):
        what = say("workbook.otherwise", outcome=say(f"outcome.{outcome}"))
        rows.append(told(what, shares[outcome], say(f"cell.{outcome}", number=number), otherwise))
    left, gone = say("cell.missed", number=number), say("cell.discontinued", number=number)
    formula = f"IF({left}+{gone}>0,ROUND({gone}/({left}+{gone}),9),0)"
    name = say("cell.discontinued_left", number=number)
    share = Live(formula, float(share_of_the_left(assumption)), "percent", name)
    rows.append([name, share, "占比", say("workbook.derived"), "", "", f"={formula}"])
    for what, value in (("low", assumption.completed.low), ("high", assumption.completed.high)):
        rows.append(told(say(f"workbook.completed_{what}"), value, "", basis.get("completed", "")))
    for what, value in (("rho_unit", assumption.rho_unit), ("rho_nation", assumption.rho_nation)):
        rows.append(told(say(f"workbook.{what}"), value, "", rho))
    return rows
