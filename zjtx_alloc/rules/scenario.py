"""What a scenario (情景) is: strictly checked, complete, and all assumptions.

Official weights were never published, so every scenario is a set of assumptions and says so.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, PrivateAttr, model_validator

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.toml_files import Strict
from zjtx_alloc.base.units import UNIT_KINDS, load_units
from zjtx_alloc.quota.problem.criteria import CRITERIA
from zjtx_alloc.rules.award import award_in_force, load_award
from zjtx_alloc.rules.composite_form import Part, Recipe, Taken, check_tree, leaves
from zjtx_alloc.rules.scenario_uncertainty import (
    ExactShare,
    Places,
    Positive,
    Region,
    Share,
    UncertainPool,
    Uncertainty,
    check_inside,
    check_parts,
)

_DECIMALS = 6  # of a rule's coefficients: rules are solved in integers
DEFAULT = "default"
ADJUSTMENT = "adjustment"  # stands among the factors where contributions are shown
_COLUMNS = ("short_name", "component", ADJUSTMENT, "entitlement", "score", "rank", "estimated")  # beside composites

if TYPE_CHECKING:
    Criterion = str
else:
    Criterion = Literal[tuple(CRITERIA)]
REGIONS: tuple[str, ...] = get_args(Region)
FiscalYear = Annotated[int, Field(ge=2000, le=2100)]


class Factor(Strict):
    """A factor (因素): an indicator at a period, its weight in the pool, what it stands in for (代用).

    A composite (综合指数) of the scenario has no period of its own.
    """

    period: str = ""
    weight: Share
    stand_in_for: str | None = None
    multiplier: str | None = None


class Pool(Strict):
    """A pool: a share of the total handed out by its own factors and its own coefficients."""

    share: Share
    factors: dict[str, Factor] = Field(min_length=1)
    coefficients: list[Literal["region_coefficient", "grade_coefficient"]] | None = None


class Change(Strict):
    """Limit on the change against a previous batch (上批名额)."""

    previous: str
    max_relative: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
    raw: bool = False


class _Members(Strict):
    region: Region | None = None
    units: list[str] = []

    @model_validator(mode="after")
    def _one_kind(self) -> "_Members":
        if (self.region is None) == (not self.units):
            raise ValueError(say("scenario.members"))
        return self

    def codes(self) -> tuple[str, ...]:
        """Codes of the members, in the official order."""
        units = load_units()
        return tuple(c for c in units.index if c in self.units or units.at[c, "region"] == self.region)


class Group(_Members):
    """A group (分组) of units under a joint floor or cap, in places."""

    floor: Places | None = None
    cap: Places | None = None


class Rule(_Members):
    """A linear rule over units: places, or shares of the total, within bounds."""

    coefficients: dict[str, Annotated[float, Field(ge=-(10**6), le=10**6)]] = {}
    min: Annotated[float, Field(ge=-(10**9), le=10**9)] | None = None
    max: Annotated[float, Field(ge=-(10**9), le=10**9)] | None = None
    min_share: Share | None = None
    max_share: Share | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Rule":
        if (self.region is not None) + bool(self.units) + bool(self.coefficients) != 1:
            raise ValueError(say("scenario.rule_members"))
        if any(
            len(f"{number:.12f}".rstrip("0").partition(".")[2]) > _DECIMALS for number in self.coefficients.values()
        ):
            raise ValueError(say("scenario.decimals", decimals=_DECIMALS))
        if (self.min, self.max, self.min_share, self.max_share) == (None,) * 4:
            raise ValueError(say("scenario.rule_bounds"))
        return self


class Approval(Strict):
    """Assumed approval rate (审核通过率), a decimal string so that it is exact; what becomes of unused places.

    ``unused``: places without an approved firm lapse (作废), are added to the same unit's quota in the next batch
    (``unit``, 本单位补回), or are made good within the next total (``pool``, 统筹补回). The notice is silent.
    """

    rate: ExactShare
    unused: Literal["lapse", "unit", "pool"] = "lapse"

    @property
    def exact(self) -> Fraction:
        """The rate as a fraction."""
        return Fraction(self.rate)


class Fixed(Strict):
    """A quota decided in consultation (人工调整), with its reason."""

    quota: Places
    reason: str

    @model_validator(mode="after")
    def _reasoned(self) -> "Fixed":
        if not self.reason.strip():
            raise ValueError(say("scenario.no_reason"))
        return self


class Ends(Strict):
    """Firms of one unit by what became of them in one year (期末结果); what is not given is not known."""

    completed: Places | None = None
    missed: Places | None = None
    under_invested: Places | None = None
    discontinued: Places | None = None


class Known(Strict):
    """What is known of a batch, by unit: quota granted (下达名额), firms approved (审核通过), outcomes by fiscal year (期末结果).

    Units not named are not known.
    """

    granted: dict[str, Places] = {}
    approved: dict[str, Places] = {}
    outcomes: dict[str, dict[Annotated[str, Field(pattern="^20[0-9]{2}$")], Ends]] = {}

    @model_validator(mode="after")
    def _possible(self) -> "Known":
        names = load_units()["short_name"]
        for table in (self.granted, self.approved, self.outcomes):
            if strangers := [code for code in table if code not in names.index]:
                raise ValueError(say("scenario.known_unit", codes="、".join(strangers)))
        over = [names[c] for c, n in self.approved.items() if n > self.granted.get(c, n)]
        if over:
            raise ValueError(say("scenario.known_over", names="、".join(over)))
        return self


class Together:
    """Scenarios of one workbook, by the names under which they refer to each other; as an object, it equals itself alone."""

    def __init__(self, scenarios: "Mapping[str, Scenario]") -> None:
        self.scenarios = scenarios


class Scenario(Strict):
    """A complete, checked scenario. Units are codes here, whatever spelling the file used.

    Places: ``total``, ``floor``, ``cap``, the bounds of ``groups``, ``fixed`` and ``certified`` (what is newly certified
    before this batch); a rule's ``min`` and ``max`` are places, or its own measure where it has coefficients, its shares
    are of the total. Weights of a pool's factors, and shares of pools, sum to one. Coefficients, multipliers and limits
    on change have no measure; only ratios of coefficients count. ``base`` is what a unit has before the formula hands out
    the rest (基数), by unit, by kind (省份, 计划单列市) or ``default``; ``redistribution`` how what caps take back goes to
    the others (proportion, equal), as the criterion does by itself if not given. ``floor``, ``cap``, ``certified``, ``grade`` and
    multipliers are by unit, with ``default`` for the others. ``award`` is the one in force for the batch if none is named.
    ``carry_rounding``: whether running totals follow running entitlements (取整结转). ``eligible_pool`` is the most that a
    unit can recommend in this batch (可推荐企业数); units not named have no such cap. ``opening_year`` and
    ``closing_year`` are the fiscal years of the two payments where they are others than the award has.
    """

    name: str
    title: str
    batch: Annotated[int, Field(ge=1, le=100)]
    total: Annotated[int, Field(ge=1, le=10**6)]
    total_status: Literal["official", "announced", "assumed"] = "assumed"
    criterion: Criterion = "webster"
    award: str = ""
    opening_year: FiscalYear | None = None
    closing_year: FiscalYear | None = None
    budget_with: list[str] = []
    allow_estimates: bool = True
    factors: dict[str, Factor] = {}
    pools: dict[str, Pool] = {}
    composites: dict[str, Recipe] = {}
    multipliers: dict[str, dict[str, Positive]] = {}
    region_coefficient: dict[Region, Positive] = {}
    grade: dict[str, str] = {}
    grade_coefficient: dict[str, Positive] = {}
    base: dict[str, Places] = {}
    floor: dict[str, Places] = {}
    cap: dict[str, Places] = {}
    redistribution: Literal["", "proportion", "equal"] = ""
    change: Change | None = None
    groups: dict[str, Group] = {}
    rules: dict[str, Rule] = {}
    approval: Approval = Approval(rate="1.00")
    carry_rounding: bool = False
    known: Known = Known()
    eligible_pool: dict[str, Places] = {}
    fixed: dict[str, Fixed] = {}
    certified: dict[str, Places] = {}
    uncertainty: Uncertainty = Uncertainty()
    assumptions: dict[str, str] = {}

    _folder: Path | None = PrivateAttr(default=None)  # of its file, where what it refers to is looked up
    _together: "Together | None" = PrivateAttr(default=None)  # those of one workbook, which have no files

    @model_validator(mode="after")
    def _awarded(self) -> "Scenario":
        if "award" not in self.model_fields_set:
            object.__setattr__(self, "award", _award_of(self.batch))
        return self

    @model_validator(mode="after")
    def _paid_in_order(self) -> "Scenario":
        """Years of payments that the award has anyway are not kept: the workbook shows them all."""
        if self.opening_year is None and self.closing_year is None:
            return self
        first, last = self.payment_years
        if last < first:
            raise ValueError(say("scenario.payment_years", opening=first, closing=last))
        award = load_award(self.award)
        if first == award.opening_year(self.batch):
            object.__setattr__(self, "opening_year", None)
        if last == first + award.implementation_years:
            object.__setattr__(self, "closing_year", None)
        return self

    @model_validator(mode="after")
    def _complete(self) -> "Scenario":
        if bool(self.factors) == bool(self.pools):
            raise ValueError(say("scenario.factors_or_pools"))
        _sum_to_one(say("scenario.shares"), [pool.share for pool in self.all_pools().values()])
        for name, pool in self.all_pools().items():
            _sum_to_one(say("scenario.weights", pool=name or "—"), [f.weight for f in pool.factors.values()])
            for needed in pool.coefficients or []:
                if not getattr(self, needed):
                    raise ValueError(say("scenario.no_coefficient", pool=name, name=needed))
            for code, factor in pool.factors.items():
                if factor.multiplier is not None and factor.multiplier not in self.multipliers:
                    raise ValueError(say("scenario.no_multiplier", factor=code, name=factor.multiplier))
        absent = [region for region in REGIONS if region not in self.region_coefficient]
        if self.region_coefficient and absent:
            raise ValueError(say("scenario.no_region", regions="、".join(absent)))
        unknown = sorted({grade for grade in self.grade.values() if grade not in self.grade_coefficient})
        if unknown:
            raise ValueError(
                say("scenario.no_grade", grades="、".join(unknown), known="、".join(self.grade_coefficient))
            )
        tables: dict[str, dict[str, Any]] = {f"multipliers.{name}": table for name, table in self.multipliers.items()}
        if self.grade_coefficient:
            tables["grade"] = self.grade
        for name, table in tables.items():
            _covers_all_units(name, table)
        return self

    @model_validator(mode="after")
    def _composed(self) -> "Scenario":
        factors = [pair for pool in self.all_pools().values() for pair in pool.factors.items()]
        names = shipped_table("indicators.csv", "code")["name"]
        taken = Taken({ADJUSTMENT, *names.index}, {*names, *(header(column) for column in _COLUMNS)})
        check_tree(self.composites, factors, taken)
        return self

    @model_validator(mode="after")
    def _well_named(self) -> "Scenario":
        if DEFAULT in self.fixed or DEFAULT in self.eligible_pool:
            raise ValueError(say("scenario.no_default"))
        reserved = {
            say(f"bound.{name}") for name in ("base", "floor", "cap", "change_floor", "change_cap", "pool", "fixed")
        } | {
            "floor",
            "cap",
        }
        if odd := [n for n in (*self.groups, *self.rules) if n in reserved or "、" in n]:
            raise ValueError(say("scenario.reserved", names="；".join(odd)))
        if both := sorted(set(self.groups) & set(self.rules)):
            raise ValueError(say("scenario.both", names="、".join(both)))
        return self

    @model_validator(mode="after")
    def _leaves_places(self) -> "Scenario":
        if self.by_formula < 0:
            raise ValueError(say("scenario.bases", sum=self.total - self.by_formula, total=self.total))
        return self

    @model_validator(mode="after")
    def _uncertain_about_what_it_has(self) -> "Scenario":
        pools, doubt = self.all_pools(), self.uncertainty
        if strangers := [name for name in doubt.pools if name not in self.pools]:
            raise ValueError(say("uncertainty.no_pool", names="、".join(strangers), known="、".join(self.pools) or "—"))
        if doubt.weights and len({tuple((c, f.weight) for c, f in p.factors.items()) for p in pools.values()}) > 1:
            raise ValueError(say("uncertainty.shared"))
        for name, pool in pools.items():
            ranges = doubt.weights or doubt.pools.get(name, UncertainPool()).weights
            weights, place = {code: f.weight for code, f in pool.factors.items()}, f"pools.{name}." if name else ""
            check_parts(name, weights, ranges, place + "factors.{}.weight")
        shares = {name: p.share for name, p in doubt.pools.items() if p.share is not None}
        check_parts(say("scenario.shares"), {name: p.share for name, p in pools.items()}, shares, "pools.{}.share")
        for table in ("region_coefficient", "grade_coefficient"):
            known = getattr(self, table)
            if strangers := [name for name in getattr(doubt, table) if name not in known]:
                names, has = "、".join(strangers), "、".join(known) or "—"
                raise ValueError(say("uncertainty.no_number", what=table, names=names, known=has))
            for key, span in getattr(doubt, table).items():
                check_inside(f"{table}.{key}", known[key], span)
        if doubt.total is not None:
            check_inside("total", self.total, doubt.total)
        return self

    def bases(self) -> dict[str, int]:
        """The places that each unit has before the formula, by code in the official order: its own, its kind's, the default."""
        names = {kind: name for name, kind in UNIT_KINDS.items()}
        kinds = load_units()["kind"].map(names)
        rest = self.base.get(DEFAULT, 0)
        return {str(code): self.base.get(str(code), self.base.get(kind, rest)) for code, kind in kinds.items()}

    @property
    def by_formula(self) -> int:
        """The places that the formula hands out: the total without the bases."""
        return self.total - sum(self.bases().values()) if self.base else self.total

    @property
    def payment_years(self) -> tuple[int, int]:
        """The fiscal years of the opening and the closing payment: as stated, else as the award has them."""
        award = load_award(self.award)
        first = award.opening_year(self.batch) if self.opening_year is None else self.opening_year
        return first, first + award.implementation_years if self.closing_year is None else self.closing_year

    def all_pools(self) -> dict[str, Pool]:
        """The pools; the plain case is one nameless pool with the whole total."""
        return self.pools or {"": Pool(share=1.0, factors=self.factors)}

    def grounds(self, code: str, factor: Factor) -> tuple[tuple[str, Factor | Part], ...]:
        """The indicators a factor rests on, each with the line that reads it: itself, or a composite's leaves."""
        return tuple(leaves(self.composites, code)) if code in self.composites else ((code, factor),)

    def indicators(self) -> tuple[tuple[str, Factor | Part], ...]:
        """The indicators that all factors rest on, each with the line that reads it."""
        factors = [pair for pool in self.all_pools().values() for pair in pool.factors.items()]
        return tuple(ground for code, factor in factors for ground in self.grounds(code, factor))

    def resolved(self) -> dict[str, Any]:
        """The scenario as plain data, without what is not set; for ``run.json`` and scenario files."""
        in_force = {"award"} if self.award == _award_of(self.batch) else set()
        return self.model_dump(exclude_none=True, exclude_defaults=True, exclude={"name", *in_force})

    def references(self) -> tuple[str, ...]:
        """The other scenarios this one names: companions in the budget, and the previous batch."""
        return (*self.budget_with, *([self.change.previous] if self.change else []))


@cache
def _award_of(batch: int) -> str:
    return award_in_force(batch).name


def _sum_to_one(what: str, shares: list[float]) -> None:
    if abs(math.fsum(shares) - 1) > 1e-9:
        raise ValueError(say("scenario.sum", what=what, sum=f"{math.fsum(shares):.10g}"))


def _covers_all_units(name: str, table: dict[str, Any]) -> None:
    units = load_units()
    missing = [] if DEFAULT in table else [units.at[code, "short_name"] for code in units.index if code not in table]
    if missing:
        raise ValueError(say("scenario.not_all_units", table=name, names="、".join(missing)))
