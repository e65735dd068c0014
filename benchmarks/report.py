"""How long the report takes, its parts, and the 37 pages of units, beside plain papermill run once a unit.

Run with ``python benchmarks/report.py [--notebooks N] [--runs N]``: N of the units' notebooks are run by papermill, one kernel
after the other (3 if not given; 37 for all), and the time of all 37 is worked out from them, which the output
says. All ratios are within one run of this program. Parts are seconds of processors, which other work on the machine changes
less than it does the clock.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIMIT, CPU_LIMIT = 12.0, 20.0  # of the report, on two quiet cores
UNITS_LIMIT = 10.0  # beside it
VERDICTS = {True: "kept", False: "EXCEEDED"}
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


def spent() -> tuple[float, float]:
    """Seconds of processors so far, of this process and of its children that have ended (0 on Windows)."""
    used = os.times()
    return used.user + used.system, used.children_user + used.children_system


class Laps:
    """Seconds of processors by part; what was spent since the last lap belongs to the next."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self._last = sum(spent())

    def lap(self, name: str) -> None:
        now = sum(spent())
        self.taken[name] = self.taken.get(name, 0.0) + now - self._last
        self._last = now


def parts(work: Path) -> dict[str, float]:
    """The parts of the report and of the units' pages, one after the other."""
    laps = Laps()
    command("-c", "import zjtx_alloc.report.runs.run")
    laps.lap("import: the package")
    command("-c", "import zjtx_alloc.report.runs.run, zjtx_alloc.report.runs.notebooks")
    laps.lap("import: the package, papermill and nbconvert")
    import zjtx_alloc as za
    from zjtx_alloc.report.runs import run as runs
    from zjtx_alloc.report.runs.kernel import kept_kernels
    from zjtx_alloc.report.runs.notebooks import write_page
    from zjtx_alloc.report.writers.html import Heading

    laps.lap("")
    results = za.Results(za.load_panel(), za.load_scenario(SCENARIO))
    assert results.budget.award.amount
    laps.lap("allocation and budget")
    for name in ("known", "ranges", "robust", "sweep"):
        getattr(results, name)
        laps.lap(name)
    for path in runs.tables_written(work, results):
        laps.lap(path.name)
    told = {name: {"scenarios": [SCENARIO]} if name == "budget" else {"scenario": SCENARIO} for name in runs.PAGES}
    for name, given in told.items():
        cells(name, given, laps)
    before = spent()
    with kept_kernels():
        for name, given in told.items():
            write_page(work / f"{name}.html", given, Heading(SCENARIO), work, name in runs.STUDIES)
    laps.lap("")
    here, kernel = (after - earlier for after, earlier in zip(spent(), before, strict=True))
    laps.taken |= {"pages: papermill and nbconvert": here, "pages: one kernel, start and imports too": kernel}
    units(results, laps)
    del laps.taken[""]
    return laps.taken


def cells(name: str, given: dict[str, object], laps: Laps) -> None:
    """Run a notebook's cells in this process, figures apart from the rest."""
    book = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    space: dict[str, object] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            *before, last = ast.parse(source := "".join(cell["source"])).body
            with contextlib.redirect_stdout(io.StringIO()):
                if isinstance(last, ast.Expr):
                    exec(compile(ast.Module(before, []), name, "exec"), space)
                    shown = eval(compile(ast.Expression(last.value), name, "eval"), space)
                    getattr(shown, "_repr_html_", str)()
                else:
                    exec(compile(ast.Module([*before, last], []), name, "exec"), space)
            space |= given if "parameters" in cell["metadata"].get("tags", []) else {}
            laps.lap(f"cells: {'figures' if 'picture(' in source else 'the rest'} of {name}")


def units(results: object, laps: Laps) -> None:
    """The pages of units."""
    from zjtx_alloc.report.documents.unit_page import asked_units, unit_sheet
    from zjtx_alloc.report.writers.html import framed
    from zjtx_alloc.report.writers.pdf import bound_pdf, unit_pdf

    sheets = [unit_sheet(results, code) for code in asked_units("all")]
    laps.lap("units: explanations and tables, 37")
    for sheet in sheets:
        framed(sheet.name, sheet._repr_html_(), "")
    laps.lap("units: HTML, 37")
    sized: list[dict[str, Any]] = []
    for sheet in sheets:
        sized.append(unit_pdf(sheet.plain(), *[before["size"] for before in sized[-1:]])[0])
    laps.lap("units: PDF, 37")
    bound_pdf(sized)
    laps.lap("units: bound PDF")


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
    kept = report.clock <= LIMIT and report.cpu <= CPU_LIMIT
    limits = f"limits {LIMIT:.0f} and {CPU_LIMIT:.0f} s: {VERDICTS[kept]}"
    remarks = {
        "report": (report, f"{limits}; median of {asked.runs}, a fresh process, {os.cpu_count()} cores"),
        "37 pages of units, report already there": (
            units,
            f"limit {UNITS_LIMIT:.0f} s: {VERDICTS[units.clock <= UNITS_LIMIT]}",
        ),
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
    print("\nParts, one after the other, in seconds of processors (the report runs its notebooks side by side):")
    for name, taken in of_parts.items():
        print(f"{name:<46}{taken:8.2f} s")


if __name__ == "__main__":
    main()
