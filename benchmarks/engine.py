"""How long the exact engine takes, against the same problem as unit increments given to PuLP and its solvers.

Run with ``python benchmarks/engine.py [SECONDS]``, the limit for one model of a rival (120). Prints, of one run, the
best of each at 37 units in 5 groups and the single run at 10,000 units in 40 groups, as multiples of the exact
engine's; every answer is compared with the exact engine's. A rival that does not finish counts as beaten.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable
from queue import Empty

import numpy as np
import pandas as pd
import pulp

import zjtx_alloc as za

MEMORY = 16 * 2**30


def national(units: int, total: int, groups: int) -> za.QuotaProblem:
    """Lognormal entitlements; of every four groups one is held up by a floor and one down by a cap."""
    rng = np.random.default_rng(1)
    weight = rng.lognormal(0, 1, units)
    due = pd.Series(weight * total / weight.sum(), index=[f"{i:05d}" for i in range(units)])
    joint = []
    for g, members in enumerate(np.array_split(due.index, groups)):
        part = due[members].sum()
        floor, cap = (int(part * 1.05), None) if g % 4 == 0 else (None, int(part * 0.97) if g % 4 == 1 else None)
        joint.append(za.Group(f"g{g}", tuple(members), floor, cap))
    least = pd.Series(rng.integers(0, 2, units), index=due.index)
    return za.QuotaProblem(total, due, least, (2 * due + 3).astype(int), tuple(joint))


def increments(problem: za.QuotaProblem, solver: pulp.LpSolver, category: str) -> list[int]:
    """The textbook model: a variable between 0 and 1 for each place above the floor, priced at its marginal cost."""
    model = pulp.LpProblem("increments", pulp.LpMinimize)
    due, x, costs = problem.entitlement.to_list(), [], []
    for i, (e, low, high) in enumerate(zip(due, problem.lower, problem.upper, strict=True)):
        places = [model.add_variable(f"y{i}_{k}", 0, 1, category) for k in range(low + 1, high + 1)]
        costs += [((2 * k - 1) / e - 2) * y for k, y in enumerate(places, start=low + 1)]
        x.append(places)
    model.setObjective(pulp.lpSum(costs))
    model.addConstraint(pulp.lpSum(y for places in x for y in places) == problem.total - sum(problem.lower), "total")
    for number, row in enumerate(problem.rows):
        inside, given = pulp.lpSum(y for i in row.terms for y in x[i]), sum(problem.lower[i] for i in row.terms)
        model.addConstraint(inside >= row.lower - given, f"lower{number}")
        model.addConstraint(inside <= row.upper - given, f"upper{number}")
    model.solve(solver)
    return [low + round(sum(y.value() for y in places)) for low, places in zip(problem.lower, x, strict=True)]


def rivals(limit: float) -> dict[str, tuple[pulp.LpSolver, str]]:
    """PuLP's solvers at hand, by name; SCIP is a requirement of the benchmarks alone."""
    at_hand = pulp.listSolvers(onlyAvailable=True)
    solvers = {"HiGHS": pulp.HiGHS(msg=False, threads=1, timeLimit=limit)} | {
        name: pulp.getSolver(adapter, msg=False, timeLimit=limit)
        for name, adapter in (("CBC", "PULP_CBC_CMD"), ("SCIP", "SCIP_PY"))
        if adapter in at_hand
    }
    kinds = {"LP": pulp.LpContinuous, "MIP": pulp.LpInteger}
    return {f"PuLP + {name}, {kind}": (solver, kinds[kind]) for name, solver in solvers.items() for kind in kinds}


def timed(work: Callable[[], list[int]], runs: int) -> tuple[float, list[int]]:
    """The best of the runs, since whatever else the machine does only adds to them; and the answer."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        answer = work()
        taken.append(time.perf_counter() - start)
    return min(taken), answer


def exact(size: tuple[int, int, int], runs: int) -> tuple[float, float, list[int]]:
    """From the plain problem to the proven solution: the best seconds, those of the processor, and the answer.

    The problem is made anew each time, for it remembers.
    """
    taken = []
    for _ in range(runs):
        problem = national(*size)
        start, spent = time.perf_counter(), time.process_time()
        answer = za.solve(problem, "exact").quota.to_list()
        taken.append((time.perf_counter() - start, time.process_time() - spent))
    wall, processor = map(min, zip(*taken, strict=True))
    return wall, processor, answer


def _rival(name: str, size: tuple[int, int, int], limit: float, runs: int, results: multiprocessing.Queue) -> None:
    if sys.platform == "linux":
        import resource  # there is none on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    solver, category = rivals(limit)[name]
    problem = national(*size)
    results.put(timed(lambda: increments(problem, solver, category), runs))


def in_a_process(name: str, size: tuple[int, int, int], limit: float, runs: int) -> tuple[float, list[int]] | None:
    """A rival's time and answer; None if its runs do not finish within the limit."""
    results: multiprocessing.Queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=_rival, args=(name, size, limit, runs, results))
    process.start()
    try:
        return results.get(timeout=limit)
    except Empty:
        return None
    finally:
        process.kill()
        process.join()


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 120.0
    for size, names, runs in (
        ((37, 1039, 5), list(rivals(limit)), 5),
        ((10_000, 1_000_000, 40), [name for name in rivals(limit) if name.endswith("LP")], 1),
    ):
        ours, processor, answer = exact(size, 20)
        print(f"{size[0]:,} units, {size[1]:,} places, {size[2]} groups")
        print(f"  {'exact engine':<20}{ours * 1000:12.1f} ms  ({processor * 1000:.1f} ms of the processor)")
        for name in names:
            found = in_a_process(name, size, limit, runs)
            if found is None:
                print(
                    f"  {name:<20} not finished in {limit:.0f} s: more than {limit / ours:,.0f} times the exact engine"
                )
                continue
            seconds, theirs = found
            same = "same answer" if theirs == answer else "ANOTHER ANSWER"
            print(f"  {name:<20}{seconds * 1000:12.1f} ms  {seconds / ours:10,.1f} times the exact engine  {same}")


if __name__ == "__main__":
    main()
