"""Branch and bound where rules cross: LPs over single places find the answer and, in their prices, a proof by cases."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.cases import Box, Case, Ladders, halves

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


def search(ladders: Ladders, target: int, gap: int = 0, *, place: float = 0.0) -> Found:
    """Of the answers in the ladders' box that cost less than a target, one within a gap of the cheapest.

    Where nothing is priced, the first that keeps the rules.

    Parameters
    ----------
    target, gap : int
        In parts of the ladders' grid.
    place : float
        About what a place is worth: costs less this are small numbers, which a solver reads best.

    Raises
    ------
    SolverError
        If it takes more cases than ``MOST_CASES``, or prices settle less than the solver says.
    """
    model, gains, cases, best = Increments(ladders, place), Gains(len(ladders.box[0])), list[Case](), None
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
        if left is not None and values is not None:
            if (unit := gains.chosen(values)) is not None:
                case = replace(case, split=(unit, int(values[unit])))
                both = halves(left, unit, int(values[unit]))
                nodes += [(both[side], Step(unit, side, values[unit], cost)) for side in (1, 0)]
            else:
                best = [round(value) for value in values.tolist()]
                if not ladders.priced:
                    break
                target = ladders.cost(best) - gap
                left = ladders.left(case, box, target)
        if left is not None and case.split is None:
            raise SolverError(say("solver.unproven"))
        cases.append(case)
    return Found(best, tuple(cases))


@dataclass(frozen=True)
class Step:
    """How a box came about: the unit that was split, on which side, its places before and the cost then."""

    unit: int
    side: int
    value: float
    cost: float


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

    def chosen(self, values: np.ndarray) -> int | None:
        """The unit whose split promises most on both sides; None if all have whole places."""
        broken = np.flatnonzero(np.abs(values - np.rint(values)) > NEAR_WHOLE)
        if not len(broken):
            return None
        known = self.counts > 0
        usual = self.sums.sum() / max(self.counts.sum(), 1) or 1.0
        gain = np.where(known, self.sums / np.maximum(self.counts, 1), usual)[:, broken]
        part = values[broken] % 1
        score = np.maximum(gain[0] * part, usual * 1e-6) * np.maximum(gain[1] * (1 - part), usual * 1e-6)
        return int(broken[score.argmax()])


class Increments:
    """The LP over single places, or over units where nothing is priced; HiGHS goes on from box to box."""

    def __init__(self, ladders: Ladders, place: float) -> None:
        self.ladders, self.place, (low, high) = ladders, place, ladders.box
        problem, self.start = ladders.problem, np.array(low)
        rows = [problem.whole, *problem.rows]
        weights = [[(r, w) for r, row in enumerate(rows) if (w := row.weight(i))] for i in range(len(low))]
        widths = np.array(high) - self.start if ladders.priced else np.ones_like(self.start)
        self.unit = np.repeat(np.arange(len(low)), widths)
        self.step = np.concatenate([np.arange(width) for width in widths])
        cost = np.zeros(len(low))
        if ladders.priced:
            cost = np.array([s / ladders.fine - place for slopes in ladders.slopes for s in slopes])
        self.solver: Any = highspy.Highs()
        for option, value in _OPTIONS.items():
            self.solver.setOptionValue(option, value)
        lp, entries = highspy.HighsLp(), [weights[i] for i in self.unit]
        lp.num_col_, lp.num_row_, lp.col_cost_ = len(cost), len(rows), cost
        lp.col_lower_, lp.col_upper_ = np.zeros(len(cost)), np.ones(len(cost))
        given = [row.value(low) for row in rows]
        lp.row_lower_ = np.array([row.lower - value for row, value in zip(rows, given, strict=True)], dtype=float)
        lp.row_upper_ = np.array([row.upper - value for row, value in zip(rows, given, strict=True)], dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.cumsum([0, *map(len, entries)]).tolist()
        lp.a_matrix_.index_ = [r for each in entries for r, _ in each]
        lp.a_matrix_.value_ = [float(w) for each in entries for _, w in each]
        self.solver.passModel(lp)

    def solved(self, box: Box) -> tuple[np.ndarray | None, float, Case]:
        """The LP's places in a box, their cost and prices as a case; if it has none, prices that show so."""
        low, high = (np.array(side) - self.start for side in box)
        ends = [low, high] if not self.ladders.priced else [self.step < side[self.unit] for side in (low, high)]
        columns = np.arange(len(self.unit), dtype=np.int32)
        self.solver.changeColsBounds(len(columns), columns, *(end.astype(float) for end in ends))
        self.solver.run()
        status = self.solver.getModelStatus()
        if status.name == "kOptimal":
            solution = self.solver.getSolution()
            places = self.start + np.bincount(self.unit, solution.col_value, minlength=len(self.start))
            cost = self.solver.getInfo().objective_function_value
            return places, cost, Case((self.place + solution.row_dual[0], *solution.row_dual[1:]))
        ray = np.array(self.solver.getDualRay()[2])
        if status.name != "kInfeasible" or not ray.any():
            raise SolverError(say("solver.status", status=self.solver.modelStatusToString(status)))
        return None, 0.0, Case(tuple((ray / np.abs(ray).max()).tolist()), empty=True)
