"""What the explorer's controls say, as data: a scenario, what of it is switched off, and every move as a pure function."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from zjtx_alloc.apportionment.apportion import apportion
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.rules.scenario import DEFAULT, REGIONS, Scenario
from zjtx_alloc.rules.scenario_mistakes import explained
from zjtx_alloc.rules.scenario_ranges import with_ranges_following

SHARES = "shares"  # the simplex of the pools' own shares
_GRID = 1000  # a moved weight is a whole number of thousandths
_DIGITS = 12  # of a weight; less than that is nothing beside a thousandth
_BOUNDS = ("floor", "cap")
_TABLES = ("groups", "rules", "fixed")  # each entry is a rule of its own


@dataclass(frozen=True)
class State:
    """A scenario with everything that can be switched, and what is switched off.

    Attributes
    ----------
    scenario : Scenario
        Always with a floor and a cap for all units and a coefficient for each region, so that every control
        shows a value; those that the scenario was loaded without are switched off.
    off : frozenset of str
        Names as ``switches`` gives them.
    loaded : Scenario
        As it was loaded: what differs from it is a trial and says so in its title.
    """

    scenario: Scenario
    off: frozenset[str]
    loaded: Scenario


def start(scenario: Scenario) -> State:
    """The state that shows a scenario; ``in_force`` gives the very scenario back."""
    absent: dict[str, Any] = {
        "floor": {DEFAULT: 1} | scenario.floor,
        "cap": {DEFAULT: scenario.total} | scenario.cap,
        "region_coefficient": scenario.region_coefficient or dict.fromkeys(REGIONS, 1.0),
    }
    off = {name for name in _BOUNDS if DEFAULT not in getattr(scenario, name)}
    off |= set() if scenario.region_coefficient else {"region_coefficient"}
    return State(scenario.model_copy(update=absent), frozenset(off), scenario)


def switches(scenario: Scenario) -> dict[str, str]:
    """What can be switched on and off: its name in ``State.off``, and what people call it."""
    named = {"floor": say("explorer.floor"), "cap": say("explorer.cap"), "region_coefficient": say("explorer.regions")}
    units = load_units()["short_name"].to_dict()
    for name in _BOUNDS:
        if set(getattr(scenario, name)) - {DEFAULT}:
            named[f"{name}.units"] = say(f"explorer.{name}_units")
    if scenario.change is not None:
        named["change"] = say("explorer.change")
    for table in _TABLES:
        named |= {
            f"{table}.{name}": say(f"explorer.{table}", name=units.get(name, name)) for name in getattr(scenario, table)
        }
    return named


def in_force(state: State) -> Scenario:
    """The scenario without what is switched off; its title marked 试算 once it is no longer the one that was loaded.

    Raises
    ------
    ScenarioError
        If what remains is no scenario, such as a pool without the coefficients that it names.
    """
    scenario, off = state.scenario, state.off
    kept: dict[str, Any] = {}
    for name in _BOUNDS:
        table = getattr(scenario, name)
        kept[name] = {
            code: places for code, places in table.items() if (name if code == DEFAULT else f"{name}.units") not in off
        }
    for table in _TABLES:
        kept[table] = {n: rule for n, rule in getattr(scenario, table).items() if f"{table}.{n}" not in off}
    if "region_coefficient" in off:
        kept["region_coefficient"] = {}
    kept["change"] = None if "change" in off else scenario.change
    found = _checked(scenario.model_copy(update=kept), state.loaded)
    if found == state.loaded or found.title.endswith(say("explorer.trial")):
        return found
    return found.model_copy(update={"title": found.title + say("explorer.trial")})


def simplices(scenario: Scenario) -> dict[str, dict[str, float]]:
    """Weights that sum to one, by pool (``""`` the nameless one); with several pools their shares too."""
    pools = scenario.all_pools()
    weights = {name: {code: f.weight for code, f in pool.factors.items()} for name, pool in pools.items()}
    shares = {SHARES: {name: pool.share for name, pool in pools.items()}} if len(pools) > 1 else {}
    return shares | weights


def moved(weights: Mapping[str, float], name: str, weight: float) -> dict[str, float]:
    """Weights with one of them moved, the others keeping their proportions and all of them summing to one.

    Every weight becomes a whole number of thousandths, the others by largest remainder (equal claims in
    their order); others that are all zero share the rest evenly.
    """
    own = round(min(max(weight, 0.0), 1.0) * _GRID)
    others = pd.Series({other: held for other, held in weights.items() if other != name}, dtype=float).round(_DIGITS)
    if others.empty:
        return {name: 1.0}
    claims = others if others.any() else others + 1.0
    rest = apportion(claims, _GRID - own, "hamilton", ties=list(claims.index))
    thousandths = dict(zip(claims.index, map(int, rest), strict=True)) | {name: own}
    return {other: thousandths[other] / _GRID for other in weights}


def with_weight(state: State, simplex: str, name: str, weight: float) -> State:
    """The state with one weight of a simplex moved and the others making room."""
    scenario = state.scenario
    weights = moved(simplices(scenario)[simplex], name, weight)
    if simplex == SHARES:
        pools = {n: pool.model_copy(update={"share": weights[n]}) for n, pool in scenario.pools.items()}
        return _with(state, pools=pools)
    factors = {
        code: f.model_copy(update={"weight": weights[code]})
        for code, f in scenario.all_pools()[simplex].factors.items()
    }
    if not scenario.pools:
        return _with(state, factors=factors)
    return _with(
        state, pools=scenario.pools | {simplex: scenario.pools[simplex].model_copy(update={"factors": factors})}
    )


def with_total(state: State, total: int) -> State:
    """The state with another total; what the old one rested on says nothing about it."""
    if total == state.scenario.total:
        return state
    kept = {name: line for name, line in state.scenario.assumptions.items() if name != "total"}
    return _with(state, total=total, total_status="assumed", assumptions=kept)


def with_entry(state: State, table: str, key: str, number: float) -> State:
    """The state with another number in a table: a floor or cap for all units without their own, a region's coefficient."""
    return _with(state, **{table: getattr(state.scenario, table) | {key: number}})


def with_criterion(state: State, criterion: str) -> State:
    """The state with another criterion."""
    return _with(state, criterion=criterion)


def switched(state: State, name: str, on: bool) -> State:
    """The state with one rule on or off."""
    return replace(state, off=state.off - {name} if on else state.off | {name})


def _with(state: State, **changes: Any) -> State:
    return replace(state, scenario=state.scenario.model_copy(update=changes))


def _checked(scenario: Scenario, loaded: Scenario) -> Scenario:
    """The scenario with its ranges as in a file that extends the one loaded, refused as such a file would be.

    It still knows the folder of its own file.
    """
    tables = with_ranges_following(loaded.resolved(), scenario.resolved(), {})
    try:
        found = Scenario.model_validate({"name": scenario.name} | tables)
    except ValidationError as error:
        raise ScenarioError(explained(Path(scenario.name), error)) from None
    return scenario.model_copy(update={"uncertainty": found.uncertainty, "assumptions": found.assumptions})
