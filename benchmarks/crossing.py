"""What answers rest on where rules cross, and how long they take, against scipy's own HiGHS on the same problems.

Run with ``python benchmarks/crossing.py [PROBLEMS]`` (300). The random problems have 37 to 100 units under two to four
families of groups that cross and up to two weighted rules, as in the tests. Prints how many are proven and by what,
without a solver's word, the processor seconds (median, 90 %, most), and those of ``scipy.optimize.milp`` (of the model
with a binary a place, which proves nothing outside itself) on every tenth problem of least squares, as ratios.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import zjtx_alloc as za

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "quota"))
from support.crossing_problems import crossing_problem
from test_quota_milp import milp_quota

RIVAL = 10  # one of so many problems is given to the other solver, too


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What some work returns, and its processor seconds."""
    start = time.process_time()
    return work(), time.process_time() - start


def solved(problem: za.QuotaProblem) -> za.Solution | None:
    """The solution; None where no quota keeps the rules."""
    try:
        return za.solve(problem)
    except za.InfeasibleError:
        return None


def main() -> None:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    kinds, seconds, ratios = Counter[str](), [], []
    solved(crossing_problem(0))  # what is imported first is not measured
    for seed in range(number):
        problem = crossing_problem(seed)
        solution, own = timed(lambda problem=problem: solved(problem))
        seconds.append(own)
        if solution is None:
            kinds["infeasible"] += 1
            continue
        kinds[za.verify(problem, solution.quota, solution.certificate).kind] += 1
        if seed % RIVAL == 0 and problem.criterion in ("webster", "hamilton"):
            ratios.append(timed(lambda problem=problem: milp_quota(problem))[1] / own)
    print(f"{number} problems:", ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    described = dict(zip(("median", "90 %", "most"), np.quantile(seconds, (0.5, 0.9, 1)), strict=True))
    print("processor seconds:", "  ".join(f"{name} {value:.2f}" for name, value in described.items()))
    if ratios:
        print(f"scipy's milp takes (median of {len(ratios)}) {np.median(ratios):.1f} times as long")


if __name__ == "__main__":
    main()
