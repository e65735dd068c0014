"""``apportion`` against the Python packages for apportionment, in one run, with the same answers checked.

Run with ``python benchmarks/apportion.py`` where the package and ``benchmarks/requirements.txt`` are installed.
Each package gets the weights in the form that it takes fastest, made beforehand, and a process of its own, ended
after 120 s or at 16 GB. Printed: the mean over the instances of the best of each one's runs, and its ratio to
ours on an array; the ratio is what to compare.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

SIZES = ((37, 1_039, 20), (10_000, 1_000_000, 3))  # units, seats, instances
METHODS = ("webster", "hamilton")
SECONDS, BYTES = 120, 16 * 2**30


def weights_of(units: int, instance: int) -> np.ndarray:
    """Whole numbers as uneven as populations, and long enough not to tie."""
    return (np.exp(np.random.default_rng(instance).normal(0, 1, units)) * 1e9).astype(np.int64) + 1


def ours(weights: np.ndarray, seats: int, method: str) -> Callable:
    import zjtx_alloc as za

    return lambda: za.apportion(weights, seats, method)


def ours_series(weights: np.ndarray, seats: int, method: str) -> Callable:
    import pandas as pd

    import zjtx_alloc as za

    series = pd.Series(weights, index=[f"u{i}" for i in range(weights.size)])
    return lambda: za.apportion(series, seats, method)


def biprop(weights: np.ndarray, seats: int, method: str) -> Callable:
    import biprop as package

    if method == "hamilton":
        raise NotImplementedError
    election = package.Election(weights.reshape(-1, 1))
    return lambda: election.upper_apportionment(total_seats=seats, which="parties")


def apportionpy(weights: np.ndarray, seats: int, method: str) -> Callable:
    from apportionpy.methods.hamilton import calculate_hamilton
    from apportionpy.methods.webster import calculate_webster

    votes, compute = weights.tolist(), {"webster": calculate_webster, "hamilton": calculate_hamilton}[method]
    return lambda: compute(seats, votes)[1]


def apportionment(weights: np.ndarray, seats: int, method: str) -> Callable:
    from apportionment import methods

    votes = weights.tolist()
    return lambda: methods.compute(method, votes, seats, parties=[*map(str, votes)])


def interregnum(weights: np.ndarray, seats: int, method: str) -> Callable:
    from interregnum.methods.singlevote import iterative_divisor, largest_remainder

    votes = list(enumerate(weights.tolist()))
    if method == "webster":
        allocator = iterative_divisor.IterativeDivisorAllocator("sainte_lague")
    else:
        allocator = largest_remainder.LargestRemainderAllocator("hare")
    extra = {} if method == "webster" else {"random_seed": 1}
    return lambda: {c.name: c.seats for c in allocator.calc(votes, seats, **extra).allocation}


def votelib(weights: np.ndarray, seats: int, method: str) -> Callable:
    from votelib.evaluate import proportional

    votes = dict(enumerate(weights.tolist()))
    evaluator = (
        proportional.HighestAverages("sainte_lague") if method == "webster" else proportional.LargestRemainder("hare")
    )
    return lambda: evaluator.evaluate(votes, seats)


PACKAGES = {f.__name__: f for f in (ours, ours_series, biprop, apportionpy, apportionment, interregnum, votelib)}


def best(call: Callable) -> tuple[float, object]:
    """The best of the runs that fit into a quarter of a second, or the only one, and the answer."""
    least, spent = float("inf"), 0.0
    while spent < 0.25:
        start = time.perf_counter()
        answer = call()
        taken = time.perf_counter() - start
        least, spent = min(least, taken), spent + taken
    return least, answer


def measure(package: str, units: int, seats: int, instances: int, method: str) -> None:
    """In a process of its own: print the mean time and whether all answers are ours."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    times, same = [], True
    for instance in range(instances):
        weights = weights_of(units, instance)
        seconds, answer = best(PACKAGES[package](weights, seats, method))
        times.append(seconds)
        places = [answer.get(i, 0) for i in range(units)] if isinstance(answer, dict) else np.ravel(answer).tolist()
        same &= places == ours(weights, seats, method)().tolist()
    print(json.dumps({"seconds": sum(times) / instances, "same": same}))


def result(*job: object) -> dict | str:
    """The measurement, or why there is none."""
    command = [sys.executable, __file__, *map(str, job)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer in {SECONDS} s"
    if run.returncode == 0:
        return json.loads(run.stdout.splitlines()[-1])
    last = run.stderr.strip().splitlines()[-1:] or ["ended"]
    known = {"NotImplementedError": "has no such method", "MemoryError": "needs more than 16 GB"}
    return next((text for name, text in known.items() if name in last[0]), last[0][:60])


def main() -> None:
    for units, seats, instances in SIZES:
        for method in METHODS:
            print(f"{method}, {units} units, {seats} seats, {instances} instances")
            base = None
            for package in PACKAGES:
                found = result(package, units, seats, instances, method)
                if isinstance(found, str):
                    print(f"  {package:<14}{found}")
                    continue
                base = base or found["seconds"]
                same = "same answer" if found["same"] else "ANOTHER ANSWER"
                print(f"  {package:<14}{found['seconds'] * 1e3:12.3f} ms {found['seconds'] / base:12.1f} ×   {same}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5])
    else:
        main()
