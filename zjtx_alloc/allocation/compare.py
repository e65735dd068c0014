"""Allocations side by side: totals by region, who gains and loses, how far apart they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocated, scenario_behind
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.rules.scenario import Scenario


@dataclass(frozen=True)
class Comparison:
    """Allocations of the same units; the first is what the others are compared with."""

    allocations: tuple[Allocation, ...]
    quota: pd.DataFrame  #: Places by unit, index ``code``, a column an allocation by its scenario's name.

    @cached_property
    def gains(self) -> pd.DataFrame:
        """Places that a unit has beyond those of the first, scaled to the same total; a column each of the others."""
        first = self.quota.iloc[:, 0]
        others = self.quota.iloc[:, 1:]
        return others.apply(lambda quota: quota - first * (quota.sum() / first.sum()))

    @cached_property
    def regions(self) -> pd.DataFrame:
        """Places by region, index ``region``, a column an allocation."""
        regions = self.allocations[0].panel.units["region"]
        return self.quota.groupby(regions, sort=False).sum()

    @cached_property
    def distance(self) -> pd.DataFrame:
        """½ Σ ``|difference of shares|``, from 0 (alike) to 1: the part of all places that would have to move."""
        shares = self.quota / self.quota.sum()
        return pd.DataFrame(
            {a: [float((shares[a] - shares[b]).abs().sum() / 2) for b in shares] for a in shares}, index=shares.columns
        )


def compare(items: Sequence[Scenario | Allocation], panel: Panel | None = None) -> Comparison:
    """Put scenarios or allocations side by side; the first is the one to compare with.

    Parameters
    ----------
    items : sequence of Scenario or Allocation
        At least two, of different names.
    panel : Panel, optional
        Facts for the scenarios; the shipped ones if not given. A user's 可推荐企业数 cap the earliest batch among them.

    Raises
    ------
    ScenarioError
        If there are fewer than two, or two share a name.
    DataError, InfeasibleError, SolverError
        As ``allocate`` does.
    """
    names = [scenario_behind(item).name for item in items]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ScenarioError(say("compare.names", names="、".join(names) or "—"))
    allocations = allocated(items, panel)
    quota = pd.DataFrame({name: allocation.quota for name, allocation in zip(names, allocations, strict=True)})
    return Comparison(allocations, quota)
