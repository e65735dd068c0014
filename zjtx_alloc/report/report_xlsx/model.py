"""What the sheets of report.xlsx compute with: the factors as columns, the search, and which quota the sheet can give itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocate, pool_of
from zjtx_alloc.allocation.entitlement import coefficient_keys, is_proxy, multiplier_of
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import KNOWN, grounds_of
from zjtx_alloc.facts.reading import SUPPLIED
from zjtx_alloc.report.allocation_view import allocation_view
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.writers.sheet import Cell, number_of
from zjtx_alloc.report.writers.webster import LiveSearch, Search
from zjtx_alloc.rules.scenario import Factor, Pool
from zjtx_alloc.rules.scenario_files import previous_batch

COMPARED = "compared_"  # begins the names of the second set of weights


@dataclass(frozen=True)
class Line:
    """A factor of a pool: its number among all lines, the pool's number (from 1), and what the sheets call its weight."""

    number: int
    pool: int
    pool_name: str
    code: str
    factor: Factor
    weight: str

    @property
    def key(self) -> tuple[str, ...]:
        """Where its weight stands in the scenario."""
        within = ("pools", self.pool_name) if self.pool_name else ()
        return (*within, "factors", self.code, "weight")


class Joint(NamedTuple):
    """A group or rule over the quota that it does not bind: coefficients by position, bounds (None: open), sum, breach."""

    name: str
    terms: Mapping[int, float]
    least: Cell | None
    most: Cell | None
    sum: float
    excess: float


@dataclass(frozen=True)
class Model:
    """A scenario's own batch as the workbook computes it."""

    results: Results

    @property
    def allocation(self) -> Allocation:
        """The batch."""
        return self.results.allocation

    @cached_property
    def pools(self) -> dict[str, Pool]:
        """The pools by name; the plain case has one without a name."""
        return self.allocation.scenario.all_pools()

    @cached_property
    def lines(self) -> list[Line]:
        """The factors of all pools, in their order."""
        found, seen = list[Line](), dict[str, int]()
        for place, (name, pool) in enumerate(self.pools.items(), start=1):
            for code, factor in pool.factors.items():
                seen[code] = seen.get(code, 0) + 1
                again = f"_{seen[code]}" if seen[code] > 1 else ""
                weight = re.sub(r"\W", "_", f"weight_{code}{again}")
                found.append(Line(len(found) + 1, place, name, code, factor, weight))
        return found

    def of_pool(self, pool: int) -> list[Line]:
        """The lines of a pool by its number."""
        return [line for line in self.lines if line.pool == pool]

    def first_of(self, line: Line) -> Line:
        """The line in whose column the values of an indicator stand."""
        column = (line.code, line.factor.period)
        return next(one for one in self.lines if (one.code, one.factor.period) == column)

    @cached_property
    def values(self) -> dict[int, pd.DataFrame]:
        """The cells of each line's indicator."""
        return {line.number: self.allocation.panel.column(line.code, line.factor.period) for line in self.lines}

    @cached_property
    def basis(self) -> dict[int, dict[str, str]]:
        """What each line's values are and the ranges that they lie in, by unit."""
        panel, scenario = self.allocation.panel, self.allocation.scenario
        return {
            line.number: _basis(self.values[line.number], is_proxy(panel, scenario, line.code, line.factor))
            for line in self.lines
        }

    @cached_property
    def shares(self) -> dict[int, pd.Series]:
        """Each line's shares, with multipliers."""
        found = {}
        for line in self.lines:
            values = self.values[line.number]["value"] * self.multipliers[line.number]
            found[line.number] = values / values.sum()
        return found

    @cached_property
    def multipliers(self) -> dict[int, pd.Series]:
        """What multiplies each line's values; 1 without."""
        panel, scenario = self.allocation.panel, self.allocation.scenario
        return {line.number: multiplier_of(panel, scenario, line.factor) for line in self.lines}

    @cached_property
    def bases(self) -> dict[int, pd.Series]:
        """The weighted shares of each pool."""
        found = {}
        for pool in range(1, len(self.pools) + 1):
            parts = [line.factor.weight * self.shares[line.number] for line in self.of_pool(pool)]
            found[pool] = sum(parts[1:], parts[0])
        return found

    @cached_property
    def coefficients(self) -> dict[str, dict[str, float]]:
        """The tables of coefficients that a pool uses, by key."""
        used = {table for keys in self.keys.values() for table in keys}
        scenario = self.allocation.scenario
        tables = ("region_coefficient", "grade_coefficient")
        return {table: dict(getattr(scenario, table)) for table in tables if table in used}

    @cached_property
    def keys(self) -> dict[int, dict[str, pd.Series]]:
        """Each unit's key by table, of the coefficients that each pool uses."""
        panel, scenario = self.allocation.panel, self.allocation.scenario
        return {n: coefficient_keys(panel, scenario, pool) for n, pool in enumerate(self.pools.values(), start=1)}

    @cached_property
    def last(self) -> pd.Series | None:
        """Quotas of the batch before; None without one."""
        return allocation_view(self.allocation, "csv").get("previous")

    def coefficient_name(self, table: str, key: str) -> str:
        """The name of a coefficient's cell."""
        return f"{table}_{list(self.coefficients[table]).index(key) + 1}"

    @cached_property
    def search(self) -> Search:
        """Webster's method within the units' own bounds."""
        due = self.allocation.entitlement.places.tolist()
        return replace(Search.of(self.allocation.problem), due=due)

    def live(self, prefix: str = "") -> LiveSearch:
        """The search in cells, by the first or the second set of weights."""
        bounds = {"floor": "floor_in_force", "cap": "cap_in_force"}
        return LiveSearch(
            self.search, "total", lambda name: bounds.get(name, prefix + name), prefix, f"{prefix}entitlement"
        )

    @cached_property
    def joint(self) -> list[Joint]:
        """The groups and rules."""
        problem, scenario = self.allocation.problem, self.allocation.scenario
        place = {label: number for number, label in enumerate(problem.labels, start=1)}
        found = []
        for group in problem.groups:
            ends = Cell(group.floor) if group.floor else None, None if group.cap is None else Cell(group.cap)
            found.append(self._joint(group.name, {place[label]: 1.0 for label in group.members}, *ends))
        for rule in problem.rules:
            stated, total = scenario.rules[rule.name], scenario.total
            ends = (
                _bound(stated.min, stated.min_share, total, "MAX"),
                _bound(stated.max, stated.max_share, total, "MIN"),
            )
            found.append(self._joint(rule.name, {place[c]: float(w) for c, w in rule.coefficients.items()}, *ends))
        return found

    def _joint(self, name: str, terms: dict[int, float], least: Cell | None, most: Cell | None) -> Joint:
        summed = sum(weight * self.search.quota[place - 1] for place, weight in terms.items())
        under = 0.0 if least is None else max(number_of(least) - summed, 0)
        over = 0.0 if most is None else max(summed - number_of(most), 0)
        return Joint(name, terms, least, most, summed, round(under + over, 9))

    @cached_property
    def is_by_program(self) -> bool:
        """Whether no change of the cells makes the quota a matter of formulas."""
        allocation = self.allocation
        ways = () if allocation.counted is None else allocation.counted.ways
        if allocation.problem.criterion != "webster" or ways or not allocation.is_plain:
            return True
        own = allocation.solution.quota.tolist()
        return not allocation.problem.rows and own != self.search.quota

    @property
    def has_base(self) -> bool:
        """Whether units have places before the formula."""
        return bool(self.allocation.entitlement.base.any())

    @property
    def has_unbound(self) -> bool:
        """Whether the quota without groups, rules and other criteria stands beside."""
        return self.is_by_program or bool(self.allocation.problem.rows)

    @cached_property
    def pool_caps(self) -> dict[str, int]:
        """可推荐企业数 in force by unit."""
        return pool_of(self.allocation.panel, self.allocation.scenario, pooled=self.allocation.pooled)

    @cached_property
    def before(self) -> pd.Series | None:
        """The places around which a limit on change is set; None without one."""
        scenario = self.allocation.scenario
        if scenario.change is None:
            return None
        last = previous_batch(scenario)
        found = allocate(self.allocation.panel, last, pooled=False).quota
        return pd.Series({code: last.known.granted.get(str(code), int(n)) for code, n in found.items()})

    def entitlement_formula(self, prefix: str = "") -> str:
        """A unit's entitlement from its base and coefficient in each pool."""
        parts = []
        for pool in range(1, len(self.pools) + 1):
            mine = f"[{prefix}base_{pool}]"
            coefficient = f"[coefficient_{pool}]" if not prefix else f"INDEX(coefficient_{pool},[serial])"
            share = f"pool_share_{pool}*" if len(self.pools) > 1 else ""
            parts.append(f"{share}{mine}*{coefficient}/SUMPRODUCT({prefix}base_{pool},coefficient_{pool})")
        formula = "+".join(parts)
        if not self.has_base:
            return f"total*({formula})"
        own = "INDEX(base_places,[serial])" if prefix else "[base_places]"
        return f"{own}+(total-SUM(base_places))*({formula})"

    def base_formula(self, pool: int, prefix: str = "") -> str:
        """The weighted shares of a unit in a pool, by the first or the second set of weights."""
        share = "INDEX(share_{},[serial])" if prefix else "[share_{}]"
        return "+".join(f"{prefix}{line.weight}*{share.format(line.number)}" for line in self.of_pool(pool))


def _basis(cells: pd.DataFrame, proxy: bool) -> dict[str, str]:
    marks = {KNOWN: "published", SUPPLIED: "supplied"}
    found, grounds = dict[str, str](), grounds_of(cells)
    stands = f"{say('mark.stand_in')}，" if proxy else ""
    for code, low, high in zip(cells.index, cells["low"], cells["high"], strict=True):
        span = "" if pd.isna(low) or pd.isna(high) or low == high else f" {low:,.0f}—{high:,.0f}"
        found[str(code)] = stands + say(f"mark.{marks.get(grounds[code], 'estimated')}") + span
    return found


def compared(name: str) -> str:
    """The name of a weight in the second set."""
    return COMPARED + name


def _bound(number: float | None, share: float | None, total: int, tighter: str) -> Cell | None:
    """A bound of a scenario's rule, as MAX or MIN chooses; a share is of the total that stands in the sheet."""
    texts = [f"{number:.12g}"] if number is not None else []
    values = [float(text) for text in texts]
    if share is not None:
        texts.append(f"{share:.12g}*total")
        values.append(float(f"{share:.12g}") * total)
    if not texts:
        return None
    formula = f"{tighter}({','.join(texts)})" if len(texts) > 1 else texts[0]
    return Cell(max(values) if tighter == "MAX" else min(values), formula, "plain")
