"""How long 20,000 firms take: reviewed, selected and settled, beside reading their table and the limit.

Run with ``python benchmarks/firms.py [FIRMS] [RUNS]``; the firms are made up (虚构). Prints the median of the
runs, each step's share of the whole, and the limit that the project holds itself to.
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date

import pandas as pd

import zjtx_alloc as za

LIMIT = 3.0
DAY = date(2024, 7, 31)


def timed(work: Callable[[], object], runs: int) -> tuple[float, object]:
    taken, result = [], None
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), result


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    table, rubric = za.firms.made_up_table(total=count), za.firms.load_rubric("example-selection")
    award = za.load_award("caijian-2024-148")
    quota = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota
    reading, firms = timed(lambda: za.firms.load_firms(table), 1)
    supported = {"first_round": za.firms.concealed(firms)}
    got = pd.Series(285, firms.table.index)
    results = za.firms.made_up_results(firms, got)
    seconds = {}
    seconds["review"], review = timed(lambda: za.firms.review(firms, None, DAY, supported=supported), runs)
    seconds["select"], _ = timed(lambda: za.firms.select(review.passed, rubric, quota), runs)
    seconds["settle"], _ = timed(lambda: za.firms.settle(results, award, pd.Series(dtype="int64"), got), runs)
    whole = sum(seconds.values())
    print(f"{count:,} made-up firms; reading their cells {reading:.2f} s (not in the limit)")
    for name, taken in seconds.items():
        print(f"{name:<8}{taken:6.2f} s  {taken / whole:4.0%}")
    print(f"{'whole':<8}{whole:6.2f} s   limit {LIMIT:.1f} s")


if __name__ == "__main__":
    main()
