"""From a state to what the explorer shows: every part a string of HTML, a pure function of its arguments."""

import html
from collections.abc import Iterable, Iterator

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.explain import explain
from zjtx_alloc.base.errors import InfeasibleError, ZjtxError
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.figures.svg import bars_svg, changes_svg, map_svg
from zjtx_alloc.report.notes.marks import criterion_note
from zjtx_alloc.report.table import Table, notes_html
from zjtx_alloc.report.tables.allocation import allocation_table

PARTS = ("map", "bars", "changes", "table")  # in which elements that show a unit carry ``data-unit``


def view(allocation: Allocation, baseline: Allocation, chosen: str) -> dict[str, str]:
    """An allocation beside the baseline, with one unit (by code) chosen: the HTML of each of ``PARTS``."""
    steps = allocation.quota - baseline.quota
    return {
        "map": map_svg(allocation, steps, chosen),
        "bars": bars_svg(allocation, baseline, chosen),
        "changes": changes_svg(allocation, baseline, steps),
        "table": table_html(allocation, baseline, chosen),
    }


def table_html(allocation: Allocation, baseline: Allocation, chosen: str) -> str:
    """A row a unit in the official order: entitlement, quota, the baseline's quota, what binds, marks; a total."""
    steps = allocation.quota - baseline.quota
    table = allocation_table(allocation, "explorer", baseline=baseline.quota, step=steps)
    *units, total = ("".join(_cells(table, texts)) for texts in table.texts().itertuples(index=False))
    body = "".join(
        f'<tr data-unit="{number}"{" class=chosen" if code == chosen else ""}>{cells}</tr>'
        for number, (code, cells) in enumerate(zip(allocation.quota.index, units, strict=True))
    )
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.frame)
    notes = notes_html(criterion_note(allocation), *table.notes)
    return (
        f"<h3>{html.escape(table.title)}</h3><div class=scroll><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}<tr class=total>{total}</tr></tbody></table></div>{notes}"
    )


def _cells(table: Table, texts: Iterable[str]) -> Iterator[str]:
    for (head, kind), text in zip(table.kinds.items(), texts, strict=True):
        number, seen = ("", text) if kind == "text" else (" class=number", text.replace("-", "−"))
        yield f'<td data-column="{table.names[head]}"{number}>{html.escape(seen)}</td>'


def why_html(allocation: Allocation, chosen: str) -> str:
    """Why a unit, by code, gets its number: the sentences of ``explain``."""
    first, *others = explain(allocation, chosen).text.split("\n")
    return f"<h3>{html.escape(first)}</h3>" + "".join(f"<p>{html.escape(line)}</p>" for line in others)


def failure_html(error: ZjtxError) -> str:
    """Why there is no allocation: for rules that clash, which ones and the cheapest way out."""
    if isinstance(error, InfeasibleError) and error.diagnosis is not None:
        title, lines = say("explorer.infeasible"), [str(error.diagnosis)]
    else:
        title, lines = say("explorer.failed"), str(error).split("\n")
    sentences = "".join(f"<p>{html.escape(line)}</p>" for line in [*lines, say("explorer.stale")])
    return f'<div class=failure role="alert"><h3>{html.escape(title)}</h3>{sentences}</div>'


def notice_html(text: str) -> str:
    """A word on what was done, such as where a scenario was saved."""
    return f'<p class=notice role="status">{html.escape(text)}</p>' if text else ""
