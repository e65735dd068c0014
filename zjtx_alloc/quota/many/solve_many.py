"""One problem under many entitlements at once: what ``solve`` answers, a hundred thousand scenarios in about a second."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.many.block import block_of, feasible
from zjtx_alloc.quota.many.costs import LARGEST, Costs, costs_of
from zjtx_alloc.quota.many.moves import best_places
from zjtx_alloc.quota.problem.numbers import as_floats, entitled, entitlements_of
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve

_CELLS = 2**18  # of a chunk: small enough to stay in the processor's cache


def solve_many(problem: QuotaProblem, entitlements: np.ndarray | pd.DataFrame) -> np.ndarray:
    """Solve a problem once for each row of entitlements; exactly what ``solve`` answers, ties included.

    Floats find answers that are nearly right, all scenarios of a chunk together; then single places move
    as in ``solve``'s own proof until no move is better or preferred, fractions deciding whatever floats
    leave open. Rules that cross, criteria that are not marginal costs by signpost or remainder, a
    stated redistribution, and rows with a fraction that no float stands for are solved one by one.

    Parameters
    ----------
    problem : QuotaProblem
        Total, bounds, groups and criterion; its own entitlement plays no part.
    entitlements : array (S, n) of float, or DataFrame
        A scenario a row, in places beside the base, finite and ≥ 0; numbers as in ``QuotaProblem``. An array has its columns in the problem's order; a
        frame has the problem's labels as its columns, in any order.

    Returns
    -------
    array (S, n) of int64
        Places, columns in the problem's order. A row sums to the total; where a scenario is infeasible
        (a unit with e = 0 takes only its floor) it is −1 throughout.

    Raises
    ------
    ScenarioError
        If the columns are not the problem's units, or a number is negative or not finite.

    References
    ----------
    Federgruen & Groenevelt 1986, Operations Research 34(6); Hochbaum 1994, Math. of OR 19(2).
    """
    values, columns = _table(problem, entitlements)
    if problem.base.any() and not problem.redistribution:
        everywhere = replace(problem, entitlement=pd.Series(1.0, index=problem.entitlement.index))
        try:
            everywhere.check_bounds()
        except InfeasibleError:
            return np.full(values.shape, -1, dtype=np.int64)
        beyond = solve_many(everywhere.plain, values[:, columns])
        return np.where(beyond < 0, beyond, beyond + problem.base.to_numpy())
    quotas = np.full(values.shape, -1, dtype=np.int64)
    costs, rows = costs_of(problem.criterion), np.arange(len(values))
    floats = values.astype(float, copy=False)
    left = [rows]
    if costs is not None and solved_together(problem):
        # Bounds that nobody gave depend on which units have an entitlement; here every unit has, and the same.
        everywhere = replace(problem, entitlement=pd.Series(1.0, index=problem.entitlement.index))
        try:
            everywhere.check_bounds()
        except InfeasibleError:
            return quotas
        alone = (floats.max(axis=1, initial=0.0) >= LARGEST) | _beyond_floats(values)
        left = [rows[alone]]
        for chunk in _chunks(rows[~alone], _CELLS // len(columns)):
            quotas[chunk] = _chunk(everywhere, costs, floats[chunk][:, columns])
    for row in itertools.chain.from_iterable(left):
        quotas[row] = _alone(problem, values[row, columns])
    return quotas


def solved_together(problem: QuotaProblem) -> bool:
    """Whether ``solve_many`` solves many entitlements of this problem at once, not one by one."""
    return (
        costs_of(problem.criterion) is not None
        and not problem.redistribution
        and problem.nested
        and problem.total < LARGEST
        and len(problem.labels) > 0
    )


def _table(problem: QuotaProblem, entitlements: np.ndarray | pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The numbers, checked, and for each unit of the problem its column."""
    columns = np.arange(len(problem.labels))
    try:
        values = as_floats(entitlements)
    except ValueError:
        raise ScenarioError(say("many.shape", count=len(columns), shape="—")) from None
    if np.asarray(entitlements).dtype == object:
        exact = pd.DataFrame(entitlements).apply(entitlements_of).to_numpy()
        values = exact if exact.dtype == object else values
    if isinstance(entitlements, pd.DataFrame):
        given = entitlements.columns
        missing = [problem.name(label) for label in problem.labels if label not in given]
        extra = [str(label) for label in given if label not in problem.entitlement.index]
        if missing or extra or not given.is_unique:
            twice = [str(label) for label in given[given.duplicated()].unique()]
            lists = {"missing": missing, "extra": extra, "twice": twice}
            raise ScenarioError(say("many.columns", **{k: "、".join(v) or "—" for k, v in lists.items()}))
        columns = given.get_indexer(problem.entitlement.index)
    if values.ndim != 2 or values.shape[1] != len(columns):
        raise ScenarioError(say("many.shape", count=len(columns), shape=" × ".join(map(str, values.shape)) or "—"))
    for chunk in _chunks(np.arange(len(values)), _CELLS // max(len(columns), 1)):
        part = as_floats(values[chunk[0] : chunk[-1] + 1])
        if part.size and not (part.min() >= 0 and part.max() < np.inf):
            row, column = np.argwhere(~((part >= 0) & (part < np.inf)))[0]
            label = problem.name(problem.labels[int(np.flatnonzero(columns == column)[0])])
            raise ScenarioError(say("many.value", row=chunk[row] + 1, label=label, value=part[row, column]))
    return values, columns


def _chunks(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    size = max(size, 1)
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _beyond_floats(values: np.ndarray) -> np.ndarray:
    """Which rows hold a fraction that no float stands for."""
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=bool)
    return np.array([any(entitled(float(e)) != e for e in row) for row in values], dtype=bool)


def _chunk(problem: QuotaProblem, costs: Costs, values: np.ndarray) -> np.ndarray:
    """Quotas (R, n) of some scenarios, −1 where there is no answer."""
    assert problem.tree is not None
    order = problem.tree.order
    block = block_of(problem, costs, np.ascontiguousarray(values.T)[order])
    open_ = np.flatnonzero(feasible(block))
    places = np.full(values.T.shape, -1.0)
    places[:, open_] = best_places(block.part(open_), problem.total)
    return places[np.argsort(order)].T


def _alone(problem: QuotaProblem, entitlement: np.ndarray) -> np.ndarray | int:
    """One scenario by ``solve``; −1 if infeasible."""
    own = replace(problem, entitlement=pd.Series(entitlement, index=problem.entitlement.index))
    try:
        return solve(own).quota.to_numpy()
    except InfeasibleError:
        return -1
