"""The sheet 参数: what may be changed, each number named, and whether what it makes can be and keeps the rules."""

from collections.abc import Iterator
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.notes.marks import criterion_text, publishers_of, stands_for
from zjtx_alloc.report.report_xlsx.model import Joint, Line, Model, compared
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Sheet, known_columns
from zjtx_alloc.rules.scenario import DEFAULT

_Row = dict[str, Any]


def parameter_sheet(model: Model) -> Sheet:
    """A row a parameter, then what is checked."""
    columns = {
        **known_columns(parameter=34), "value": Column(header("value"), "plain", 12),
        "compared": Column(say("calculation.compared_weight"), "percent", 12),
        "least": Column(say("calculation.least"), "plain", 9), "most": Column(say("calculation.most"), "plain", 9),
        **known_columns(measure=10), "source": Column(say("workbook.source"), "text", 24),
        "words": Column(header("note"), "text", 58),
    }  # fmt: skip
    rows = [*_total_rows(model), *_weight_rows(model), *_coefficient_rows(model), *_bound_rows(model)]
    rows += [*_money_rows(model), *_feasible_rows(model), *_joint_rows(model), *_change_rows(model)]
    return Sheet(
        say("calculation.parameters"), columns, rows, note=_note(model), frozen=1, page=Page(),
    )  # fmt: skip


def _note(model: Model) -> str:
    allocation, told = model.allocation, say("calculation.parameters_note")
    if not model.has_unbound:
        return told
    ways = () if allocation.counted is None else allocation.counted.ways
    reasons = [say("calculation.by_criterion", name=criterion_text(allocation.problem.criterion))]
    reasons = reasons if allocation.problem.criterion != "webster" else []
    reasons += [say("calculation.by_ways", ways="、".join(say(f"counted.{way}") for way in ways))] if ways else []
    if reasons:
        return told + say("calculation.by_program", reasons="；".join(reasons))
    return told + say("calculation.by_rules")


def _total_rows(model: Model) -> Iterator[_Row]:
    scenario = model.allocation.scenario
    doubt = scenario.uncertainty.total
    yield {
        "parameter": header("total"), "value": _input(scenario.total, "plain", "total", ("total",)),
        **({} if doubt is None else {"least": doubt.min, "most": doubt.max}),
        "measure": "家", "source": say(f"status.{scenario.total_status}"), "words": scenario.assumptions.get("total", ""),
    }  # fmt: skip


def _input(value: float | None, kind: str, name: str, key: tuple[str, ...]) -> Cell:
    return Cell(value, kind=kind, name=name, is_input=True, key=key)


def _weight_rows(model: Model) -> Iterator[_Row]:
    for number, (name, pool) in enumerate(model.pools.items(), start=1):
        lines = model.of_pool(number)
        if len(model.pools) > 1:
            yield {
                "parameter": say("calculation.pool_share", pool=name),
                "value": _input(pool.share, "percent", f"pool_share_{number}", ("pools", name, "share")),
            }
        for line in lines:
            yield _weight_row(model, line)
        both = {"value": "", "compared": compared("")}
        sums = {c: "+".join(prefix + line.weight for line in lines) for c, prefix in both.items()}
        whole = "ROUND({}-1,9)=0"
        check = f"IF(AND({','.join(whole.format(text) for text in sums.values())}),"
        yield {
            "parameter": say("calculation.weight_sum", pool=name) if name else say("calculation.weights"),
            **{c: Cell(sum(line.factor.weight for line in lines), text, "percent") for c, text in sums.items()},
            "words": Cell(
                say("calculation.sum_kept"), f'{check}"{say("calculation.sum_kept")}","{say("calculation.sum_broken")}")'
            ),
        }  # fmt: skip


def _weight_row(model: Model, line: Line) -> _Row:
    allocation, (code, factor) = model.allocation, (line.code, line.factor)
    panel, scenario = allocation.panel, allocation.scenario
    doubt = scenario.uncertainty
    ranges = doubt.weights or (doubt.pools[line.pool_name].weights if line.pool_name in doubt.pools else {})
    span = {"least": ranges[code].min, "most": ranges[code].max} if code in ranges else {}
    grounds = [(ground, one.period) for ground, one in scenario.grounds(code, factor)]
    stands = stands_for(allocation, code, factor)
    period = panel.supplied.get(code, factor.period)
    texts = [say("calculation.of_period", period=period) if period else "", say("calculation.stands", name=stands) if stands else ""]  # fmt: skip
    return {
        "parameter": say("calculation.weight", name=panel.name(code)),
        "value": _input(factor.weight, "percent", line.weight, line.key),
        "compared": Cell(factor.weight, kind="percent", name=compared(line.weight), is_input=True),
        **span, "measure": "占比", "source": publishers_of(panel, grounds), "words": "；".join(filter(None, texts)),
    }  # fmt: skip


def _coefficient_rows(model: Model) -> Iterator[_Row]:
    scenario = model.allocation.scenario
    for table, numbers in model.coefficients.items():
        spans = getattr(scenario.uncertainty, table)
        words = scenario.assumptions.get(table, "")
        for key, value in numbers.items():
            span = {"least": spans[key].min, "most": spans[key].max} if key in spans else {}
            name = model.coefficient_name(table, key)
            what = say("table.region" if table == "region_coefficient" else "table.grade")
            yield {
                "parameter": f"{what}：{key}", "value": _input(value, "plain", name, (table, key)), **span,
                "words": words,
            }  # fmt: skip
            words = ""  # said once


def _bound_rows(model: Model) -> Iterator[_Row]:
    scenario = model.allocation.scenario
    floor, cap = scenario.floor.get(DEFAULT, 0), scenario.cap.get(DEFAULT)
    yield {
        "parameter": say("calculation.floor_default"), "measure": "家",
        "value": _input(floor, "plain", "floor_default", ("floor", DEFAULT)), "words": scenario.assumptions.get("floor", ""),
    }  # fmt: skip
    yield {
        "parameter": say("calculation.cap_default"), "measure": "家",
        "value": _input(cap, "plain", "cap_default", ("cap", DEFAULT)), "words": say("calculation.blank_cap"),
    }  # fmt: skip
    if scenario.change is not None:
        yield {
            "parameter": say("table.change"), "source": scenario.change.previous,
            "value": _input(scenario.change.max_relative, "plain", "change_limit", ("change", "max_relative")),
            "words": say("table.raw" if scenario.change.raw else "table.scaled"),
        }  # fmt: skip


def _money_rows(model: Model) -> Iterator[_Row]:
    scenario, award = model.allocation.scenario, model.results.budget.award
    rate = _input(float(scenario.approval.exact), "percent", "approval_rate", ("approval", "rate"))
    yield {
        "parameter": header("approval_rate"), "value": rate, "measure": "占比", "words": scenario.assumptions.get("approval", ""),
    }  # fmt: skip
    for key in ("amount", "opening_share", "empowerment_cap"):
        row = award.parameters.loc[key]
        kind = "percent" if key != "amount" else "money"
        yield {
            "parameter": say(f"parameter.{key}"), "value": Cell(float(row["value"]), kind=kind, name=f"award_{key}"),
            "measure": row["measure"], "source": f"{award.number}{row['clause']}",
            "words": row["quote"] + say("calculation.not_here"),
        }  # fmt: skip


def _feasible_rows(model: Model) -> Iterator[_Row]:
    """How many places are too few or too many, and why there is no quota then."""
    least, most = "SUM(floor_in_force)", "SUMPRODUCT(cap_in_force*(billionths>0)+floor_in_force*(billionths=0))"
    crossed = "SUMPRODUCT((floor_in_force>cap_in_force)*(floor_in_force-cap_in_force))"
    above = 'SUMPRODUCT((fixed_quota<>"")*(pool_cap<>"")*(fixed_quota>pool_cap))'
    told = [
        ("total<>INT(total)", f'"{say("calculation.not_whole")}"'),
        (f"{above}>0", f'"{say("calculation.above_pool")}"'),
        (f"{crossed}>0", f'"{say("calculation.crossed")}"'),
        (f"{least}>total", f'"{say("calculation.floors_above")}"&({least}-total)&"家"'),
        (f"{most}<total", f'"{say("calculation.caps_below")}"&(total-{most})&"家"'),
    ]
    text = f'"{say("calculation.feasible")}"'
    for condition, words in reversed(told):
        text = f"IF({condition},{words},{text})"
    lacking = f"MAX({least}-total,0)+MAX(total-{most},0)+{crossed}+{above}+ABS(total-INT(total))"
    yield {
        "parameter": say("calculation.shortfall"), "value": Cell(0, lacking, "plain", "shortfall"), "measure": "家",
        "words": Cell(say("calculation.feasible"), text),
    }  # fmt: skip


def _joint_rows(model: Model) -> Iterator[_Row]:
    """Groups and rules over the quota that they do not bind: what it adds up to, and by how much it breaks them."""
    if not model.joint:
        return
    names = []
    for number, one in enumerate(model.joint, start=1):
        cell = f"joint_{number}"
        names.append(f"broken_{number}")
        summed = "+".join(
            (f"INDEX(unbound_quota,{place})" if weight == 1 else f"{weight:.12g}*INDEX(unbound_quota,{place})")
            for place, weight in one.terms.items()
        ).replace("+-", "-")
        yield {
            "parameter": say("calculation.joint", name=one.name), "value": Cell(one.sum, summed or "0", "plain", cell),
            "least": one.least, "most": one.most, "words": _kept(one, cell),
        }  # fmt: skip
        under = f"MAX({_text(one.least)}-{cell},0)" if one.least else "0"
        over = f"MAX({cell}-({_text(one.most)}),0)" if one.most else "0"
        yield {
            "parameter": say("calculation.broken", name=one.name),
            "value": Cell(one.excess, f"ROUND({under}+{over},9)", "plain", names[-1]),
        }
    every = sum(one.excess for one in model.joint)
    yield {"parameter": say("calculation.all_broken"), "value": Cell(every, "+".join(names), "plain", "broken")}


def _text(bound: Cell) -> str:
    return bound.formula or str(bound.value)


def _kept(one: Joint, cell: str) -> Cell:
    kept, broken = say("calculation.kept"), say("calculation.is_broken")
    tests = [f"ROUND({cell}-({_text(one.least)}),9)>=0"] if one.least else []
    tests += [f"ROUND({cell}-({_text(one.most)}),9)<=0"] if one.most else []
    formula = f'IF(AND({",".join(tests)}),"{kept}","{broken}")' if tests else f'"{kept}"'
    return Cell(broken if one.excess else kept, formula)


def _change_rows(model: Model) -> Iterator[_Row]:
    """Whether anything was changed since the program computed the quota, where that is not a matter of formulas."""
    if not model.has_unbound:
        return
    moved = (
        "SUMPRODUCT((ABS(billionths-original_billionths)>1)+(floor_in_force<>original_floor)+"
        f"(cap_in_force<>original_cap))+(total<>{model.allocation.scenario.total})"
    )
    fresh, stale = say("calculation.unchanged"), say("calculation.stale")
    yield {
        "parameter": say("calculation.changed"), "value": Cell(0, moved, "plain", "changed"),
        "words": Cell(fresh, f'IF(changed=0,"{fresh}","{stale}")'),
    }  # fmt: skip
