"""What is uncertain about a scenario (不确定性): its table ``[uncertainty]``, strictly checked."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.toml_files import Strict
from zjtx_alloc.quota.problem.numbers import exactly

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ExactShare = Annotated[str, Field(pattern=r"^(0(\.[0-9]{1,12})?|1(\.0{1,12})?)$")]  # a decimal from 0 to 1, as text


def _not_tiny(number: float) -> float:
    if number < _LEAST:
        raise ValueError(say("scenario.tiny", value=number, least=_LEAST))
    return number


_LEAST = 1e-6  # of a coefficient: below it shares would vanish in the rounding of floats
Positive = Annotated[float, Field(gt=0, le=10**6, allow_inf_nan=False), AfterValidator(_not_tiny)]
Places = Annotated[int, Field(ge=0, le=10**6)]
_BIT = 1e-9  # of a weight: what floats leave between a weight drawn and the end of its range
Region = Literal["东部", "中部", "西部", "东北"]


class _Ends(Strict):
    min: float
    max: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(say("uncertainty.order", least=self.min, most=self.max))
        return self


class Range(_Ends):
    """What a share or weight may be, from min to max; as decimals, so that ends are exact."""

    min: Share
    max: Share


class Span(_Ends):
    """What a coefficient may be, every value from min to max as likely as any other."""

    min: Positive
    max: Positive


class TotalRange(_Ends):
    """What the total may be, every whole number from min to max as likely as any other."""

    min: Annotated[int, Field(ge=1, le=10**6)]
    max: Annotated[int, Field(ge=1, le=10**6)]


class FactErrors(Strict):
    """By how much a cell may be off, as a share of itself either way: published cells, and estimated (估算) ones.

    Cells that come with a range of their own are drawn within it unless ``ranges`` is false.
    """

    ranges: bool = True
    published: Annotated[float, Field(ge=0, lt=1)] = 0.0
    estimated: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _estimates_are_wider(self) -> "FactErrors":
        if self.estimated < self.published:
            raise ValueError(say("uncertainty.narrow", estimated=self.estimated, published=self.published))
        return self


class UncertainPool(Strict):
    """What is uncertain about one pool: its share, and the weights of its factors."""

    share: Range | None = None
    weights: dict[str, Range] = {}


class Uncertainty(Strict):
    """What nobody agreed on (不确定性): admissible ranges; whatever has none stays as the scenario has it.

    ``weights`` holds for the factors of a scenario without pools; with pools of the very same factors and
    weights it says that all of them share one set of weights. ``pools`` lets each pool vary on its own.
    ``concentration`` takes the place of ranges of weights: each pool's weights are Dirichlet with its own
    weights as their mean, the closer to them the larger it is. Sweeps also vary the rest.
    """

    weights: dict[str, Range] = {}
    pools: dict[str, UncertainPool] = {}
    concentration: Positive | None = None
    region_coefficient: dict[Region, Span] = {}
    grade_coefficient: dict[str, Span] = {}
    facts: FactErrors = FactErrors()
    total: TotalRange | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Uncertainty":
        if self.weights and any(pool.weights for pool in self.pools.values()):
            raise ValueError(say("uncertainty.both"))
        if self.concentration and (self.weights or any(pool.weights for pool in self.pools.values())):
            raise ValueError(say("uncertainty.two_laws"))
        return self


def check_inside(what: str, value: float, span: Range | Span | TotalRange) -> None:
    """Refuse a range that does not hold the number it was written for."""
    if not span.min - _BIT <= value <= span.max + _BIT:
        raise ValueError(say("uncertainty.outside", what=what, value=value, least=span.min, most=span.max))


def check_parts(what: str, parts: Mapping[str, float], ranges: Mapping[str, Range], place: str) -> None:
    """Refuse ranges that do not fit some parts of one: of no part, without its number, without a whole, or pinned.

    ``place``: where the number of a part stands in a file, ``{}`` for its name.
    """
    if strangers := [name for name in ranges if name not in parts]:
        raise ValueError(say("uncertainty.no_factor", names="、".join(strangers), known="、".join(parts)))
    least = sum(exactly(ranges[n].min if n in ranges else part) for n, part in parts.items())
    most = sum(exactly(ranges[n].max if n in ranges else part) for n, part in parts.items())
    if not least <= 1 <= most and ranges:
        raise ValueError(
            say("uncertainty.no_whole", what=what or say("headline.weights"), least=float(least), most=float(most))
        )
    for name, span in ranges.items():
        check_inside(place.format(name), parts[name], span)
    if is_pinned([(parts[name], span.min, span.max) for name, span in ranges.items()]):
        wide = "、".join(name for name, span in ranges.items() if span.min < span.max)
        raise ValueError(say("uncertainty.pinned", what=what or say("headline.weights"), names=wide))


def is_pinned(ranged: Sequence[tuple[float, float, float]]) -> bool:
    """Whether parts of one are said to vary (each as it is, its least, its most), while their sum leaves one choice.

    It does where a single part may vary, and where all are as small, or all as large, as they may be.
    """
    varying = [(part, least, most) for part, least, most in ranged if least < most]
    alone = len(varying) == 1
    at_ends = all(part <= least for part, least, _ in varying) or all(part >= most for part, _, most in varying)
    return bool(varying) and (alone or at_ends)
