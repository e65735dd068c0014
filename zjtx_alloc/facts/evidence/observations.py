"""Single published counts: each with its date, scope, source and doubt; contradictory ones stand side by side."""

import math
from dataclasses import dataclass
from functools import cache

import pandas as pd

from zjtx_alloc.base.resources import shipped_table

STOCK, NAMED = "little_giants", "little_giants_named"
ABOVE, SME = "above_scale_firms", "sme_count"
CUMULATIVE = "cumulative"


@dataclass(frozen=True)
class Observation:
    """One count, in firms."""

    place: str  #: Code of a province (its city or the Corps inside), of such a city, or of the nation.
    indicator: str
    value: float  #: value, low, high: the count, and what it may be where it is rounded, a bound, or derived.
    low: float  #: See ``value``.
    high: float  #: See ``value``.
    printed: float  #: The count as the source prints it: another one where it is brought to another measure.
    month: int  #: The reference date, in months since the year 0.
    date: str
    batch: int  #: The last list of “小巨人” (认定批次) the count contains; 0 for other indicators.
    cumulative: bool  #: Whether firms that failed a review since are still in it.
    rank: int  #: 1 official, 2 press or reprint that quotes an authority, 3 derived or a consultancy's.
    source: str


def month_of(date: str) -> int:
    """Months since the year 0 of a date such as 2024, 2024-06 or 2024-06-21; a year means its end."""
    year, *rest = date.split("-")
    return int(year) * 12 + (int(rest[0]) if rest else 12)


def observations(indicator: str, known_by: str | None = None) -> tuple[Observation, ...]:
    """Counts of one indicator that are to be used, dated no later than a month, in the order of the file."""
    limit = math.inf if known_by is None else month_of(known_by)
    return tuple(o for o in _all() if o.indicator == indicator and o.month <= limit)


@cache
def _all() -> tuple[Observation, ...]:
    rows = shipped_table("observations.csv", "unit").reset_index()
    return tuple(_read(row) for _, row in rows.iterrows() if row["use"] == "yes")


def _read(row: pd.Series) -> Observation:
    value = float(row["value"])
    return Observation(
        row["unit"],
        row["indicator"],
        value,
        float(row["low"] or value),
        float(row["high"] or value),
        value,
        month_of(row["ref_date"]),
        row["ref_date"],
        int(row["batch"] or 0),
        row["basis"] == CUMULATIVE,
        int(row["rank"]),
        row["source"],
    )
