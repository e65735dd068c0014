"""How many scenarios a second ``solve_many`` solves, against one at a time.

Run with ``python benchmarks/many.py [SCENARIOS]`` (100,000). Prints, of one run at 37 units in 5 groups, the best of
each one's runs: scenarios a second for unit increments given to PuLP and its solvers, for ``solve`` with either engine
and for ``solve_many``; the multiples of PuLP + HiGHS; whether all answers are the same; then growth up to a million
scenarios, with the memory beside what is given and returned.
"""

import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pulp
from engine import increments, national, rivals

import zjtx_alloc as za

SIZE = (37, 1039, 5)
SAMPLE = 20  # scenarios solved one at a time


def scenarios(problem: za.QuotaProblem, count: int) -> np.ndarray:
    """Entitlements that vary by about 15 % around the problem's."""
    rng = np.random.default_rng(2)
    table = problem.entitlement.to_numpy() * rng.lognormal(0, 0.15, (count, len(problem.labels)))
    return table * (problem.total / table.sum(axis=1, keepdims=True))


def single(problem: za.QuotaProblem, table: np.ndarray, work: Callable) -> tuple[float, np.ndarray]:
    """The best seconds a scenario, and the answers."""
    taken, answers = [], []
    for row in table:
        own = replace(problem, entitlement=pd.Series(row, problem.entitlement.index))
        start = time.perf_counter()
        answers.append(work(own))
        taken.append(time.perf_counter() - start)
    return min(taken), np.array(answers)


def together(problem: za.QuotaProblem, table: np.ndarray, runs: int) -> tuple[float, np.ndarray]:
    """The best seconds of the whole table, and the answers."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        answers = za.solve_many(problem, table)
        taken.append(time.perf_counter() - start)
    return min(taken), answers


def beside(problem: za.QuotaProblem, table: np.ndarray) -> float:
    """Megabytes at the peak beside the table and the answers."""
    tracemalloc.start()
    answers = za.solve_many(problem, table)
    peak = tracemalloc.get_traced_memory()[1] - answers.nbytes
    tracemalloc.stop()
    return peak / 1e6


def compare(problem: za.QuotaProblem, count: int) -> None:
    table = scenarios(problem, count)
    ones = {
        name: lambda own, solver=solver, kind=kind: increments(own, solver, kind)
        for name, (solver, kind) in rivals(60.0).items()
        if kind == pulp.LpContinuous
    } | {
        "solve, model": lambda own: za.solve(own, "model").quota,
        "solve, exact": lambda own: za.solve(own, "exact").quota,
    }
    found = {name: single(problem, table[:SAMPLE], work) for name, work in ones.items()}
    seconds, answers = together(problem, table, 5)
    found["solve_many"] = seconds / count, answers
    base, official = found["PuLP + HiGHS, LP"][0], found["solve, exact"][1]
    print(f"{SIZE[0]} units, {SIZE[1]:,} places, {SIZE[2]} groups; {count:,} scenarios together, {SAMPLE} one by one")
    for name, (seconds, answers) in found.items():
        same = "same answers" if (answers[:SAMPLE] == official).all() else "OTHER ANSWERS"
        print(f"  {name:<20}{1 / seconds:14,.0f} a second  {base / seconds:10,.1f} times PuLP + HiGHS  {same}")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    problem = national(*SIZE)
    compare(problem, count)
    print("solve_many, growth")
    for size in (10**3, 10**4, 10**5, 10**6):
        table = scenarios(problem, size)
        seconds, _ = together(problem, table, 1)
        memory = beside(problem, table)
        print(f"  {size:10,} scenarios {seconds:9.3f} s {size / seconds:12,.0f} a second {memory:8.1f} MB beside")


if __name__ == "__main__":
    main()
