"""How long 20,000 firms take: each stage of ``zjtx firms`` over one workbook, and what of it is reading, computing, writing.

Run with ``python benchmarks/firms.py [FIRMS] [RUNS]``; the firms are made up (虚构). Prints the median of the
runs in seconds of the processor, each part's share of its stage, and the limit for computing that the project holds itself to.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import zjtx_alloc as za
from zjtx_alloc.firms.book import read_book
from zjtx_alloc.firms.stages import carried
from zjtx_alloc.report.documents.firm_workbook import write_firm_workbook, write_stage

LIMIT = 3.0
DAY = date(2024, 7, 31)
STAGES = ("review", "select", "amounts", "evaluate", "settle")
PARTS = ("reading", "computing", "writing")


def timed(work: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def run(stage: str, before: Path, after: Path) -> tuple[float, ...]:
    """The seconds of reading, computing and writing."""
    after.unlink(missing_ok=True)
    reading, book = timed(lambda: read_book(before))
    computing, done = timed(lambda: carried(stage, book, DAY))
    writing, _ = timed(lambda: write_stage(before, after, done))
    return reading, computing, writing


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    reading, _ = timed(lambda: za.firms.load_firms(za.firms.made_up_table(total=count)))
    print(f"{count:,} made-up firms; made and read as a bare table in {reading:.2f} s")
    print(f"{'stage':<10}" + "".join(f"{part:>11}      " for part in PARTS) + f"{'whole':>8}")
    with tempfile.TemporaryDirectory() as folder:
        before = write_firm_workbook(Path(folder) / "new.xlsx", "320000", made_up=count)
        for stage in STAGES:
            after = Path(folder) / f"{stage}.xlsx"
            taken = [
                statistics.median(part) for part in zip(*(run(stage, before, after) for _ in range(runs)), strict=True)
            ]
            whole, before = sum(taken), after
            late = "" if taken[1] <= LIMIT else f"   computing takes more than {LIMIT:.1f} s"
            print(
                f"{stage:<10}" + "".join(f"{one:9.2f} s {one / whole:4.0%} " for one in taken) + f"{whole:6.2f} s{late}"
            )


if __name__ == "__main__":
    main()
