"""The first page of a report (首页): the answer, what it costs, how sure it is, what is left to decide, and doors to the rest."""

import html
from collections.abc import Iterator, Mapping
from itertools import islice

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.explanation_text import rests_text
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import KNOWN
from zjtx_alloc.report.allocation_view import allocation_view
from zjtx_alloc.report.documents.proposal_facts import allowed_weights
from zjtx_alloc.report.documents.unit_page import KeyFigure, keys_html
from zjtx_alloc.report.figures.style import WAN_TO_YI
from zjtx_alloc.report.figures.svg import map_svg
from zjtx_alloc.report.notes.marks import marks_note, result_note, ties_note
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.run_id import current_run_id
from zjtx_alloc.report.table import Column, Table, signed, titled
from zjtx_alloc.report.tables.ranges import range_notes
from zjtx_alloc.report.writers.html import FRONT, Heading, framed, linked
from zjtx_alloc.uncertainty.weight_range import WeightRange, searched

_DECISIONS = 3
_FILES = ("report.docx", "report.pdf", "report.xlsx", "allocation.csv", "budget.csv")


def front_page(results: Results, heading: Heading, units: Mapping[str, str]) -> bytes:
    """The page, as HTML.

    Parameters
    ----------
    results : Results
    heading : Heading
        The report's pages, which the last section leads to.
    units : mapping of short name to address
        The pages of units that are there.
    """
    allocation = results.allocation
    ranges = results.ranges if results.doubtful and searched(allocation.problem) else None
    title = allocation.scenario.title
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _lines("p", result_note(allocation, say("front.draft"))),
        keys_html(_keys(results, ranges)),
        _lines("p", say("note.weights")),
        _section("front.units"),
        f"<div class=beside><div>{map_svg(allocation, _steps(allocation), '')}</div>"
        f"<div>{linked(_quotas(results, ranges)._repr_html_(), units)}</div></div>",
        _section("front.decide"),
        f"<ol>{_lines('li', *islice(_decisions(allocation), _DECISIONS))}</ol>",
        *([_section("front.known"), _known(results)._repr_html_()] if len(results.known) else []),
        _section("front.rest"),
        f"<ul>{''.join(_doors(heading, units))}</ul>",
    ]
    foot = say("page.foot", run=current_run_id())
    return framed(
        say("front.title", title=title, name=allocation.scenario.name), "".join(parts), foot, heading.links(), FRONT
    )


def _section(key: str) -> str:
    return f"<h2>{say(key)}</h2>"


def _lines(tag: str, *lines: str) -> str:
    return "".join(f"<{tag}>{html.escape(line)}</{tag}>" for line in lines)


def _keys(results: Results, ranges: WeightRange | None) -> Iterator[KeyFigure]:
    allocation = results.allocation
    scenario, steps = allocation.scenario, _steps(allocation)
    status = say("front.total_of", units=len(allocation.quota), status=say(f"status.{scenario.total_status}"))
    yield KeyFigure(say("front.total"), say("unit.places", places=f"{allocation.total:,}"), status)
    if allocation.counted is not None and (before := allocation.counted.before) is not None:
        moved = say("front.moved", before=f"{before.total:,}", up=int((steps > 0).sum()), down=int((steps < 0).sum()))
        yield KeyFigure(say("front.change"), say("unit.places", places=signed(allocation.total - before.total)), moved)
    yield from _money_keys(results)
    rests = allocation.entitlement.rests_on_share
    others = rests_text(rests.drop(KNOWN))
    yield KeyFigure(say("front.published"), f"{rests[KNOWN]:.1%}", say("front.others", parts=others) if others else "")
    yield _range_key(ranges)


def _money_keys(results: Results) -> Iterator[KeyFigure]:
    """Money within the years of the batches, and after them."""
    years, award = results.budget.by_year()["net"], results.budget.award
    first, last = award.first_year, award.first_year + award.batches - 1
    left_out = say("front.left_out") if results.budget.ledger.gaps() else ""
    for key, part in (("front.within", years[years.index <= last]), ("front.after", years[years.index > last])):
        if len(part):
            told = "，".join(say("front.year", year=year, money=money / WAN_TO_YI) for year, money in part.items())
            label = say(key, first=max(first, int(part.index[0])), last=int(part.index[-1]))
            yield KeyFigure(
                label, say("front.yi", money=part.sum() / WAN_TO_YI), told + left_out * (key == "front.within")
            )


def _range_key(ranges: WeightRange | None) -> KeyFigure:
    if ranges is None:
        return KeyFigure(say("front.unknown"), "—", say("front.no_range"))
    table = ranges.table
    widest = table.loc[(table["quota_max"] - table["quota_min"]).idxmax()]
    moving = int((table["quota_lower"] < table["quota_upper"]).sum())
    most = say("front.widest", name=widest["short_name"], least=widest["quota_min"], most=widest["quota_max"])
    return KeyFigure(say("front.unknown"), say("front.moving", units=moving), most)


def _steps(allocation: Allocation) -> pd.Series:
    """Changes from the batch before; zero where there is none."""
    view = allocation_view(allocation, "page")
    return view.get("from_last", pd.Series(0, index=allocation.quota.index))


def _quotas(results: Results, ranges: WeightRange | None) -> Table:
    """Every unit: quota, the last one, the change, the range, the money of this batch."""
    allocation, money = results.allocation, results.budget.table
    view = allocation_view(allocation, "page")
    frame = view[[name for name in ("short_name", "quota", "previous", "from_last") if name in view]]
    if ranges is not None:
        ends = ranges.table[["quota_min", "quota_max"]].loc[frame.index].astype(int)
        texts = [
            str(least) if least == most else say("front.from_to", least=least, most=most)
            for least, most in ends.itertuples(index=False)
        ]
        frame = frame.assign(range=texts).rename(columns={"range": Column(say("front.range"), "written")})
    own = money[money["batch"] == str(allocation.scenario.batch)].groupby("code")["commitment"].sum()
    frame = frame.assign(commitment=own.reindex(frame.index))
    sums = {name: frame[name].sum() for name in ("quota", "previous", "from_last", "commitment") if name in frame}
    how = () if ranges is None else (say("front.range_note"), *range_notes(ranges))
    notes = [note for note in (*marks_note(allocation), say("front.money_note"), *how) if note != say("note.weights")]
    return titled("allocation", frame, *notes, total=sums | {"short_name": say("table.total")})


def _decisions(allocation: Allocation) -> Iterator[str]:
    """What the notice leaves open and the scenario answers by assumption, the weightiest first."""
    scenario = allocation.scenario
    weights = "、".join(
        say("front.weight", name=allocation.panel.name(code), weight=factor.weight)
        for pool in scenario.all_pools().values()
        for code, factor in pool.factors.items()
    )
    allowed = "；".join(allowed_weights(allocation))
    may_be = say("front.allowed", weights=allowed) if allowed else ""
    yield say("front.decide_weights", weights=weights) + may_be
    if allocation.solution.ties:
        yield say("front.decide_ties", ties=ties_note(allocation))
    unused = say(f"unused.{scenario.approval.unused}")
    yield say("front.decide_unused", unused=unused, ways="、".join(map(say, _WAYS)))
    if scenario.total_status != "official":
        yield say("front.decide_total", total=scenario.total, status=say(f"status.{scenario.total_status}"))
    region = "、".join(f"{name}{value:g}" for name, value in scenario.region_coefficient.items())
    yield say("front.decide_regions", values=region) if region else say("front.decide_no_regions")


_WAYS = ("unused.lapse", "unused.unit", "unused.pool")


def _known(results: Results) -> Table:
    """Observed counts beside ours."""
    known = results.known.rename(columns={"low": "places_q05", "high": "places_q95"})
    known["batch"] = [say("table.batch", batch=batch) for batch in known["batch"]]
    known["status"] = [say(f"backtest.status_{status}") for status in known["status"]]
    columns = ["short_name", "batch", "observed", "quota", "places_q05", "places_q95", "status"]
    return titled("known_counts", known[columns], say("front.few_counts"))


def _doors(heading: Heading, units: Mapping[str, str]) -> Iterator[str]:
    """Links to all that there is beside this page, each with what it holds."""
    for address, name in heading.links().items():
        if address != FRONT and not address.startswith("../"):
            yield _door(address, name, say(f"front.about_{address.removesuffix('.html')}"))
    if units:
        yield _door("units/index.html", say("front.unit_pages"), say("front.about_units"))
    for file in _FILES:
        stem, _, ending = file.partition(".")
        yield _door(file, file, say(f"front.file_{stem}_{ending}"))
    yield _door(f"../{FRONT}", say("nav.all"), "")


def _door(address: str, name: str, about: str) -> str:
    told = f"：{html.escape(about)}" if about else ""
    return f'<li><a href="{address}">{html.escape(name)}</a>{told}</li>'
