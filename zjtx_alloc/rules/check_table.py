"""What was understood of a user's table, compared with what is known: a look before any quota is computed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import NATION
from zjtx_alloc.facts.layout import Column
from zjtx_alloc.facts.panel import Panel, load_panel, with_facts
from zjtx_alloc.facts.problems import Problem, problem, refusal
from zjtx_alloc.facts.reading import Reading, read_table
from zjtx_alloc.rules.own_columns import POOL
from zjtx_alloc.rules.plausible import doubt_problems, latest

# Complete shipped columns that another count may be compared with.
REFERENCES = (("little_giants", "2025-12"), ("sme_count", "2024-12"), ("hightech_firms", "2023"), ("gdp", "2024"))
_FAR = 3.5  # modified z-score of an outlier (Iglewicz & Hoaglin 1993)
_FACTOR = 2.0  # and at least this many times, or this part of, what is usual
_MAD_TO_SIGMA = 1.4826
_MOST_CHANGED = 5
_PART_OF = {POOL: "little_giants"}  # its nation's total is not known, and cannot exceed that of the whole
_BEYOND = 3.0  # times the nation's total: no column grows so much in the years since
_FITS = 2.0  # times a nation's total, or this part of it
_EXCHANGED = 4.0  # times nearer to the nations' totals, both columns together, if exchanged
_MANY = 10  # firms expected where the table says 0


@dataclass(frozen=True)
class TableCheck:
    """A user's table, read and compared. Tables have Chinese headers."""

    reading: Reading
    panel: Panel  #: The shipped panel with the table's columns in place.
    #: A row a column read: its header, indicator, period, measure, total, estimated units, and the known national
    #: total nearest in time with the ratio to it (blank if none is known).
    columns: pd.DataFrame
    #: Against the shipped figures of the same indicator: how many units differ, the ratio of the totals, and the
    #: units that differ most. Empty if none is shipped.
    differences: pd.DataFrame
    #: Units whose figure stands out by its ratio to the column that it follows most closely: that column, and how
    #: many times the usual ratio it is.
    outliers: pd.DataFrame
    doubts: tuple[Problem, ...] = ()  #: Values that do not fit what is known of their unit.


def check_table(path: str | Path) -> TableCheck:
    """Read a user's table of indicators and compare it with what is known.

    Raises
    ------
    DataError, TableError
        As ``load_panel`` does; and TableError if the table can be read but not be right: columns that look
        exchanged, totals far above the nation's, zeros of units that have many in the shipped figures.
    """
    shipped, reading = load_panel(), read_table(path)
    panel = with_facts(shipped, reading.facts)
    if implausible := [*wrong_totals(shipped, panel, reading), *zeros(shipped, panel, reading)]:
        raise refusal(reading.file, reading.layout.sheet, implausible, reading.hidden)
    columns = pd.DataFrame(_columns(shipped, panel, reading))
    differences = pd.DataFrame(_differences(shipped, panel))
    doubts = tuple(doubt_problems(panel, reading))
    return TableCheck(reading, panel, columns, differences, pd.DataFrame(_outliers(panel)), doubts)


def wrong_totals(shipped: Panel, panel: Panel, reading: Reading) -> Iterator[Problem]:
    """Columns that fit the nations' totals far better if exchanged, and others far above the nation's total."""
    sums = {c: float(panel.values(c.indicator, c.period).sum()) for c in reading.layout.columns}
    nations = {
        c: known
        for c in sums
        if (known := _national(shipped, _PART_OF.get(c.indicator, c.indicator), c.period)) is not None and known[1]
    }

    def off(column: Column, other: Column) -> float:
        """Logarithm of the other column's total over this one's nation; 0 if that is not known."""
        return math.log(sums[other] / nations[column][1]) if column in nations else 0.0

    exchanged: set[Column] = set()
    for pair in combinations([column for column in sums if sums[column]], 2):
        other, column = sorted(pair, key=lambda c: off(c, c))
        now, then = (abs(off(column, a)) + abs(off(other, b)) for a, b in ((column, other), (other, column)))
        # A low total may be of an earlier year; one too high has no such reason.
        if off(column, column) > 0 and then <= math.log(_FITS) and now - then >= math.log(_EXCHANGED):
            exchanged.update(pair)
            fitting = {"other": other.label, "fitting": f"{sums[other]:,.10g}"}
            yield _total_problem(reading, column, sums[column], nations[column], "exchanged", **fitting)
    for column, known in nations.items():
        if column not in exchanged and sums[column] > _BEYOND * known[1]:
            measure = panel.indicators.at[column.indicator, "measure"]
            yield _total_problem(reading, column, sums[column], known, "beyond_nation", measure=measure)


def pool_beyond_nation(panel: Panel, total: int) -> tuple[bool, dict[str, str]] | None:
    """Whether 可推荐企业数 in all are far above what the nation has in force at last, or only above it, and what is said; None if not."""
    known = _national(panel, _PART_OF[POOL], "")
    if known is None or total <= known[1]:
        return None
    return total > _BEYOND * known[1], _beside(total, known)


def _beside(total: float, nation: tuple[str, float]) -> dict[str, str]:
    return {"nation": f"{nation[1]:,.10g}", "period": nation[0], "ratio": f"{total / nation[1]:,.1f}"}


def _total_problem(
    reading: Reading, column: Column, total: float, nation: tuple[str, float], kind: str, **details: str
) -> Problem:
    said = _beside(total, nation) | details
    return problem(reading.layout.header_rows[0], column.label, f"{total:,.10g}", kind, **said)


def zeros(shipped: Panel, panel: Panel, reading: Reading) -> Iterator[Problem]:
    """Zeros of units that would have many in the proportions of the same indicator, or of any reference column."""
    names = panel.units["short_name"]
    for column in reading.layout.columns:
        values = panel.values(column.indicator, column.period)
        known = latest(shipped, column.indicator)
        like = [known[1]["value"]] if known else [shipped.values(*reference) for reference in REFERENCES]
        shares = pd.concat([figures / figures.sum() for figures in like], axis=1).min(axis=1)
        expected = (shares * values.sum()).where(values == 0, 0.0)
        for unit in expected.index[expected >= _MANY]:
            said = {"unit": names[unit], "expected": f"{expected[unit]:,.0f}"}
            measure = panel.indicators.at[column.indicator, "measure"]
            yield problem(reading.rows.get(str(unit)), column.label, 0, "zero", measure=measure, **said)


def _columns(shipped: Panel, panel: Panel, reading: Reading) -> Iterator[dict[str, object]]:
    for column in reading.layout.columns:
        cells = panel.column(column.indicator, panel.supplied[column.indicator])
        total = float(cells["value"].sum())
        nation = _national(shipped, column.indicator, column.period)
        yield {
            header("column"): column.label,
            header("indicator"): panel.name(column.indicator),
            header("period"): panel.supplied[column.indicator],
            header("measure"): panel.indicators.at[column.indicator, "measure"],
            header("sum_of_units"): f"{total:,.10g}",
            header("estimated_units"): int(cells["estimated"].sum()),
            header("nation"): "—" if nation is None else f"{nation[1]:,.10g}（{nation[0]}）",
            header("ratio"): "—" if nation is None or not nation[1] else f"{total / nation[1]:.2f}",
        }


def _national(panel: Panel, indicator: str, period: str) -> tuple[str, float] | None:
    """The nation's figure of the same period, else the latest, and of when; None if there is none.

    Published, or what the shipped estimates add up to.
    """
    facts = panel.facts[panel.facts["indicator"] == indicator]
    of_nation = facts[facts["unit"] == NATION].set_index("period")["value"]
    known = facts[facts["high"].notna()].groupby("period")["value"].sum().to_dict() | of_nation.to_dict()
    if not known:
        return None
    chosen = period if period in known else max(known)
    return chosen, known[chosen]


def _differences(shipped: Panel, panel: Panel) -> Iterator[dict[str, object]]:
    names = panel.units["short_name"]
    for indicator, period in panel.supplied.items():
        if (theirs := latest(shipped, indicator)) is None:
            continue
        mine, (when, cells) = panel.values(indicator, period), theirs
        known, marks = cells["value"], cells["estimated"].map({True: say("check.estimated"), False: ""})
        change = (mine / known.where(known > 0) - 1).fillna(0.0)
        most = change.abs().sort_values(ascending=False, kind="stable").head(_MOST_CHANGED).index
        yield {
            header("indicator"): panel.name(indicator),
            header("shipped_period"): when,
            header("differing"): int(mine.ne(known).sum()),
            header("ratio_of_sums"): f"{mine.sum() / known.sum():.2f}",
            header("most_changed"): "、".join(
                f"{names[c]} {known[c]:,.6g}{marks[c]}→{mine[c]:,.10g}" for c in most if mine[c] != known[c]
            ),
        }


def _outliers(panel: Panel) -> Iterator[dict[str, object]]:
    references = {code: panel.values(code, period) for code, period in (dict(REFERENCES) | panel.supplied).items()}
    for indicator in panel.supplied:
        column = references[indicator]
        others = {code: _excess(column, other) for code, other in references.items() if code != indicator}
        code, excess = min(others.items(), key=lambda item: float(item[1].abs().median()))
        usual = max(_MAD_TO_SIGMA * float(excess.abs().median()), 1e-9)
        for unit in excess.index[(excess.abs() / usual > _FAR) & (excess.abs() > np.log(_FACTOR))]:
            yield {
                header("short_name"): panel.units.at[unit, "short_name"],
                header("indicator"): panel.name(indicator),
                header("value"): f"{column[unit]:,.10g}",
                header("compared_with"): panel.name(code),
                header("times_usual"): f"{np.exp(excess[unit]):.2g}",
            }


def _excess(column: pd.Series, other: pd.Series) -> pd.Series:
    """Logarithm of a column's ratio to another, beyond the median; blank where either is zero."""
    ratio = np.log((column.where(column > 0) / other.where(other > 0)).astype(float))
    return ratio - ratio.median()
