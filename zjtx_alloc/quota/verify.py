"""Why an answer is optimal, in a form that can be checked without any solver."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import ScenarioError, SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.crossing.cases import Case, Ladders, prove
from zjtx_alloc.quota.crossing.exchange import improving_move, preferred_move
from zjtx_alloc.quota.crossing.lagrangian_bound import GAP, dual_bound, leeway, meets
from zjtx_alloc.quota.crossing.minimax import admits_below, boxed, largest, refuted
from zjtx_alloc.quota.nested.demand import demand_of
from zjtx_alloc.quota.nested.exchange_proof import better_move
from zjtx_alloc.quota.problem.criteria import Criterion, criterion_name
from zjtx_alloc.quota.problem.numbers import LARGEST, is_finite, is_whole
from zjtx_alloc.quota.problem.problem import QuotaProblem


@dataclass(frozen=True)
class Certificate:
    """What proves an answer."""

    #: ``exchange``: no allowed move of one place is better, nor as good and preferred by the tie rule, which proves
    #: the answer under nested rules. ``leximin``: the same, where better means that the deviations sorted from the
    #: largest become lexicographically smaller. ``minimax``: bounds and sums of nested groups leave no quota whose
    #: deviations all lie below ``level``, and within ``level`` no move is better. Where rules cross: ``dual``, the
    #: cost meets within 1e-6 a lower bound that follows from ``prices`` alone (and every unit that may have a place
    #: has one, where a criterion puts first places before the cost); ``cases``, it meets one in each of the ``cases``
    #: that together are all there are; under minimax ``below`` are cases that leave no answer below the level.
    kind: str
    level: Fraction = Fraction(0)  #: Under minimax the largest deviation; 0 otherwise.
    #: bound, gap: where rules cross: a lower bound on the cost (within ``level``) and how far the answer's is above
    #: it.
    bound: Fraction = Fraction(0)
    gap: Fraction = Fraction(0)  #: See ``bound``.
    prices: tuple[float, ...] = ()  #: Where rules cross: of a place, then of each row's lower and upper bound.
    cases: tuple[Case, ...] = ()  #: cases, below: splits of what the prices leave, and of the box below a level.
    below: tuple[Case, ...] = ()  #: See ``cases``.

    @property
    def left_open(self) -> str:
        """What it does not prove, in Chinese: where rules cross, the choice among equals but for moves of one place; blank else."""
        return say("solver.left_open") if self.prices else ""


def verify(problem: QuotaProblem, quota: pd.Series, certificate: Certificate | None = None) -> Certificate:
    """Prove, without any solver, that a quota keeps all rules and is optimal; return the proof.

    Parameters
    ----------
    quota : Series of int
        Places, with the problem's index.
    certificate : Certificate, optional
        Needed where rules cross: there the proof is a bound on the cost. All of it is put to the test.

    Raises
    ------
    SolverError
        Naming every rule that is broken, or the move of one place that would be better, or as good and preferred by the
        tie rule; or if the certificate that is
        needed is missing, is one of other rules or proves too little; or if a number of either is not what it should be.
    ScenarioError
        If nothing proves an answer by this criterion, since rules cross.
    """
    if not quota.index.equals(problem.entitlement.index):
        raise SolverError(say("quota.misaligned", name="quota"))
    if wrong := [problem.name(label) for label, x in quota.items() if not (is_whole(x) and abs(x) <= LARGEST)]:
        raise SolverError(say("solver.not_whole", labels="、".join(wrong)))
    numbers = () if certificate is None else (certificate.level, certificate.bound, *certificate.prices)
    if odd := [number for number in numbers if not is_finite(number)]:
        raise SolverError(say("solver.certificate_numbers", numbers="、".join(map(shown, odd))))
    return proven(problem, [int(x) for x in quota], certificate)


def proven(problem: QuotaProblem, places: list[int], certificate: Certificate | None) -> Certificate:
    """As ``verify``, for places by position."""
    broken = problem.violations(places)
    if broken:
        raise SolverError(say("solver.broken", what="；".join(broken)))
    if problem.plain is not problem:
        return proven(problem.plain, problem.beyond_base(places), certificate)
    measure = problem.yardstick
    if isinstance(measure, Criterion):
        return _proven_sum(problem, places, certificate, "exchange" if measure.summable else "leximin")
    level = largest(problem, places)
    inner = _proven_sum(boxed(problem, level), places, certificate, "minimax")
    claimed, below = (level, ()) if certificate is None else (certificate.level, certificate.below)
    if level != claimed or (admits_below(problem, level) if problem.nested else not refuted(problem, level, below)):
        raise SolverError(say("solver.not_least", level=f"{float(level):.9g}"))
    return replace(inner, kind="minimax", level=level, below=below)


def _proven_sum(problem: QuotaProblem, places: list[int], certificate: Certificate | None, kind: str) -> Certificate:
    measure, tree = problem.yardstick, problem.tree
    assert isinstance(measure, Criterion)
    if tree is None and not measure.summable:
        raise ScenarioError(say("engine.not_summable", criterion=criterion_name(problem.criterion)))
    if tree is None:
        if (pair := improving_move(problem, places)) is not None:
            raise _refusal(problem, *pair)
        proof = _proven_bound(problem, places, certificate)
        if (pair := preferred_move(problem, places)) is not None:
            raise _refusal(problem, *pair, cheaper=False)
        return proof
    move = better_move(demand_of(problem), np.array(places)[tree.order])
    if move is not None:
        raise _refusal(problem, int(tree.order[move[0]]), int(tree.order[move[1]]), cheaper=move[2])
    return Certificate(kind)


def _refusal(problem: QuotaProblem, i: int, j: int, *, cheaper: bool = True) -> SolverError:
    giver, taker = problem.name(problem.labels[i]), problem.name(problem.labels[j])
    return SolverError(say("solver.not_best" if cheaper else "solver.not_preferred", giver=giver, taker=taker))


def _proven_bound(problem: QuotaProblem, places: list[int], certificate: Certificate | None) -> Certificate:
    if certificate is None or len(certificate.prices) != 1 + 2 * len(problem.rows):
        raise SolverError(say("solver.no_certificate"))
    measure = problem.yardstick
    if isinstance(measure, Criterion) and measure.first_is_free:
        problem = problem.with_first_places()  # they come before any cost, so no bound on it says who may lack one
        pairs = zip(problem.labels, problem.lower, places, strict=True)
        if lacking := [problem.name(label) for label, low, x in pairs if x < low]:
            raise SolverError(say("solver.unserved", labels="、".join(lacking)))
    cost, bound = problem.cost(places), dual_bound(problem, certificate.prices)
    if meets(bound, cost):
        return replace(certificate, kind="dual", bound=bound, gap=cost - bound, cases=())
    ladders = Ladders(problem, leeway(problem, certificate.prices, cost))
    if not prove(ladders, certificate.cases, ladders.part(cost - GAP)):
        raise SolverError(say("solver.unproven"))
    return replace(certificate, kind="cases", bound=cost - GAP, gap=GAP)
