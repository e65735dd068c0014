"""How time and memory grow with units, firms, scenarios and reports.

Run with ``python benchmarks/growth.py [PART ...]``, of ``units firms scenarios reports`` (all). Each line is measured in a
process of its own: the size, seconds of the processor for the work alone (so that what else a machine does counts
little), how many times those of the line before, and the peak memory of the process, of which the first line says how
much the imports are. Firms are made up (虚构).
"""

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from queue import Empty

import pandas as pd
import uncertainty
from engine import national
from many import scenarios

import zjtx_alloc as za
from zjtx_alloc.report.runs.index import write_index

UNITS = (37, 333, 3_000)  # provinces, prefectures, counties
FIRMS = SCENARIOS = (10**3, 10**4, 10**5, 10**6)
REPORTS = (1, 2, 4, 8)
RUNS = (10, 100, 1_000)  # in one folder
LIMIT = 1_200  # seconds for one line, what comes before the measured work included
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
Work = Iterator[None]  # what is done before it yields is not measured


def nothing(_: int) -> Work:
    yield


def exact(units: int) -> Work:
    """Sixty places a unit, eight units a group."""
    problem = national(units, 60 * units, units // 8)
    yield
    za.solve(problem, "exact")


def crossing(units: int) -> Work:
    """The same with every third unit, across the groups, held together by a floor."""
    problem = national(units, 60 * units, units // 8)
    river = tuple(problem.labels[::3])
    floor = int(problem.entitlement[list(river)].sum() * 1.02)
    problem = replace(problem, groups=(*problem.groups, za.Group("river", river, floor)))
    yield
    za.solve(problem, "model")


def diagnosed(units: int) -> Work:
    """A group's floor above what its units may have."""
    problem = national(units, 60 * units, units // 8)
    first = problem.groups[0]
    most = int(problem.cap[list(first.members)].sum())
    problem = replace(problem, groups=(replace(first, floor=most + 5), *problem.groups[1:]))
    yield
    za.diagnose(problem)


def read(firms: int) -> Work:
    table = za.firms.made_up_table(total=firms)
    yield
    za.firms.load_firms(table)


def settled(firms: int) -> Work:
    """Reviewed against a list, selected by a rubric and settled."""
    listed = za.firms.made_up_firms(total=firms)
    supported = {"first_round": za.firms.concealed(listed)}
    got = pd.Series(285, listed.table.index)
    results = za.firms.made_up_results(listed, got)
    quota = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota
    rubric, award = za.firms.load_rubric("example-selection"), za.load_award("caijian-2024-148")
    yield
    review = za.firms.review(listed, None, date(2024, 7, 31), supported=supported)
    za.firms.select(review.passed, rubric, quota)
    za.firms.settle(results, award, pd.Series(dtype="int64"), got)


def solved_together(count: int) -> Work:
    """37 units in 5 groups."""
    problem = national(37, 1039, 5)
    table = scenarios(problem, count)
    yield
    za.solve_many(problem, table)


def swept(count: int) -> Work:
    """The baseline's weights drawn, solved, counted, and their indices."""
    panel, scenario, doubt = uncertainty.nation(("weights",))
    yield
    za.sweep(panel, scenario, doubt, draws=count)


def reported(count: int) -> Work:
    """One report after the other into one folder, in one process."""
    baseline = za.load_scenario("2024-baseline")
    yield
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            za.run(baseline.model_copy(update={"name": f"report-{number}"}), out=Path(folder))


def listed(count: int) -> Work:
    """The index over a folder of many runs, by a process that knows none of them yet."""
    with _runs(count) as folder:
        yield
        write_index(folder)


def listed_again(count: int) -> Work:
    """The same once more by the same process, as after its next report."""
    with _runs(count) as folder:
        write_index(folder)
        yield
        write_index(folder)


@contextmanager
def _runs(count: int) -> Iterator[Path]:
    """One report, under many names."""
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory(dir=made) as folder:
        run = za.run("2024-baseline", out=made).folder
        for number in range(count):
            shutil.copytree(run, Path(folder) / f"run-{number}", copy_function=os.link)
        yield Path(folder)


def measured(work: Callable[[int], Work], size: int) -> tuple[float, float]:
    """Seconds of the processor, and megabytes at the peak, of this process and of those it started."""
    steps = work(size)
    next(steps)
    start = _spent()
    next(steps, None)
    return _spent() - start, sum(resource.getrusage(who).ru_maxrss for who in _WHO) / 1e3


def _spent() -> float:
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, _WHO))


def _measure(work: Callable[[int], Work], size: int, found: multiprocessing.Queue) -> None:
    try:
        found.put(measured(work, size))
    except Exception:
        found.put(None)  # rather than let the other side wait
        raise


def table(title: str, work: Callable[[int], Work], sizes: tuple[int, ...]) -> None:
    print(title, flush=True)
    spawn, before = multiprocessing.get_context("spawn"), None
    for size in sizes:
        found = spawn.Queue()
        process = spawn.Process(target=_measure, args=(work, size, found))  # no daemon: a report starts others
        process.start()
        try:
            answer = found.get(timeout=LIMIT)
        except Empty:
            print(f"  {size:>9,} not finished in {LIMIT} s", flush=True)
            return
        finally:
            process.kill()
            process.join()
        if answer is None:
            return
        seconds, memory = answer
        times = "" if before is None else f"{seconds / before:8.1f} ×"
        print(f"  {size:>9,} {seconds:10.3f} s{times:>10} {memory:9.0f} MB", flush=True)
        before = seconds


PARTS = {
    "units": [
        ("units, exact engine", exact, UNITS),
        ("units, a group across the others (PuLP model)", crossing, UNITS),
        ("units, a clash diagnosed", diagnosed, UNITS),
    ],
    "firms": [
        ("firms, their table read", read, FIRMS),
        ("firms, reviewed, selected and settled", settled, FIRMS),
    ],
    "scenarios": [
        ("scenarios, solve_many", solved_together, SCENARIOS),
        ("scenarios, a sweep over uncertain weights", swept, SCENARIOS),
    ],
    "reports": [
        ("reports, one after the other", reported, REPORTS),
        ("runs in a folder, their index", listed, RUNS),
        ("runs in a folder, their index again", listed_again, RUNS),
    ],
}


def main() -> None:
    table("imports alone", nothing, (0,))
    for part in sys.argv[1:] or PARTS:
        for row in PARTS[part]:
            table(*row)


if __name__ == "__main__":
    main()
