"""An interval of scales halved in cells until what is rounded at its ends brackets a total; and the same in Python.

Shares times a scale, rounded half up and held within floor and cap, have a sum that never falls as the scale grows.
The sum of a row is that at the middle of the interval, of the last row that at its lower end.
"""

from collections.abc import Callable, Sequence

from zjtx_alloc.report.writers.sheet import Cell

HALVINGS = 46  # to 1.4e-11: finer than shares are known, coarser than what LibreOffice's INT rounds away
_WIDEST = 10**3  # where caps bind, the scale is larger than 1


def rounded(share: str, scale: str, floor: str, cap: str) -> str:
    """What shares are at a scale; clipping is arithmetic, which all spreadsheet programs compute alike within SUMPRODUCT."""
    whole = f"INT({share}*({scale})+0.5)"
    return f"{whole}+({floor}-{whole})*({whole}<{floor})+({cap}-{whole})*({whole}>{cap})"


def halved(sum_at: Callable[[float], int], total: int) -> list[tuple[float, float, int]]:
    """Both ends of the interval and the sum, row by row, as the cells find them."""
    low, high, found = 0.0, float(_WIDEST), list[tuple[float, float, int]]()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found.append((low, high, sum_at(middle)))
        low, high = (low, middle) if found[-1][2] >= total else (middle, high)
    return [*found, (low, high, sum_at(low))]


def halving(
    columns: Sequence[str],
    first: int,
    total: str,
    rounded_at: Callable[[str], str],
    found: Sequence[tuple[float, float, int]],
) -> list[dict[str, Cell]]:
    """The cells of the rows from ``first`` on, by column: both ends and the sum of what is ``rounded_at`` a scale."""
    low, high, middle = columns
    rows = []
    for row, values in enumerate(found, start=first):
        is_enough, centre = f"[{middle}:{row - 1}]>={total}", f"([{low}:{row - 1}]+[{high}:{row - 1}])/2"
        ends = f"IF({is_enough},[{low}:{row - 1}],{centre})", f"IF({is_enough},{centre},[{high}:{row - 1}])"
        scale = f"([{low}]+[{high}])/2" if row < first + HALVINGS else f"[{low}]"
        formulas = (*(ends if row > first else ("", "")), f"SUMPRODUCT({rounded_at(scale)})")
        rows.append(dict(zip(columns, map(Cell, values, formulas), strict=True)))
    return rows
