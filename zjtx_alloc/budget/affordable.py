"""How many places the money affords: totals that keep the stated ceilings of their years together.

A ceiling (万元) is compared with what is due (应下达) in its fiscal year; money that may come back is not
counted on. A year in which a batch has no money says nothing about its total. What a batch is paid at first is certain, what hangs on outcomes independent in each state of the nation, so the
joint probability over the years is exact: a product in each state, mixed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.errors import InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.budget.ceilings import MoneyByYear, Question
from zjtx_alloc.budget.distribution import ACCURACY
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.outcomes import OutcomeAssumption

_PAIRS = 6  # of totals, from one end of a frontier to the other
_GROWTH = 1.25
_BLOCK = 64  # totals that one look at their envelope may settle
_Moved = tuple[Cohort, ...]  # the cohorts that follow a batch's total: its own, and any its unused places go to
_Pair = tuple[int, int]
_Family = Callable[[int], _Moved | None]


@dataclass(frozen=True)
class AffordableTotal:
    """The largest affordable total of a batch."""

    batch: int  #: batch, total: the batch; its total in places.
    total: int  #: See ``batch``.
    #: confidence, probability: the probability asked for, and that with which this total keeps the ceilings of its
    #: years together.
    confidence: float
    probability: float  #: See ``confidence``.
    #: Index fiscal_year, every stated one; ceiling (万元), kept (probability that this year alone is kept).
    by_year: pd.DataFrame
    assumption: str  #: What it rests on, one sentence.


def affordable_total(
    ceilings: Mapping[int, int],
    batch: int,
    allocations: tuple[Allocation, ...],
    outcomes: OutcomeAssumption | BudgetOutlook,
    confidence: float,
) -> AffordableTotal:
    """The largest total T of a batch such that every total up to T keeps its years' ceilings with this probability.

    Its years are those in which it has money, and those of batches that its unused places go to. Every total is allocated anew under the batch's own scenario; the other batches stay as they are, but for
    unused places that a scenario carries (``approval.unused``): those count where they go. Totals that
    the scenario's rules do not admit are passed over. Raising a ceiling never lowers the answer.

    Parameters
    ----------
    ceilings : mapping of fiscal year to whole 万元
        Only stated years count: state those of a batch's last payment too, or later obligations go unwatched.
    batch : int
    allocations : tuple of Allocation
        The programme: the batch, and those that stay fixed.
    outcomes : OutcomeAssumption or BudgetOutlook
        The declared assumption; there is no default. Of an outlook its assumption counts, and what is known as of its day.
    confidence : float
        Above 0, at most 1.

    Raises
    ------
    InfeasibleError
        If not even the smallest total keeps the ceilings of its years.
    ScenarioError, DataError
        If the batch is not among the allocations, no ceiling concerns it, or the confidence is impossible.
    """
    question = Question(dict(ceilings), (batch,), allocations, outcomes, confidence)
    cohorts_of = _family(question, batch)

    def keeps(moved: _Moved) -> bool:
        return question.keeps(question.due(moved))

    most = question.most(batch)
    sure = min(question.sure_total(batch), most)
    # Up to the sure total the chance is the same whatever the total, so one look settles them all.
    below = next((t for t in range(sure, 0, -1) if cohorts_of(t) is not None), 0)
    settled = cohorts_of(below) if below else None
    total = 0
    if settled is None or keeps(settled):
        total = max(_kept_in_turn(cohorts_of, sure, most, keeps), default=below)
    if total == 0:
        raise InfeasibleError(say("affordable.none", batch=batch, confidence=confidence))
    moved = cohorts_of(total)
    assert moved is not None  # only admitted totals are kept
    due = question.due(moved)
    return AffordableTotal(batch, total, confidence, question.chance(due), question.by_year(due), question.assumption)


def affordable_frontier(
    ceilings: Mapping[int, int],
    batches: tuple[int, int],
    allocations: tuple[Allocation, ...],
    outcomes: OutcomeAssumption | BudgetOutlook,
    confidence: float,
) -> pd.DataFrame:
    """The pairs of totals of two batches of which neither can grow alone: the Pareto frontier.

    Every pair of smaller totals keeps the ceilings too. A pair is judged by the most firms that it or any
    smaller one gives each unit: exact where a larger total takes no place from any unit, and on the safe
    side under rules that make it do so.

    Parameters
    ----------
    ceilings, allocations, outcomes, confidence
        As in ``affordable_total``.
    batches : two ints

    Returns
    -------
    DataFrame
        Columns ``batch_<n>`` (places) for the two batches, and probability; the first ascending, the second
        descending. Empty if no pair keeps the ceilings.

    Raises
    ------
    ScenarioError
        If there are not two batches, one is not among the allocations, or unused places of one are carried into the other: its firms then
        hang on both totals.
    DataError
        If no ceiling concerns a batch, or the confidence is impossible.
    """
    question = Question(dict(ceilings), batches, allocations, outcomes, confidence)
    if len(set(batches)) != 2:
        raise ScenarioError(say("affordable.two", batches=shown("、".join(map(str, batches)))))
    return _frontier(question)


def _frontier(question: Question) -> pd.DataFrame:
    families, most = _families(question)
    dues = [lru_cache(maxsize=8)(lambda t, e=envelope: question.due(e(t))) for envelope in map(_most_up_to, families)]

    def keeps(one: int, two: int) -> bool:
        return one <= most[0] and two <= most[1] and question.keeps(dues[0](one), dues[1](two))

    # The smallest admitted totals; beyond the most if there is none.
    ends = zip(families, most, strict=True)
    least = [next((t for t in range(1, end + 1) if family(t) is not None), end + 1) for family, end in ends]
    rows = [(one, two, question.chance(dues[0](one), dues[1](two))) for one, two in _staircase(keeps, *least)]
    return _pair_table(question, rows)


def affordable_pairs(question: Question) -> pd.DataFrame:
    """Some pairs of two batches' ``affordable_frontier``, from one end to the other: what people choose from, at once.

    Its ends first: the most of either batch beside a total of the other that the ceilings bear for certain. Then, again
    and again, one pair between the two neighbours that leave most open. Found by bisection; every pair is judged by
    itself, and that smaller ones keep the ceilings too is sure where a larger total takes no place from any unit.

    Returns
    -------
    DataFrame
        As ``affordable_frontier``.
    """
    families, most = _families(question)

    @cache
    def due(number: int, total: int) -> MoneyByYear | None:
        moved = families[number](total)
        return None if moved is None else question.due(moved)

    def chance(*totals: int) -> float:
        """Of the pair; nothing where the rules admit no such total."""
        dues = [due(number, total) for number, total in enumerate(totals)]
        known = [money for money in dues if money is not None]
        return question.chance(*known) if len(known) == len(dues) else 0.0

    def keeps(one: int, two: int) -> bool:
        return chance(one, two) >= question.confidence - ACCURACY

    starts = [min(question.sure_total(batch), end) for batch, end in zip(question.batches, most, strict=True)]
    first, second = (next((t for t in range(s, 0, -1) if due(n, t) is not None), 0) for n, s in enumerate(starts))
    if not (first and second and keeps(first, second)):  # years that both pay in, or rules: the whole frontier
        table = _frontier(question)
        places: np.ndarray | list[int] = (
            np.unique(np.linspace(0, len(table) - 1, _PAIRS).round().astype(int)) if len(table) else []
        )
        return table.iloc[places].reset_index(drop=True)

    def corner(one: int) -> _Pair:
        """The most of the second batch beside this total of the first, and the most of the first beside that."""
        two = _largest(partial(keeps, one), second, most[1])
        return _largest(lambda total: keeps(total, two), one, most[0]), two

    last = _largest(lambda total: keeps(total, second), first, most[0])
    rows = [(*pair, chance(*pair)) for pair in _between(corner, corner(first), corner(last))]
    return _pair_table(question, rows)


def _families(question: Question) -> tuple[list[_Family], list[int]]:
    """Of each batch asked about, its cohorts at any total, and a total beyond which there is none."""
    batches = question.batches
    return [_family(question, batch) for batch in batches], [question.most(batch) for batch in batches]


def _pair_table(question: Question, rows: list[tuple[int, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*(f"batch_{batch}" for batch in question.batches), "probability"])


def _between(corner: Callable[[int], _Pair], one_end: _Pair, other_end: _Pair) -> list[_Pair]:
    """A few corners from one end to the other; each the next one between neighbours that span the largest area."""
    found = {one_end, other_end}
    spans = [(one_end, other_end)]
    while len(found) < _PAIRS:
        spans = [(a, b) for a, b in spans if b[0] - a[0] > 1 and a[1] - b[1] > 1]
        if not spans:
            break
        low, high = max(spans, key=lambda span: (span[1][0] - span[0][0]) * (span[0][1] - span[1][1]))
        spans.remove((low, high))
        middle = (low[0] + high[0]) // 2
        pair = corner(middle)
        found.add(pair)
        spans += [(low, (middle, pair[1])), (pair, high)]
    return sorted(found)


def _largest(keeps: Callable[[int], bool], low: int, most: int) -> int:
    """The largest number that keeps, from one that does on; none beyond one that does not."""
    high = low
    while high < most and keeps(high := min(max(int(low * _GROWTH), low + 1), most)):
        low = high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low


def _family(question: Question, batch: int) -> _Family:
    """The cohorts at any total of the batch, allocated anew; None where the rules admit no such total."""
    allocation = question.varied(batch)

    @lru_cache(maxsize=2 * _BLOCK)
    def moved(total: int) -> _Moved | None:
        scenario = allocation.scenario.model_copy(update={"total": total})
        try:
            return question.cohorts_with(allocation.under(scenario))
        except InfeasibleError:
            return None

    return moved


def _kept_in_turn(cohorts_of: _Family, start: int, most: int, keeps: Callable[[_Moved], bool]) -> Iterator[int]:
    """Admitted totals above ``start``, in turn, up to the first that fails; not all are yielded.

    Fewer firms in every unit make less money due in every state (stochastic dominance), so a block of totals
    is kept if the most firms that any of them gives each unit would be; else each is looked at by itself.
    """
    size = 1
    while start < most:
        end, size = min(start + size, most), min(2 * size, _BLOCK)
        block = {t: moved for t in range(start + 1, end + 1) if (moved := cohorts_of(t)) is not None}
        start = end
        if block and keeps(_most_firms(list(block.values()))):
            yield max(block)
            continue
        for total, moved in block.items():
            if not keeps(moved):
                return
            yield total


def _most_firms(found: list[_Moved]) -> _Moved:
    most = [pd.concat([cohort.approved for cohort in same], axis=1).max(axis=1) for same in zip(*found, strict=True)]
    return tuple(replace(cohort, approved=firms, quota=None) for cohort, firms in zip(found[0], most, strict=True))


def _most_up_to(cohorts_of: _Family) -> Callable[[int], _Moved]:
    """The most firms that any total up to T gives each unit; asked from the smallest admitted total on."""
    found: list[_Moved | None] = [None]

    def most(total: int) -> _Moved:
        while len(found) <= total:
            both = [c for c in (found[-1], cohorts_of(len(found))) if c is not None]
            found.append(_most_firms(both) if both else None)
        envelope = found[total]
        assert envelope is not None
        return envelope

    return most


def _staircase(keeps: Callable[[int, int], bool], one: int, least: int) -> Iterator[tuple[int, int]]:
    """Corners of a region that holds with any pair all smaller ones; each step looks at one new pair."""
    two = least
    if not keeps(one, two):
        return
    while keeps(one, two + 1):
        two += 1
    while two >= least:
        while keeps(one + 1, two):
            one += 1
        yield one, two
        one += 1
        while two >= least and not keeps(one, two):
            two -= 1
