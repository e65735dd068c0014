"""The counts known of the new round beside what allocations give: how near the answer is, never what it is fitted to."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocate
from zjtx_alloc.allocation.entitlement import adjusted_shares
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import NATION, members_of
from zjtx_alloc.facts.evidence.observations import Observation, observations
from zjtx_alloc.facts.panel import load_panel
from zjtx_alloc.rules.scenario_files import load_scenario
from zjtx_alloc.uncertainty.draws import BLOCKS, drawn, entitlements_of, sampling
from zjtx_alloc.uncertainty.sweep import SEED

OLD = "2024-old-stand-ins"  # the stand-ins of 2020 and 2021 that the baselines used before
DRAWS = 1000  # the sweep's first; entitlements alone, so nothing is solved
_DERIVED = 3  # rank of a source from which a count is derived
_COLUMNS = [
    "scenario", "batch", "short_name", "observed", "status", "entitlement", "low", "high", "quota", "former", "source",
]  # fmt: skip


def known_counts(allocations: Sequence[Allocation]) -> pd.DataFrame:
    """The counts of supported firms that are known for single provinces, beside what allocations give them.

    A province whose city under separate planning may be inside has two rows: alone, and with the city. Counts are of
    firms that passed; a quota is what may be recommended.

    Returns
    -------
    DataFrame
        A row a count, allocation of its batch, and reading of it: scenario, batch, short_name, observed (firms),
        status (published; inferred: derived), entitlement (places), low, high (5 and 95 % of the entitlements of the
        sweep's first draws; blank where nothing is uncertain), quota, former (quota of the stand-ins used before, scaled
        to the batch's total; blank where the panel has none), source, and a column a factor, by its code: places if it
        alone had weight, coefficients as they are (blank where there are several pools).
    """
    rows = [row for allocation in allocations for row in _rows(allocation)]
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*_COLUMNS, *(name for row in rows for name in row)])))


def _rows(allocation: Allocation) -> Iterator[dict[str, object]]:
    batch, names = allocation.scenario.batch, allocation.panel.units["short_name"]
    counts = [one for one in observations(f"supported_firms_b{batch}") if one.place != NATION]
    if not counts:
        return
    drawn_places, former, alone = _drawn(allocation), _former(allocation), _alone(allocation)
    for count in counts:
        for units in _readings(count):
            places = drawn_places[units].sum(axis=1)
            known = {
                "scenario": allocation.scenario.name,
                "batch": batch,
                "short_name": _named([str(names[code]) for code in units]),
                "observed": int(count.value),
                "status": "inferred" if count.rank == _DERIVED else "published",
                "entitlement": float(allocation.entitlement.places[units].sum()),
                "low": float(places.quantile(0.05)) if len(places) else np.nan,
                "high": float(places.quantile(0.95)) if len(places) else np.nan,
                "quota": int(allocation.quota[units].sum()),
                "former": np.nan if former is None else int(former[units].sum()),
                "source": count.source,
            }
            yield known | alone.loc[units].sum().to_dict()


def _readings(count: Observation) -> list[list[str]]:
    """The units that a count may be of: the province alone, and with the city or the Corps inside."""
    members = list(members_of(count.place))
    return [members[:1], members] if len(members) > 1 else [members]


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else say("backtest.with", name=names[0], others="、".join(names[1:]))


def _drawn(allocation: Allocation) -> pd.DataFrame:
    """Entitlements of the sweep's first draws, a row a draw; no row where the scenario has nothing to draw from."""
    units = allocation.quota.index
    try:
        taken = sampling(allocation.panel, allocation.scenario)
    except ScenarioError:  # more uncertain weights than are drawn; the page on uncertainty says so
        return pd.DataFrame(columns=units, dtype=float)
    if not any(next(drawn(taken, SEED, 2)).uncertain(block) for block in BLOCKS):
        return pd.DataFrame(columns=units, dtype=float)
    places = np.vstack([entitlements_of(taken, part) for part in drawn(taken, SEED, DRAWS)])
    return pd.DataFrame(places, columns=units)


def _former(allocation: Allocation) -> pd.Series | None:
    """Quotas of the stand-ins used before at the batch's total; none where the facts are a file without them."""
    panel = load_panel() if allocation.panel.has_own else allocation.panel
    scenario = load_scenario(OLD).model_copy(update={"total": allocation.scenario.total})
    try:
        return allocate(panel, scenario, pooled=False).quota
    except DataError:
        return None


def _alone(allocation: Allocation) -> pd.DataFrame:
    """Places by unit if a factor alone had weight; no column where pools differ."""
    pools = list(allocation.scenario.all_pools().values())
    if len(pools) > 1:
        return pd.DataFrame(index=allocation.quota.index)
    shares = adjusted_shares(allocation.panel, allocation.scenario, pools[0])
    by_formula = allocation.scenario.by_formula * shares / shares.sum()
    return by_formula.add(allocation.entitlement.base, axis=0)
