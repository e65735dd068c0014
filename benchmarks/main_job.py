"""How long the main job takes, each as a fresh process: the import and the whole report.

Run with ``python benchmarks/main_job.py [RUNS]``; prints the median of the runs, the limits that the
project holds itself to, and the report against the empty notebook that no report can be faster than.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMITS = {"import": 1.0, "report": 12.0}


def seconds(arguments: list[str], runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.ipynb"
        empty.write_text(
            '{"cells":[],"metadata":{"kernelspec":{"name":"python3","display_name":"Python 3","language":"python"}},'
            '"nbformat":4,"nbformat_minor":5}',
            encoding="utf-8",
        )
        steps = {
            "python": ["-c", "pass"],
            "import": ["-c", "import zjtx_alloc"],
            "empty notebook": ["-m", "papermill", str(empty), str(empty), "--no-progress-bar"],
            "report": ["-m", "zjtx_alloc", "report", "2024-baseline", "--out", folder],
        }
        medians = {name: seconds(arguments, runs) for name, arguments in steps.items()}
    for name, median in medians.items():
        limit = f"   limit {LIMITS[name]:.1f} s" if name in LIMITS else ""
        print(f"{name:<15}{median:6.2f} s{limit}")
    print(f"{'report':<15}{medians['report'] / medians['empty notebook']:6.2f} times an empty notebook")
    print(f"{'import':<15}{medians['import'] / medians['python']:6.2f} times a bare Python")


if __name__ == "__main__":
    main()
