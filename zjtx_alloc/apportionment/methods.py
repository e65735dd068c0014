"""Every method of apportionment as a row; ``method_of`` reads a name or takes a row as it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS, Signposts

_Number = TypeVar("_Number")
Quota: TypeAlias = Callable[[Any, int], Any]


@dataclass(frozen=True)
class LargestRemainder:
    """Each unit takes its weight divided by the quota, rounded down; the rest go by largest remainder."""

    name: str
    source: str
    #: (total weight, seats) -> weight that one place stands for; exact in fractions. The first by which whole quotas
    #: give out no more than the seats counts, and the last in any case.
    quotas: tuple[Quota, ...]
    whole: bool = False  #: Whether the quota is rounded to a whole number, which a float total could get wrong.


@dataclass(frozen=True)
class BasePlus:
    """Each unit takes its floor as a base, and places beyond the bases go by a divisor method up to the cap."""

    name: str
    source: str
    signposts: Signposts


@dataclass(frozen=True)
class WithinQuota:
    """Place by place, by these signposts, to units that the place does not lift above their upper quota."""

    name: str
    source: str
    signposts: Signposts


Method: TypeAlias = Signposts | LargestRemainder | BasePlus | WithinQuota


def _hare(total: Any, seats: int) -> Any:
    return total / seats


METHODS: dict[str, Method] = SIGNPOSTS | {
    method.name: method
    for method in (
        LargestRemainder("hamilton", "A. Hamilton 1792; T. Hare 1859", (_hare,)),
        LargestRemainder("droop", "H. R. Droop 1881", (lambda total, seats: total // (seats + 1) + 1,), whole=True),
        LargestRemainder(
            "imperiali-quota",
            "P. G. Imperiali; Italy 1956–1993, whose decree no. 361 of 1957, article 77, takes one off the divisor and begins "
            "again where quotas give out too much",
            (lambda total, seats: total / (seats + 2), lambda total, seats: total / (seats + 1), _hare),
        ),
        BasePlus("cambridge-compromise", "Grimmett et al. 2011, European Parliament PE 432.760", SIGNPOSTS["adams"]),
        WithinQuota("balinski-young", "Balinski & Young 1975, the quota method", SIGNPOSTS["jefferson"]),
    )
}  # fmt: skip


def method_of(method: str | Method) -> Method:
    """The row of this name, or the row itself.

    Raises
    ------
    DataError
        If there is no method of this name.
    """
    if isinstance(method, Method):
        return method
    if method not in METHODS:
        raise DataError(say("apportion.method", method=method, known="、".join(METHODS)))
    return METHODS[method]
