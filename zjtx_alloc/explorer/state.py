"""What the explorer's controls say, as data: a scenario, what of it is switched off, and every move as a pure function."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from zjtx_alloc.apportionment.apportion import apportion
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.units import find_unit, load_units
from zjtx_alloc.quota.problem.limits import Limit
from zjtx_alloc.rules.scenario import DEFAULT, REGIONS, Approval, Change, Factor, Fixed, Group, Rule, Scenario
from zjtx_alloc.rules.scenario_mistakes import explained
from zjtx_alloc.rules.scenario_ranges import with_ranges_following

SHARES = "shares"  # the simplex of the pools' own shares
_GRID = 1000  # a moved weight is a whole number of thousandths
_DIGITS = 12  # of a weight; less than that is nothing beside a thousandth
_BOUNDS = ("floor", "cap")
BY_UNIT = ("base", *_BOUNDS)  # places by unit, with a default that a switch turns on and off
_TABLES = ("groups", "rules", "fixed")  # each entry is a rule of its own
_FIRST_WEIGHT = 0.1  # of a factor that is added
_MOST = 10**9  # of what a field may say
_MOST_PLACES = 10**6
_SHARE = (0, 100)  # in percent


@dataclass(frozen=True)
class State:
    """A scenario with everything that can be switched, and what is switched off."""

    #: Always with a base, a floor and a cap for all units and a coefficient for each region, so that every control
    #: shows a value; those that the scenario was loaded without are switched off.
    scenario: Scenario
    off: frozenset[str]  #: Names as ``switches`` gives them.
    loaded: Scenario  #: As it was loaded: what differs from it is a trial and says so in its title.
    #: Frozenset of (simplex, name): Weights that stay where they are when others move.
    held: frozenset[tuple[str, str]] = frozenset()


def start(scenario: Scenario) -> State:
    """The state that shows a scenario; ``in_force`` gives the very scenario back."""
    absent: dict[str, Any] = {
        "base": {DEFAULT: 1} | scenario.base,
        "floor": {DEFAULT: 1} | scenario.floor,
        "cap": {DEFAULT: scenario.total} | scenario.cap,
        "region_coefficient": scenario.region_coefficient or dict.fromkeys(REGIONS, 1.0),
    }
    off = {name for name in BY_UNIT if DEFAULT not in getattr(scenario, name)}
    off |= set() if scenario.region_coefficient else {"region_coefficient"}
    return State(scenario.model_copy(update=absent), frozenset(off), scenario)


def switches(scenario: Scenario) -> dict[str, str]:
    """What can be switched on and off: its name in ``State.off``, and what people call it."""
    named = {name: say(f"explorer.{name}") for name in BY_UNIT} | {"region_coefficient": say("explorer.regions")}
    units = load_units()["short_name"].to_dict()
    for name in BY_UNIT:
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
    for name in BY_UNIT:
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


def moved(weights: Mapping[str, float], name: str, weight: float, held: Iterable[str] = ()) -> dict[str, float]:
    """Weights with one of them moved, the others keeping their proportions and all of them summing to one.

    Every weight becomes a whole number of thousandths, the others by largest remainder (equal claims in
    their order); others that are all zero share the rest evenly. Those ``held`` stay, and leave the one that moves
    no more than the rest of the whole; where nothing else is free, it takes that rest.
    """
    still = {other: round(weights[other] * _GRID) for other in held if other != name}
    whole = _GRID - sum(still.values())
    free = [other for other in weights if other != name and other not in still]
    own = min(round(min(max(weight, 0.0), 1.0) * _GRID), whole) if free else whole
    claims = pd.Series({other: weights[other] for other in free}, dtype=float).round(_DIGITS)
    rest = apportion(claims if claims.any() else claims + 1.0, whole - own, "hamilton", ties=free) if free else []
    thousandths = still | dict(zip(free, map(int, rest), strict=True)) | {name: own}
    return {other: thousandths[other] / _GRID for other in weights}


def with_weight(state: State, simplex: str, name: str, weight: float) -> State:
    """The state with one weight of a simplex moved and the others making room.

    Raises
    ------
    ScenarioError
        If none of them may.
    """
    scenario = state.scenario
    before, held = simplices(scenario)[simplex], {n for group, n in state.held if group == simplex}
    if weight != before[name] and before.keys() <= held | {name}:
        raise ScenarioError(say("explorer.no_room"))
    weights = moved(before, name, weight, held)
    if simplex == SHARES:
        pools = {n: pool.model_copy(update={"share": weights[n]}) for n, pool in scenario.pools.items()}
        return _with(state, pools=pools)
    factors = {
        code: f.model_copy(update={"weight": weights[code]})
        for code, f in scenario.all_pools()[simplex].factors.items()
    }
    return _with_factors(state, simplex, factors)


def _with_factors(state: State, simplex: str, factors: dict[str, Factor]) -> State:
    pools = state.scenario.pools
    if not pools:
        return _with(state, factors=factors)
    return _with(state, pools=pools | {simplex: pools[simplex].model_copy(update={"factors": factors})})


def with_total(state: State, total: int) -> State:
    """The state with another total; what the old one rested on says nothing about it."""
    if total == state.scenario.total:
        return state
    kept = {name: line for name, line in state.scenario.assumptions.items() if name != "total"}
    return _with(state, total=total, total_status="assumed", assumptions=kept)


def with_entry(state: State, table: str, key: str, number: float) -> State:
    """The state with another number in a table, and the table in force: a base, floor or cap for all units without
    their own, a region's coefficient.
    """
    return switched(_with(state, **{table: getattr(state.scenario, table) | {key: number}}), table, on=True)


def with_criterion(state: State, criterion: str) -> State:
    """The state with another criterion."""
    return _with(state, criterion=criterion)


def with_redistribution(state: State, how: str) -> State:
    """The state with another way in which others get what caps take back; ``""`` leaves it to the criterion."""
    return _with(state, redistribution=how)


def switched(state: State, name: str, on: bool) -> State:
    """The state with one rule on or off."""
    return replace(state, off=state.off - {name} if on else state.off | {name})


def with_factor(state: State, simplex: str, indicator: str) -> State:
    """The state with one more factor in a pool, ``code period``, at a tenth of its weight; the others make room."""
    code, _, period = indicator.partition(" ")
    factors = dict(state.scenario.all_pools()[simplex].factors)
    if code in factors:
        return state
    added = _with_factors(state, simplex, factors | {code: Factor(period=period, weight=0.0)})
    return with_weight(added, simplex, code, _FIRST_WEIGHT)


def without_factor(state: State, simplex: str, code: str) -> State:
    """The state without one of a pool's factors; the others take its weight.

    Raises
    ------
    ScenarioError
        If it is the last one.
    """
    if len(state.scenario.all_pools()[simplex].factors) == 1:
        raise ScenarioError(say("explorer.last_factor"))
    let_go = replace(state, held=frozenset(one for one in state.held if one[0] != simplex))
    emptied = with_weight(let_go, simplex, code, 0.0)
    factors = {name: factor for name, factor in emptied.scenario.all_pools()[simplex].factors.items() if name != code}
    return _with_factors(emptied, simplex, factors)


def with_held(state: State, simplex: str, name: str, on: bool) -> State:
    """The state with one weight held where it is, or let go."""
    return replace(state, held=state.held | {(simplex, name)} if on else state.held - {(simplex, name)})


def with_title(state: State, title: str) -> State:
    """The state under another title."""
    return _with(state, title=title.strip() or state.loaded.title)


def with_limit(state: State, bound: str, unit: str, places: int | None) -> State:
    """The state with a base, floor or cap of one unit's own (a base also of a kind that has one); None takes it away.

    Raises
    ------
    ScenarioError
        If there is no such unit, or nothing to be taken away.
    """
    given = getattr(state.scenario, bound)
    code = unit if unit in given else _code(unit)
    if places is None and code not in given:
        raise ScenarioError(say("explorer.no_places", text=""))
    table = {key: value for key, value in given.items() if key != code}
    if places is not None:
        table[code] = places
    return switched(_with(state, **{bound: table}), f"{bound}.units", on=True)


def with_fixed(state: State, unit: str, quota: int, reason: str) -> State:
    """The state with a quota decided for one unit, and why.

    Raises
    ------
    ScenarioError
        If no reason is given.
    """
    code = _code(unit)
    if not reason.strip():
        raise ScenarioError(say("scenario.no_reason"))
    fixed = state.scenario.fixed | {code: Fixed(quota=quota, reason=reason.strip())}
    return switched(_with(state, fixed=fixed), f"fixed.{code}", on=True)


def with_rule(state: State, name: str, members: str, bounds: Sequence[float | None], in_percent: bool) -> State:
    """The state with another group of units under a joint floor and cap, or with another rule.

    Parameters
    ----------
    members : str
        A region; or units, divided by 、 — each of them with a coefficient, as 广东×1.5, for a weighted rule.
    bounds : sequence of float or None
        Floor and cap: places, hundredths of the total if ``in_percent``, or the weighted rule's own measure.

    Raises
    ------
    ScenarioError
        If it has no name or no bound, shares its name with another, or names no unit.
    """
    name = name.strip()
    if not name or name in state.scenario.groups or name in state.scenario.rules:
        raise ScenarioError(say("explorer.rule_named" if name else "explorer.rule_nameless", name=name))
    if all(bound is None for bound in bounds):
        raise ScenarioError(say("explorer.rule_unbound", name=name))
    who = _members(members)
    is_rule = in_percent or "coefficients" in who
    table, form = ("rules", Rule) if is_rule else ("groups", Group)
    sides = ("min_share", "max_share") if in_percent else ("min", "max") if is_rule else ("floor", "cap")
    ends = {side: _bound(side, end) for side, end in zip(sides, bounds, strict=True) if end is not None}
    made = _valid(form, who | ends, name)
    found = switched(_with(state, **{table: getattr(state.scenario, table) | {name: made}}), f"{table}.{name}", on=True)
    in_force(found)  # a name that is a word of ours is refused here
    return found


def with_bound(state: State, table: str, name: str, side: str, number: float | None) -> State:
    """The state with another bound of a group or a rule: ``floor``, ``cap``, ``min``, ``max``; shares in percent."""
    entries = getattr(state.scenario, table)
    given = entries[name].model_dump(exclude_none=True) | {side: None if number is None else _bound(side, number)}
    made = _valid(type(entries[name]), {key: value for key, value in given.items() if value is not None}, name)
    return switched(_with(state, **{table: entries | {name: made}}), f"{table}.{name}", on=True)


def without(state: State, table: str, key: str) -> State:
    """The state without one group, rule, decided quota or single bound."""
    left = {name: entry for name, entry in getattr(state.scenario, table).items() if name != key}
    return replace(_with(state, **{table: left}), off=state.off - {f"{table}.{key}"})


def with_change(state: State, previous: str, percent: float | None, raw: bool) -> State:
    """The state with a limit on the change against a previous batch, in percent; None takes it away."""
    if percent is None:
        return replace(_with(state, change=None), off=state.off - {"change"})
    change = Change(previous=previous, max_relative=float(Fraction(str(percent)) / 100), raw=raw)
    return switched(_with(state, change=change), "change", on=True)


def with_carry(state: State, on: bool) -> State:
    """The state with 取整结转 or without it."""
    return _with(state, carry_rounding=on)


def with_unused(state: State, unused: str) -> State:
    """The state in which unused places lapse, or are made good."""
    return _with(state, approval=_valid(Approval, {"rate": state.scenario.approval.rate, "unused": unused}, ""))


def with_rate(state: State, percent: float) -> State:
    """The state with another assumed approval rate."""
    exact = Fraction(str(percent)) / 100
    if exact == state.scenario.approval.exact:
        return state  # however it is written
    rate = f"{float(exact):.12f}".rstrip("0").rstrip(".")
    return _with(state, approval=_valid(Approval, {"rate": rate, "unused": state.scenario.approval.unused}, ""))


def relieved(state: State, changes: Sequence[tuple[Limit, int]]) -> State:
    """The state with the bounds that clash at what the cheapest way out says.

    A bound that comes from 变动幅度 goes with it as a whole; bounds of units that are switched off go.

    Raises
    ------
    ScenarioError
        If a bound is none of the scenario's: 可推荐企业数 is a count, and no rule that could be loosened.
    """
    for bound in _BOUNDS:
        if f"{bound}.units" in state.off:  # or the loosened ones would switch them on
            state = _with(state, **{bound: {DEFAULT: getattr(state.scenario, bound)[DEFAULT]}})
            state = replace(state, off=state.off - {f"{bound}.units"})
    for limit, new in changes:
        if limit.joint:
            state = _joint_relieved(state, limit, new)
        elif limit.name in state.scenario.fixed and f"fixed.{limit.name}" not in state.off:
            decided = state.scenario.fixed[limit.name]
            state = with_fixed(state, limit.name, int(new), decided.reason)
        else:
            state = _single_relieved(state, limit, int(new))
    return _with(
        state, **{bound: _folded(getattr(state.scenario, bound)) for bound in _BOUNDS if bound not in state.off}
    )


def _folded(bounds: dict[str, int]) -> dict[str, int]:
    """The same bounds by unit, what most units have said once for all: of thirty-four that were loosened alike no list is made."""
    each = {code: bounds.get(code, bounds[DEFAULT]) for code in load_units().index}
    most = max(each.values(), key=list(each.values()).count)
    return {DEFAULT: most} | {code: n for code, n in each.items() if n != most}


def _joint_relieved(state: State, limit: Limit, new: int) -> State:
    if limit.kind == "group":
        return with_bound(state, "groups", limit.name, limit.side, int(new))
    side = "min" if limit.lower else "max"
    rule = state.scenario.rules[limit.name].model_copy(
        update={side: float(Fraction(new, limit.scale)), f"{side}_share": None}
    )
    return _with(state, rules=state.scenario.rules | {limit.name: rule})


def _single_relieved(state: State, limit: Limit, new: int) -> State:
    bound = "cap" if limit.side == "cap" else "floor"
    force = in_force(state)
    table = getattr(force, bound)
    given = table.get(limit.name, table.get(DEFAULT))
    if given == limit.value or limit.kind == "zero":
        return with_limit(state, bound, limit.name, new)
    if force.change is not None:
        return switched(state, "change", on=False)
    raise ScenarioError(say("explorer.no_relief", unit=load_units().at[limit.name, "short_name"]))


def _members(text: str) -> dict[str, Any]:
    """Who a group or rule is of, as its table says it: a region, units, or units with coefficients."""
    if text.strip() in REGIONS:
        return {"region": text.strip()}
    parts = [part.strip() for part in text.translate(_DIVIDERS).split("、") if part.strip()]
    if not parts:
        raise ScenarioError(say("explorer.no_members"))
    weighed = {_code(name): weight for name, _, weight in (part.partition("×") for part in parts)}
    if not any(weighed.values()):
        return {"units": list(weighed)}
    return {"coefficients": {code: number(weight or "1") for code, weight in weighed.items()}}


_DIVIDERS = str.maketrans(dict.fromkeys("，,;； \u3000\n", "、") | {"*": "×", "x": "×"})


def _bound(side: str, number: float) -> float:
    """A bound as a group or rule holds it: whole places of a group, a part of the total of a share."""
    if side in _BOUNDS:
        return places(number)
    return float(Fraction(str(_within(*_SHARE)(number))) / 100) if side.endswith("_share") else number


def _code(unit: str) -> str:
    """A unit by any of its names, as its code."""
    if (code := find_unit(unit)) is None:
        known = "、".join(load_units()["short_name"])
        raise ScenarioError(say("why.unknown", name=shown(unit), known=known))
    return code


def _valid(form: type[Any], given: dict[str, Any], name: str) -> Any:
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise ScenarioError(explained(Path(name), error)) from None


def number(text: object, least: float = -_MOST, most: float = _MOST) -> float:
    """A number as somebody wrote it.

    Raises
    ------
    ScenarioError
        If it is none, or not between these two.
    """
    try:
        found = float(str(text).strip())
    except ValueError:
        raise ScenarioError(say("explorer.no_number", text=shown(text))) from None
    if not least <= found <= most:  # nor is what is not a number
        raise ScenarioError(say("explorer.out_of_range", text=_plain(text), least=_plain(least), most=_plain(most)))
    return found


def _plain(number: object) -> str:
    """A number as people write it, whatever it is."""
    return f"{number:.6f}".rstrip("0").rstrip(".") if isinstance(number, int | float) else shown(number)


def _within(least: float, most: float) -> Callable[[object], float]:
    """Reads a number between two others."""
    return lambda text: number(text, least, most)


def places(text: object) -> int:
    """A number of places as somebody wrote it; raises as ``number`` does."""
    found = number(text, -math.inf, math.inf)
    if found < 0 or found % 1 > 0:
        raise ScenarioError(say("explorer.no_places", text=shown(text)))
    return int(number(text, 0, _MOST_PLACES))


def _total(text: object) -> int:
    if not (found := places(text)):
        raise ScenarioError(say("explorer.no_total"))
    return found


def _or_none(read: Callable[[object], Any]) -> Callable[[object], Any]:
    """Reads a field that may be blank."""
    return lambda text: None if text is None or str(text).strip() == "" else read(text)


def _percent(text: object) -> float:
    return number(text) / 100


# What a page can ask for by name: the move, and how each of its arguments is read.
MOVES: Mapping[str, tuple[Callable[..., State], tuple[Callable[[Any], Any], ...]]] = {
    "weight": (with_weight, (str, str, _percent)),
    "factor": (with_factor, (str, str)),
    "without_factor": (without_factor, (str, str)),
    "hold": (with_held, (str, str, bool)),
    "title": (with_title, (str,)),
    "total": (with_total, (_total,)),
    "entry": (with_entry, (str, str, _within(1e-6, _MOST_PLACES))),
    "bound_all": (with_entry, (str, str, places)),
    "criterion": (with_criterion, (str,)),
    "redistribution": (with_redistribution, (str,)),
    "switch": (switched, (str, bool)),
    "limit": (with_limit, (str, str, _or_none(places))),
    "fixed": (with_fixed, (str, places, str)),
    "rule": (with_rule, (str, str, lambda ends: [_or_none(number)(end) for end in ends], bool)),
    "bound": (with_bound, (str, str, str, _or_none(number))),
    "remove": (without, (str, str)),
    "change": (with_change, (str, _or_none(_within(0, 100_000)), bool)),
    "carry": (with_carry, (bool,)),
    "unused": (with_unused, (str,)),
    "rate": (with_rate, (_within(*_SHARE),)),
}


def act(state: State, name: str, arguments: Sequence[Any]) -> State:
    """The state after a move of ``MOVES``, its arguments as a page sends them.

    Raises
    ------
    ScenarioError
        If an argument is none for it.
    """
    move, readers = MOVES[name]
    return move(state, *(read(given) for read, given in zip(readers, arguments, strict=True)))


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
