"""The best estimate of a factor at a date, from single published counts, with its error.

Counts near the date stand as they are (``known``); others are brought to it as the nation moved (``adjusted``);
provinces without one are estimated from what is known of all (``modelled``). All add up to the nation's total: what is
not known shares what is left, the less certain giving way the more. A province's firms are then split between itself
and its city under separate planning, or the Corps.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table, shipped_toml
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.units import load_units, members_of, provinces
from zjtx_alloc.facts.evidence.covariates import Model, fitted
from zjtx_alloc.facts.evidence.drift import Growth, Lists, Path, drift_error
from zjtx_alloc.facts.evidence.observations import ABOVE, SME, STOCK, Observation, month_of
from zjtx_alloc.facts.panel import ADJUSTED, KNOWN, MODELLED

_STATUSES = (KNOWN, ADJUSTED, MODELLED)
INDICATORS = (STOCK, SME, ABOVE)
_ROUNDS = 200  # of bisection
_COLUMNS = ["value", "low", "high", "status", "basis"]

_MONTH = re.compile(r"[0-9]{4}(-(0?[1-9]|1[0-2])(-[0-9]{1,2})?)?", re.ASCII)


@dataclass(frozen=True)
class Nowcast:
    """An estimate for all units at a date."""

    indicator: str
    period: str
    known_by: str | None  #: The month after which no count and no covariate may be dated; None: all that is known.
    #: Index ``code`` (37, in the official order); value, low, high (firms, int), status (known, adjusted, modelled),
    #: basis (str: what it rests on). Values add up to the provinces' and the nation's totals.
    table: pd.DataFrame
    provinces: pd.DataFrame  #: The same for the 31 provinces, cities and the Corps inside.
    total: int  #: The nation's total.
    unraked: pd.Series  #: The provinces' estimates before they share what is left of the total (Series of float).
    #: A row a candidate model: covariates (with their years), error (of the logarithms, for provinces left out in
    #: turn), weight (in the mean that provinces without a count are given).
    models: pd.DataFrame


@dataclass(frozen=True)
class _Cell:
    """A place's estimate before it shares what is left: variance of its logarithm, 0 if known."""

    value: float
    low: float
    high: float
    variance: float
    status: str
    basis: str


def nowcast(indicator: str, period: str, *, known_by: str | None = None, without: Collection[str] = ()) -> Nowcast:
    """Estimate an indicator for all units at a date.

    Parameters
    ----------
    indicator : str
        ``little_giants`` (“小巨人” in force), ``sme_count`` or ``above_scale_firms``.
    period : str
        A month such as 2024-12, or a year (its end).
    known_by : str, optional
        Use no count and no covariate of a later reference date, as a planner of that month; later publication of an
        earlier date is allowed. All evidence if not given.
    without : codes of provinces
        Left out with all their counts, to see what the others would say of them.

    Raises
    ------
    DataError
        If the indicator is another, a date is none, or the nation's total is not known at the date.
    """
    for date in (period, *(() if known_by is None else (known_by,))):
        if _MONTH.fullmatch(date) is None:
            raise DataError(say("nowcast.date", date=shown(date)))
    terms, month = assumptions(), month_of(period)
    left_out = frozenset(code for province in without for code in members_of(province))
    path = _path(indicator, known_by, left_out)
    last = month if known_by is None else min(month, month_of(known_by))
    error = drift_error(path, terms["drift_per_year"])
    cells = {
        place: _cell(path, best, month, error, terms)
        for place in load_units().index
        if (best := _best(path, place, month, terms["most_lists"]))
    }
    known = pd.Series({p: cells[p].value for p in provinces() if p in cells})
    model = fitted(known, last, terms["models"]["candidates"], terms["coverage"])
    estimates = {p: cells.get(p) or _modelled(model, p) for p in provinces()}
    total = round(path.total(month))
    table = _sharing(estimates, total, model.quantile)
    shares = _shares(indicator, period, known_by, without, cells)
    units = _units(table, estimates, cells, shares, model.quantile)
    unraked = pd.Series({p: cell.value for p, cell in estimates.items()})
    return Nowcast(indicator, period, known_by, units, table[_COLUMNS], total, unraked, model.candidates)


def _units(
    table: pd.DataFrame,
    before: Mapping[str, _Cell],
    cells: Mapping[str, _Cell],
    shares: Mapping[str, "_Share"],
    quantile: float,
) -> pd.DataFrame:
    parts = []
    for province, whole in table.iterrows():
        _, *cities = members_of(str(province))
        parts.append(whole[_COLUMNS].to_frame().T)
        for city in cities:
            own = _split(whole, before[str(province)], cells.get(city), shares[city], quantile)
            parts[-1] = own.set_axis([str(province), city])
    return pd.concat(parts).rename_axis("code").reindex(load_units().index).astype(dict.fromkeys(_COLUMNS[:3], int))


def nearest_counts(indicator: str, period: str) -> pd.Series:
    """The nearest count of each province as it was printed, by code; nothing is brought to the date."""
    path, month = _path(indicator), month_of(period)
    found = {p: _best(path, p, month, assumptions()["most_lists"] - 1) for p in provinces()}
    return pd.Series({p: cell.value for p, cell in found.items() if cell})


def _path(indicator: str, known_by: str | None = None, without: frozenset[str] = frozenset()) -> Path:
    if indicator not in INDICATORS:
        raise DataError(say("nowcast.no_indicator", indicator=indicator, known="、".join(INDICATORS)))
    if indicator == STOCK:
        return Lists(known_by, without)
    share = assumptions()["sme_share"]
    return Growth(known_by, without, indicator == SME, (share["value"], share["low"], share["high"]))


def assumptions() -> dict[str, Any]:
    """What the estimates assume: ``data/nowcast.toml``."""
    return shipped_toml("nowcast.toml")


def _best(path: Path, place: str, month: int, most: int) -> Observation | None:
    """The count that has the least way to go to a date; of equally near ones the best source's."""
    near = [cell for cell in path.cells if cell.place == place and abs(path.state(month) - cell.batch) <= most]
    return min(
        near, key=lambda cell: (_standing(path, cell, month), path.distance(cell, month), cell.rank), default=None
    )


def _standing(path: Path, cell: Observation, month: int) -> bool:
    """Whether a count cannot stand as it is."""
    same = cell.batch == path.state(month) and not cell.cumulative
    return not (same and abs(cell.month - month) <= assumptions()["months"])


def _cell(path: Path, cell: Observation, month: int, error: float, terms: Mapping[str, Any]) -> _Cell:
    what = say(f"nowcast.{'above' if cell.indicator == ABOVE else 'count'}")
    basis = say("nowcast.counted", date=cell.date, what=what, value=cell.printed, source=cell.source)
    if not _standing(path, cell, month):
        return _Cell(cell.value, cell.low, cell.high, 0.0, KNOWN, basis)
    ratio = path.moved(cell, month) / cell.value if cell.value else 0.0
    width = math.log(cell.high / cell.low) / 2 if cell.low else 0.0
    variance = error**2 * path.distance(cell, month) + width**2 + 1 / max(cell.value, 1)
    value = cell.value * ratio
    return _Cell(value, value, value, variance, ADJUSTED, basis)


def _modelled(model: Model, place: str) -> _Cell:
    value = float(model.estimate[place])
    basis = say("nowcast.modelled", covariates=model.described)
    return _Cell(value, value, value, model.error**2 + 1 / max(value, 1), MODELLED, basis)


def _sharing(cells: Mapping[str, _Cell], total: int, quantile: float) -> pd.DataFrame:
    """Whole firms that add up to the total: known ones stay, the others share what is left, then round.

    Errors are taken as independent normal ones. Given their sum, each estimate moves by its part of the variance of the
    sum, and the range of the largest uncertain ones narrows.
    """
    table = pd.DataFrame([vars(cell) for cell in cells.values()], index=pd.Index(cells, name="code"))
    free = table["variance"] > 0
    values, variance = table["value"].copy(), table["variance"]
    weight = variance * values**2
    values[free] = _moved(values[free].to_numpy(), weight[free].to_numpy(), total - values[~free].sum())
    spread = np.exp(quantile * np.sqrt(variance * (1 - weight / weight.sum())))
    low, high = table["low"].where(~free, values / spread), table["high"].where(~free, values * spread)
    return table.assign(value=_whole(values, total), low=np.floor(low).astype(int), high=np.ceil(high).astype(int))


def _moved(values: np.ndarray, weight: np.ndarray, rest: float) -> np.ndarray:
    """Values moved by about λ times their variance so that they add up to what is left; none falls below zero.

    Raises
    ------
    DataError
        If what is known is more than the total, or all is known and less.
    """
    if not len(values) and abs(rest) < 1:
        return values
    if not len(values) or rest <= 0:
        raise DataError(say("nowcast.beyond_total", rest=rest))
    give = weight / values
    low, high = -50.0 / give.max(), 50.0 / give.max()
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if (values * np.exp(middle * give)).sum() < rest else (low, middle)
    moved: np.ndarray = values * np.exp(low * give)
    return moved


def _whole(values: pd.Series, total: int) -> pd.Series:
    """Whole numbers that add up to a total: the largest remainders are rounded up."""
    floor = np.floor(values + 1e-9).astype(int)
    more = (values - floor).sort_values(ascending=False, kind="stable").index[: total - int(floor.sum())]
    return floor + pd.Series(floor.index.isin(more).astype(int), floor.index)


def _split(whole: pd.Series, before: _Cell, city: _Cell | None, share: "_Share", quantile: float) -> pd.DataFrame:
    """A province's firms: its city's or the Corps' by their own count, else by a share; the rest is the province's own.

    Ranges put together how far the province may be off and how far the part of it may be.
    """
    province = float(whole["value"])
    if city is None:
        value, low, high = (province * part for part in (share.value, share.low, share.high))
        status, basis = MODELLED, share.basis
    else:
        value = min(city.value * (1 if city.status == KNOWN else province / before.value), province)
        spread = math.exp(quantile * math.sqrt(city.variance))
        low, high = (city.low, city.high) if city.status == KNOWN else (value / spread, value * spread)
        status, basis = city.status, city.basis
    below, above = (
        ((province - whole["low"]) / province, (whole["high"] - province) / province) if province else (0.0, 0.0)
    )
    inner = (below, above) if city is None else (0.0, 0.0)  # a count of its own does not move with the province
    part = round(value)
    rest = int(province) - part
    rows = [
        (rest, *_ends(rest, math.hypot(rest * below, high - value), math.hypot(rest * above, value - low)),
         max(status, whole["status"], key=_STATUSES.index), say("nowcast.rest", whole=whole["basis"], part=basis)),
        (part, *_ends(part, math.hypot(part * inner[0], value - low), math.hypot(part * inner[1], high - value)),
         status, basis),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


def _ends(value: int, below: float, above: float) -> tuple[int, int]:
    return max(0, math.floor(value - below + 1e-9)), math.ceil(value + above - 1e-9)


@dataclass(frozen=True)
class _Share:
    """Of a province's firms, a city's or the Corps'."""

    value: float
    low: float
    high: float
    basis: str


def _shares(
    indicator: str, period: str, known_by: str | None, without: Collection[str], cells: Mapping[str, _Cell]
) -> dict[str, _Share]:
    """The share of each city and the Corps in its province, for those whose firms are not counted.

    Of “小巨人” that of June 2021, the last table of all units. Of industrial firms the share among “小巨人”, its odds
    changed as in the cities whose industrial firms are known, and by nothing as one case more; the range spans the cases.
    """
    units = load_units()
    cities = {code: parent for code, parent in units["parent"].items() if parent}
    if indicator == STOCK:
        facts = shipped_table("facts.csv", "unit")
        table = facts.loc[
            (facts["indicator"] == STOCK) & (facts["period"] == "2021-06") & (facts["scope"] == "unit"), "value"
        ]
        basis = say("nowcast.share_of_2021")
        of = {city: float(table[city]) / (float(table[city]) + float(table[parent])) for city, parent in cities.items()}
        return {city: _Share(share, share / 2, min(1.0, share * 2), basis) for city, share in of.items()}
    giants = nowcast(STOCK, period, known_by=known_by, without=without).table["value"]
    odds = {city: giants[city] / giants[parent] for city, parent in cities.items()}
    counted = [c for c in cities if c in cells and cities[c] in cells]
    ratios = [1.0] + [cells[c].value / (cells[cities[c]].value - cells[c].value) / odds[c] for c in counted]
    basis = say("nowcast.share_of_giants", cities="、".join(units.at[c, "short_name"] for c in counted))
    middle = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return {
        city: _Share(_part(odd * middle), _part(odd * min(ratios)), _part(odd * max(ratios)), basis)
        for city, odd in odds.items()
    }


def _part(odds: float) -> float:
    return odds / (1 + odds)


def shipped_nowcasts() -> pd.DataFrame:
    """What ``data/nowcast.csv`` holds: the estimates that the baselines use, each as of its batch's call.

    Returns
    -------
    DataFrame
        A row a unit and estimate; indicator, period, known_by, unit, unit_name, value, low, high, status, basis.
    """
    names, parts = load_units()["name"], []
    for shipped_one in assumptions()["shipped"]:
        table = nowcast(shipped_one["indicator"], shipped_one["period"], known_by=shipped_one["known_by"]).table
        parts.append(table.rename_axis("unit").reset_index().assign(unit_name=names.to_numpy(), **shipped_one))
    return pd.concat(parts, ignore_index=True)[[*shipped_one, "unit", "unit_name", *_COLUMNS]]
