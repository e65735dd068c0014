"""A user's columns and a scenario: which of them it uses, which stand-ins they end, and 可推荐企业数 as a cap."""

import math
from collections.abc import Mapping
from typing import Any

from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.numbers import are_whole
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import derived, end_stand_in

PERFORMANCE = "performance"  # 培育绩效, which the notice names and nobody published
POOL = "eligible_pool"  # 可推荐企业数: a cap of the batch that the table is of, beside whatever else it is used for


def names_performance(scenario: Scenario) -> bool:
    """Whether a scenario says by which line 培育绩效 enters: the indicator itself, or what stands in for it (代用)."""
    factors = [line for pool in scenario.all_pools().values() for line in pool.factors.items()]
    return any(PERFORMANCE in (code, line.stand_in_for) for code, line in [*factors, *scenario.indicators()])


def unused(panel: Panel, scenario: Scenario) -> tuple[str, ...]:
    """Codes of the user's columns that neither a factor of a scenario nor a cap uses."""
    used = {code for code, _ in scenario.indicators()} | {POOL}
    return tuple(code for code in panel.supplied if code not in used)


def endable(panel: Panel, scenario: Scenario) -> tuple[str, ...]:
    """Codes of the user's columns that a factor of a scenario only stands in for (代用)."""
    targets = {line.stand_in_for for _, line in scenario.indicators()}
    return tuple(code for code in unused(panel, scenario) if code in targets)


def stand_ins_ended(panel: Panel, scenario: Scenario) -> Scenario:
    """The scenario with the user's own columns in the place of what stands in for them; itself where there are none."""
    ending = endable(panel, scenario)
    if not ending:
        return scenario
    merged: dict[str, Any] = scenario.resolved()
    for code in ending:
        end_stand_in(merged, code, scenario.name)
    return derived(scenario, merged)


def pool_caps(panel: Panel) -> Mapping[str, int]:
    """The user's 可推荐企业数 by unit, in firms; units that are not named have no cap, and without any it is empty.

    Raises
    ------
    DataError
        If a count is not whole, or estimated: a province's figure split to its units is no count of firms.
    """
    if POOL not in panel.supplied:
        return {}
    column = panel.known(POOL, panel.supplied[POOL])
    wrong = column[~are_whole(column["value"]) | column["estimated"]]
    if len(wrong):
        counts = "、".join(f"{panel.units.at[code, 'short_name']}{count:g}" for code, count in wrong["value"].items())
        raise DataError(say("allocation.pool_whole", counts=counts))
    return {str(code): int(count) for code, count in column["value"].items()}


def checked_fixed(scenario: Scenario, pool: Mapping[str, int], names: Mapping[str, str]) -> None:
    """Refuse quotas decided in consultation that exceed the firms that can be recommended.

    Raises
    ------
    ScenarioError
        Naming the unit, its quota and its 可推荐企业数.
    """
    for code, fixed in scenario.fixed.items():
        if fixed.quota > pool.get(code, math.inf):
            described = {"name": names[code], "quota": fixed.quota, "pool": pool[code]}
            raise ScenarioError(say("allocation.fixed_above_pool", scenario=scenario.name, **described))
