"""Values of a user's columns that do not fit what is known of their units: doubts, which stop nothing.

Each value is compared with the range that ``nowcast`` gives for its unit and date, or with the shipped figure where
there is no range; both are widened by a factor (``plausible`` in ``data/nowcast.toml``). A column of a date that is not
known is first brought to the level of the latest one.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import members_of
from zjtx_alloc.facts.cells import COUNTS
from zjtx_alloc.facts.nowcast import INDICATORS, assumptions, nowcast
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.facts.problems import Problem, problem
from zjtx_alloc.facts.reading import OF_PERIOD, SUPPLIED, Reading

_MANY = 1 / 3  # of the units outside their ranges: the column is another one, not its cells
_FAR_TOTAL = 3.0  # times the shipped total of the batch, or this part of it


@dataclass(frozen=True)
class Doubt:
    """A value that does not fit its unit: outside_known, seems_exchanged, seems_to_include or many_outside.

    ``other`` is the unit that it seems exchanged with, or the city that it seems to include.
    """

    kind: str
    indicator: str
    period: str
    unit: str
    value: float
    other: str
    said: Mapping[str, str]


def doubts_of(panel: Panel) -> Iterator[Doubt]:
    """What is doubtful in the columns that are the user's own."""
    shipped, facts = load_panel(), panel.facts[panel.facts["status"].isin((SUPPLIED, OF_PERIOD))]
    for (indicator, period), own in facts.groupby(["indicator", "period"], sort=False):
        values = panel.known(indicator, period)["value"]
        if (found := _known(shipped, indicator, period, values)) is not None:
            yield from _Column(panel, indicator, period, own, values, *found).doubts()


def doubt_problems(panel: Panel, reading: Reading) -> list[Problem]:
    """The same with the rows and columns of the user's table."""
    found = []
    for doubt in doubts_of(panel):
        of_indicator = [column for column in reading.layout.columns if column.indicator == doubt.indicator]
        column = next((c for c in of_indicator if c.period == doubt.period), of_indicator[0])
        row = reading.rows.get(doubt.unit, reading.layout.header_rows[0])
        found.append(as_problem(panel, doubt, column.label, row, reading.rows.get(doubt.other)))
    return found


def as_problem(panel: Panel, doubt: Doubt, label: str, row: int | None = None, other_row: int | None = None) -> Problem:
    """A doubt as a problem of a table; without rows where there is none."""
    names = panel.units["short_name"]
    unit, city = names.get(doubt.unit, ""), names.get(doubt.other, "")
    other = city if other_row is None else city + say("intake.of_row", row=other_row)
    return problem(row, label, _number(doubt.value), doubt.kind, **doubt.said, unit=unit, city=city, other=other)


def far_total(total: int, usual: int) -> dict[str, str] | None:
    """What is said of a batch's total that is several times the shipped one, or a small part of it; None if it is not."""
    if 1 / _FAR_TOTAL <= total / usual <= _FAR_TOTAL:
        return None
    return {"usual": f"{usual:,}", "ratio": f"{total / usual:.2g}"}


def latest(panel: Panel, indicator: str) -> tuple[str, pd.DataFrame] | None:
    """The latest period for which all units have a cell, and the cells."""
    for period in reversed(panel.periods(indicator)):
        if set(panel.units.index) <= set(panel.cells.loc[(indicator, period)].index):
            return period, panel.column(indicator, period)
    return None


def _known(shipped: Panel, indicator: str, period: str, values: pd.Series) -> tuple[str, pd.DataFrame] | None:
    """The period of what is known of an indicator, and value, low, high of each unit; None without anything shipped."""
    if period in shipped.periods(indicator) and len(cells := shipped.known(indicator, period)) == len(shipped.units):
        return period, _ranges(cells, 1.0)
    if indicator in INDICATORS:
        try:
            return period, _ranges(nowcast(indicator, period).table.assign(estimated=False), 1.0)
        except DataError:  # no date, or one whose total is not known
            pass
    if (last := latest(shipped, indicator)) is None:
        return None
    known = last[1]["value"]
    level = (values / known.where(known > 0)).median()
    return last[0], _ranges(last[1], min(max(level, 0.5), 2.0) if level > 0 else 1.0)


def _ranges(cells: pd.DataFrame, level: float) -> pd.DataFrame:
    """Value, low and high at a level; a figure that is split from a province's has no range."""
    split = cells["estimated"].astype(bool) & cells["high"].isna()
    low = cells["low"].fillna(cells["value"]).where(~split, 0.0)
    high = cells["high"].fillna(cells["value"]).where(~split, np.inf)
    return pd.DataFrame({"value": cells["value"], "low": low, "high": high}).astype(float) * level


@dataclass(frozen=True)
class _Column:
    """A column that is the user's own, the facts of it, its values by unit, and what is known of them."""

    panel: Panel
    indicator: str
    period: str
    facts: pd.DataFrame
    values: pd.Series
    when: str
    known: pd.DataFrame

    def doubts(self) -> Iterator[Doubt]:
        own = self.facts[self.facts["scope"] == "unit"].set_index("unit")["value"]
        own = own[own > 0]
        wholes = self.facts[self.facts["scope"] == "province"].set_index("unit")["value"]
        including = {u: c for u in own.index if (c := self._included(str(u), own)) is not None}
        outside = [u for u in own.index if u not in including and not self._fits(own[u], [u])]
        outside += [u for u in wholes.index if not self._fits(wholes[u], members_of(str(u)))]
        if len(outside) > _MANY * len(self.values):
            names = "、".join(self.panel.units.loc[outside[:5], "short_name"])
            said = {"count": str(len(outside)), "units": names, "when": self.when}
            total = float(self.values.sum())
            yield Doubt("many_outside", self.indicator, self.period, "", total, "", said)
            return
        pairs = self._exchanged([u for u in outside if u in own.index], own)
        for unit, city in including.items():
            expected = _number(self.known.at[unit, "value"])
            yield self._doubt("seems_to_include", unit, own[unit], city, expected=expected, beside=_number(own[city]))
        for unit, other in pairs.items():
            yield self._doubt("seems_exchanged", unit, own[unit], other, beside=_number(own[other]))
        for unit in outside:
            if unit not in {*pairs, *pairs.values()}:
                value = own[unit] if unit in own.index else wholes[unit]
                units = [unit] if unit in own.index else members_of(str(unit))
                yield self._doubt("outside_known", unit, value, "", range=_span(self.known.loc[list(units)].sum()))

    def _doubt(self, kind: str, unit: str, value: float, other: str, **said: str) -> Doubt:
        said |= {"when": self.when}
        return Doubt(kind, self.indicator, self.period, unit, float(value), other, said)

    def _fits(self, value: float, units: Sequence[str]) -> bool:
        """Whether a value is within what is known of a unit or of several together, widened."""
        wide, few = _terms()["factor"], self._few()
        low, high = self.known.loc[list(units), ["low", "high"]].sum()
        return bool(low / wide - few <= value <= high * wide + few)

    def _few(self) -> float:
        is_count = self.panel.indicators.at[self.indicator, "measure"] in COUNTS
        return _terms()["firms"] if is_count else 0.0

    def _included(self, unit: str, own: pd.Series) -> str | None:
        """The city or the Corps that a province's value seems to include; what an ordinary change explains does not."""
        for city in members_of(unit)[1:]:
            if city not in own.index:
                continue
            value, alone = own[unit], max(self.known.at[unit, "value"], 0.5)
            off, usual = abs(math.log(value / (alone + own[city]))), math.log(_terms()["city"])
            if off == 0 and value > _terms()["exact"]:
                return city
            if value > alone * _terms()["city"] + self._few() and off < min(math.log(value / alone), usual):
                return city
        return None

    def _exchanged(self, outside: Sequence[str], own: pd.Series) -> dict[str, str]:
        """Pairs of units whose values fit each other far better than themselves."""
        known = self.known["value"].clip(lower=0.5)

        def off(unit: str, of: str) -> float:
            return float(abs(np.log(own[of] / known[unit])))

        found = []
        for unit in outside:
            for other in own.index:
                now, then = off(unit, unit) + off(other, other), off(unit, other) + off(other, unit)
                if (
                    other != unit
                    and then < now / 2
                    and self._fits(own[other], [unit])
                    and self._fits(own[unit], [other])
                ):
                    found.append((then / now, unit, other))
        pairs: dict[str, str] = {}
        for _, unit, other in sorted(found):
            if not {unit, other} & {*pairs, *pairs.values()}:
                pairs[unit] = other
        return pairs


def _terms() -> dict[str, float]:
    return {name: float(number) for name, number in assumptions()["plausible"].items()}


def _span(known: pd.Series) -> str:
    low, high = _number(known["low"]), _number(known["high"])
    return low if low == high else f"{low}—{high}"


def _number(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"
