"""How long the report takes, its parts, and the 37 pages of units, beside plain papermill run once a unit.

Run with ``python benchmarks/report.py [--notebooks N] [--runs N]``: N of the units' notebooks are run by papermill, one kernel
after the other (3 if not given; 37 for all), and the time of all 37 is worked out from them, which the output says. All
ratios are within one run of this program.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 15.0
SCENARIO = "2024-baseline"


class Taken(NamedTuple):
    """Seconds by the clock, and of processors (0 on Windows, which does not tell those of other processes)."""

    clock: float
    cpu: float


def seconds(work: Callable[[], None]) -> Taken:
    clock, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(time.perf_counter() - clock, cpu)


def median(taken: list[Taken]) -> Taken:
    return Taken(*map(statistics.median, zip(*taken, strict=True)))


def command(*arguments: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)


def fresh(out: Path, *more: str) -> Taken:
    """The command in a process of its own."""
    return seconds(lambda: command("-m", "zjtx_alloc", "report", SCENARIO, "--out", str(out), *more))


def papermill_once(unit: str, work: Path) -> Taken:
    """One unit's notebook by plain papermill, then a page of it by plain nbconvert, as one would by hand."""
    executed, notebook = work / f"{unit}.ipynb", ROOT / "notebooks" / "unit.ipynb"

    def both() -> None:
        command("-m", "papermill", str(notebook), str(executed), "-p", "unit", unit, "--no-progress-bar")
        command("-m", "nbconvert", "--to", "html", "--no-input", str(executed))

    return seconds(both)


def parts(work: Path) -> dict[str, float]:
    """The parts of the report and of the units' pages, one after the other in this process."""
    import zjtx_alloc as za
    from zjtx_alloc.report.documents.unit_page import asked_units, unit_sheet
    from zjtx_alloc.report.runs import run as runs
    from zjtx_alloc.report.runs.notebooks import write_page
    from zjtx_alloc.report.writers.html import Heading, framed
    from zjtx_alloc.report.writers.pdf import bound_pdf, unit_pdf

    taken, start = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal start
        taken[name], start = time.perf_counter() - start, time.perf_counter()

    panel, scenario = za.load_panel(), za.load_scenario(SCENARIO)
    results = za.Results(panel, scenario)
    assert results.budget.award.amount
    lap("allocation and budget")
    for path in runs.tables_written(work, results):
        lap(path.name)
    for name in runs.PAGES:
        told = {"scenarios": [SCENARIO]} if name == "budget" else {"scenario": SCENARIO}
        write_page(work / f"{name}.html", told, Heading(SCENARIO), work, name in runs.STUDIES)
        lap(f"{name}.html, alone")
    sheets = [unit_sheet(results, code) for code in asked_units("all")]
    lap("units: explanations and tables, 37")
    for sheet in sheets:
        framed(sheet.name, sheet._repr_html_(), "")
    lap("units: HTML, 37")
    sized = [unit_pdf(sheet.plain())[0] for sheet in sheets]
    lap("units: PDF, 37")
    bound_pdf(sized)
    lap("units: bound PDF")
    return taken


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--notebooks", type=int, default=3, choices=range(1, 38), metavar="1..37")
    reader.add_argument("--runs", type=int, default=1)
    asked = reader.parse_args()
    import zjtx_alloc as za

    names = za.load_panel().units["short_name"].tolist()
    reports, pages, again = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for number in range(asked.runs):
            out = work / str(number)
            reports.append(fresh(out))
            pages.append(fresh(out, "--units", "all"))
            again.append(fresh(out, "--units", "all"))
        step = len(names) / asked.notebooks
        by_hand = [papermill_once(names[int(number * step)], work) for number in range(asked.notebooks)]
        of_parts = parts(work / "parts")
    report, units, nothing = map(median, (reports, pages, again))
    one = Taken(*map(statistics.mean, zip(*by_hand, strict=True)))
    whole = Taken(one.clock * len(names), one.cpu * len(names))
    how = "measured" if asked.notebooks == len(names) else f"EXTRAPOLATED from {asked.notebooks} units measured"
    verdict = "kept" if units.clock <= LIMIT else "EXCEEDED"
    remarks = {
        "report": (report, f"median of {asked.runs}, a fresh process, {os.cpu_count()} cores"),
        "37 pages of units, report already there": (units, f"limit {LIMIT:.0f} s: {verdict}"),
        "nothing missing": (nothing, ""),
        "papermill and nbconvert once a unit": (whole, f"{how} ({one.clock:.2f} s a unit)"),
    }
    print(f"{'':<46}{'clock':>8}{'CPU':>10}")
    for name, (taken, remark) in remarks.items():
        print(f"{name:<46}{taken.clock:8.2f} s{taken.cpu:8.2f} s   {remark}")
    print(
        f"{'papermill once a unit to 37 pages':<46}{whole.clock / units.clock:8.1f} :{whole.cpu / (units.cpu or 1):8.1f}"
    )
    print(f"{'37 pages to the report':<46}{units.clock / report.clock:8.2f} :{units.cpu / (report.cpu or 1):8.2f}")
    print("\nParts, one after the other in one process (the report runs its notebooks side by side):")
    for name, taken in of_parts.items():
        print(f"{name:<46}{taken:8.2f} s")


if __name__ == "__main__":
    main()
