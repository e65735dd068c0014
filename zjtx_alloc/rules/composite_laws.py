"""Which laws hold for each choice, as data.

Monotone: when a unit's own figure improves and all else stays, its own score does not fall. Units cancel:
an indicator in another measure (家 or 万家, 元 or 万元) gives the same scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from zjtx_alloc.rules.composite_form import Part, Recipe, Treatment


class Invariance(IntEnum):
    """What may be done to all values of an indicator without changing a normalised value; each includes those before."""

    NOTHING = 0
    SCALE = 1  # x → c·x, c > 0
    AFFINE = 2  # x → c·x + b
    ORDER = 3  # any increasing x → f(x)


INVARIANCE: Mapping[str, Invariance] = {
    "share": Invariance.SCALE,
    "min-max": Invariance.AFFINE,
    "z": Invariance.AFFINE,
    "rank": Invariance.ORDER,
    "percentile": Invariance.ORDER,
    "target": Invariance.NOTHING,
    "bands": Invariance.NOTHING,
}


@dataclass(frozen=True)
class Laws:
    """The laws that a composite is guaranteed to keep; False says only that no proof is at hand."""

    monotone: bool
    units_cancel: bool


def laws(recipes: Mapping[str, Recipe], name: str) -> Laws:
    """The laws of a composite, from its choices alone.

    Weights by principal components follow the data, so monotonicity is not guaranteed. A z-score may lift
    others when one's own figure rises: fatal where the scores are normalised again.
    """
    recipe = recipes[name]
    monotone, cancel = recipe.weights != "principal", True
    for code, part in recipe.parts.items():
        if part.period:
            cancel &= _cancels(part)
        else:
            inner = laws(recipes, code)
            monotone &= inner.monotone and (part.normalisation is None or _stands_again(recipes[code], part))
            cancel &= inner.units_cancel
    return Laws(monotone, cancel)


def _cancels(part: Part) -> bool:
    assert part.normalisation is not None  # an indicator always has one
    return INVARIANCE[part.normalisation.kind] >= _needed(part.treatment)


def _needed(treatment: Treatment) -> Invariance:
    """What a change of measure does to treated values: the logarithm turns a factor into a shift."""
    if treatment.log_offset is None:
        return Invariance.SCALE
    return Invariance.ORDER if treatment.log_offset else Invariance.AFFINE


def _stands_again(child: Recipe, part: Part) -> bool:
    """Whether a child's scores stay monotone when normalised once more."""
    kinds = {p.normalisation.kind for p in [part, *child.parts.values()] if p.normalisation is not None}
    return "z" not in kinds and all(p.period for p in child.parts.values())
