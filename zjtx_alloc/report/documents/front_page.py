"""The first page of a report (首页): the answer, what it costs, how sure it is, what is left to decide, and doors to the rest."""

import html
from collections.abc import Iterator, Mapping

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.allocation_view import allocation_view
from zjtx_alloc.report.documents.unit_page import KeyFigure, keys_html
from zjtx_alloc.report.figures.svg import map_svg
from zjtx_alloc.report.notes.marks import marks_note, mostly_guessed
from zjtx_alloc.report.notes.user_data import doubtful_notes
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.run_id import current_run_id
from zjtx_alloc.report.table import Column, Table, titled
from zjtx_alloc.report.tables.backtest import looked_back
from zjtx_alloc.report.tables.headline import asked_ranges, key_figures, open_decisions
from zjtx_alloc.report.tables.ranges import range_notes
from zjtx_alloc.report.writers.html import FRONT, Heading, framed, linked
from zjtx_alloc.uncertainty.weight_range import WeightRange

_FILES = ("report.docx", "report.pdf", "report.xlsx", "allocation.csv", "budget.csv")


def front_page(results: Results, heading: Heading, units: Mapping[str, str]) -> bytes:
    """The page, as HTML.

    Parameters
    ----------
    results : Results
    heading : Heading
        The report's pages, which the last section leads to; without any the page stands alone.
    units : mapping of short name to address
        The pages of units that are there.
    """
    allocation = results.allocation
    ranges, decisions = asked_ranges(results), open_decisions(results)
    title = allocation.scenario.title
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _lines("p", say("front.draft"), *doubtful_notes(allocation)),
        keys_html(_keys(results)),
        _lines("p", say("note.weights")),
        _section("front.units"),
        f"<div class=beside><div>{_map(allocation)}</div>"
        f"<div>{linked(_quotas(results, ranges)._repr_html_(), units)}</div></div>",
        f"<h2>{html.escape(decisions.title)}</h2><ol>{''.join(_decided(decisions))}</ol>",
        *(
            [_section("front.known"), _lines("p", *looked_back(results.known)), _known(results)._repr_html_()]
            if len(results.known)
            else []
        ),
        *([_section("front.rest"), f"<ul>{''.join(_doors(heading, units))}</ul>"] if heading.pages else []),
    ]
    foot = say("page.foot", run=current_run_id())
    return framed(
        say("front.title", title=title, name=allocation.scenario.name), "".join(parts), foot, heading.links(), FRONT
    )


def _section(key: str) -> str:
    return f"<h2>{say(key)}</h2>"


def _lines(tag: str, *lines: str) -> str:
    return "".join(f"<{tag}>{html.escape(line)}</{tag}>" for line in lines)


def _keys(results: Results) -> Iterator[KeyFigure]:
    return (KeyFigure(*row) for row in key_figures(results).frame.itertuples(index=False))


def _decided(decisions: Table) -> Iterator[str]:
    """Each matter, how it is here, what hangs on it."""
    for matter, here, changes in decisions.frame.itertuples(index=False):
        yield f"<li><b>{html.escape(matter)}</b>：{html.escape(here)}。{html.escape(changes)}。</li>"


def _map(allocation: Allocation) -> str:
    """The map, with changes from the batch before where there is one, and what to see in it."""
    steps = allocation_view(allocation, "page").get("from_last")
    drawn = map_svg(allocation, pd.Series(0, index=allocation.quota.index) if steps is None else steps, "")
    edged = mostly_guessed(allocation).any()
    seen = say(
        "front.see_map",
        steps="" if steps is None else say("front.see_steps"),
        orange=say("front.see_orange") if edged else "",
    )
    return drawn + _lines("p", seen)


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


def _known(results: Results) -> Table:
    """Observed counts beside ours."""
    known = results.known.copy()
    known["range"] = [
        "—" if pd.isna(row.low) else say("front.from_to", least=f"{row.low:.1f}", most=f"{row.high:.1f}")
        for row in known.itertuples()
    ]
    known["batch"] = [say("table.batch", batch=batch) for batch in known["batch"]]
    known["status"] = [say(f"backtest.status_{status}") for status in known["status"]]
    frame = known[["short_name", "batch", "observed", "quota", "range", "status"]]
    frame = frame.rename(columns={"range": Column(say("front.known_range"), "written")})
    return titled("known_counts", frame, say("front.few_counts"))


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
