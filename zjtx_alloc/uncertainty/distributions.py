"""How quotas are distributed over many scenarios, unit by unit: counted, never interpolated."""

import numpy as np
import pandas as pd

_SHARES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
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
    ranks, own = _ranks(quotas), (-baseline).rank(method="min").astype("int64")
    _, at = np.unique(quotas.sum(axis=1), return_inverse=True)
    rows = []
    for i, code in enumerate(baseline.index):
        values, ranked = quotas[:, i], ranks[:, i]
        step, held, rank = values - alike[at, i], _quantiles(values), _quantiles(ranked)
        row = {
            "quota": int(baseline[code]),
            "mean": float(values.mean()),
            "sd": float(values.std()),
            "min": int(values.min()),
            **held,
            "max": int(values.max()),
            "gain": int((step > 0).sum()) / len(quotas),
            "lose": int((step < 0).sum()) / len(quotas),
            "rank": int(own[code]),
            "rank_min": int(ranked.min()),
            "rank_q05": rank["q05"],
            "rank_q95": rank["q95"],
            "rank_max": int(ranked.max()),
        }
        rows.append(row)
    return pd.DataFrame(rows, index=baseline.index)


def value_probabilities(quotas: np.ndarray, codes: pd.Index) -> pd.Series:
    """The part of the scenarios in which a unit has each number of places it ever has: index (code, quota)."""
    places = pd.DataFrame(quotas, columns=codes, dtype="int64")
    parts = {code: column.value_counts(normalize=True).sort_index() for code, column in places.items()}
    return pd.concat(parts, names=["code", "quota"]).rename("probability")


def _quantiles(values: np.ndarray) -> dict[str, int]:
    """For each share the least value that at least this part of the values do not exceed."""
    found = np.quantile(values, list(_SHARES.values()), method="inverted_cdf")
    return dict(zip(_SHARES, found.tolist(), strict=True))


def _ranks(quotas: np.ndarray) -> np.ndarray:
    """Each unit's rank in each scenario, from 1 for the most places; equals share the better one."""
    ranks, step = np.empty(quotas.shape, dtype=np.int32), max(_CELLS // quotas.shape[1], 1)
    for start in range(0, len(quotas), step):
        part = quotas[start : start + step]
        order = np.argsort(-part, axis=1, kind="stable")
        falling = np.take_along_axis(part, order, axis=1)
        opens = np.diff(falling, axis=1, prepend=falling[:, :1] + 1) < 0  # the first of equal places
        held = np.maximum.accumulate(np.where(opens, np.arange(1, part.shape[1] + 1), 0), axis=1)
        np.put_along_axis(ranks[start : start + step], order, held.astype(np.int32), axis=1)
    return ranks
