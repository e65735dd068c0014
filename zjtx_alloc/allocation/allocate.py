"""The waist: facts and rules come together in a quota problem, and out comes an allocation (名额分配)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import pandas as pd

from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.allocation.composite import Composite, with_composites
from zjtx_alloc.allocation.entitlement import Entitlement, by_factors, entitlement
from zjtx_alloc.base.errors import DataError, InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.quota.crossing.exchange import binding
from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.quota.problem.problem import Group, QuotaProblem, Rule
from zjtx_alloc.quota.solve import Solution, solve
from zjtx_alloc.rules.own_columns import checked_fixed, pool_caps, stand_ins_ended
from zjtx_alloc.rules.scenario import DEFAULT, Change, Rule as ScenarioRule, Scenario
from zjtx_alloc.rules.scenario_files import check_scenario, previous_batch


@dataclass(frozen=True)
class Counted:
    """The quota of a batch that counts among the batches of its programme, as ``za.allocate_programme`` decides it."""

    #: quota, approved: places and approved firms by unit, known where they are known; index ``code`` (Series of int).
    quota: pd.Series
    approved: pd.Series  #: See ``quota``.
    carried: int  #: Unused places of the batch before that are part of the quota (本单位补回).
    #: What makes it another than the batch's own: granted, approved (known), rounding, unit; empty if nothing does.
    ways: tuple[str, ...]
    among: frozenset[int]  #: The batches among which it was decided.
    #: Series of str: In Chinese, why a unit has another quota than in the batch on its own; blank where it has the
    #: same. As ``quota``.
    why: pd.Series
    before: "Allocation | None"  #: The batch before.


@dataclass(frozen=True)
class Allocation:
    """One batch, allocated and proven."""

    panel: Panel  #: The facts, with the scenario's composites as indicators.
    scenario: Scenario
    entitlement: Entitlement  #: Places before rounding and rules, by unit, and where they come from.
    problem: QuotaProblem  #: Index ``code``: entitlements under the scenario's bounds, groups and rules.
    solution: Solution  #: The quota, its cost and its proof.
    bounds: pd.DataFrame  #: Floors and caps by unit, and what sets them, as ``unit_bounds``.
    pooled: bool = True  #: Whether the user's 可推荐企业数, where there are any, cap this batch.
    composites: tuple[Composite, ...] = ()  #: The scenario's composite indicators (综合指数).
    #: The quota that counts in the programme; None: the batch was allocated on its own, and that is its quota.
    counted: Counted | None = None
    #: The quota that limits on change go from (index ``code``); None: as the batch before is on its own (Series or
    #: None).
    previous: pd.Series | None = None

    @property
    def quota(self) -> pd.Series:
        """Places by unit that count, int64, index ``code``; ``solution.quota`` are those of the batch on its own."""
        return self.solution.quota if self.counted is None else self.counted.quota

    @property
    def total(self) -> int:
        """The sum of the quota: the scenario's total, but for a known batch and for places carried into this one."""
        return int(self.quota.sum())

    @property
    def approved(self) -> pd.Series:
        """Approved firms by unit, known or at the assumed rate, int64, index ``code``."""
        if self.counted is not None:
            return self.counted.approved
        order = [self.problem.labels[i] for i in self.problem.order]
        return approved_firms(self.quota, self.scenario.approval.exact, order)

    @property
    def has_known_quota(self) -> bool:
        """Whether the quotas granted to all units are known."""
        return len(self.scenario.known.granted) == len(self.quota)

    @property
    def has_known_approvals(self) -> bool:
        """Whether the approved firms of all units are known."""
        return len(self.scenario.known.approved) == len(self.quota)

    @property
    def carried(self) -> int:
        """Unused places of the batch before that are part of the quota."""
        return 0 if self.counted is None else self.counted.carried

    @property
    def is_plain(self) -> bool:
        """Whether the formula hands out all places, and what caps take back as the criterion does by itself."""
        return self.problem.plain is self.problem

    @property
    def is_pooled(self) -> bool:
        """Whether 可推荐企业数 cap this batch."""
        return bool(pool_of(self.panel, self.scenario, pooled=self.pooled))

    def under(self, scenario: Scenario) -> "Allocation":
        """The batch on its own under another scenario, with the same facts.

        Raises
        ------
        DataError, ScenarioError, InfeasibleError, SolverError
            As ``allocate`` does.
        """
        return allocate(self.panel, scenario, pooled=self.pooled, previous=self.previous)

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """As ``za.decisions``, solved once."""
        return decisions(self)

    def table(self) -> pd.DataFrame:
        """The allocation, a row a unit.

        Returns
        -------
        DataFrame
            Index ``code``; columns short_name, region, entitlement (places, float), quota, floor, cap
            (places, int), binds (Chinese names of the bounds that hold the unit, joined by 、),
            estimated (估算 or blank), stand_in (代用 or blank).
        """
        sources = self.bounds
        own = self.solution.quota
        binds = binding(self.problem, [int(x) for x in own])
        ways = "、".join(say(f"counted.{way}") for way in (() if self.counted is None else self.counted.ways))
        return self.panel.units[["short_name", "region"]].assign(
            entitlement=self.entitlement.places,
            quota=self.quota,
            floor=self.problem.floor,
            cap=self.problem.cap,
            binds=[
                ways
                if self.quota[c] != own[c]
                else "、".join(sources.at[c, f"{b}_from"] if b in ("floor", "cap") else b for b in binds[c])
                or (say("bound.fixed") if c in self.scenario.fixed else "")
                for c in self.quota.index
            ],
            estimated=marked(self.entitlement.estimated.gt(0), say("mark.estimated")),
            stand_in=marked(self.entitlement.stand_in.gt(0), say("mark.stand_in")),
        )


def marked(flags: pd.Series, mark: str) -> pd.Series:
    """The mark where a flag is set, blank elsewhere."""
    return flags.map({True: mark, False: ""})


def allocate(panel: Panel, scenario: Scenario, *, pooled: bool = True, previous: pd.Series | None = None) -> Allocation:
    """Allocate a batch: entitlements, the problem, its proven solution.

    A user's column takes the place of whatever stands in for it; a user's 可推荐企业数 (eligible_pool) is the most
    that a unit may have.

    Parameters
    ----------
    pooled : bool
        Whether 可推荐企业数 are of this batch. They say nothing about another: False for companions.
    previous : Series, optional
        The quota that limits on change go from; if not given what is known of the batch before, else its quota on its own.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        As ``check_scenario``, ``entitlement``, ``quota_problem`` and ``solve`` do.
    """
    check_scenario(scenario, ranges=False)
    scenario = stand_ins_ended(panel, scenario)
    try:
        panel, made = with_composites(panel, scenario)
        entitled = by_factors(panel, scenario)
    except (DataError, ScenarioError) as error:
        raise type(error)(say("allocation.in_scenario", scenario=scenario.name, reason=error)) from None
    bounds = unit_bounds(panel, scenario, pooled=pooled, previous=previous)
    problem = _problem(panel, scenario, entitled, bounds)
    try:
        solution = solve(problem)
    except InfeasibleError as error:
        reason = f"{_pool_short(scenario, bounds)}{error}"
        described = say("allocation.in_scenario", scenario=scenario.name, reason=reason)
        raise InfeasibleError(described, error.diagnosis) from None
    return Allocation(panel, scenario, entitled, problem, solution, bounds, pooled, made, previous=previous)


def _pool_short(scenario: Scenario, bounds: pd.DataFrame) -> str:
    """That 可推荐企业数 leave too few places, if they do; blank else."""
    most = int(bounds["cap"].sum())
    if most >= scenario.total or not bounds["cap_from"].eq(say("bound.pool")).any():
        return ""
    return say("allocation.pool_total", total=scenario.total, most=most) + "。"


def allocated(
    items: Sequence[Scenario | Allocation], panel: Panel | None, own: int | None = None
) -> tuple[Allocation, ...]:
    """Scenarios allocated on a panel (the shipped facts if not given), allocations as they are.

    A user's 可推荐企业数 cap the batch ``own``, the earliest if not given.
    """
    facts = load_panel() if panel is None else panel
    own = min(scenario_behind(item).batch for item in items) if own is None else own
    return tuple(
        item if isinstance(item, Allocation) else allocate(facts, item, pooled=item.batch == own) for item in items
    )


def scenario_behind(item: Scenario | Allocation) -> Scenario:
    """The scenario itself, or the one allocated."""
    return item.scenario if isinstance(item, Allocation) else item


def quota_problem(panel: Panel, scenario: Scenario) -> QuotaProblem:
    """The quota problem of a scenario: entitlements under its bounds, groups and rules.

    Returns
    -------
    QuotaProblem
        Index ``code``, the 37 units in their official order; the cap is the total where none is set.

    Raises
    ------
    DataError, ScenarioError
        As ``entitlement`` does; also if the chain of previous batches comes back to where it began.
    """
    check_scenario(scenario, ranges=False)
    scenario = stand_ins_ended(panel, scenario)
    return _problem(panel, scenario, entitlement(panel, scenario), unit_bounds(panel, scenario))


def problem_at(allocation: Allocation, total: int) -> QuotaProblem:
    """The problem of an allocation at another total: bounds and shares of rules may hang on it, its entitlements stay."""
    panel, scenario = allocation.panel, allocation.scenario.model_copy(update={"total": total})
    bounds = unit_bounds(panel, scenario, pooled=allocation.pooled, previous=allocation.previous)
    return _problem(panel, scenario, allocation.entitlement, bounds)


def _problem(panel: Panel, scenario: Scenario, entitled: Entitlement, bounds: pd.DataFrame) -> QuotaProblem:
    return QuotaProblem(
        total=scenario.total,
        entitlement=entitled.exact - entitled.base,
        floor=bounds["floor"],
        cap=bounds["cap"],
        groups=tuple(Group(n, g.codes(), g.floor, g.cap) for n, g in scenario.groups.items()),
        rules=tuple(_rule(name, rule, scenario.total) for name, rule in scenario.rules.items()),
        criterion=scenario.criterion,
        names=panel.units["short_name"].to_dict(),
        base=entitled.base,
        redistribution=scenario.redistribution,
    )


def _rule(name: str, rule: ScenarioRule, total: int) -> Rule:
    coefficients = {c: exactly(v) for c, v in rule.coefficients.items()} or dict.fromkeys(rule.codes(), Fraction(1))
    lower = [exactly(rule.min)] if rule.min is not None else []
    upper = [exactly(rule.max)] if rule.max is not None else []
    lower += [exactly(rule.min_share) * total] if rule.min_share is not None else []
    upper += [exactly(rule.max_share) * total] if rule.max_share is not None else []
    return Rule(name, coefficients, max(lower, default=None), min(upper, default=None))


def pool_of(panel: Panel, scenario: Scenario, *, pooled: bool = True) -> dict[str, int]:
    """可推荐企业数 by unit: the scenario's, else those of the user's table if it is of this batch; units not named have none."""
    return {**(pool_caps(panel) if pooled else {}), **scenario.eligible_pool}


def unit_bounds(
    panel: Panel, scenario: Scenario, *, pooled: bool = True, previous: pd.Series | None = None
) -> pd.DataFrame:
    """Floor and cap of each unit, and what sets them.

    Returns
    -------
    DataFrame
        Index ``code``; floor, cap (places, int64), floor_from, cap_from (Chinese: 基数, 下限, 上限, 变动下限,
        变动上限, 可推荐企业数, 人工调整). The tightest bound counts; a decided quota replaces all bounds of its unit.
        The floor for all units yields to 可推荐企业数, a unit's own does not.

    Raises
    ------
    ScenarioError
        If a quota is decided above 可推荐企业数, or a cap is below a base.
    """
    changes = {} if scenario.change is None else _change_bounds(panel, scenario, scenario.change, previous)
    pool = pool_of(panel, scenario, pooled=pooled)
    checked_fixed(scenario, pool, panel.units["short_name"].to_dict())
    rows, base = [], scenario.bases()
    for code in panel.units.index:
        least = min(scenario.floor.get(DEFAULT, 0), pool.get(code, scenario.total))
        floors = [(scenario.floor.get(code, least), say("bound.floor"))]
        caps = [(scenario.cap.get(code, scenario.cap.get(DEFAULT, scenario.total)), say("bound.cap"))]
        if code in pool:
            caps.append((pool[code], say("bound.pool")))
        if code in changes:
            floors.append((changes[code][0], say("bound.change_floor")))
            caps.append((changes[code][1], say("bound.change_cap")))
        if code in scenario.fixed:
            floors, caps = ([(scenario.fixed[code].quota, say("bound.fixed"))] for _ in range(2))
        floors.append((base[code], say("bound.base")))
        floor, floor_from = max(floors, key=lambda bound: bound[0])
        cap, cap_from = min(caps, key=lambda bound: bound[0])
        if base[code] > cap:
            described = {"name": panel.units.at[code, "short_name"], "base": base[code], "cap": cap, "source": cap_from}
            raise ScenarioError(say("allocation.base_above", scenario=scenario.name, **described))
        rows.append((floor, cap, floor_from, cap_from))
    return pd.DataFrame(rows, index=panel.units.index, columns=["floor", "cap", "floor_from", "cap_from"])


def _change_bounds(
    panel: Panel, scenario: Scenario, change: Change, previous: pd.Series | None
) -> dict[str, tuple[int, int]]:
    """Bounds on change (变动幅度): around previous × total / previous total, or previous itself if raw.

    Rounded outward, never narrower than one place either way.
    """
    if previous is None:
        last = previous_batch(scenario)
        found = allocate(panel, last, pooled=False).quota
        previous = pd.Series({code: last.known.granted.get(str(code), places) for code, places in found.items()})
    if not change.raw and previous.sum() == 0:
        raise ScenarioError(say("allocation.no_previous", scenario=scenario.name, previous=change.previous))
    scale = Fraction(1) if change.raw else Fraction(scenario.total, int(previous.sum()))
    limit = exactly(change.max_relative)
    bounds = {}
    for code, places in previous.items():
        centre = int(places) * scale
        reach = max(centre * limit, Fraction(1))
        bounds[str(code)] = (max(math.floor(centre - reach), 0), math.ceil(centre + reach))
    return bounds


def decisions(allocation: Allocation) -> pd.DataFrame:
    """The quotas decided in consultation (人工调整) and who gave or got places for them.

    The same problem is solved without the decisions; the difference is what they moved.

    Returns
    -------
    DataFrame
        Index ``code``, the units decided or moved; short_name, model (places without the decisions,
        Int64, blank if the rules clash without them), quota, difference, reason. Empty without decisions.
    """
    scenario = allocation.scenario
    columns = ["short_name", "model", "quota", "difference", "reason"]
    if not scenario.fixed:
        return pd.DataFrame(columns=columns, index=pd.Index([], name="code"))
    try:
        free = scenario.model_copy(update={"fixed": {}})
        model = allocation.under(free).quota.astype("Int64")
    except InfeasibleError:
        model = pd.Series(pd.NA, index=allocation.quota.index, dtype="Int64")
    difference = allocation.solution.quota - model
    model = allocation.quota - difference
    table = allocation.panel.units[["short_name"]].assign(
        model=model,
        quota=allocation.quota,
        difference=difference,
        reason=[
            scenario.fixed[c].reason if c in scenario.fixed else say("allocation.moved") for c in allocation.quota.index
        ],
    )
    return table[table.index.isin(scenario.fixed) | difference.fillna(0).ne(0)][columns]
