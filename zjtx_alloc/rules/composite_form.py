"""What a scenario may say of a composite indicator (综合指数): a tree of parts, each step declared.

The steps are those of the OECD/JRC *Handbook on Constructing Composite Indicators* (2008) and of COINr:
treat, normalise, weigh, aggregate.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import Field, model_validator

from zjtx_alloc.base.bands import POINT, Bands, well_ordered
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.toml_files import Strict

_MOST = 10**15
Number = Annotated[float, Field(ge=-_MOST, le=_MOST, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=_MOST, allow_inf_nan=False)]
Kind = Literal["share", "min-max", "z", "rank", "percentile", "target", "bands"]
Aggregation = Literal["arithmetic", "geometric", "harmonic", "median"]
Weighting = Literal["given", "equal", "principal"]
Missing = Literal["refuse", "mean", "median"]

_NOT_IN_A_SHEET = "[]:*?/\\'{}"  # a title names a sheet of the workbook, and a column in its formulas
# Which further lines each normalisation takes; one set of them exactly.
_LINES: Mapping[str, tuple[set[str], ...]] = {
    "z": (set(), {"mean", "sd"}),
    "target": ({"base", "target"},),
    "bands": ({"bands"},),
}


class Treatment(Strict):
    """Treatment of outliers, in this order: winsorise, then the logarithm.

    ``winsorise_low`` lowest values become the next lowest, ``winsorise_high`` highest the next highest;
    with ``log_offset`` a value x becomes ln(x + offset).
    """

    winsorise_low: Annotated[int, Field(ge=0)] = 0
    winsorise_high: Annotated[int, Field(ge=0)] = 0
    log_offset: Annotated[float, Field(ge=0, le=_MOST, allow_inf_nan=False)] | None = None


class Normalisation(Strict):
    """One normalisation and what it needs.

    ``mean`` and ``sd`` rescale a z-score to them; ``base`` and ``target`` are worth 0 and 1, in the
    indicator's measure, and what lies beyond is worth no more and no less; ``bands`` are pairs of bound and points,
    the best first.
    """

    kind: Kind
    mean: Number | None = None
    sd: Positive | None = None
    base: Number | None = None
    target: Number | None = None
    bands: list[Annotated[list[Number], Field(min_length=2, max_length=2)]] = []

    @model_validator(mode="after")
    def _its_own_lines(self) -> "Normalisation":
        asked = _LINES.get(self.kind, (set(),))
        if {name for name, value in self if name != "kind" and value not in (None, [])} not in asked:
            described = say("composite.or").join("、".join(sorted(lines)) or say("composite.none") for lines in asked)
            raise ValueError(say("composite.lines", kind=self.kind, lines=described))
        return self

    def exact_bands(self) -> Bands:
        """The bands as the decimals they were written as."""
        return [(Fraction(repr(bound)), Fraction(repr(points))) for bound, points in self.bands]


class Part(Strict):
    """A part of a composite: an indicator at a period, or (without a period) another composite.

    A nested composite without a normalisation enters with its score as it is.
    """

    period: str = ""
    weight: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    direction: Literal[1, -1]
    stand_in_for: str | None = None
    missing: Missing = "refuse"
    treatment: Treatment = Treatment()
    normalisation: Normalisation | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Part":
        if self.period and self.normalisation is None:
            raise ValueError(say("composite.no_normalisation"))
        if not self.period and (self.stand_in_for or self.missing != "refuse" or self.treatment != Treatment()):
            raise ValueError(say("composite.nested"))
        kind = None if self.normalisation is None else self.normalisation.kind
        if self.direction == -1 and kind in (None, "share"):
            raise ValueError(say("composite.downward"))
        if self.normalisation is not None:
            _in_direction(self.normalisation, self.direction)
        return self


class Recipe(Strict):
    """How a composite is made: parts with direction and weight, how they are weighed and put together.

    ``offset`` is added to every part before a geometric or harmonic mean, and taken off its result.
    """

    title: str = Field(min_length=1, max_length=16)
    aggregation: Aggregation
    weights: Weighting = "given"
    offset: Positive | None = None
    parts: dict[str, Part] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.offset is not None and self.aggregation not in ("geometric", "harmonic"):
            raise ValueError(say("composite.offset", aggregation=self.aggregation))
        given = [part.weight for part in self.parts.values() if part.weight is not None]
        if self.weights != "given" and given:
            raise ValueError(say("composite.no_weights", weights=self.weights))
        if self.weights == "given" and (len(given) < len(self.parts) or abs(math.fsum(given) - 1) > 1e-9):
            raise ValueError(say("composite.weights", sum=f"{math.fsum(given):.10g}"))
        return self


class Reference(Protocol):
    """What names an indicator or composite: a factor of the scenario."""

    @property
    def period(self) -> str:
        """The indicator's period; blank for a composite."""


class Taken(NamedTuple):
    """What a composite may not be called: the codes of indicators, and what else heads a column beside it."""

    codes: Set[str]
    titles: Set[str]


def check_tree(recipes: Mapping[str, Recipe], factors: Sequence[tuple[str, Reference]], taken: Taken) -> None:
    """Refuse names and titles already taken, parts and factors that name nothing, circles, and composites nobody uses."""
    if clash := sorted(set(recipes) & taken.codes):
        raise ValueError(say("composite.taken", names="、".join(clash)))
    titles = [recipe.title for recipe in recipes.values()]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise ValueError(say("composite.title", titles="、".join(twice)))
    if clash := sorted(set(titles) & taken.titles):
        raise ValueError(say("composite.title_taken", titles="、".join(clash)))
    if odd := [title for title in titles if set(title) & set(_NOT_IN_A_SHEET)]:
        raise ValueError(say("composite.odd_title", titles="、".join(odd), signs=" ".join(_NOT_IN_A_SHEET)))
    parts = [(code, part) for recipe in recipes.values() for code, part in recipe.parts.items()]
    for code, named in [*factors, *parts]:
        if bool(named.period) == (code in recipes):
            raise ValueError(say("composite.period", name=code, known="、".join(recipes) or "—"))
    try:
        TopologicalSorter({name: recipe.parts for name, recipe in recipes.items()}).prepare()
    except CycleError as error:
        raise ValueError(say("composite.cycle", names=" → ".join(reversed(error.args[1])))) from None
    if idle := [name for name in recipes if name not in {code for code, _ in [*factors, *parts]}]:
        raise ValueError(say("composite.idle", names="、".join(idle)))


def leaves(recipes: Mapping[str, Recipe], name: str) -> Iterator[tuple[str, Part]]:
    """The indicators beneath a composite, in order; one that stands in two branches comes twice."""
    for code, part in recipes[name].parts.items():
        if part.period:
            yield code, part
        else:
            yield from leaves(recipes, code)


def _in_direction(normalisation: Normalisation, direction: int) -> None:
    base, target = normalisation.base, normalisation.target
    if base is not None and target is not None and direction * base >= direction * target:
        raise ValueError(say("composite.target", base=base, target=target))
    bands = normalisation.exact_bands()
    if not well_ordered(bands, direction) or any((points * POINT).denominator != 1 for _, points in bands):
        raise ValueError(say("composite.bands"))
