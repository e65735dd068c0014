"""A rubric (量化标准) and the scores it gives: exact, in integers, with their parts.

Indicators have bands or choices with points, and weights that sum to one; a score is the weighted sum of points.
"""

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from zjtx_alloc.base.bands import POINT, Bands, band_points, well_ordered
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import Exact, Strict, load_form
from zjtx_alloc.firms.table.columns import SEVERAL, choices_of, firm_columns
from zjtx_alloc.firms.table.roll import Firms

_FULL = 100
_DIGITS = 20
_MOST = 2**63 - 1  # an int64
_CENT = 10**6  # amounts to the cent (分) in 万元, for exact ratios
# Ratios and counts that follow from columns, and the columns they follow from.
DERIVED = {
    "direction_count": ("directions",),
    "investment_rate": ("actual_investment", "planned_investment"),
    "spending_rate": ("money_spent", "money_received"),
}


class Indicator(Strict):
    """One indicator: its weight, and the points for its bands or its choices."""

    weight: Exact
    direction: Literal["up", "down"] = "up"
    bands: list[Annotated[list[Exact], Field(min_length=2, max_length=2)]] = []
    points: dict[str, Exact] = {}

    @model_validator(mode="after")
    def _ordered(self) -> "Indicator":
        if bool(self.bands) == bool(self.points):
            raise ValueError(say("rubric.bands_or_points"))
        too_many = any(Fraction(points) > _FULL for points in self.points.values())
        if too_many or not well_ordered(self.exact_bands(), self.sign):
            raise ValueError(say("rubric.order"))
        return self

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.direction == "up" else -1

    def exact_bands(self) -> Bands:
        """Bounds and points as fractions."""
        return [(Fraction(bound), Fraction(points)) for bound, points in self.bands]


class Rubric(Strict):
    """A uniform rubric: title, whether only an example, indicators by column, and who goes first among equals."""

    title: str
    example: bool = False
    ties: list[str] = []
    indicators: dict[str, Indicator] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> "Rubric":
        numbers = {code for code, c in firm_columns().items() if c.kind in ("amount", "percent")} | set(DERIVED)
        chosen = {code for code, c in firm_columns().items() if c.kind in ("choice", "choices")}
        strangers = [name for name in self.indicators if name not in numbers | chosen]
        if strangers := strangers + [tie for tie in self.ties if tie.removeprefix("-") not in numbers]:
            raise ValueError(say("rubric.column", names="、".join(strangers)))
        for name, indicator in self.indicators.items():
            if (name in chosen) != bool(indicator.points):
                raise ValueError(say("rubric.kind", name=name))
            if wrong := [code for code in indicator.points if code not in choices_of(name)]:
                known = "、".join(f"{code}（{choice}）" for code, choice in choices_of(name).items())
                raise ValueError(say("rubric.choices", name=name, values="、".join(wrong), known=known))
        if (total := sum(self.weights.values())) != 1:
            raise ValueError(say("rubric.weights", sum=float(total)))
        return self

    @property
    def weights(self) -> dict[str, Fraction]:
        """Exact weights by indicator."""
        return {name: Fraction(indicator.weight) for name, indicator in self.indicators.items()}


@dataclass(frozen=True)
class Scores:
    """Scores of firms under a rubric."""

    rubric: Rubric
    #: Index ``firm``, columns as the indicators: points before weights, in ten-thousandths (DataFrame of int64).
    points: pd.DataFrame
    #: Index ``firm``: the score × ``scale``; equal scores are equal here, and only here to be compared (Series of
    #: int).
    exact: pd.Series
    scale: int

    @property
    def score(self) -> pd.Series:
        """Scores from 0 to 100, float, for reading."""
        return (self.exact / self.scale).astype(float).rename("score")

    def parts(self) -> pd.DataFrame:
        """What each indicator adds to the score, by its Chinese name; the parts sum to the score."""
        weights = self.rubric.weights
        return pd.DataFrame({indicator_name(c): self.points[c] * float(weights[c]) / POINT for c in self.points})

    def reaches(self, least: str | Fraction) -> pd.Series:
        """Whether each score is at least this many points."""
        return self.exact >= math.ceil(Fraction(least) * self.scale)


def load_rubric(name: str | Path) -> Rubric:
    """Load a rubric: a shipped example (``example-selection``, ``example-evaluation``) or a ``.toml`` file.

    Raises
    ------
    ScenarioError
        If there is no such file, or it is malformed: names the file, the key, and what is wrong.
    """
    return load_form("rubrics", name, Rubric)


def scored(firms: Firms, rubric: Rubric) -> Scores:
    """Score firms.

    Raises
    ------
    DataError
        If an indicator's column is missing or blank for a firm (missing is never zero), or a rate is of nothing.
    """
    points = pd.DataFrame({name: _points(firms, name, i) for name, i in rubric.indicators.items()}, firms.table.index)
    exact, scale = weighted(points, rubric.weights)
    return Scores(rubric, points, exact, scale)


def weighted(points: pd.DataFrame, weights: dict[str, Fraction]) -> tuple[pd.Series, int]:
    """Σ weight × points in integers, and what one point of the score is in them."""
    scale = math.lcm(*(weight.denominator for weight in weights.values()))
    # Weights that sum to one keep every sum below scale × full marks; past int64, Python's integers.
    kind = "int64" if scale * POINT * _FULL <= _MOST else object
    whole = np.array([int(weights[name] * scale) for name in points], dtype=kind)
    return pd.Series(points.to_numpy().astype(kind) @ whole, points.index, name="exact"), scale * POINT


def values_of(firms: Firms, name: str) -> pd.Series:
    """An indicator's or tie's values, index ``firm``: a column, or what follows from columns (rates in %).

    Raises
    ------
    DataError
        If a column is missing or blank for a firm, or a rate is of nothing.
    """
    table = firms.need(*DERIVED.get(name, (name,)))
    if name == "direction_count":
        counts = {text: sum(code != "none" for code in text.split(SEVERAL)) for text in table["directions"].unique()}
        return table["directions"].map(counts)
    if name in DERIVED:
        part, whole = (np.rint(table[column] * _CENT) for column in DERIVED[name])
        if len(nothing := table.index[whole == 0]):
            column = firm_columns()[DERIVED[name][1]].name
            raise DataError(say("rubric.nothing", name=indicator_name(name), column=column, firms=firms.names(nothing)))
        return _FULL * part / whole
    return table[name]


def indicator_name(name: str) -> str:
    """Chinese name of an indicator."""
    return say(f"derived.{name}") if name in DERIVED else firm_columns()[name].name


def _points(firms: Firms, name: str, indicator: Indicator) -> pd.Series:
    values = values_of(firms, name)
    if indicator.points:
        given = {code: int(Fraction(points) * POINT) for code, points in indicator.points.items()}
        best = {text: max(given.get(code, 0) for code in text.split(SEVERAL)) for text in values.unique()}
        return values.map(best).astype("int64")
    return band_points(values, indicator.exact_bands(), indicator.sign)


def decimal(value: object, name: str, most: int) -> Fraction:
    """A number that a user writes as a decimal, exactly; from 0 to ``most``.

    Raises
    ------
    ScenarioError
        If it is none; ``name`` says in Chinese what it is asked for.
    """
    try:
        exact = Decimal(str(value))
        number = Fraction(exact) if abs(exact.adjusted()) <= _DIGITS else Fraction(-1)  # 1e999999999 would never end
    except (InvalidOperation, ValueError, OverflowError):
        number = Fraction(-1)
    if not 0 <= number <= most:
        raise ScenarioError(say("forms.decimal", name=name, most=most, value=shown(value)))
    return number
