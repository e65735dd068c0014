"""From a state to what the explorer shows: every part a string of HTML, a pure function of its arguments."""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.compare import Comparison, compare
from zjtx_alloc.allocation.explain import explain
from zjtx_alloc.base.errors import InfeasibleError, ZjtxError
from zjtx_alloc.base.messages import say
from zjtx_alloc.explorer.controls import button, check, choice
from zjtx_alloc.report.figures.svg import changes_svg, map_svg
from zjtx_alloc.report.notes.marks import criterion_note
from zjtx_alloc.report.results import money_by_year
from zjtx_alloc.report.table import Table, notes_html, sliding, titled
from zjtx_alloc.report.tables.allocation import allocation_table
from zjtx_alloc.report.tables.compare import region_table as compared_regions, setting_table, unit_table, year_table
from zjtx_alloc.report.tables.ranges import range_table
from zjtx_alloc.uncertainty.weight_range import WeightRange

TABS = ("changes", "bars", "table", "regions", "money", "range", "cases")
OFFICIAL = "official"  # the order of rows before any was asked for


def head_html(allocation: Allocation, baseline: Allocation, reference: str, cases: Mapping[str, str]) -> str:
    """What is shown, in a sentence, and the choice of what it is compared with: cases by name, and what they are called."""
    steps = allocation.quota - baseline.quota
    described = say(
        "explorer.head",
        total=allocation.total,
        before=baseline.total,
        up=int((steps > 0).sum()),
        down=int((steps < 0).sum()),
    )
    chosen = choice(cases, reference, ("reference",), id="reference", label=say("explorer.reference"))
    return (
        f"<h2>{html.escape(allocation.scenario.title)}</h2>"
        f"<p><span role=status>{html.escape(described)}</span>　<label>{html.escape(say('explorer.reference'))} {chosen}</label></p>"
    )


def map_html(allocation: Allocation, baseline: Allocation, chosen: str) -> str:
    """The map with what each unit gains or loses; elements that show a unit carry ``data-unit``."""
    return map_svg(allocation, allocation.quota - baseline.quota, chosen)


def why_html(allocation: Allocation, chosen: str, is_explained: bool) -> str:
    """The choice of a unit, by code, and why it gets its number: the sentences of ``explain``, or that these follow."""
    units = choice(allocation.panel.units["short_name"].to_dict(), chosen, ("unit",), id="unit")
    told = explain(allocation, chosen).text if is_explained else say("explorer.working")
    first, *others = told.split("\n")
    return f"<label>{html.escape(say('explorer.unit'))} {units}</label><h3>{html.escape(first)}</h3>" + "".join(
        f"<p>{html.escape(line)}</p>" for line in others
    )


def tabs_html(chosen: str) -> str:
    """The buttons that choose one of ``TABS``."""
    return "".join(
        button(say(f"explorer.tab_{tab}"), ("tab", tab)).replace(
            "<button", f'<button aria-pressed="{str(tab == chosen).lower()}"'
        )
        for tab in TABS
    )


def changes_html(allocation: Allocation, baseline: Allocation) -> str:
    """Who gains and who loses, by unit."""
    return changes_svg(allocation, baseline, allocation.quota - baseline.quota)


def table_html(allocation: Allocation, baseline: Allocation, chosen: str, order: str = OFFICIAL) -> str:
    """A row a unit: entitlement, quota, the baseline's quota, what binds, marks; a total.

    ``order`` is a column's name, a minus before it for the largest first, or ``OFFICIAL``.
    """
    steps = allocation.quota - baseline.quota
    table = allocation_table(allocation, "explorer", baseline=baseline.quota, step=steps)
    heads = {name: head for head, name in table.names.items()}
    rows = table.frame.iloc[:-1]
    if (head := heads.get(order.lstrip("-"))) is not None:
        rows = rows.sort_values(head, ascending=not order.startswith("-"), kind="stable")
    texts, codes = table.texts(), allocation.quota.index
    body = "".join(
        f'<tr data-unit="{number}"{" class=chosen" if codes[number] == chosen else ""}>'
        f"{''.join(_cells(table, texts.loc[number], str(codes[number])))}</tr>"
        for number in rows.index
    )
    total = "".join(_cells(table, texts.iloc[-1], ""))
    names = "".join(_head(head, table.names[head], order) for head in table.frame)
    shown = (
        f"<table class=zjtx><thead><tr>{names}</tr></thead><tbody>{body}<tr class=total>{total}</tr></tbody></table>"
    )
    notes = notes_html(criterion_note(allocation), *table.notes)
    return f"<h3>{html.escape(table.title)}</h3>{sliding(table.title, shown)}{notes}"


def _head(head: str, name: str, order: str) -> str:
    """A header whose button orders the rows by it: the largest first, then the smallest."""
    is_first, is_other = order == f"-{name}", order == name
    sorted_ = "descending" if is_first else "ascending" if is_other else "none"
    arrow = "▼" if is_first else "▲" if is_other else ""
    sort = button(head + arrow, ("sort", name if is_first else f"-{name}"), id=f"sort.{name}")
    return f"<th scope=col aria-sort={sorted_}>{sort}</th>"


def _cells(table: Table, texts: Iterable[str], code: str) -> Iterator[str]:
    for (head, kind), text in zip(table.kinds.items(), texts, strict=True):
        number, seen = ("", text) if kind == "text" else (" class=number", text.replace("-", "−"))
        shown = html.escape(seen)
        if code and table.names[head] == "short_name":
            shown = button(seen, ("unit", code))
        yield f'<td data-column="{table.names[head]}"{number}>{shown}</td>'


def regions_html(allocation: Allocation, baseline: Allocation) -> str:
    """Places by region beside the baseline's."""
    regions = allocation.panel.units["region"]
    sums = [one.quota.groupby(regions, sort=False).sum() for one in (allocation, baseline)]
    frame = sums[0].to_frame("quota").assign(baseline=sums[1], step=sums[0] - sums[1], share=sums[0] / allocation.total)
    total = frame.sum().to_dict() | {"region": say("table.total")}
    return titled("regions", frame.rename_axis("region").reset_index(), total=total)._repr_html_()


def side_by_side(cases: Mapping[str, Allocation]) -> Comparison:
    """Allocations under the names that the page calls them by."""
    return compare(
        [replace(one, scenario=one.scenario.model_copy(update={"name": name})) for name, one in cases.items()]
    )


def money_html(reference: str, baseline: Allocation, allocation: Allocation) -> str:
    """Money by fiscal year, of what is compared with and of what is shown."""
    found = side_by_side({reference: baseline, say("explorer.now"): allocation})
    return year_table(found, money_by_year(found))._repr_html_()


def range_html(found: WeightRange | None, is_stale: bool) -> str:
    """What each unit can get under any admissible weights; marked where something was changed since."""
    again = button(say("explorer.compute"), ("tab", "range"), id="again")
    if found is None:
        return f"<p>{html.escape(say('unit.no_range'))}</p>"
    stale = f"<p class=failure role=status>{html.escape(say('explorer.range_stale'))} {again}</p>" if is_stale else ""
    table = range_table(found)
    first = [head for head, name in table.names.items() if name == "short_name" or name.startswith("quota")]
    places = replace(table, frame=table.frame[[*first, *(head for head in table.frame if head not in first)]])
    return f"{stale}<div{' class=stale' if is_stale else ''}>{places._repr_html_()}</div>"


def cases_html(cases: Mapping[str, Allocation], picked: Sequence[str], named: Sequence[tuple[str, str]]) -> str:
    """The saved cases to pick from, and those picked side by side: what each unit and region gets, what differs.

    ``named`` are the cases' names and what they are called.
    """
    boxes = f"<div class=row>{''.join(check(label, ('pick', name), name in picked) for name, label in named)}</div>"
    if len(picked) < 2:
        return f"<p>{html.escape(say('explorer.no_cases'))}</p>{boxes}"
    found = side_by_side({label: cases[name] for name, label in named if name in picked})
    first, *others = unit_table(found), compared_regions(found), setting_table(found)
    return boxes + "".join(table._repr_html_() for table in (first, *(replace(one, notes=()) for one in others)))


def failure_html(error: ZjtxError) -> str:
    """Why there is no allocation: for rules that clash, which ones, and a button for the cheapest way out."""
    way_out = ""
    if isinstance(error, InfeasibleError) and error.diagnosis is not None:
        title, lines = say("explorer.infeasible"), str(error.diagnosis).split("\n")
        way_out = button(say("explorer.relieve"), ("relieve",))
    else:
        title, lines = say("explorer.failed"), str(error).split("\n")
    sentences = "".join(f"<p>{html.escape(line)}</p>" for line in [*lines, say("explorer.stale")])
    return f'<div class=failure role="alert"><h3>{html.escape(title)}</h3>{sentences}{way_out}</div>'


def notice_html(text: str, is_error: bool = False) -> str:
    """A word on what was done, such as where a scenario was saved, or on why not."""
    look = "failure role=alert" if is_error else "notice"  # the place where it is put is read out as it changes
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n"))
    return f"<div class={look}>{lines}</div>" if text else ""
