"""What stands on a report's first page: four to six key figures (要点), and three decisions that are the reader's."""

from collections.abc import Iterator

import pandas as pd

from zjtx_alloc.allocation.explanation_text import rests_text
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import KNOWN, SUPPLIED
from zjtx_alloc.report.notes.marks import COEFFICIENTS, has_same_shares, total_basis
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import Table, signed, span, titled
from zjtx_alloc.uncertainty.weight_range import WeightRange, searched

_DECISIONS = 3
_NAMED = 3  # units named with a figure


def key_figures(results: Results) -> Table:
    """Total and units, money, what of the answer is known, what unknown weights can do, what changed: name, value, note."""
    rows = (_places(results), *_money(results), _known(results), *_spread(results), *_change(results))
    return titled("key_figures", pd.DataFrame(rows, columns=["key_figure", "key_value", "note"]))


def open_decisions(results: Results) -> Table:
    """The first three of what is the reader's to decide: the matter, how it is here, what hangs on it."""
    found = [*_weights(results), *_total(results), *_ties(results), _unused(results), _coefficients(results)]
    return titled("open_decisions", pd.DataFrame(found[:_DECISIONS], columns=["matter", "as_computed", "what_changes"]))


def asked_ranges(results: Results) -> WeightRange | None:
    """The ranges of quotas where the scenario says what weights may be and they are found exactly; else none."""
    return results.ranges if results.doubtful and searched(results.allocation.problem) else None


def _places(results: Results) -> tuple[str, str, str]:
    allocation = results.allocation
    quota, names = allocation.quota, allocation.panel.units["short_name"]
    largest = "、".join(
        names[c] + say("unit.places", places=n)
        for c, n in quota.sort_values(ascending=False, kind="stable").head(_NAMED).items()
    )
    note = say("headline.places_note", units=len(quota), largest=largest, status=total_basis(allocation))
    return say("headline.places"), say("headline.firms", places=f"{allocation.total:,}"), note


def _money(results: Results) -> Iterator[tuple[str, str, str]]:
    """The money of the batch, and that of all batches within the years of openings and after."""
    budget, batch = results.budget, results.scenario.batch
    due = budget.by_batch_and_year()["due"].loc[str(batch)]
    award = budget.award
    years = [(year, f"{due[year]:,}") for year in (award.opening_year(batch), award.closing_year(batch)) if year in due]
    note = "、".join(say("summary.year", year=year, money=money) for year, money in years)
    yield (
        say("headline.own_money"),
        say("headline.money", money=f"{due.sum():,}"),
        say("headline.if_completed", years=note),
    )
    net, last = budget.by_year()["net"], award.first_year + award.batches - 1
    within, after = net[net.index <= last], net[net.index > last]
    batches = "、".join(str(one.scenario.batch) for one in results.programme)
    yield (
        say("headline.all_money", first=net.index[0], last=min(last, net.index[-1])),
        say("headline.money", money=f"{within.sum():,}"),
        say("headline.all_money_note", batches=batches, after=f"{after.sum():,}"),
    )


def _known(results: Results) -> tuple[str, str, str]:
    share = results.allocation.entitlement.rests_on_share
    found = sum(share.get(ground, 0.0) for ground in (KNOWN, SUPPLIED))
    return say("headline.known"), f"{found:.1%}", rests_text(share)


def _spread(results: Results) -> Iterator[tuple[str, str, str]]:
    """How many units' quotas unknown weights move, and whose most."""
    if (ranges := asked_ranges(results)) is None:
        return
    moved = int((ranges.table["quota_upper"] > ranges.table["quota_lower"]).sum())
    note = say("headline.spread_note", widest=_widest(ranges)) if moved else say("headline.unmoved")
    yield say("headline.spread"), say("headline.units", count=moved), note


def _widest(ranges: WeightRange) -> str:
    """The units whose quotas the weights move most, from least to most."""
    width = (ranges.table["quota_max"] - ranges.table["quota_min"]).sort_values(ascending=False, kind="stable")
    widest = ranges.table.loc[width.index[:_NAMED]]
    return "、".join(
        row.short_name + say("unit.places", places=span(row.quota_min, row.quota_max)) for row in widest.itertuples()
    )


def _change(results: Results) -> Iterator[tuple[str, str, str]]:
    """The total and the units against the batch before, where there is one."""
    allocation = results.allocation
    before = None if allocation.counted is None else allocation.counted.before
    if before is None:
        return
    steps, names = allocation.quota - before.quota, allocation.panel.units["short_name"]
    most = "、".join(
        f"{names[c]}{signed(steps[c])}"
        for c in steps.abs().sort_values(ascending=False, kind="stable").head(_NAMED).index
        if steps[c]
    )
    same = say("summary.same_shares", batch=before.scenario.batch) if has_same_shares(allocation) else ""
    told = (
        say("headline.change_note", up=int((steps > 0).sum()), down=int((steps < 0).sum()), most=most) if most else ""
    )
    value = say("headline.step", places=signed(allocation.total - before.total))
    yield say("headline.change", batch=before.scenario.batch), value, same + told


def _weights(results: Results) -> Iterator[tuple[str, str, str]]:
    allocation = results.allocation
    pools = allocation.scenario.all_pools().items()
    here = "；".join(
        (f"{name}：" if name else "")
        + "、".join(f"{allocation.panel.name(code)}{factor.weight:g}" for code, factor in pool.factors.items())
        for name, pool in pools
    )
    ranges = asked_ranges(results)
    moves = say("headline.weights_unknown") if ranges is None else say("headline.weights_move", units=_widest(ranges))
    yield say("headline.weights"), here, moves


def _total(results: Results) -> Iterator[tuple[str, str, str]]:
    allocation = results.allocation
    if allocation.scenario.total_status != "official":
        here = say("headline.total_here", total=f"{allocation.total:,}", status=total_basis(allocation))
        yield say("quota.total"), here, say("headline.total_changes", amount=results.budget.award.amount)


def _ties(results: Results) -> Iterator[tuple[str, str, str]]:
    names = results.allocation.panel.units["short_name"]
    if ties := results.allocation.solution.ties:
        sets = "；".join("、".join(names[c] for c in tied) for tied in ties)
        yield say("headline.ties"), say("headline.ties_here"), say("headline.ties_changes", sets=sets)


def _unused(results: Results) -> tuple[str, str, str]:
    scenario = results.allocation.scenario
    carried = say("headline.carried" if scenario.carry_rounding else "headline.alone")
    here = say("headline.unused_here", carried=carried, unused=say(f"unused.{scenario.approval.unused}"))
    return say("headline.unused"), here, say("headline.unused_changes")


def _coefficients(results: Results) -> tuple[str, str, str]:
    scenario = results.allocation.scenario
    told = [
        say(called) + "、".join(f"{key}{value:g}" for key, value in table.items())
        for name, called in COEFFICIENTS.items()
        if (table := getattr(scenario, name))
    ]
    if scenario.base:
        told.append(say("headline.base", places=scenario.total - scenario.by_formula))
    floors = "、".join(sorted({f"{floor}" for floor in scenario.floor.values()}))
    told += [say("headline.floor", floor=floors)] if floors else []
    return say("headline.coefficients"), "；".join(told) or say("headline.nothing"), say("headline.coefficients_change")
