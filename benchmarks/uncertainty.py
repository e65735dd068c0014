"""How many scenarios a second a sweep draws and solves, and how time and memory grow.

Run with ``python benchmarks/uncertainty.py [MOST]`` (1,000,000). Prints, each measured in a process of its own:
seconds, those of them that the processor worked (a busy machine stretches the first, not these), scenarios a second
and the peak of the process's memory, indices included, for 10⁴ to MOST scenarios of the baseline with bounds and nested groups, under uncertain weights and under everything
uncertain; then for 10⁴ scenarios of 37 to 3,000 units, sixty places to each unit.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd

import zjtx_alloc as za

EVERYTHING = ("weights", "region_coefficient", "facts", "total")
GROUPS = {"中部": {"region": "中部", "cap": 200}, "湘鄂": {"units": ["420000", "430000"], "floor": 90}}


def nation(kinds: tuple[str, ...]) -> tuple[za.Panel, za.Scenario, dict]:
    """The baseline with floors, caps and nested groups."""
    baseline = za.load_scenario("2024-baseline")
    table = baseline.model_dump() | {"groups": GROUPS, "cap": {"default": 100}}
    doubt = baseline.uncertainty.model_dump(exclude_defaults=True)
    return za.load_panel(), za.Scenario.model_validate(table), {kind: doubt[kind] for kind in kinds}


def made_up(units: int) -> tuple[za.Panel, za.Scenario, dict]:
    """As many units as asked for, with the baseline's factors and coefficients, floors and caps."""
    panel, scenario, doubt = nation(("weights", "region_coefficient"))
    rng = np.random.default_rng(6)
    codes = pd.Index([f"{100000 + i}" for i in range(units)], name="code")
    places = panel.units.iloc[rng.integers(len(panel.units), size=units)].set_axis(codes)
    cells = [
        pd.DataFrame({"indicator": code, "period": f.period, "code": codes, "value": rng.lognormal(4, 1, units)})
        for code, f in scenario.factors.items()
    ]
    table = pd.concat(cells).assign(estimated=False).set_index(["indicator", "period", "code"]).sort_index()
    changed = {"total": 60 * units, "groups": {}, "cap": {"default": 600}}
    return replace(panel, units=places, cells=table), scenario.model_copy(update=changed), doubt


def measured(make: Callable, of: object, draws: int) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, and megabytes at the peak."""
    panel, scenario, doubt = make(of)
    start, worked = time.perf_counter(), time.process_time()
    za.sweep(panel, scenario, doubt, draws=draws)
    seconds, work = time.perf_counter() - start, time.process_time() - worked
    return seconds, work, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def apart(make: Callable, of: object, draws: int) -> None:
    """Measure in a process of its own, and print."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        seconds, work, memory = pool.submit(measured, make, of, draws).result()
    rate = f"{draws / seconds:10,.0f} a second"
    print(
        f"  {draws:10,} scenarios {seconds:7.2f} s, {work:6.2f} s of work {rate} {memory:7,.0f} MB at the peak",
        flush=True,
    )


def main() -> None:
    most = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10**6
    for kinds in (EVERYTHING[:1], EVERYTHING):
        print(f"37 units in groups, uncertain: {', '.join(kinds)}")
        for draws in (10**4, 10**5, 10**6):
            if draws <= most:
                apart(nation, kinds, draws)
    for units in (37, 300, 3000):
        print(f"{units:,} units, uncertain: weights, region_coefficient")
        apart(made_up, units, 10**4)


if __name__ == "__main__":
    main()
