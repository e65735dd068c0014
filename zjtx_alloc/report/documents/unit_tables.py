"""The tables of a unit's page: its facts, where its entitlement comes from, its range, its money, its duties."""

from collections.abc import Iterator

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.entitlement import ADJUSTMENT, coefficient_keys
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.budget import MONEY
from zjtx_alloc.report.documents.proposal_facts import allowed_weights
from zjtx_alloc.report.notes.marks import COEFFICIENTS, alone_note, budget_notes, stands_for, year_label
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import Table, titled
from zjtx_alloc.report.tables.data import basis_of
from zjtx_alloc.report.tables.ranges import bracket_text, range_notes
from zjtx_alloc.rules.composite_form import Part
from zjtx_alloc.rules.scenario import Factor
from zjtx_alloc.uncertainty.weight_range import WeightRange


def fact_table(allocation: Allocation, code: str) -> Table:
    """The facts that a unit's entitlement rests on, each with its share of the nation, its marks and its source."""
    panel, rows, notes = allocation.panel, [], list[str]()
    cited: dict[str, int] = {}
    lines = {(indicator, line.period): line for indicator, line in allocation.scenario.indicators()}
    for (indicator, _), line in lines.items():
        cells = panel.known(indicator, line.period)
        whole = cells["value"].sum() if len(cells) == len(panel.units) else None
        cell = cells.loc[code] if code in cells.index else None
        number = None if cell is None else cited.setdefault(str(cell["source"]), len(cited) + 1)
        marks = dict(_marks(allocation, indicator, line, cell))
        rows.append(
            {
                "indicator": panel.name(indicator),
                "period": panel.supplied.get(indicator, line.period),
                "fact_value": None if cell is None else _written(cell["value"]),
                "value_range": None if cell is None else _range(cell),
                "measure": panel.indicators.at[indicator, "measure"],
                "marks": "、".join(marks) or "—",  # before the rest: a telephone shows no more
                "national_share": None if cell is None or not whole else cell["value"] / whole,
                "source": "—" if number is None else say("unit.source_number", number=number),
            }
        )
        notes += marks.values()
    notes += [_source_note(allocation, source, number) for source, number in cited.items()]
    frame = pd.DataFrame(rows)
    ranged = frame if frame["value_range"].notna().any() else frame.drop(columns="value_range")
    return titled("unit_facts", ranged, *notes)


def _written(value: float) -> str:
    """A fact with what decimals it has, two at most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _range(cell: pd.Series) -> str | None:
    """What a fact may be where it is not known to the firm."""
    low, high = (_written(cell[name]) for name in ("low", "high"))
    return None if low == high else say("unit.from_to_value", low=low, high=high)


def _marks(
    allocation: Allocation, indicator: str, line: Factor | Part, cell: pd.Series | None
) -> Iterator[tuple[str, str]]:
    """估算, 公布, 代用, 用户 and 补缺, as far as they fit the cell, each with what it means."""
    panel, name = allocation.panel, allocation.panel.name(indicator)
    if cell is None:
        yield say("mark.filled"), say("unit.filled", name=name)
    elif cell["estimated"]:
        yield say("mark.estimated"), say("unit.estimated", name=name, rule=basis_of(panel, indicator, cell))
    elif pd.notna(cell["low"]):
        yield say("mark.published"), say("unit.published", name=name, rule=basis_of(panel, indicator, cell))
    if target := stands_for(allocation, indicator, line):
        yield say("mark.stand_in"), say("unit.stand_in", name=name, target=target)
    if panel.is_own(indicator, line.period):
        yield say("mark.supplied"), say("unit.supplied", name=name)


def _source_note(allocation: Allocation, source: str, number: int) -> str:
    described = allocation.panel.sources.loc[source]
    extra = "，".join(filter(None, (described["date"], described["how_read"])))
    trust = say("unit.reliability", reliability=described["reliability"]) if described["reliability"] else ""
    return say("unit.source", number=number, publisher=described["publisher"], title=described["title"],
               extra=say("unit.source_extra", extra=extra) if extra else "", trust=trust)  # fmt: skip


def contribution_rows(allocation: Allocation, code: str) -> Table:
    """What each factor gives a unit: weight × share × total, what the coefficients add or take, and the sum."""
    due, scenario, panel = allocation.entitlement, allocation.scenario, allocation.panel
    weights: dict[str, float] = {}
    for pool in scenario.all_pools().values():
        for factor, line in pool.factors.items():
            weights[factor] = weights.get(factor, 0.0) + pool.share * line.weight
    places = due.contributions.loc[code]
    rows = [
        {
            "indicator": panel.name(factor),
            "written_weight": f"{weight:.4g}",
            "counted_share": places[factor] / (scenario.by_formula * weight) if weight else None,
            "contribution": places[factor],
        }
        for factor, weight in weights.items()
    ]
    named = "，".join(_coefficients(allocation, code))
    adjusted = say("unit.adjusted", name=header(ADJUSTMENT), coefficients=named) if named else header(ADJUSTMENT)
    rows.append({"indicator": adjusted, "contribution": places[ADJUSTMENT]})
    if base := int(due.base[code]):
        rows.append({"indicator": say("bound.base"), "contribution": float(base)})
    rows.append({"indicator": header("entitlement"), "contribution": due.places[code]})
    note = say("unit.contributions_beyond" if base else "unit.contributions", total=scenario.by_formula)
    return titled("unit_contributions", pd.DataFrame(rows), note, has_total=True)


def _coefficients(allocation: Allocation, code: str) -> Iterator[str]:
    """The coefficients that count for a unit, each with the key that gives it."""
    scenario = allocation.scenario
    keys: dict[str, str] = {}
    for pool in scenario.all_pools().values():
        keys |= {name: key[code] for name, key in coefficient_keys(allocation.panel, scenario, pool).items()}
    for name, key in keys.items():
        yield say("unit.coefficient", name=say(COEFFICIENTS[name]), key=key, value=getattr(scenario, name)[key])


def range_rows(ranges: WeightRange, code: str) -> Table:
    """The least and greatest entitlement and quota of a unit, with weights that give them."""
    row, panel = ranges.table.loc[code], ranges.allocation.panel
    rows = [
        {
            "end": say(f"unit.{end}"),
            "entitlement": row["entitlement" if end == "own" else f"entitlement_{end}"],
            "quota": row["quota" if end == "own" else f"quota_{end}"],
            "end_weights": _weights(ranges, code, end),
        }
        for end in ("min", "own", "max")
    ]
    names = "、".join(
        (say("proposal.pool", name=pool) if pool else "") + (panel.name(factor) if factor else say("ranges.pool_share"))
        for pool, factor in ranges.weights.columns
    )
    bracket = bracket_text(row.to_dict())
    exact = say("unit.bracket", bracket=bracket) if bracket else range_notes(ranges)[0]
    allowed = say("proposal.allowed_all", weights="；".join(allowed_weights(ranges.allocation)))
    notes = (*alone_note(ranges.allocation), say("unit.end_weights", names=names), allowed, exact)
    return titled("unit_range", pd.DataFrame(rows), *notes)


def _weights(ranges: WeightRange, code: str, end: str) -> str:
    """Weights that attain an end of the quota, or the scenario's own, in the order of the factors."""
    if end != "own":
        return " / ".join(f"{weight:.3g}" for weight in ranges.weights.loc[(code, f"quota_{end}")])
    pools = ranges.allocation.scenario.all_pools()
    first = next(iter(pools.values()))
    own = ((pools.get(pool, first), factor) for pool, factor in ranges.weights.columns)
    return " / ".join(f"{pool.factors[factor].weight if factor else pool.share:.3g}" for pool, factor in own)


def money_rows(results: Results, code: str) -> Table:
    """A unit's money by fiscal year and batch, and the total."""
    budget = results.budget
    gaps, firms = budget.ledger.gaps(), {cohort.name: int(cohort.approved[code]) for cohort in budget.cohorts}
    names = {cohort.name: cohort.label for cohort in budget.cohorts}
    own = budget.table[budget.table["code"] == code].sort_values("fiscal_year", kind="stable")
    if (moves := own[list(MONEY)].ne(0).any(axis=1)).any():
        own = own[moves]  # without years in which firms only leave
    total = own[list(MONEY)].sum().to_dict() | {"fiscal_year": say("table.total")}
    frame = own.assign(
        fiscal_year=[year_label(int(year), gaps) for year in own["fiscal_year"]],
        approved=own["batch"].map(firms),
        batch=own["batch"].map(names),
    )
    shown = frame[["fiscal_year", "batch", "approved", *MONEY]]
    return titled("unit_money", shown, *budget_notes(budget, results.programme), total=total)


def duty_table(results: Results) -> Table:
    """What the notice asks of a unit, in its own words, and by when."""
    asked, award = results.duties, results.budget.award
    noted = say("unit.later_batch") if award.opening_year(results.scenario.batch) > award.first_year else ""
    return titled("unit_duties", duty_rows(asked), say("unit.duties", number=award.number), *filter(None, [noted]))


def duty_rows(asked: pd.DataFrame) -> pd.DataFrame:
    """Duties as ``duties`` gives them, with the days on which they fall due as a text."""
    frame = asked.assign(by=[_by(row.days, row.dates) for row in asked.itertuples()])
    return frame[["duty", "by", "quote", "clause"]]


def _by(days: str, dates: pd.DataFrame) -> str:
    """When a duty falls due; days that are not set by the rule itself say what they rest on."""
    described = []
    for date, year, basis in dates.itertuples(index=False):
        mark = "" if basis == "fixed" else say("unit.basis", basis=say(f"basis.{basis}"))
        day = say("unit.date", year=date.year, month=date.month, day=date.day, mark=mark)
        described.append(say("unit.latest", fiscal_year=year, date=day) if days == "received" else day)
    return say(f"days.{days}", dates="、".join(described) or say("days.unknown"))
