"""The sheets 测算 and 对比: from raw values to the quota and its money, a unit a row, in formulas over named cells."""

from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.report_xlsx.model import COMPARED, Line, Model
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Row, Sheet, known_columns, sums_of
from zjtx_alloc.report.writers.webster import helper_columns, spread_formulas

_PARTS = 10**9  # remainders of approved firms are counted in billionths, as in budget.xlsx
_Row = dict[str, Any]


def calculation_sheet(model: Model) -> Sheet:
    """Raw values, shares, coefficients, entitlement, bounds, quota, the batch before, approved firms and money."""
    rows = [_unit_row(model, unit, str(code)) for unit, code in enumerate(model.allocation.quota.index)]
    columns = _columns(model, rows)
    names = [name for name in columns if rows[0].get(name) is not None and _is_summed(name)]
    total: Row = {"short_name": say("table.total"), **sums_of(rows, names, fixed="")}
    check: Row = {"code": say("workbook.check"), "quota": Cell(0, "SUM([quota:rows])-total")}
    if model.allocation.total != model.allocation.scenario.total:
        check = {}
    return Sheet(
        say("calculation.title"), columns, rows, [total], check, note=say("calculation.note"), frozen=3,
        page=Page(pages=1, wide=2),
    )  # fmt: skip


def _is_summed(name: str) -> bool:
    own = ("value_", "share_", "base_")
    return name.startswith(own) or name in (
        "entitlement", "quota", "unbound_quota", "original", "step", "previous", "from_last", "approved",
        "opening_money", "closing_money", "commitment",
    )  # fmt: skip


def _columns(model: Model, rows: list[_Row]) -> dict[str, Column]:
    columns = {
        "serial": Column(say("calculation.serial"), "count", 5, is_helper=True, name="serial"),
        **known_columns(code=8, region=6), "short_name": Column(header("short_name"), "text", 9, name="unit_name"),
    }  # fmt: skip
    columns = {name: columns[name] for name in ("code", "short_name", "region", "serial")}
    for line in model.lines:
        columns |= _line_columns(model, line)
    for number, name in enumerate(model.pools, start=1):
        of = say("calculation.of_pool", pool=name) if name else ""
        columns |= {
            f"base_{number}": Column(say("calculation.base") + of, "part", 8, name=f"base_{number}"),
            f"coefficient_{number}": Column(say("calculation.coefficient") + of, "plain", 7, name=f"coefficient_{number}"),
        }  # fmt: skip
    columns["base_places"] = Column(header("base"), "count", 8, name="base_places")
    columns |= {"entitlement": Column(header("entitlement"), "places", 9, name="entitlement")} | _bound_columns()
    columns |= _search_columns() | _quota_columns() | _money_columns(model)
    held = {name for row in rows for name in row}
    return {name: column for name, column in columns.items() if name in held}


def _line_columns(model: Model, line: Line) -> dict[str, Column]:
    panel = model.allocation.panel
    name, measure = panel.name(line.code), str(panel.indicators.at[line.code, "measure"])
    kind = "count" if model.values[line.number]["value"].mod(1).eq(0).all() else "places"
    share = f"share_{line.number}"
    return {
        f"value_{line.number}": Column(f"{name}（{measure}）", kind, 11),
        f"basis_{line.number}": Column(say("calculation.basis"), "text", 19),
        f"multiplier_{line.number}": Column(say("calculation.multiplier"), "plain", 8),
        share: Column(say("calculation.share", name=name), "part", 8, name=share),
    }


def _bound_columns() -> dict[str, Column]:
    names = {"floor": "", "cap": "", "pool": "pool_cap", "fixed": "fixed_quota"}
    return {
        **{column: Column(say(f"calculation.{column}"), "plain", 8, name=name) for column, name in names.items()},
        "reason": Column(say("calculation.reason"), "text", 10),
        "change_base": Column(say("calculation.change_base"), "count", 8, name="change_base"),
        "change_floor": Column(say("bound.change_floor"), "count", 8),
        "change_cap": Column(say("bound.change_cap"), "count", 8),
        **{name: Column(say(f"calculation.{name}"), "count", 8, name=name) for name in ("floor_in_force", "cap_in_force")},
        **{name: Column(say(f"calculation.{name}"), "count", 8, is_helper=True, name=name)
           for name in ("original_billionths", "original_floor", "original_cap")},
    }  # fmt: skip


def _search_columns(prefix: str = "") -> dict[str, Column]:
    order = {
        name: Column(say(f"calculation.{name}"), "count", 10, is_helper=True, name=prefix + name)
        for name in ("billionths", "tie_order")
    }
    return order | helper_columns(prefix)


def _quota_columns() -> dict[str, Column]:
    return {
        "unbound_quota": Column(say("calculation.unbound_quota"), "count", 9, name="unbound_quota"),
        "quota": Column(header("quota"), "count", 7, name="quota"),
        "original": Column(say("calculation.original"), "count", 7, name="original"),
        "step": Column(say("calculation.step_from_original"), "step", 7),
        **known_columns(previous=7, from_last=8),
    }


def _money_columns(model: Model) -> dict[str, Column]:
    opening, closing = payment_years(model)
    return {
        "approved_part": Column(say("workbook.part"), "count", 8, is_helper=True),
        "approved_rest": Column(say("workbook.rest"), "count", 8, is_helper=True, name="approved_rest"),
        "approved": Column(header("approved"), "count", 9, name="approved"),
        "opening_money": Column(say("calculation.opening", year=opening), "money", 15, name="opening_money"),
        "closing_money": Column(say("calculation.closing", year=closing), "money", 15, name="closing_money"),
        "commitment": Column(header("commitment"), "money", 12, name="commitment_money"),
    }


def payment_years(model: Model) -> tuple[int, int]:
    """Fiscal years of the opening and the closing payment."""
    batch, award = model.allocation.scenario.batch, model.results.budget.award
    return award.opening_year(batch), award.closing_year(batch)


def _unit_row(model: Model, unit: int, code: str) -> _Row:
    one = model.allocation.panel.units.loc[code]
    row: _Row = {"code": code, "short_name": one["short_name"], "region": one["region"], "serial": unit + 1}
    for line in model.lines:
        row |= _line_cells(model, line, code)
    for number in range(1, len(model.pools) + 1):
        keys = {table: str(key[code]) for table, key in model.keys[number].items()}
        product, names = 1.0, []
        for table, key in keys.items():
            product *= model.coefficients[table][key]
            names.append(model.coefficient_name(table, key))
        row[f"base_{number}"] = Cell(float(model.bases[number][code]), model.base_formula(number))
        row[f"coefficient_{number}"] = Cell(product, "*".join(names) or "1")
    if model.has_base:
        row["base_places"] = int(model.allocation.entitlement.base[code])
    row["entitlement"] = Cell(float(model.allocation.entitlement.places[code]), model.entitlement_formula())
    row |= _bound_cells(model, unit, code) | _search_cells(model, unit)
    return row | _quota_cells(model, unit, code) | _money_cells(model, unit, code)


def _search_cells(model: Model, unit: int, prefix: str = "") -> _Row:
    """A unit's place in the tie order, which follows its entitlement, and how far the search came."""
    ahead = f"({prefix}billionths>[billionths])+({prefix}billionths=[billionths])*(serial<[serial])"
    search = model.search
    return {
        "billionths": Cell(round(search.due[unit] * _PARTS), f"ROUND([{prefix}entitlement]*10^9,0)"),
        "tie_order": Cell(search.rank[unit] + 1, f"SUMPRODUCT({ahead})+1"),
        **model.live(prefix).unit_cells(unit),
    }


def _line_cells(model: Model, line: Line, code: str) -> _Row:
    cells, number, first = model.values[line.number], line.number, model.first_of(line)
    cell, is_made = cells.loc[code], line.code in model.allocation.scenario.composites
    value: Any = Cell(float(cell["value"]), f"[value_{first.number}]")
    if first is line:
        kind = "count" if cells["value"].mod(1).eq(0).all() else "places"
        tone = "stand-in" if line.factor.stand_in_for else "estimated" if cell["estimated"] else "published"
        key = ("facts", line.code, line.factor.period, code)
        value = Cell(float(cell["value"]), kind=f"{tone} {kind}", is_input=not is_made, key=() if is_made else key)
    multiplier = float(model.multipliers[line.number][code])
    ours = f"[value_{number}]/SUM([value_{number}:$rows])"
    found = {f"value_{number}": value, f"basis_{number}": model.basis[number][code]}
    if line.factor.multiplier is not None:
        found[f"multiplier_{number}"] = multiplier
        times = f"[value_{number}:$rows],[multiplier_{number}:$rows]"
        ours = f"[value_{number}]*[multiplier_{number}]/SUMPRODUCT({times})"
    return found | {f"share_{number}": Cell(float(model.shares[number][code]), ours)}


def _bound_cells(model: Model, unit: int, code: str) -> _Row:
    """A unit's own bounds, which may be changed, and those in force, as ``unit_bounds`` finds them."""
    scenario, problem = model.allocation.scenario, model.allocation.problem
    fixed = scenario.fixed.get(code)
    given = {
        "floor": (scenario.floor.get(code), ("floor", code)), "cap": (scenario.cap.get(code), ("cap", code)),
        "pool": (model.pool_caps.get(code), ("eligible_pool", code)),
        "fixed": (None if fixed is None else fixed.quota, ("fixed", code, "quota")),
    }  # fmt: skip
    row: _Row = {name: Cell(value, kind="plain", is_input=True, key=key) for name, (value, key) in given.items()}
    reason = None if fixed is None else fixed.reason
    row["reason"] = Cell(reason, kind="text", is_input=True, key=("fixed", code, "reason"))
    floor = 'IF([floor]<>"",[floor],MIN(floor_default,IF([pool]<>"",[pool],total)))'
    cap = 'IF([cap]<>"",[cap],IF(cap_default<>"",cap_default,total)),IF([pool]<>"",[pool],total),total'
    if model.before is not None:
        row |= _change_cells(model, code)
        floor, cap = f"MAX({floor},[change_floor])", f"{cap},[change_cap]"
    floor = f"MAX({floor},[base_places])" if model.has_base else floor
    row["floor_in_force"] = Cell(problem.lower[unit], f'IF([fixed]<>"",[fixed],{floor})')
    most = min(int(problem.cap.iloc[unit]), problem.total)
    row["cap_in_force"] = Cell(most, f'IF([fixed]<>"",[fixed],MIN({cap}))')
    if model.has_unbound:
        row |= {
            "original_billionths": round(float(model.allocation.entitlement.places[code]) * _PARTS),
            "original_floor": problem.lower[unit],
            "original_cap": most,
        }
    return row


def _change_cells(model: Model, code: str) -> _Row:
    """Bounds around the batch before, rounded outward, never narrower than one place either way."""
    scenario, before = model.allocation.scenario, model.before
    assert before is not None
    assert scenario.change is not None
    centre = "[change_base]" if scenario.change.raw else "[change_base]*total/SUM([change_base:$rows])"
    reach = f"MAX({centre}*change_limit,1)"
    low, high = f"MAX(INT(ROUND({centre}-{reach},9)),0)", f"-INT(-ROUND({centre}+{reach},9))"
    scale = 1.0 if scenario.change.raw else scenario.total / before.sum()
    middle = before[code] * scale
    wide = max(middle * scenario.change.max_relative, 1)
    return {
        "change_base": int(before[code]),
        "change_floor": Cell(max(int((round(middle - wide, 9)) // 1), 0), low),
        "change_cap": Cell(int(-(-round(middle + wide, 9) // 1)), high),
    }


def _quota_cells(model: Model, unit: int, code: str) -> _Row:
    """The quota, and beside it what the program found, what nothing but the units' own bounds gives, and the batch before."""
    quota, free = int(model.allocation.quota[code]), model.search.quota[unit]
    row, formula = _Row(), f"IF(shortfall>0,NA(),{model.live().quota})"
    if model.has_unbound:
        row["unbound_quota"] = Cell(free, formula)
        formula = "IF(changed=0,[original],NA())"
        if not model.is_by_program:
            formula = f"IF(shortfall>0,NA(),IF(broken=0,[unbound_quota],{formula}))"
    row |= {"quota": Cell(quota, formula), "original": quota, "step": Cell(0, "[quota]-[original]")}
    if model.last is not None:
        before = int(model.last[code])
        row |= {"previous": before, "from_last": Cell(quota - before, "[quota]-[previous]")}
    return row


def _money_cells(model: Model, unit: int, code: str) -> _Row:
    """Approved firms at the assumed rate by largest remainder, and what they are paid if all of them complete."""
    allocation, award = model.allocation, model.results.budget.award
    firms = int(allocation.approved[code])
    money = {
        "opening_money": Cell(firms * award.opening, "[approved]*award_amount*award_opening_share"),
        "closing_money": Cell(firms * award.closing, "[approved]*award_amount-[opening_money]"),
        "commitment": Cell(firms * award.amount, "[approved]*award_amount"),
    }
    if model.is_by_program:
        return {"approved": firms, **money}
    orders = ("tie_order", "[tie_order]")
    formulas = spread_formulas("approved", ("[quota]", "approval_rate"), "approved_rest", orders)
    values = (*divmod(int(allocation.quota[code]) * int(allocation.scenario.approval.exact * _PARTS), _PARTS), firms)
    return dict(zip(formulas, map(Cell, values, formulas.values()), strict=True)) | money


def comparison_sheet(model: Model) -> Sheet:
    """The quota by a second set of weights beside the first, within the units' own bounds; differences live."""
    mine = "unbound_quota" if model.has_unbound else "quota"
    rows: list[_Row] = []
    for unit, (code, one) in enumerate(model.allocation.panel.units.iterrows()):
        row: _Row = {"code": str(code), "short_name": one["short_name"], "region": one["region"], "serial": unit + 1}
        for number in range(1, len(model.pools) + 1):
            base = Cell(float(model.bases[number][code]), model.base_formula(number, COMPARED))
            row[f"{COMPARED}base_{number}"] = base
        entitlement = float(model.allocation.entitlement.places[code])
        row |= {
            "entitlement": Cell(entitlement, "INDEX(entitlement,[serial])"),
            f"{COMPARED}entitlement": Cell(entitlement, model.entitlement_formula(COMPARED)),
            "difference": Cell(0, f"[{COMPARED}entitlement]-[entitlement]"),
        }
        row |= _search_cells(model, unit, COMPARED)
        free = model.search.quota[unit]
        row |= {
            "quota": Cell(free, f"INDEX({mine},[serial])"),
            f"{COMPARED}quota": Cell(free, f"IF(shortfall>0,NA(),{model.live(COMPARED).quota})"),
            "step": Cell(0, f"[{COMPARED}quota]-[quota]"),
        }
        rows.append(row)
    columns = _comparison_columns(model)
    summed = [name for name in rows[0] if _is_summed(name.removeprefix(COMPARED))]
    total: Row = {"short_name": say("table.total"), **sums_of(rows, summed, fixed="")}
    note = say("calculation.comparison_note") + (say("calculation.comparison_unbound") if model.has_unbound else "")
    moved: Row = {"short_name": say("calculation.moved"), "step": Cell(0, "SUMPRODUCT(([step:rows]>0)*[step:rows])")}
    return Sheet(
        say("calculation.comparison"), columns, rows, [total, moved], note=note, frozen=3, page=Page(False, 1),
    )  # fmt: skip


def _comparison_columns(model: Model) -> dict[str, Column]:
    columns = {
        **known_columns(code=8, short_name=9, region=6),
        "serial": Column(say("calculation.serial"), "count", 5, is_helper=True),
    }
    for number, name in enumerate(model.pools, start=1):
        of = say("calculation.of_pool", pool=name) if name else ""
        base = f"{COMPARED}base_{number}"
        columns[base] = Column(say("calculation.base") + of, "part", 11, name=base)
    both = {name: say("calculation.second", what=header(name)) for name in ("entitlement", "quota")}
    quota = say("calculation.unbound_quota") if model.has_unbound else header("quota")
    return columns | {
        "entitlement": Column(header("entitlement"), "places", 11),
        f"{COMPARED}entitlement": Column(both["entitlement"], "places", 11, name=f"{COMPARED}entitlement"),
        "difference": Column(say("calculation.entitlement_step"), "difference", 11),
        **_search_columns(COMPARED),
        "quota": Column(quota, "count", 9),
        f"{COMPARED}quota": Column(both["quota"], "count", 9, name=f"{COMPARED}quota"),
        "step": Column(say("calculation.quota_step"), "step", 9),
    }


def has_plain_money(model: Model) -> bool:
    """Whether the ledger's money of this batch is what the formulas come to."""
    table, batch = model.results.budget.table, str(model.allocation.scenario.batch)
    own = table[table["batch"].astype(str) == batch]
    opening, closing = payment_years(model)
    award, firms = model.results.budget.award, model.allocation.approved
    owed = {opening: firms * award.opening, closing: firms * award.closing}
    if set(own["fiscal_year"].astype(int)) != set(owed):
        return False
    paid = {
        year: own[own["fiscal_year"] == year].set_index("code")["net"].reindex(firms.index, fill_value=0)
        for year in owed
    }
    return all((paid[year].astype(int) == owed[year].astype(int)).all() for year in owed)
