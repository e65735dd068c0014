"""Which numbers of a report are the user's own and which are shipped; the text of ``zjtx check``."""

from collections.abc import Iterable, Sequence

from zjtx_alloc.allocation.allocate import Allocation, pool_of
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import runs
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.table import plain_table
from zjtx_alloc.rules.check_table import TableCheck
from zjtx_alloc.rules.own_columns import endable, unused
from zjtx_alloc.rules.plausible import as_problem, doubts_of, far_total
from zjtx_alloc.rules.programme.assembly import default_base
from zjtx_alloc.rules.programme.notes import doubts_text
from zjtx_alloc.rules.scenario import Scenario

_SHORT = 12  # characters by which a row that is not read is known


def supply_note(allocation: Allocation) -> tuple[str, ...]:
    """What the user's table replaced and capped, what it did not, and what the scenario leaves aside; blank without one."""
    panel, scenario = allocation.panel, allocation.scenario
    if not panel.has_own:
        return ()
    others = {
        "supply.kept": _used(panel, scenario, own=False),
        "supply.unused": list(unused(panel, scenario)),
    }
    described = (_text(panel, key, codes) for key, codes in others.items() if codes)
    return (*replaced_note(allocation), *pools_note([allocation]), *described)


def doubtful_notes(allocation: Allocation) -> tuple[str, ...]:
    """What does not fit what is known: values of the user's own columns, a total far from the shipped one; blank if all does."""
    panel, scenario = allocation.panel, allocation.scenario
    found = [
        as_problem(panel, doubt, say("plausible.column", name=panel.name(doubt.indicator), period=doubt.period))
        for doubt in doubts_of(panel) if panel.is_own(doubt.indicator, doubt.period)
    ]  # fmt: skip
    notes = [
        say("plausible.note", column=one.column, value=one.value, what=one.what, remedy=one.remedy) for one in found
    ]
    usual = default_base(scenario.batch)
    if usual is not None and (said := far_total(scenario.total, usual.total)):
        notes.append(say("plausible.total", batch=scenario.batch, total=scenario.total, **said))
    return tuple(notes)


def replaced_note(allocation: Allocation) -> tuple[str, ...]:
    """Which factors are the user's own figures, a mark as 估算 and 代用 are; blank if none is."""
    panel = allocation.panel
    mine = _used(panel, allocation.scenario, own=True)
    return (_text(panel, "supply.replaced", mine),) if mine else ()


def pools_note(allocations: Sequence[Allocation]) -> tuple[str, ...]:
    """Which batch the user's 可推荐企业数 cap, and which ones they do not; blank without them."""
    pools = {a.scenario.batch: pool_of(a.panel, a.scenario, pooled=a.pooled) for a in allocations}
    if not any(pools.values()):
        return ()
    capped = [
        say("supply.pool", count=len(pool), total=sum(pool.values()), batch=batch)
        for batch, pool in pools.items()
        if pool
    ]
    free = [say("table.batch", batch=batch) for batch, pool in pools.items() if not pool]
    return (*capped, *([say("supply.no_pool", batches="、".join(free))] if free else []))


def _used(panel: Panel, scenario: Scenario, *, own: bool) -> list[str]:
    """Codes of the indicators that a scenario uses, each once: those of the user's own or the others."""
    return list(dict.fromkeys(code for code, line in scenario.indicators() if panel.is_own(code, line.period) == own))


def _text(panel: Panel, key: str, codes: list[str]) -> str:
    return say(key, names=_names(panel, codes), file=panel.sources.at["user", "title"])


def supply_record(panel: Panel, scenario: Scenario) -> dict[str, dict[str, str]]:
    """For ``run.json``: the user's columns and the shipped ones that the scenario uses, each with its period."""
    periods: dict[str, dict[str, None]] = {}
    for code, line in scenario.indicators():
        periods.setdefault(code, {})[line.period] = None
    own, shipped = dict(panel.supplied), dict[str, str]()
    for code, used in periods.items():
        mine = [period for period in used if (code, period) in panel.supplied_periods]
        others = [period for period in used if not panel.is_own(code, period)]
        own |= {code: "、".join(mine)} if mine else {}
        shipped |= {code: "、".join(others)} if others else {}
    return {"supplied": own, "shipped": shipped}


def check_text(check: TableCheck, scenario: Scenario, file: str, reference: str) -> str:
    """What ``zjtx check`` prints of a table without problems; ``reference`` is how the user names the scenario."""
    reading, file = check.reading, quoted(file)
    reference = quoted(reference)
    sheet = say("intake.sheet", sheet=reading.layout.sheet) if reading.layout.sheet else ""
    total = ""
    if reading.total_row:
        total = say("check.total" if reading.has_totals else "check.blank_total", row=reading.total_row)
    rows = "、".join(map(str, reading.layout.header_rows))
    title = say("check.titles", rows=runs(reading.title_rows)) if reading.title_rows else ""
    lines = [say("check.read", file=reading.file, sheet=sheet, title=title, header=rows, total=total)]
    if check.doubts:
        lines += ["", doubts_text(check.doubts)]
    lines += ["", say("check.columns"), plain_table(check.columns)]
    if reading.layout.unread:
        lines += ["", say("check.unread", columns="、".join(column.label for column in reading.layout.unread))]
    if reading.passed:
        passed = (say("check.passed_row", row=row, text=text[:_SHORT]) for row, text in reading.passed)
        lines += ["", say("check.passed", rows="、".join(passed))]
    if reading.hidden:
        lines += ["", say("check.hidden", hidden=reading.hidden)]
    if reading.blank:
        lines += ["", say("check.blank", columns="、".join(reading.blank))]
    if len(check.differences):
        lines += ["", say("check.differences"), plain_table(check.differences)]
    lines += ["", say("check.outliers"), plain_table(check.outliers)] if len(check.outliers) else [
        "", say("check.no_outlier")]  # fmt: skip
    if empty := [code for code, period in check.panel.supplied.items() if not check.panel.values(code, period).any()]:
        lines += ["", say("check.zero", columns=_names(check.panel, empty))]
    left, ending = unused(check.panel, scenario), endable(check.panel, scenario)
    if others := [code for code in left if code not in ending]:
        lines += ["", say("check.unused", scenario=reference, columns=_names(check.panel, others))]
    if ending:
        names = _names(check.panel, ending)
        lines += ["", say("check.endable", scenario=reference, columns=names)]
    if len(left) - len(ending) < len(check.panel.supplied):
        lines += ["", say("check.next", scenario=reference, file=file)]
    return "\n".join(lines)


def quoted(path: str) -> str:
    """A path as one writes it in a command."""
    return f'"{path}"' if " " in path or "　" in path else path


def _names(panel: Panel, codes: Iterable[str]) -> str:
    return "、".join(panel.name(code) for code in codes)
