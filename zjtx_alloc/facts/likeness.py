"""One rule of likeness: when the name of a sheet or a column is taken for a slip of the pen for a known one."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.75  # share of the characters that two names have in common, in their order
_FEWEST = 2  # characters of a name that another may contain


def likeliest(name: str, known: Iterable[str]) -> str | None:
    """The known name that another one resembles most; None if it resembles none.

    Names are alike if one contains the other, if they differ by one character, or if they have most characters in
    common: 审核, 审核结查 and 2024年审核结果 are like 审核结果.
    """
    found = [(_likeness(name, other), other) for other in known]
    best, other = max(found, default=(0.0, ""))
    return other if best >= _ALIKE else None


def _likeness(name: str, other: str) -> float:
    if name == other:
        return 2.0
    short, long = sorted((name, other), key=len)
    if len(short) < _FEWEST:
        return 0.0
    ratio = SequenceMatcher(None, name, other, autojunk=False).ratio()
    is_one_apart = len(short) == len(long) and sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return max(ratio, _ALIKE + ratio / 8) if short in long or is_one_apart else ratio
