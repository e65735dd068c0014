"""How quotas are distributed over many scenarios, unit by unit: counted, never interpolated."""

import numpy as np
import pandas as pd
import scipy  # loads its parts where they are first used

_PERCENT = (5, 25, 50, 75, 95)
_CELLS = 2**20  # of ranks computed at a time


def summary_of(quotas: np.ndarray, baseline: pd.Series, alike: np.ndarray) -> pd.DataFrame:
    """What each unit's quotas come to over all scenarios.

    Parameters
    ----------
    alike : array (totals, units)
        The baseline's quotas at each total that the scenarios have, rising: gains and losses are counted at equal totals.

    Returns
    -------
    DataFrame
        Index and order of ``baseline``; the columns of ``Sweep.table`` from quota on.
    """
    rank_counts = _rank_counts(quotas)
    own = (-baseline).rank(method="min").astype("int64")
    _, at = np.unique(quotas.sum(axis=1), return_inverse=True)
    rows = []
    for i, code in enumerate(baseline.index):
        values, counts = _counted(quotas[:, i])
        ranks = np.flatnonzero(rank_counts[i])
        held = rank_counts[i][ranks]
        step = quotas[:, i] - alike[at, i]
        mean = float(values @ counts) / len(quotas)
        row = {
            "quota": int(baseline[code]),
            "mean": mean,
            "sd": float(np.sqrt(((values - mean) ** 2) @ counts / len(quotas))),
            "min": int(values[0]),
            **{f"q{p:02d}": quantile(values, counts, p) for p in _PERCENT},
            "max": int(values[-1]),
            "gain": int((step > 0).sum()) / len(quotas),
            "lose": int((step < 0).sum()) / len(quotas),
            "rank": int(own[code]),
            "rank_min": int(ranks[0]),
            "rank_q05": quantile(ranks, held, 5),
            "rank_q95": quantile(ranks, held, 95),
            "rank_max": int(ranks[-1]),
        }
        rows.append(row)
    return pd.DataFrame(rows, index=baseline.index)


def value_probabilities(quotas: np.ndarray, codes: pd.Index) -> pd.Series:
    """The part of the scenarios in which a unit has each number of places it ever has: index (code, quota)."""
    found = {
        (code, int(value)): int(count) / len(quotas)
        for i, code in enumerate(codes)
        for value, count in zip(*_counted(quotas[:, i]), strict=True)
    }
    index = pd.MultiIndex.from_tuples(list(found), names=["code", "quota"])
    return pd.Series(list(found.values()), index=index, name="probability")


def quantile(values: np.ndarray, counts: np.ndarray, percent: int) -> int:
    """The least value that at least this many percent do not exceed; values rise."""
    return int(values[np.argmax(100 * np.cumsum(counts) >= percent * counts.sum())])


def _counted(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values that occur, rising, and how often each does."""
    least = int(column.min())
    counts = np.bincount(column - least)
    values = np.flatnonzero(counts)
    return values + least, counts[values]


def _rank_counts(quotas: np.ndarray) -> np.ndarray:
    """How often each unit (row) has each rank (column, from 1: the most places); equals share the better one."""
    units = quotas.shape[1]
    counts = np.zeros(units * (units + 1), dtype=np.int64)
    step, shift = max(_CELLS // units, 1), np.arange(units) * (units + 1)
    for start in range(0, len(quotas), step):
        ranks = scipy.stats.rankdata(-quotas[start : start + step], "min", axis=1).astype(np.int64)
        counts += np.bincount((ranks + shift).ravel(), minlength=len(counts))
    return counts.reshape(units, units + 1)
