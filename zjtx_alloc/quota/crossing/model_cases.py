"""Branch and bound where rules cross: LPs over single places find the answer and, in their prices, a proof by cases."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.cases import Box, Case, Ladders, halves
from zjtx_alloc.quota.problem.problem import QuotaProblem

try:
    import highspy
except ImportError:  # not installed, or its library does not load: only rules that cross need it
    highspy = None  # type: ignore[assignment]

MOST_CASES = 20_000
NEAR_WHOLE = 1e-6  # of a place, in the solver's values
_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,  # another number later in the same process silently ends in "not solved"
    "presolve": "off",  # each LP goes on from the last
    "dual_feasibility_tolerance": 1e-10,
}


@dataclass(frozen=True)
class Found:
    """What a search ends with: the cheapest answer, if there is one, and cases that show that none is cheaper."""

    places: list[int] | None
    cases: tuple[Case, ...]


def search(ladders: Ladders, target: int, gap: int = 0, *, place: float = 0.0, gains: "Gains | None" = None) -> Found:
    """Of the answers in the ladders' box that cost less than a target, one within a gap of the cheapest.

    Where nothing is priced, the first that keeps the rules.

    Parameters
    ----------
    target, gap : int
        In parts of the ladders' grid.
    place : float
        About what a place is worth: costs less this are small numbers, which a solver reads best.
    gains : Gains, optional
        Learned in earlier searches of the same problem, and on in this one: what to split first decides how many cases it takes.

    Raises
    ------
    SolverError
        If it takes more cases than ``MOST_CASES``.
    """
    if any(low > high for low, high in zip(*ladders.box, strict=True)):
        return Found(None, ())
    model, cases, best = Increments(ladders, place), list[Case](), None
    gains = gains or Gains(len(ladders.box[0]))
    nodes: list[tuple[Box | None, Step | None]] = [(ladders.box, None)]
    while nodes:
        if len(cases) >= MOST_CASES:
            raise SolverError(say("solver.many_cases", most=MOST_CASES))
        box, step = nodes.pop()
        if box is None:
            cases.append(Case(()))
            continue
        values, cost, case = model.solved(box)
        gains.learn(step, values, cost)
        left = ladders.left(case, box, target)
        if left is not None and (found := whole_answer(ladders.problem, values)):
            if not ladders.priced:
                return Found(found, tuple(cases))
            if (least := ladders.cost(found)) < target:
                best, target = found, least - gap
                left = ladders.left(case, box, target)
        if left is not None:
            unit, at = gains.split(left, values)
            case = replace(case, split=(unit, at))
            nodes += reversed(steps(left, unit, at, values, cost))
        cases.append(case)
    return Found(best, tuple(cases))


def whole_answer(problem: QuotaProblem, values: np.ndarray | None) -> list[int] | None:
    """The solver's values as places, if they are whole and keep all rules exactly."""
    if values is None or (np.abs(values - np.rint(values)) > NEAR_WHOLE).any():
        return None
    places = [round(value) for value in values.tolist()]
    return None if problem.violations(places) else places


@dataclass(frozen=True)
class Step:
    """How a box came about: the unit that was split, on which side, its places before and the cost then."""

    unit: int
    side: int
    value: float
    cost: float


def steps(box: Box, unit: int, at: int, values: np.ndarray | None, cost: float) -> list[tuple[Box | None, Step | None]]:
    """The halves of a box, and how each came about; None where no solver's values led to the split."""
    value = math.nan if values is None else float(values[unit])
    learns = at < value < at + 1
    sides = enumerate(halves(box, unit, at))
    return [(half, Step(unit, side, value, cost) if learns else None) for side, half in sides]


class Gains:
    """What splitting a unit raised the cost by, a place it is moved, on either side (pseudo-costs: Benichou et al. 1971)."""

    def __init__(self, units: int) -> None:
        self.sums, self.counts = np.zeros((2, units)), np.zeros((2, units))

    def learn(self, step: Step | None, values: np.ndarray | None, cost: float) -> None:
        """Take in what a split has raised the cost by, if it left an answer."""
        if step is None or values is None:
            return
        moved = step.value % 1 if step.side == 0 else 1 - step.value % 1
        self.sums[step.side, step.unit] += max(cost - step.cost, 0.0) / max(moved, NEAR_WHOLE)
        self.counts[step.side, step.unit] += 1

    def split(self, left: Box, values: np.ndarray | None) -> tuple[int, int]:
        """The unit whose split promises most on both sides, and its most places on the lower one.

        Where floats settle less than the solver says (all values are whole, or there are none) the widest unit is halved:
        at the latest a box of a single answer is settled exactly.
        """
        low, high = map(np.array, left)
        if values is None or not len(broken := np.flatnonzero(np.abs(values - np.rint(values)) > NEAR_WHOLE)):
            unit = int((high - low).argmax())
            return unit, (left[0][unit] + left[1][unit]) // 2
        known = self.counts > 0
        usual = self.sums.sum() / max(self.counts.sum(), 1) or 1.0
        gain = np.where(known, self.sums / np.maximum(self.counts, 1), usual)[:, broken]
        part = values[broken] % 1
        score = np.maximum(gain[0] * part, usual * 1e-6) * np.maximum(gain[1] * (1 - part), usual * 1e-6)
        unit = int(broken[score.argmax()])
        return unit, min(max(int(values[unit]), left[0][unit]), max(left[1][unit] - 1, left[0][unit]))


class Increments:
    """The LP over single places, or over units where nothing is priced; HiGHS goes on from box to box."""

    def __init__(self, ladders: Ladders, place: float) -> None:
        if highspy is None:
            raise SolverError(say("solver.missing"))
        self.ladders, self.place, (low, high) = ladders, place, ladders.box
        problem, self.start = ladders.problem, np.array(low)
        rows = [problem.whole, *problem.rows]
        self.scale = np.array([row.largest_weight for row in rows], dtype=float)
        weights = [[(r, w) for r, row in enumerate(rows) if (w := row.weight(i))] for i in range(len(low))]
        widths = np.array(high) - self.start if ladders.priced else np.ones_like(self.start)
        self.unit = np.repeat(np.arange(len(low)), widths)
        self.step = np.concatenate([np.arange(width) for width in widths])
        self.cost = np.zeros(len(self.unit))
        if ladders.priced:
            self.cost = np.array([s / ladders.fine - place for slopes in ladders.slopes for s in slopes])
        self.solver: Any = highspy.Highs()
        for option, value in _OPTIONS.items():
            self.solver.setOptionValue(option, value)
        lp, entries = highspy.HighsLp(), [weights[i] for i in self.unit]
        lp.num_col_, lp.num_row_, lp.col_cost_ = len(self.cost), len(rows), self.cost
        lp.col_lower_, lp.col_upper_ = np.zeros(len(self.cost)), np.ones(len(self.cost))
        given = [row.value(low) for row in rows]
        lower, upper = ([row.lower for row in rows], [row.upper for row in rows])
        lp.row_lower_, lp.row_upper_ = (
            np.array([end - value for end, value in zip(ends, given, strict=True)], dtype=float) / self.scale
            for ends in (lower, upper)
        )
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.cumsum([0, *map(len, entries)]).tolist()
        lp.a_matrix_.index_ = [r for each in entries for r, _ in each]
        lp.a_matrix_.value_ = [w / self.scale[r] for each in entries for r, w in each]
        self.solver.passModel(lp)

    def solved(self, box: Box) -> tuple[np.ndarray | None, float, Case]:
        """The LP's places in a box, their cost and prices as a case; if it has none, prices that show so.

        A single answer needs no solver. Where the solver fails nothing is known: no places, and prices of zero.
        """
        low, high = (np.array(side) - self.start for side in box)
        ends = [low, high] if not self.ladders.priced else [self.step < side[self.unit] for side in (low, high)]
        if box[0] == box[1]:
            broken = self.ladders.broken_by(box[0])
            return None if broken.empty else np.array(box[0], dtype=float), float(self.cost @ ends[0]), broken
        columns = np.arange(len(self.unit), dtype=np.int32)
        self.solver.changeColsBounds(len(columns), columns, *(end.astype(float) for end in ends))
        status = self._ran()
        if status == "kOptimal":
            solution = self.solver.getSolution()
            places = self.start + np.bincount(self.unit, solution.col_value, minlength=len(self.start))
            prices = np.array(solution.row_dual) / self.scale
            prices[0] += self.place
            return places, self.solver.getInfo().objective_function_value, Case(tuple(prices.tolist()))
        ray = np.array(self.solver.getDualRay()[2]) if status == "kInfeasible" else np.zeros(0)
        if not ray.any():
            return None, 0.0, self.ladders.nothing
        ray /= self.scale
        return None, 0.0, Case(tuple((ray / np.abs(ray).max()).tolist()), empty=True)

    def _ran(self) -> str:
        """How the solver ends: once more from nothing where it is lost on the way from the last box."""
        self.solver.run()
        if (status := self.solver.getModelStatus().name) not in ("kOptimal", "kInfeasible"):
            self.solver.clearSolver()
            self.solver.run()
            status = self.solver.getModelStatus().name
        return status
