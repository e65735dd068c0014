"""Places by unit and field with both margins fixed."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjtx_alloc.apportionment.cheapest_paths import NoRouteError, Table, balanced, largest_first, scaled, settled
from zjtx_alloc.apportionment.methods import Method, method_of
from zjtx_alloc.apportionment.weights import read_weights
from zjtx_alloc.base.errors import DataError, InfeasibleError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.numbers import are_whole, as_whole
from zjtx_alloc.quota.problem.signposts import Signposts


@dataclass(frozen=True)
class Biproportional:
    """A table of places with both margins as given."""

    #: Places by unit (rows) and field (columns); where tables tie, the one with the larger cells first, read row by
    #: row (DataFrame of int64).
    places: pd.DataFrame
    #: Tuple of (unit, field): Cells that could have one place more or less at no cost; empty if the table is unique.
    tied: tuple[tuple[Hashable, Hashable], ...]


def biproportional(
    weights: pd.DataFrame, rows: pd.Series, columns: pd.Series, method: str | Method = "webster"
) -> Biproportional:
    """Apportion places to cells in proportion to their weights, with given sums by unit and by field.

    Each cell holds w·ρ·γ rounded by the method, with one divisor per row and one per column. Proven in
    fractions: no cycle of transfers makes the table better. A ``QuotaProblem`` whose rules fix both margins is another
    problem: its criterion adds prices, where divisors of rows and columns multiply them, and most tables differ.

    Parameters
    ----------
    weights : DataFrame
        Weights by unit (rows) and field (重点领域, columns); a cell of weight zero gets no place.
    rows, columns : Series of int
        Places by unit and by field, aligned by label.
    method : str or Signposts
        A divisor method.

    Raises
    ------
    InfeasibleError
        If no table meets the margins; names the units and fields that clash. Where first places are free
        (adams, dean, huntington-hill) each cell with a weight needs one.
    DataError
        If the method is no divisor method, or labels or numbers are wrong.

    References
    ----------
    Balinski, M. L. & Demange, G. (1989). Algorithms for proportional matrices in reals and integers.
    *Mathematical Programming* 45, 193–210.
    Pukelsheim, F. (2017). *Proportional Representation*, 2nd ed., chapters 14–15. Springer.
    """
    row = method_of(method)
    if not isinstance(row, Signposts):
        raise DataError(say("margins.method", method=row.name))
    cells = pd.MultiIndex.from_product([weights.index, weights.columns])
    given = read_weights(pd.Series(weights.to_numpy().ravel(), index=cells))
    sums = _margin("rows", rows, weights.index), _margin("columns", columns, weights.columns)
    if sums[0].sum() != sums[1].sum():
        raise InfeasibleError(say("margins.totals", rows=sums[0].sum(), columns=sums[1].sum()))
    table = Table(given, row, *sums, np.zeros(weights.shape, dtype=np.int64))
    if row.first_is_free:
        table = Table(given, row, *sums, table.allowed.astype(np.int64))
    try:
        places = balanced(table, scaled(table))
    except NoRouteError as clash:
        raise InfeasibleError(_clash(table, weights, clash.rows, clash.columns)) from None
    places, free = settled(table, places)
    tied = sorted({(i, j) for i, j, _ in free})
    return Biproportional(
        pd.DataFrame(largest_first(table, places, free), weights.index, weights.columns),
        tuple((weights.index[i], weights.columns[j]) for i, j in tied),
    )


def _margin(name: str, margin: pd.Series, labels: pd.Index) -> np.ndarray:
    if not labels.is_unique or not margin.index.is_unique or set(margin.index) != set(labels):
        raise DataError(say("margins.misaligned", name=name))
    values = margin.loc[labels]
    if not (whole := are_whole(values)).all():
        wrong = "、".join(f"{label} {value}" for label, value in values[~whole].items())
        raise DataError(say("margins.margin", name=name, wrong=shown(wrong)))
    return as_whole(values).to_numpy()


def _clash(table: Table, weights: pd.DataFrame, rows: list[int], columns: list[int]) -> str:
    """The places of these rows can only lie in these columns, which have too few."""
    taken = np.delete(table.least, rows, axis=0)[:, columns].sum()
    return say(
        "margins.clash_taken" if taken else "margins.clash",
        units="、".join(map(str, weights.index[rows])) or "—",
        wanted=table.rows[rows].sum(),
        fields="、".join(map(str, weights.columns[columns])) or "—",
        places=table.columns[columns].sum(),
        taken=taken,
    )
