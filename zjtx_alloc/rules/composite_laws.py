"""Which laws hold for each choice, as data.

Monotone: when a unit's own figure improves and all else stays, its own score does not fall. Units cancel:
an indicator in another measure (家 or 万家, 元 or 万元) gives the same scores.
"""

from collections.abc import Iterator, Mapping
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
    """The laws that a composite is guaranteed to keep; what is not guaranteed may hold all the same."""

    units_cancel: bool
    #: Where a better figure may lower the unit's own score: the part (blank: the whole), and its setting, a key of
    #: ``[not_monotone]`` in the messages. Empty: it never does.
    may_fall: tuple[tuple[str, str], ...] = ()

    @property
    def monotone(self) -> bool:
        """Whether a better figure never lowers the unit's own score."""
        return not self.may_fall


def laws(recipes: Mapping[str, Recipe], name: str) -> Laws:
    """The laws of a composite, from its choices alone."""
    cancel, falls = True, dict.fromkeys([("", "principal")] if recipes[name].weights == "principal" else [])
    for code, part in recipes[name].parts.items():
        if part.period:
            cancel &= _cancels(part)
            falls |= dict.fromkeys((code, setting) for setting in _unsafe_fill(part))
        else:
            inner = laws(recipes, code)
            cancel &= inner.units_cancel
            falls |= dict.fromkeys(inner.may_fall)
            if part.normalisation is not None:
                falls |= dict.fromkeys((code, setting) for setting in _unsafe_again(recipes[code], part))
    return Laws(cancel, tuple(falls))


def _cancels(part: Part) -> bool:
    assert part.normalisation is not None  # an indicator always has one
    return INVARIANCE[part.normalisation.kind] >= _needed(part.treatment)


def _needed(treatment: Treatment) -> Invariance:
    """What a change of measure does to treated values: the logarithm turns a factor into a shift."""
    if treatment.log_offset is None:
        return Invariance.SCALE
    return Invariance.ORDER if treatment.log_offset else Invariance.AFFINE


def _unsafe_fill(part: Part) -> Iterator[str]:
    """Settings in which filled cells, which rise with a unit's own figure, may gain more than the unit.

    Winsorising may hold the unit's own value still meanwhile; a z-score weighs its gain against theirs, as does a
    share of logarithms.
    """
    assert part.normalisation is not None
    if part.missing == "refuse":
        return
    if part.treatment.winsorise_low or part.treatment.winsorise_high:
        yield "fill_winsorised"
    if part.normalisation.kind == "z" or (part.normalisation.kind == "share" and part.treatment.log_offset is not None):
        yield "fill_rescaled"


def _unsafe_again(child: Recipe, part: Part) -> Iterator[str]:
    """Settings in which a child's scores, normalised once more, may let others gain more than the unit.

    A z-score lifts others as its spread shrinks, and so does a filled cell; deeper trees are not proven.
    """
    kinds = {p.normalisation.kind for p in [part, *child.parts.values()] if p.normalisation is not None}
    if "z" in kinds or any(not p.period or p.missing != "refuse" for p in child.parts.values()):
        yield "again"
