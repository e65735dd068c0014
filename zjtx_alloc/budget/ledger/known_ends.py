"""What a scenario knows of a batch's end (期末结果), as a cohort has it: outcomes, and departures by fiscal year."""

import datetime
from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.settlement import OUTCOMES
from zjtx_alloc.rules.scenario import Ends, Scenario


def known_by(scenario: Scenario, day: datetime.date | None) -> Scenario:
    """The scenario as it is known on a day: without outcomes and departures of later fiscal years."""
    if day is None:
        return scenario
    kept = {
        code: held for code, years in scenario.known.outcomes.items()
        if (held := {year: ends for year, ends in years.items() if int(year) <= day.year})
    }  # fmt: skip
    return scenario.model_copy(update={"known": scenario.known.model_copy(update={"outcomes": kept})})


def known_ends(scenario: Scenario, approved: pd.Series) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Outcomes by unit, and firms that left by unit and fiscal year, as far as they are known.

    A unit's outcomes are known if any column of them has a number; with its departures they then make up its approved firms, and a
    column left blank is none of them. Departures are known for the units that have a number of them.

    Returns
    -------
    tuple of DataFrame or None
        As ``Cohort.outcomes`` and ``Cohort.discontinued``; None where nothing is known.

    Raises
    ------
    DataError
        If a unit's outcomes do not make up its approved firms.
    """
    reported = scenario.known.outcomes
    left = {
        code: {int(year): ends.discontinued for year, ends in years.items() if ends.discontinued is not None}
        for code, years in reported.items()
    }
    left = {code: years for code, years in left.items() if years}
    ended = {code: _sums(years) for code, years in reported.items() if any(map(_is_end, years.values()))}
    _check(scenario.batch, approved, {c: sum(n.values()) + sum(left.get(c, {}).values()) for c, n in ended.items()})
    return _table(ended, approved.index), _table(left, approved.index)


def _table(known: Mapping[str, Mapping[Any, int]], units: pd.Index) -> pd.DataFrame | None:
    """A row a unit, NA where nothing is known of it; who has reported a year has none in the others."""
    if not known:
        return None
    frame = pd.DataFrame.from_dict(known, orient="index").fillna(0).astype("Int64")
    return frame[sorted(frame)].reindex(units)


def _is_end(ends: Ends) -> bool:
    return any(getattr(ends, outcome) is not None for outcome in OUTCOMES)


def _sums(years: Mapping[str, Ends]) -> dict[str, int]:
    return {outcome: sum(getattr(ends, outcome) or 0 for ends in years.values()) for outcome in OUTCOMES}


def _check(batch: int, approved: pd.Series, firms: Mapping[str, int]) -> None:
    names = load_units()["short_name"]
    wrong = [
        say("budget.end_of_unit", name=names[code], ends=count, approved=int(approved[code]))
        for code, count in firms.items() if count != approved[code]
    ]  # fmt: skip
    if wrong:
        raise DataError(say("budget.ends", batch=batch, units="、".join(wrong)))
