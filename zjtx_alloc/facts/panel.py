"""Facts to a panel (因素表): every cell of the 37 units checked, sourced and marked.

A fact at ``province`` scope (cities and the Corps inside) is shared among the province's units: what
is published for some of them is subtracted, the rest is split by the indicator's ``split_by`` rule
(``data/indicators.csv``) and marked as estimated (估算).
"""

import csv
import io
import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import UnreadableError, read_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped, shipped_table
from zjtx_alloc.base.text import as_given, hidden, shown
from zjtx_alloc.base.units import NATION, load_units, members_of
from zjtx_alloc.facts.cells import amount
from zjtx_alloc.facts.reading import OF_PERIOD, SUPPLIED, read_table

FACT_COLUMNS = (
    "unit", "unit_name", "scope", "indicator", "period", "value", "measure", "status", "source", "note",
)  # fmt: skip
KNOWN, ADJUSTED, MODELLED = "known", "adjusted", "modelled"  # status of an estimate's cells, from sure to less sure
ESTIMATED = (ADJUSTED, MODELLED)
SPLIT, FILLED = "split", "filled"  # of a province's figure; by a composite's rule
GROUNDS = (KNOWN, SUPPLIED, SPLIT, ADJUSTED, MODELLED, FILLED)  # what a cell may rest on, from sure to less sure
RANGE = ("low", "high")  # further columns that a tidy file may have
_KEY, _SERIES = ["unit", "scope", "indicator", "period"], ["indicator", "period"]
_Fact = dict[str, Any]
_Held = dict[tuple[str, str], dict[str, float]]
_AMOUNT = re.compile(r"\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Panel:
    """Checked facts of the 37 units."""

    units: pd.DataFrame  #: units, indicators, sources: the shipped tables, indexed by code, code and id.
    indicators: pd.DataFrame  #: See ``units``.
    sources: pd.DataFrame  #: See ``units``.
    #: The tidy facts as read, one a row, columns ``FACT_COLUMNS``, low and high; ``value`` is float.
    facts: pd.DataFrame
    #: Index (indicator, period, code); columns value (float, in the indicator's measure), estimated (bool: split from
    #: a province's figure, or estimated by ``nowcast``), status, source, note, low, high (float: what the value may
    #: be; blank where no range is known). A unit without a fact has no row: missing is never zero.
    cells: pd.DataFrame

    def column(self, indicator: str, period: str) -> pd.DataFrame:
        """Cells of one indicator and period for all 37 units, index ``code``, columns as in ``cells``.

        Raises
        ------
        DataError
            If there is no such indicator or period, or units are missing; names them.
        """
        cells, period = self.known(indicator, period), self.supplied.get(indicator, period)
        missing = [code for code in self.units.index if code not in cells.index]
        if missing:
            names = "、".join(self.units.loc[missing, "short_name"])
            raise DataError(
                say("panel.missing", name=self.name(indicator), period=period, count=len(missing), names=names)
            )
        return cells.reindex(self.units.index)

    def known(self, indicator: str, period: str) -> pd.DataFrame:
        """Cells of one indicator and period for the units that have one, index ``code``, columns as in ``cells``.

        Raises
        ------
        DataError
            If there is no such indicator or period.
        """
        held = self.periods(indicator)
        period = self.supplied.get(indicator, period)
        if period not in held:
            known = "、".join(held) or say("panel.no_data")
            raise DataError(
                say("panel.no_period", name=self.name(indicator), indicator=indicator, period=period, known=known)
            )
        return self.cells.loc[(indicator, period)]

    @cached_property
    def supplied(self) -> dict[str, str]:
        """Indicators that the user's own file replaces in all periods, each with the period the file gives it."""
        own = self.facts[self.facts["status"] == SUPPLIED]
        return dict(zip(own["indicator"], own["period"], strict=True))

    @cached_property
    def supplied_periods(self) -> frozenset[tuple[str, str]]:
        """Indicators with the one period that the user's own file replaces."""
        own = self.facts[self.facts["status"] == OF_PERIOD]
        return frozenset(zip(own["indicator"], own["period"], strict=True))

    def is_own(self, indicator: str, period: str) -> bool:
        """Whether a column that is read of an indicator and period is the user's own."""
        return indicator in self.supplied or (indicator, period) in self.supplied_periods

    @property
    def has_own(self) -> bool:
        """Whether some column is the user's own."""
        return bool(self.supplied or self.supplied_periods)

    def stands_in(self, indicator: str, stand_in_for: str | None) -> bool:
        """Whether a factor is a stand-in (代用): a user's current column of the very indicator is not one."""
        return stand_in_for is not None and not (stand_in_for == indicator and indicator in self.supplied)

    def values(self, indicator: str, period: str) -> pd.Series:
        """Values of one indicator and period, float, index ``code``, in the indicator's measure."""
        return self.column(indicator, period)["value"]

    def periods(self, indicator: str) -> tuple[str, ...]:
        """Periods for which at least one unit has a cell of this indicator, in order."""
        self.name(indicator)  # or there is none
        return self._held.get(indicator, ())

    @cached_property
    def _held(self) -> dict[str, tuple[str, ...]]:
        """The periods of every indicator that has a cell."""
        series = pd.DataFrame(self.cells.index.droplevel("code").unique().sort_values().to_list(), columns=_SERIES)
        return {str(indicator): tuple(part) for indicator, part in series.groupby("indicator")["period"]}

    def name(self, indicator: str) -> str:
        """Chinese name of an indicator.

        Raises
        ------
        DataError
            If there is none of this code.
        """
        if indicator not in self.indicators.index:
            raise DataError(
                say("panel.no_indicator", indicator=shown(indicator), known="、".join(self.indicators.index))
            )
        return str(self.indicators.at[indicator, "name"])


def grounds_of(cells: pd.DataFrame) -> pd.Series:
    """What each cell rests on, one of ``GROUNDS``: published, the user's own, or an estimate of some kind."""
    status = cells.get("status", pd.Series("", cells.index))  # none in a panel made by hand
    status = status.replace(OF_PERIOD, SUPPLIED)
    sure = status.where(status.eq(SUPPLIED), KNOWN)
    unsure = status.where(status.isin([*ESTIMATED, FILLED]), SPLIT)
    return sure.where(~cells["estimated"].astype(bool), unsure)


def load_panel(path: str | Path | None = None) -> Panel:
    """Read facts and return the panel of the 37 units.

    Parameters
    ----------
    path : path, optional
        A user's table of indicators by unit (``.xlsx``, or CSV in UTF-8 or GBK; Chinese headers, units by
        code or name): each of its columns replaces the shipped indicator, the others stay shipped. Or a
        tidy facts CSV with the columns ``FACT_COLUMNS`` (and low and high, if it has ranges), which replaces
        the shipped ``data/facts.csv``; of the estimates of ``data/nowcast.csv`` those stay whose indicator
        and period it does not have. The shipped facts if not given.

    Raises
    ------
    DataError
        With every problem of the file at once: row, column, value, what is wrong, remedy; for a table
        of indicators a ``TableError``, which also carries them as a DataFrame.
    """
    if path is not None and not _is_tidy(Path(path)):
        return with_facts(load_panel(), read_table(path).facts)
    if path is not None:
        return _panel(Path(path))
    kept = _shipped_panel()
    return replace(kept, sources=kept.sources.copy(), facts=kept.facts.copy(), cells=kept.cells.copy())


@cache
def _shipped_panel() -> Panel:
    """The panel of the shipped facts, read once; whoever asks gets tables of their own."""
    return _panel(shipped("data", "facts.csv"))


def _panel(path: Path) -> Panel:
    units, indicators = load_units(), shipped_table("indicators.csv", "code")
    facts = _read_facts(path)
    problems = _problems(facts, units, indicators)
    if problems:
        raise DataError(say("panel.problems", file=path.name, count=len(problems), lines="\n".join(problems)))
    facts = facts.assign(**{column: facts[column].replace("", "nan").astype(float) for column in ("value", *RANGE)})
    # A value that someone has changed beyond its range has none any more.
    facts.loc[(facts["value"] < facts["low"]) | (facts["value"] > facts["high"]), list(RANGE)] = math.nan
    estimates = _lacking(facts[facts["scope"] != "nation"], _nowcasts())
    facts = pd.concat([facts, estimates], ignore_index=True)
    return Panel(units, indicators, _sources(facts), facts, _cells(facts, indicators))


def _lacking(facts: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Those of other facts whose indicator and period these do not have."""
    mine, theirs = (pd.MultiIndex.from_frame(table[_SERIES]) for table in (facts, others))
    return others[~theirs.isin(mine)]


def _nowcasts() -> pd.DataFrame:
    """The committed results of ``nowcast``, as facts."""
    table = pd.read_csv(shipped("data", "nowcast.csv"), dtype={"unit": str, "period": str}, encoding="utf-8")
    return pd.DataFrame(
        {
            "unit": table["unit"],
            "unit_name": table["unit_name"],
            "scope": "unit",
            "indicator": table["indicator"],
            "period": table["period"],
            "value": table["value"].astype(float),
            "measure": table["indicator"].map(shipped_table("indicators.csv", "code")["measure"]),
            "status": table["status"],
            "source": table["status"].map(lambda status: "observations" if status == KNOWN else "nowcast"),
            "note": table["basis"],
            "low": table["low"].astype(float),
            "high": table["high"].astype(float),
        }
    )


def _sources(facts: pd.DataFrame) -> pd.DataFrame:
    """The shipped sources, and the user's file if facts come from it."""
    sources = shipped_table("sources.csv", "id").copy()
    files = "、".join(dict.fromkeys(facts.loc[facts["source"] == SUPPLIED, "note"]))
    if files:
        sources.loc[SUPPLIED] = {"publisher": say("panel.user"), "title": files}
    return sources.fillna("")


def _is_tidy(path: Path) -> bool:
    """Whether a file is one of tidy facts, by its first line."""
    try:
        header = read_whole(path, _MOST_BYTES, first=2000).decode("utf-8", errors="replace").partition("\n")[0]
    except (OSError, UnreadableError):
        return False  # reported by who reads it
    return len(set(re.findall(r"[a-z_]+", header)) & set(FACT_COLUMNS)) > len(FACT_COLUMNS) // 2


def with_facts(panel: Panel, own: pd.DataFrame) -> Panel:
    """The panel with other facts (columns ``FACT_COLUMNS``) in the place of those of their indicators and periods."""
    facts = pd.concat([_lacking(own, panel.facts), own], ignore_index=True)
    cells = _cells(facts, panel.indicators, panel.facts)
    return Panel(panel.units, panel.indicators, _sources(facts), facts, cells)


def _read_facts(path: Path) -> pd.DataFrame:
    """The facts as text, indexed by the row a spreadsheet shows; blank lines count but hold no fact."""
    try:
        content = read_whole(path, _MOST_BYTES)
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        header, *rows = list(csv.reader(text, strict=True)) or [[]]
    except FileNotFoundError:
        raise DataError(say("panel.no_file", file=path)) from None
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise DataError(say("panel.unreadable", file=path, reason=say("panel.encoding", row=row))) from None
    except csv.Error:
        raise DataError(say("panel.unreadable", file=path, reason=say("panel.quotes"))) from None
    except UnreadableError as error:
        raise DataError(say("panel.unreadable", file=path, reason=error)) from None
    absent = [column for column in FACT_COLUMNS if column not in header]
    if absent:
        raise DataError(say("panel.no_column", file=path.name, columns="、".join(absent)))
    numbered = {number: row for number, row in enumerate(rows, start=2) if any(row)}
    ragged = [str(number) for number, row in numbered.items() if len(row) != len(header)]
    if ragged:
        raise DataError(say("panel.ragged", file=path.name, rows="、".join(ragged), count=len(header)))
    facts = pd.DataFrame(list(numbered.values()), index=list(numbered), columns=header, dtype=str)
    ranges = {end: facts[end] if end in header else "" for end in RANGE}
    return facts[list(FACT_COLUMNS)].assign(note=facts["note"].map(as_given), **ranges)


def _problems(facts: pd.DataFrame, units: pd.DataFrame, indicators: pd.DataFrame) -> list[str]:
    """Every problem of the facts, a line each, with the row as a spreadsheet shows it."""
    codes = {
        "unit": units.index,
        "province": units.index[units["kind"] == "province"],
        "nation": [NATION],
    }
    right_code = pd.concat(
        [facts["unit"].isin(known) & facts["scope"].eq(scope) for scope, known in codes.items()], axis=1
    )
    scoped, indexed = facts["scope"].isin(codes), facts["indicator"].isin(indicators.index)
    wrong = {
        ("scope", "scope"): ~scoped,
        ("unit", "unit"): scoped & ~right_code.any(axis=1),
        ("unit", "repeated"): facts.duplicated(_KEY, keep=False),
        ("indicator", "indicator"): ~indexed,
        ("period", "blank"): facts["period"].eq(""),
        ("value", "number"): ~facts["value"].map(_is_amount),
        ("measure", "measure"): indexed & facts["measure"].ne(facts["indicator"].map(indicators["measure"])),
        ("source", "blank"): facts["source"].eq(""),
    }
    wrong |= {(end, "range"): ~facts[end].map(lambda text: text == "" or _is_amount(text)) for end in RANGE}
    wrong |= {(column, "hidden"): facts[column].map(hidden).ne("") for column in FACT_COLUMNS}
    found = [(row, column, kind) for (column, kind), mask in wrong.items() for row in facts.index[mask]]
    return [
        say("panel.problem", row=row, column=column, value=shown(facts.at[row, column]), what=say(f"fact.{kind}"))
        for row, column, kind in sorted(found)
    ]


def _is_amount(text: str) -> bool:
    return bool(_AMOUNT.fullmatch(text)) and not isinstance(amount(text, ""), str)


def _cells(facts: pd.DataFrame, indicators: pd.DataFrame, before: pd.DataFrame | None = None) -> pd.DataFrame:
    """Cells of the units: their own facts, and what remains of a province's figure, split where needed.

    What the facts cannot split, since the very column to split by is a province's figure, is split by those ``before``.
    """
    held, rules = _held(facts), indicators["split_by"].to_dict()
    shares = (held,) if before is None else (held, _held(before))
    own = facts[facts["scope"] == "unit"]
    cells = [
        _cell(fact, fact["unit"], fact["value"], estimated=fact["status"] in ESTIMATED)
        for fact in own.to_dict("records")
    ]
    errors = []
    for fact in facts[facts["scope"] == "province"].to_dict("records"):
        try:
            cells += _parts(fact, rules[fact["indicator"]], shares)
        except DataError as error:
            errors.append(str(error))
    if errors:
        raise DataError("\n".join(errors))
    columns = [*_SERIES, "code", "value", "estimated", "status", "source", "note", "low", "high"]
    return pd.DataFrame(cells, columns=columns).set_index(columns[:3]).sort_index()


def _held(facts: pd.DataFrame) -> _Held:
    """Values of the units that have a fact of their own, by indicator and period."""
    own = facts[facts["scope"] == "unit"]
    return {key: dict(zip(part["unit"], part["value"], strict=True)) for key, part in own.groupby(_SERIES)}


def _parts(fact: _Fact, rule: str, shares: tuple[_Held, ...]) -> list[_Fact]:
    """Cells for the units of a province that have no figure of their own."""
    members = members_of(fact["unit"])
    if len(members) > 1 and not rule:
        raise DataError(say("panel.no_rule", name=_what(fact)))
    known = {u: v for u, v in shares[0].get((fact["indicator"], fact["period"]), {}).items() if u in members}
    unknown = [u for u in members if u not in known]
    rest = _rest(fact, list(known.values()), bool(unknown))
    split = len(unknown) > 1
    parts = _split(fact, rest, unknown, rule, shares) if split else dict.fromkeys(unknown, rest)
    return [_cell(fact, unit, part, estimated=split) for unit, part in parts.items()]


def _cell(fact: _Fact, code: str, value: float, *, estimated: bool) -> _Fact:
    kept = {key: fact[key] for key in ("indicator", "period", "status", "source", "note")}
    ends = {end: math.nan if fact["scope"] == "province" else fact.get(end, math.nan) for end in ("low", "high")}
    return kept | ends | {"code": code, "value": value, "estimated": estimated}


def _rest(fact: _Fact, known: list[float], open_units: bool) -> float:
    """What of a province's figure is left for its units without a figure of their own."""
    # As decimals, since 0.1 + 0.2 is 0.3 in a table.
    rest = Decimal(repr(fact["value"])) - sum(Decimal(repr(value)) for value in known)
    if rest < 0 or (rest and not open_units):
        parts = Decimal(repr(fact["value"])) - rest
        raise DataError(say("panel.parts_differ", name=_what(fact), value=fact["value"], parts=parts))
    return float(rest)


def _split(fact: _Fact, rest: float, open_units: list[str], rule: str, shares: tuple[_Held, ...]) -> dict[str, float]:
    """Share the rest by the indicator and period that the rule names, from the first facts that have all units."""
    by, _, period = rule.partition(":")
    for held in shares:
        weights = held.get((by, period), {})
        missing = [str(load_units().at[u, "short_name"]) for u in open_units if u not in weights]
        if not missing:
            break
    else:
        raise DataError(say("panel.no_split", name=_what(fact), rule=rule, missing="、".join(missing)))
    whole = math.fsum(weights[u] for u in open_units)
    if whole == 0:
        raise DataError(say("panel.zero_split", name=_what(fact), rule=rule))
    return {u: rest * weights[u] / whole for u in open_units}


def _what(fact: _Fact) -> str:
    return f"{fact['unit_name']} {fact['indicator']} {fact['period']}"
