"""What caps take back from units above them (上限收回的名额), given to the others in proportion or equally.

Entitlements are multiplied by one number, or one number is added to all of them, until they sum to as much within the
caps as they did without. A criterion that looks at ratios alone hands out in proportion anyway, least squares equally.
"""

from collections.abc import Sequence
from fractions import Fraction

PROPORTION, EQUAL = "proportion", "equal"
NATURAL = {
    **dict.fromkeys(("webster", "huntington-hill", "dean", "adams", "jefferson"), PROPORTION), "hamilton": EQUAL,
}  # fmt: skip
"""How each criterion redistributes by itself; others know no simple rule."""


def taken_back(due: Sequence[Fraction], caps: Sequence[int]) -> list[Fraction]:
    """How far each entitlement is above its cap; 0 for the others."""
    return [max(e - cap, Fraction(0)) for e, cap in zip(due, caps, strict=True)]


def redistributed(due: Sequence[Fraction], caps: Sequence[int], how: str) -> list[Fraction]:
    """Entitlements that within the caps sum to what they sum to now; those of zero stay, and all where caps are too small.

    Units that reach their cap only by what others give up give the rest of it on. Entitlements above caps stay above.

    Parameters
    ----------
    how : str
        ``proportion``: all are multiplied by the same; ``equal``: the same is added to all.
    """
    if not any(taken_back(due, caps)):
        return list(due)
    units = [i for i, e in enumerate(due) if e]
    room = {i: caps[i] / due[i] if how == PROPORTION else caps[i] - due[i] for i in units}
    weights = {i: due[i] if how == PROPORTION else Fraction(1) for i in units}
    left, weight = sum(due, Fraction(0)), sum(weights.values(), Fraction(0))
    base = Fraction(0) if how == PROPORTION else left  # what the entitlements of units below their caps sum to
    for i in sorted(units, key=lambda i: room[i]):
        level = (left - base) / weight
        if room[i] > level:
            return [e and (e * level if how == PROPORTION else e + level) for e in due]
        left, weight = left - caps[i], weight - weights[i]
        base -= due[i] if how == EQUAL else 0
    return list(due)
