"""A budget plan (预算测算): batches, tails, outcome assumptions and ceilings put together, ready to be reported."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocate
from zjtx_alloc.allocation.allocate_programme import allocate_programme, counted
from zjtx_alloc.base.errors import DataError, InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.budget.affordable import affordable_total
from zjtx_alloc.budget.ceilings import left_for_batches
from zjtx_alloc.budget.expected import expected_cohorts
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.ledger.bridge import bridge
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort, award_of, cohorts, tails
from zjtx_alloc.budget.ledger.known_ends import known_by
from zjtx_alloc.budget.ledger.ledger import ledger
from zjtx_alloc.budget.ledger.reconcile import reconcile
from zjtx_alloc.budget.outcomes import OutcomeAssumption, load_outcomes
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.facts.payments import read_transfers
from zjtx_alloc.quota.problem.numbers import is_count, is_whole
from zjtx_alloc.rules.award import Award
from zjtx_alloc.rules.programme.known import other_measure
from zjtx_alloc.rules.programme.programme import Programme
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import check_scenario, load_scenario

Named = Scenario | str | Path
_YEAR, _MONEY = re.compile("[0-9]{4}"), re.compile("[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_MOST_MONEY, _MOST_A_FIRM = 10**15, 10**6  # 万元


@dataclass(frozen=True)
class BudgetRequest:
    """What a budget is asked for.

    Raises
    ------
    ScenarioError, DataError
        If there is no scenario or no assumption, or a number is impossible.
    """

    scenarios: Sequence[Named]  #: One a batch. A single one brings its companions (``budget_with``).
    #: Assumptions side by side; the first is the one the plan books.
    outcomes: Sequence[str | Path] = ("central", "optimistic", "stress")
    ceilings: Mapping[int, int] = field(default_factory=dict)
    #: Decimal, above 0, at most 1: how surely an affordable total keeps the ceilings together.
    confidence: str = "0.9"
    #: The scenarios of the last forecast, for the bridge; none: from all firms completed.
    before: Sequence[Named] = ()
    #: Counts the first round's tails in, at this many 万元 a firm and year. None: left out.
    tail_payment: int | None = None
    #: Decimal: share of firms that go on where a tail's list was not seen; blank: that tail is left out.
    tail_rate: str = ""
    horizon: int | None = None  #: Last fiscal year that tables and figures show.
    #: Actual transfers (实际下达), as ``za.reconcile`` reads them (path or DataFrame).
    transfers: str | Path | pd.DataFrame | None = None
    #: 测算基准日: outcomes, departures and transfers of later fiscal years are not taken as known.
    as_of: date | None = None

    def __post_init__(self) -> None:
        if not self.scenarios or not self.outcomes:
            raise ScenarioError(say("budget_plan.empty"))
        if wrong := [f"{year}={money}" for year, money in self.ceilings.items() if not _is_money(money, _MOST_MONEY)]:
            raise DataError(say("budget_plan.ceilings", value=shown("、".join(wrong))))
        if self.tail_payment is not None and not _is_money(self.tail_payment, _MOST_A_FIRM):
            raise DataError(say("budget_plan.tail_payment", value=shown(self.tail_payment)))
        if self.tail_rate and self.tail_payment is None:
            raise DataError(say("budget_plan.tail_rate_alone", value=self.tail_rate))
        if not 0 <= _decimal("tail_rate", self.tail_rate or "0") <= 1:
            raise DataError(say("budget_plan.tail_rate", value=shown(self.tail_rate)))
        if not 0 < _decimal("confidence", self.confidence) <= 1:
            raise DataError(say("budget_plan.confidence", value=shown(self.confidence)))


@dataclass(frozen=True)
class BudgetPlan:
    """A budget of some batches under some assumptions."""

    request: BudgetRequest
    allocations: tuple[Allocation, ...]  #: In batch order.
    award: Award
    cohorts: tuple[Cohort, ...]  #: The batches and tails, outcomes unknown.
    assumptions: tuple[OutcomeAssumption, ...]  #: Side by side; the first is the one the plan books.
    before: BudgetForecast | None  #: The last forecast, under the first assumption.
    transfers: pd.DataFrame | None = None  #: Actual transfers up to the day, as ``read_transfers`` gives them.
    #: Rows of the user's that the day leaves aside: ``outcomes`` (a unit's year) and ``transfers``.
    left_out: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def full(self) -> BudgetForecast:
        """The budget if every firm completes: the most that can fall due."""
        return self._shown(self.cohorts)

    @cached_property
    def budgets(self) -> tuple[BudgetForecast, ...]:
        """One budget an assumption, at its mean shares in whole firms."""
        return tuple(self._shown(expected_cohorts(self.cohorts, a, self.request.as_of)) for a in self.assumptions)

    @cached_property
    def outlooks(self) -> tuple[BudgetOutlook, ...]:
        """One outlook an assumption: exact distributions."""
        return tuple(self._outlook(a) for a in self.assumptions)

    @cached_property
    def reconciliation(self) -> pd.DataFrame | None:
        """Actual transfers compared with the books of the first assumption, as ``za.reconcile``; None without any."""
        return None if self.transfers is None else reconcile(self.budgets[0].ledger, self.transfers)

    @property
    def paid_years(self) -> tuple[int, ...]:
        """Fiscal years whose actual transfers are known."""
        return tuple(sorted(self.paid))

    @property
    def paid(self) -> dict[int, int]:
        """What documents transferred by fiscal year, whole 万元; empty if no transfers are known."""
        table = self.transfers
        return (
            {} if table is None else {int(y): int(n) for y, n in table.groupby("fiscal_year")["amount"].sum().items()}
        )

    def bridge(self) -> pd.DataFrame:
        """From the last forecast to the budget the plan books, as ``za.bridge``.

        Without a last forecast it leads from all firms completed, and the first row is called ``full``.
        """
        steps = bridge(self.before or self.full, self.budgets[0])
        return steps if self.before else steps.rename(index={"before": "full"})

    def affordable(self) -> pd.DataFrame:
        """The largest total of each batch that keeps the ceilings of its years, the other batches as they are.

        What the first round's tails take of a year's ceiling is set aside first.

        Returns
        -------
        DataFrame
            Columns batch (text), total (places now), affordable (places, Int64; blank where no total keeps
            them), probability (that the affordable total keeps them together). Batches that no
            ceiling concerns, or whose approvals are known, are left out; empty without ceilings.
        """
        return self._affordable.copy()

    @cached_property
    def _affordable(self) -> pd.DataFrame:
        rows = [
            self._afforded(a)
            for a in self.allocations
            if not a.has_known_approvals
            and any(p.year in self.request.ceilings for p in self.award.payments_of(a.scenario.batch))
        ]
        table = pd.DataFrame(rows, columns=["batch", "total", "affordable", "probability"])
        return table.astype({"affordable": "Int64"})

    def _outlook(self, assumption: OutcomeAssumption) -> BudgetOutlook:
        horizon, day = self.request.horizon, self.request.as_of
        return BudgetOutlook(self.cohorts, self.award, assumption, horizon, as_of=day)

    def _shown(self, described: tuple[Cohort, ...]) -> BudgetForecast:
        return BudgetForecast(ledger(described, self.award), self.request.horizon)

    def _afforded(self, allocation: Allocation) -> tuple[str, int, int | None, float | None]:
        batch, total = allocation.scenario.batch, allocation.scenario.total
        try:
            found = affordable_total(
                left_for_batches(self.request.ceilings, self.cohorts, self.award),
                batch,
                self.allocations,
                self.outlooks[0],
                float(self.request.confidence),
            )
        except InfeasibleError:
            return str(batch), total, None, None
        return str(batch), total, found.total, found.probability


def plan_budget(asked: BudgetRequest | Programme, panel: Panel | None = None) -> BudgetPlan:
    """Put a budget together: allocate the batches, add what is known of them, tails and assumptions.

    Parameters
    ----------
    asked : BudgetRequest or Programme
        A programme alone is enough: ``request_of`` it.
    panel : Panel, optional
        The programme's own facts, or the shipped ones, if not given.

    Raises
    ------
    ScenarioError, DataError, InfeasibleError, SolverError
        As ``allocate``, ``cohorts``, ``tails``, ``load_outcomes`` and ``read_transfers`` do; if a ceiling's year has no
        money, or two assumptions share a title.
    """
    request = request_of(asked) if isinstance(asked, Programme) else asked
    if panel is None:
        panel = asked.panel if isinstance(asked, Programme) else load_panel()
    assumptions = tuple(load_outcomes(name) for name in request.outcomes)
    for described in ([a.name for a in assumptions], [a.title for a in assumptions]):
        if len(set(described)) < len(described):
            raise ScenarioError(say("budget_plan.titles", titles="、".join(described)))
    allocated = _allocated(request.scenarios, panel)
    allocations = tuple(replace(a, scenario=known_by(a.scenario, request.as_of)) for a in allocated)
    award = award_of(*allocations)
    rate = Fraction(request.tail_rate) if request.tail_rate else None
    older = () if request.tail_payment is None else tails(panel, request.tail_payment, rate)
    batches = (*cohorts(*allocations), *older)
    years = {payment.year for cohort in batches for payment in cohort.payments(award)}
    if strange := sorted(set(request.ceilings) - years):
        raise DataError(say("budget_plan.ceiling_year", years="、".join(map(str, strange)),
                            known="、".join(map(str, sorted(years)))))  # fmt: skip
    if request.horizon is not None and not is_count(request.horizon, min(years)):
        raise DataError(say("budget_plan.horizon", value=shown(request.horizon), first=min(years)))
    before = None
    if request.before:
        last = (*cohorts(*_allocated(request.before, panel)), *older)
        before = BudgetForecast(ledger(expected_cohorts(last, assumptions[0]), award))
    transfers, later = _transferred(request)
    left_out = {"outcomes": _told(allocated) - _told(allocations), "transfers": later}
    return BudgetPlan(request, allocations, award, batches, assumptions, before, transfers, left_out)


def request_of(programme: Programme, batch: int | None = None) -> BudgetRequest:
    """What a programme's workbook asks of a budget: its batches, and its sheets 预算 and 实际下达."""
    money = programme.money
    request = BudgetRequest(
        [programme.batch(batch).scenario], ceilings=money.ceilings, confidence=money.confidence, before=money.before,
        tail_payment=money.tails, transfers=programme.transfers, as_of=programme.as_of,
    )  # fmt: skip
    return replace(request, outcomes=money.outcomes) if money.outcomes else request


def _told(allocations: Sequence[Allocation]) -> int:
    """Rows of 期末结果 that the batches' scenarios hold."""
    return sum(len(years) for a in allocations for years in a.scenario.known.outcomes.values())


def _transferred(request: BudgetRequest) -> tuple[pd.DataFrame | None, int]:
    """The actual transfers up to the day, None if there are none; and how many rows are of later fiscal years."""
    if request.transfers is None:
        return None, 0
    every = read_transfers(request.transfers)
    found = every if request.as_of is None else every[every["fiscal_year"] <= request.as_of.year]
    return (found.reset_index(drop=True) if len(found) else None), len(every) - len(found)


def parsed_ceilings(text: str) -> dict[int, int]:
    """Ceilings as they are typed, ``2024=311700,2027=250000``: fiscal year to whole 万元.

    An amount that looks like 亿元 or 元 is refused, as in the sheet 预算.
    """
    found: dict[int, int] = {}
    for part in text.replace("，", ",").split(","):
        year, _, money = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not (_YEAR.fullmatch(year) and _MONEY.fullmatch(money)) or int(year) in found:
            raise DataError(say("budget_plan.ceilings", value=shown(text)))
        if other := other_measure(int(money)):
            raise DataError(say(f"budget_plan.{other[0]}", part=part.strip(), money=money, converted=other[1]))
        found[int(year)] = int(money)
    return found


def scenario_of(named: Named, *, ranges: bool = True) -> Scenario:
    """The scenario itself, checked (``ranges`` as in ``check_scenario``), or loaded if it is named."""
    if not isinstance(named, Scenario):
        return load_scenario(named)
    check_scenario(named, ranges=ranges)
    return named


def _allocated(named: Sequence[Named], panel: Panel) -> tuple[Allocation, ...]:
    scenarios = [scenario_of(one, ranges=False) for one in named]
    if len(scenarios) == 1:
        return allocate_programme(panel, scenarios[0])
    ordered = sorted(scenarios, key=lambda s: s.batch)
    # Of what can be recommended the user knows a state, which caps the next batch; approvals will change it.
    return counted([allocate(panel, scenario, pooled=scenario is ordered[0]) for scenario in ordered])


def _is_money(money: int, most: int) -> bool:
    return is_whole(money) and 0 <= money <= most


def _decimal(name: str, value: str) -> Fraction:
    if _DECIMAL.fullmatch(text := str(value)) is None:
        raise DataError(say(f"budget_plan.{name}", value=shown(value)))
    return Fraction(text)
