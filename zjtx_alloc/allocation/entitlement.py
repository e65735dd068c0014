"""The factor method (因素法): panel and scenario to entitlements (理论名额).

With pools p of share σ_p, factors k of weight w_pk, in-share multipliers a and coefficients c::

    base_pu     = Σ_k w_pk · x_ku·a_ku / Σ_v x_kv·a_kv
    pool_pu     = base_pu·c_pu / Σ_v base_pv·c_pv
    entitlement = base_places + (total − Σ base_places) · Σ_p σ_p·pool_pu

This is the form of the Ministry of Finance's published allocation rules for sister funds: shares of
factor totals, a difficulty coefficient inside the share, a reward pool beside the task pool.

Facts, weights and coefficients are decimals, what was split or scored the fraction that it stands for, so entitlements
are fractions: these decide places (``exact``). What is shown, and the parts that it consists of, are floats of them.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.composite import with_composites
from zjtx_alloc.allocation.composite_steps import shares
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import GROUNDS, Panel, grounds_of
from zjtx_alloc.quota.problem.numbers import entitled, exactly
from zjtx_alloc.rules.own_columns import stand_ins_ended
from zjtx_alloc.rules.scenario import ADJUSTMENT, DEFAULT, Factor, Pool, Scenario
from zjtx_alloc.rules.scenario_files import check_scenario

STAND_IN = "stand_in"
_GROUNDS = [*GROUNDS, STAND_IN]


@dataclass(frozen=True)
class Entitlement:
    """Entitlements of the 37 units and where they come from. Every index is ``code``."""

    exact: pd.Series  #: Entitlement in places, exactly (Series of Fraction).
    base: pd.Series  #: What each unit has before the formula (基数) (Series of int).
    places: pd.Series  #: The same in floats; sums to the total (Series of float).
    share: pd.Series  #: The unit's share of the places that the formula hands out; sums to 1 (Series of float).
    #: A column a factor (places at neutral coefficients, summed over pools) and ``adjustment`` (what the coefficients
    #: add or take); each row sums to ``places`` without ``base``.
    contributions: pd.DataFrame
    #: Places by pool; each row sums to ``places`` without ``base``. The plain case has one column, named "".
    pools: pd.DataFrame
    #: DataFrame of float: A column for each of ``GROUNDS`` of the panel (known: published; user; split, adjusted,
    #: modelled, filled: estimates) and ``stand_in``: the part (0 to 1) of each entitlement without its base that
    #: rests on it. A row sums to 1; what stands in for another indicator counts there alone, whatever its cells are.
    rests_on: pd.DataFrame
    #: The part (0 to 1) of each entitlement that rests on estimated cells (估算), those of stand-ins among them
    #: (Series of float).
    estimated: pd.Series

    @property
    def stand_in(self) -> pd.Series:
        """The part (0 to 1) of each entitlement that rests on stand-in factors (代用)."""
        return self.rests_on[STAND_IN]

    @property
    def rests_on_share(self) -> pd.Series:
        """Share of all places that rests on each ground; sums to 1."""
        return pd.Series({ground: math.fsum(self.share * part) for ground, part in self.rests_on.items()})

    @property
    def estimated_share(self) -> float:
        """Share of all places that rests on estimated cells."""
        return math.fsum(self.share * self.estimated)

    @property
    def stand_in_share(self) -> float:
        """Share of all places that rests on stand-in factors."""
        return math.fsum(self.share * self.stand_in)


def entitlement(panel: Panel, scenario: Scenario) -> Entitlement:
    """Compute the entitlements of a scenario by the factor method.

    Returns
    -------
    Entitlement
        Sums are taken with ``math.fsum``, so the order of rows changes no bit.

    Raises
    ------
    DataError
        If an indicator is missing for a unit, sums to zero, or rests on estimated cells that the
        scenario forbids; the cells are named.
    ScenarioError
        If a factor is not an indicator of which more is better, or a copy changed in code is no scenario.
    """
    check_scenario(scenario, ranges=False)
    scenario = stand_ins_ended(panel, scenario)
    return by_factors(with_composites(panel, scenario)[0], scenario)


def by_factors(panel: Panel, scenario: Scenario) -> Entitlement:
    """The entitlements of a scenario on a panel that has its composites."""
    pools = {name: _pool(panel, scenario, pool) for name, pool in scenario.all_pools().items()}
    by_pool = pd.DataFrame({name: pool.share.astype(float) for name, pool in pools.items()})
    exact = sum(pool.share for pool in pools.values())
    base, total = pd.Series(scenario.bases(), exact.index), scenario.by_formula
    share, by_formula = exact.astype(float), total * exact
    codes = list(dict.fromkeys(code for pool in pools.values() for code in pool.parts))
    neutral = {
        code: _row_sums(pd.DataFrame({n: p.weight * p.parts[code] for n, p in pools.items() if code in p.parts}))
        for code in codes
    }
    contributions = total * pd.DataFrame(neutral)
    contributions[ADJUSTMENT] = by_formula.astype(float) - _row_sums(contributions)
    rests = _blend([by_pool[name].to_numpy()[:, None] * pool.rests for name, pool in pools.items()], share)
    return Entitlement(
        exact=by_formula + base,
        base=base,
        places=(by_formula + base).astype(float).rename("entitlement"),
        share=share.rename("share"),
        contributions=contributions,
        pools=total * by_pool,
        rests_on=pd.DataFrame(rests[:, :-1], share.index, _GROUNDS),
        estimated=pd.Series(rests[:, -1], share.index),
    )


@dataclass(frozen=True)
class _PoolResult:
    weight: float
    parts: dict[str, pd.Series]  # weight × share of each factor; sums to 1 over units and factors
    share: pd.Series  # pool's weight × the units' shares after coefficients, in fractions
    rests: np.ndarray  # units in rows: what of their base rests on each ground, and on estimated cells


def _pool(panel: Panel, scenario: Scenario, pool: Pool) -> _PoolResult:
    exact, parts, rests = {}, {}, []
    for code, factor in pool.factors.items():
        column = panel.column(code, factor.period)
        _admit(panel, scenario, code, factor, column)
        exact[code] = exactly(factor.weight) * _share_of_factor(panel, scenario, code, factor, column["value"])
        parts[code] = exact[code].astype(float)
        proxy = is_proxy(panel, scenario, code, factor)
        grounds = pd.Series(STAND_IN, column.index) if proxy else grounds_of(column)
        marks = [*(grounds.eq(ground) for ground in _GROUNDS), column["estimated"]]
        rests.append(parts[code].to_numpy()[:, None] * np.array(marks, dtype=bool).T)
    base = _row_sums(pd.DataFrame(parts))
    weighted = sum(exact.values()) * _coefficient(panel, scenario, pool)
    return _PoolResult(
        weight=pool.share,
        parts=parts,
        share=exactly(pool.share) * (weighted / sum(weighted)),
        rests=_blend(rests, base),
    )


def is_proxy(panel: Panel, scenario: Scenario, code: str, factor: Factor) -> bool:
    """Whether a factor stands in for another indicator (代用): itself, or something beneath it if it is a composite."""
    beneath = [(code, factor), *scenario.grounds(code, factor)]
    return any(panel.stands_in(name, line.stand_in_for) for name, line in beneath)


def adjusted_shares(panel: Panel, scenario: Scenario, pool: Pool) -> pd.DataFrame:
    """What a pool's weights are applied to: each factor's shares times the units' coefficients.

    Returns
    -------
    DataFrame
        Index ``code``, a column a factor. With weights w the pool is shared out in proportion to the
        row sums of ``shares × w``: linear in w above, linear in w below.
    """
    panel, _ = with_composites(panel, scenario)
    columns = {
        code: _share_of_factor(panel, scenario, code, factor, panel.values(code, factor.period))
        for code, factor in pool.factors.items()
    }
    return pd.DataFrame(columns).mul(_coefficient(panel, scenario, pool), axis=0).astype(float)


def _admit(panel: Panel, scenario: Scenario, code: str, factor: Factor, column: pd.DataFrame) -> None:
    if panel.indicators.at[code, "direction"] != "1":
        raise ScenarioError(say("factors.direction", name=panel.name(code), indicator=code))
    if factor.stand_in_for is not None and factor.stand_in_for not in panel.indicators.index:
        raise ScenarioError(say("factors.stand_in", indicator=code, target=factor.stand_in_for))
    if not scenario.allow_estimates and column["estimated"].any():
        names = "、".join(panel.units.loc[column["estimated"], "short_name"])
        raise DataError(say("factors.estimates", what=_what(panel, code, factor), names=names))


def _share_of_factor(panel: Panel, scenario: Scenario, code: str, factor: Factor, values: pd.Series) -> pd.Series:
    return shares(_exactly(values) * _exactly(multiplier_of(panel, scenario, factor)), _what(panel, code, factor))


def _what(panel: Panel, code: str, factor: Factor) -> str:
    """A factor by name and period; a composite has none."""
    return f"{panel.name(code)} {factor.period}".strip()


def multiplier_of(panel: Panel, scenario: Scenario, factor: Factor) -> pd.Series:
    """What multiplies a factor's values inside its share, by unit; 1 where the factor has no multiplier."""
    if factor.multiplier is None:
        return pd.Series(1.0, index=panel.units.index)
    return _by_unit(panel, scenario.multipliers[factor.multiplier])


def coefficient_keys(panel: Panel, scenario: Scenario, pool: Pool) -> dict[str, pd.Series]:
    """The coefficients that a pool uses, all that the scenario gives unless it names some: each unit's key by table."""
    keys = {"region_coefficient": panel.units["region"]}
    if scenario.grade_coefficient:
        keys["grade_coefficient"] = _by_unit(panel, scenario.grade)
    used = keys if pool.coefficients is None else pool.coefficients
    return {name: key for name, key in keys.items() if name in used and getattr(scenario, name)}


def _coefficient(panel: Panel, scenario: Scenario, pool: Pool) -> pd.Series:
    product = _exactly(pd.Series(1, index=panel.units.index))
    for name, key in coefficient_keys(panel, scenario, pool).items():
        product = product * _exactly(key.map(getattr(scenario, name)))
    return product


def _exactly(numbers: pd.Series) -> pd.Series:
    """Numbers as the fractions that they stand for."""
    return pd.Series([entitled(number) for number in numbers], numbers.index, dtype=object)


def _by_unit(panel: Panel, table: dict[str, float] | dict[str, str]) -> pd.Series:
    return pd.Series({code: table.get(code, table.get(DEFAULT)) for code in panel.units.index})


def _row_sums(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(
        [math.fsum(row) for row in frame.to_numpy()], frame.index
    )  # pandas' own apply takes ten times as long


def _blend(parts: list[np.ndarray], whole: pd.Series) -> np.ndarray:
    """Sum of the parts (units in rows) over each unit's whole; nothing of nothing is nothing."""
    summed = np.array([[math.fsum(cells) for cells in zip(*rows, strict=True)] for rows in zip(*parts, strict=True)])
    over = whole.to_numpy()[:, None]
    return np.divide(summed, over, out=np.zeros_like(summed), where=over > 0)
