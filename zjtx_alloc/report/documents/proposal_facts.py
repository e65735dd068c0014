"""What the sentences of the proposal (建议稿) are filled with: each fact a number of the library or a sentence of numbers."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.compare import compare
from zjtx_alloc.allocation.entitlement import ADJUSTMENT, coefficient_keys
from zjtx_alloc.allocation.explain import grounds
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.report.notes.marks import (
    COEFFICIENTS,
    criterion_note,
    doubts_note,
    last_note,
    proof_note,
    result_note,
    ties_note,
)
from zjtx_alloc.report.notes.user_data import supply_note
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import signed
from zjtx_alloc.report.tables.ranges import exactness, range_summary
from zjtx_alloc.report.writers.document import NUMERALS
from zjtx_alloc.rules.scenario import Factor, Pool
from zjtx_alloc.uncertainty.weight_range import WeightRange

_LARGEST, _HELD = 5, 10  # units explained one by one
_SEEN = 0.005  # places: less than this reads as 0.00


def proposal_facts(results: Results, ranges: WeightRange | None) -> dict[str, Any]:
    """The facts by the names that ``data/proposal.toml`` uses; a fact of several lines becomes several paragraphs."""
    allocation, budget = results.allocation, results.budget
    return (
        _basis(allocation, budget)
        | _method(allocation)
        | _result(allocation, results.programme)
        | _money(allocation, budget)
        | _doubts(allocation, ranges)
    )


def _basis(allocation: Allocation, budget: BudgetForecast) -> dict[str, Any]:
    scenario, award = allocation.scenario, budget.award
    return {
        "notice": award.title,
        "number": award.number,
        "issued": f"{award.issued.year}年{award.issued.month}月{award.issued.day}日",
        "scenario": scenario.title,
        "name": scenario.name,
        "batch": NUMERALS[scenario.batch - 1],
        "year": award.opening_year(scenario.batch),
        "total": scenario.total,
        "places": f"{allocation.total:,}",
        "total_status": say(f"status.{scenario.total_status}"),
        "total_note": f"{total.rstrip('。')}。" if (total := scenario.assumptions.get("total", "")) else "",
        "units": len(allocation.quota),
    }


def _method(allocation: Allocation) -> dict[str, Any]:
    scenario = allocation.scenario
    pools = scenario.all_pools()
    lines = [line for name, pool in pools.items() for line in _formula(allocation, name, pool)]
    lines += [say("proposal.share"), *([say("proposal.pools")] if len(pools) > 1 else [])]
    coefficients = [
        say("proposal.coefficients", name=say(called), values="、".join(f"{k}{v:g}" for k, v in table.items()))
        for name, called in COEFFICIENTS.items()
        if (table := getattr(scenario, name))
    ]
    return {
        "formula": "\n".join(lines),
        "coefficients": "".join(coefficients) or say("proposal.no_coefficient"),
        "criterion": criterion_note(allocation),
        "ties": ties_note(allocation),
        "proof": proof_note(allocation),
    }


def _formula(allocation: Allocation, name: str, pool: Pool) -> Iterator[str]:
    """The factor method of one pool with its own numbers."""
    scenario, label = allocation.scenario, say("proposal.pool", name=name) if name else ""
    used = "".join(f"×{say(COEFFICIENTS[name])}" for name in coefficient_keys(allocation.panel, scenario, pool))
    parts = "＋".join(_part(allocation, code, factor) for code, factor in pool.factors.items())
    yield say(
        "proposal.places_beyond" if scenario.base else "proposal.places",
        pool=label,
        places=f"{scenario.by_formula * pool.share:.10g}",
    )
    yield say("proposal.weighted", pool=label, parts=parts, coefficients=used)


def _part(allocation: Allocation, code: str, factor: Factor) -> str:
    name = allocation.panel.name(code)
    if factor.multiplier is None:
        return say("proposal.part", weight=factor.weight, name=name)
    return say("proposal.multiplied", weight=factor.weight, name=name, multiplier=factor.multiplier)


def _result(allocation: Allocation, allocations: tuple[Allocation, ...]) -> dict[str, Any]:
    quota = allocation.quota
    moved = quota.index[quota != allocation.solution.quota]  # by the programme; a table says why
    regions = quota.groupby(allocation.panel.units["region"], sort=False).sum()
    shares = (say("proposal.region", region=r, quota=n, share=n / allocation.total) for r, n in regions.items())
    largest = list(quota.sort_values(ascending=False, kind="stable").index[:_LARGEST])
    held = [code for code, binds in allocation.table()["binds"].items() if binds and code not in moved]
    return {
        "summary": result_note(allocation, allocation.scenario.title),
        "regions": "，".join(shares),
        "largest": "\n".join(_items(allocation, largest)),
        "held": "\n".join(_held(allocation, held, len(moved))),
        "change": _change(allocation, allocations),
    }


def _held(allocation: Allocation, held: list[str], moved: int) -> Iterator[str]:
    """The units that bounds, rules or decisions hold, the first of them one by one; how many the programme moved."""
    if held:
        yield say("proposal.held", count=len(held))
        yield from _items(allocation, held[:_HELD])
    if len(held) > _HELD:
        yield say("proposal.others", count=len(held) - _HELD)
    if moved:
        yield say("proposal.replanned", count=moved)
    elif not held:
        yield say("summary.unbound")


def _items(allocation: Allocation, codes: list[str]) -> Iterator[str]:
    """The units one by one, numbered, with what gives them their places."""
    described = grounds(allocation, codes)
    for number, code in enumerate(codes, start=1):
        name, quota = allocation.panel.units.at[code, "short_name"], allocation.quota[code]
        yield say("proposal.unit", number=number, name=name, quota=quota, grounds=described[code])


def _change(allocation: Allocation, allocations: tuple[Allocation, ...]) -> str:
    """Who gains and loses against the batch before, and whether more than the total and rounding is behind it."""
    before = [a for a in allocations if a.scenario.batch == allocation.scenario.batch - 1]
    if not before:
        return say("proposal.first_batch")
    (previous,) = before
    names, steps = allocation.panel.units["short_name"], allocation.quota - previous.quota
    up, down = (steps[steps * sign > 0].sort_values(ascending=sign < 0, kind="stable") for sign in (1, -1))
    moved = [
        "、".join(say("proposal.moved", name=names[c], step=signed(n)) for c, n in part.head(_LARGEST).items())
        for part in (up, down)
    ]
    gained, lost = (text or say("proposal.nobody") for text in moved)
    first = say("proposal.change", previous=NUMERALS[previous.scenario.batch - 1], before=previous.total,
                total=allocation.total, gained=gained, lost=lost)  # fmt: skip
    known = sum(previous.scenario.known.approved.values())
    approved = say("proposal.approved_before", approved=known) if known else ""
    return first + approved + "".join(last_note(allocation)) + _scaled(previous, allocation)


def _scaled(previous: Allocation, allocation: Allocation) -> str:
    """What is left of the changes when the batch before is scaled to this total, and what is behind it."""
    gains, moved = _against_scaled(previous, allocation)
    codes = [code for code in gains.abs().sort_values(ascending=False, kind="stable").index if abs(gains[code]) >= 1]
    if not codes:
        return say("proposal.alike")
    units = [
        say("proposal.scaled_unit", name=allocation.panel.units.at[code, "short_name"], gain=signed(gains[code], 2),
            cause=_cause(allocation, code, moved.loc[code]))
        for code in codes[:_LARGEST]
    ]  # fmt: skip
    return say("proposal.scaled", units="；".join(units), count=len(codes))


def _against_scaled(previous: Allocation, allocation: Allocation) -> tuple[pd.Series, pd.DataFrame]:
    """What units gain, and what their contributions gain, when the batch before is scaled to this total."""
    scale = allocation.scenario.total / previous.scenario.total
    moved = allocation.entitlement.contributions.sub(previous.entitlement.contributions * scale, fill_value=0.0)
    return compare([previous, allocation]).gains.iloc[:, 0], moved


def change_reasons(allocation: Allocation) -> pd.Series | None:
    """Why each unit has more or fewer places than in the batch before, in few words; None without one, blank for no change."""
    counted = allocation.counted
    if counted is None or counted.before is None:
        return None
    gains, moved = _against_scaled(counted.before, allocation)
    steps = allocation.quota - counted.before.quota
    return pd.Series(
        {code: _reason(allocation, code, gains[code], moved.loc[code]) if steps[code] else "" for code in steps.index}
    )


def _reason(allocation: Allocation, code: str, gain: float, moved: pd.Series) -> str:
    """The programme's own reason, a decision, a bound; else the factor behind a change beyond that of the total."""
    if allocation.counted is not None and (why := allocation.counted.why[code]):
        return str(why)
    if code in allocation.scenario.fixed:
        return say("bound.fixed")
    if bounds := allocation.table().at[code, "binds"]:
        return str(bounds)
    factor = str(moved.abs().idxmax())
    if abs(gain) < 1 or abs(moved[factor]) < _SEEN:
        return say("proposal.by_total")
    return header(ADJUSTMENT) if factor == ADJUSTMENT else allocation.panel.name(factor)


def _cause(allocation: Allocation, code: str, moved: pd.Series) -> str:
    """A decision, else the bounds that hold the unit, else the contribution that moved most, else rounding."""
    if code in allocation.scenario.fixed:
        return say("bound.fixed")
    if bounds := allocation.table().at[code, "binds"]:
        return say("proposal.bounds", bounds=bounds)
    factor = str(moved.abs().idxmax())
    if abs(moved[factor]) < _SEEN:
        return say("proposal.rounding")
    places = signed(moved[factor], 2)
    if factor == ADJUSTMENT:
        return say("proposal.adjusted", name=header(ADJUSTMENT), places=places)
    return say("proposal.factor", name=allocation.panel.name(factor), places=places)


def _money(allocation: Allocation, budget: BudgetForecast) -> dict[str, Any]:
    scenario, award = allocation.scenario, budget.award
    batch, rate = scenario.batch, 100 * float(scenario.approval.exact)
    (cohort,) = (c for c in budget.cohorts if c.name == str(batch))
    due = budget.by_batch_and_year()["due"].loc[str(batch)]
    approved = int(cohort.approved.sum())
    opening_year, closing_year = award.opening_year(batch), award.closing_year(batch)
    opening, closing = (f"{due[year]:,}" for year in (opening_year, closing_year))
    years = budget.by_year()["net"].items()
    return {
        "amount": award.amount,
        "opening_share": award.opening / award.amount,
        "rate": rate,
        "approved": approved,
        "commitment": f"{approved * award.amount:,}",
        "opening_year": opening_year,
        "closing_year": closing_year,
        "opening": opening,
        "closing": closing,
        "years": "、".join(say("summary.year", year=year, money=f"{money:,}") for year, money in years),
        "direct": float(1 - award.empowerment_cap),
        "empowerment": float(award.empowerment_cap),
        "firms_value": say("proposal.firms_value", approved=approved, quota=allocation.total, rate=rate),
        "investment_value": say("proposal.investment_value", entry=award.entry_investment),
        "direct_value": say("proposal.direct_value", share=float(1 - award.empowerment_cap)),
        "opening_value": say("proposal.opening_value", year=opening_year, money=opening),
        "closing_value": say("proposal.closing_value", year=closing_year, money=closing),
        "cost_value": say("proposal.cost_value", amount=award.amount),
    }


def _doubts(allocation: Allocation, ranges: WeightRange | None) -> dict[str, Any]:
    """What the data, the weights and the assumptions leave open."""
    scenario = allocation.scenario
    allowed = "；".join(allowed_weights(allocation))
    unsearched = "proposal.no_bracket" if allocation.problem.nested else "proposal.crossing"
    unknown = say(unsearched) if allowed else ""
    lines = enumerate(scenario.assumptions.values(), start=1)
    return {
        "marks": "".join(doubts_note(allocation)),
        "supply": "".join(supply_note(allocation)),
        "allowed": say("proposal.allowed_all", weights=allowed) if allowed else say("proposal.no_range"),
        "ranges": unknown if ranges is None else range_summary(ranges),
        "exact": say("proposal.exact") + ("" if ranges is None else exactness(ranges)),
        "assumptions": "\n".join(say("proposal.assumption", number=i, text=text.rstrip("。")) for i, text in lines),
    }


def allowed_weights(allocation: Allocation) -> Iterator[str]:
    """Each weight or share that may vary, from where to where."""
    scenario = allocation.scenario
    doubt = scenario.uncertainty
    for name, pool in scenario.all_pools().items():
        own, label = doubt.pools.get(name), say("proposal.pool", name=name) if name else ""
        for code, span in (doubt.weights or (own.weights if own else {})).items():
            yield say("proposal.allowed", pool=label, name=allocation.panel.name(code), least=span.min, most=span.max,
                      weight=pool.factors[code].weight)  # fmt: skip
        if own and own.share is not None:
            yield say("proposal.allowed", pool=label, name=say("ranges.pool_share"), least=own.share.min,
                      most=own.share.max, weight=pool.share)  # fmt: skip
