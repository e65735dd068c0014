"""What reading a table costs beside openpyxl, which the package read with: a province's firms, a table of 37 rows, blank cells.

Run with ``python benchmarks/reading.py [FIRMS] [COLUMNS]``; every ratio is of one run.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import xlsxwriter

from zjtx_alloc.facts.grid import read_sheets


def write(path: Path, rows: int, columns: int, *, blank: int = 0) -> Path:
    """A sheet of texts and numbers, and rows that are only formatted."""
    with xlsxwriter.Workbook(path) as book:
        sheet, formatted = book.add_worksheet(), book.add_format({"bold": True})
        for row in range(rows):
            for column in range(columns):
                value = (
                    f"企业{row}之{column}"
                    if column % 4 == 0
                    else "是"
                    if column % 4 == 1
                    else row * column + 0.5 * (column % 2)
                )
                sheet.write(row, column, value)
        for row in range(rows, rows + blank):
            for column in range(1000):
                sheet.write_blank(row, column, None, formatted)
    return path


def with_openpyxl(path: Path) -> int:
    """One pass for values, as a workbook without formulas was read."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    return sum(cell.value is not None for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)


def cells(path: Path) -> int:
    return sum(cell is not None for grid in read_sheets(path, 50_000) for row in grid.rows.values() for cell in row)


def seconds(work: Callable[[Path], int], path: Path) -> tuple[float, int]:
    """The least of three runs."""
    taken, found = [], 0
    for _ in range(3):
        begun = time.process_time()
        found = work(path)
        taken.append(time.process_time() - begun)
    return min(taken), found


def main() -> None:
    firms, columns = (int(word) for word in (sys.argv[1:] + ["20000", "40"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as folder:
        sizes = {
            f"{firms:,} firms × {columns}": (firms, columns, 0),
            "37 rows × 3": (38, 3, 0),
            "37 rows, 150 × 1000 blank cells": (38, 3, 150),
        }
        for name, (rows, wide, blank) in sizes.items():
            path = write(Path(folder) / "made.xlsx", rows, wide, blank=blank)
            before, count = seconds(with_openpyxl, path)
            after, same = seconds(cells, path)
            assert count == same
            print(f"{name:<34}{path.stat().st_size / 2**20:6.1f} MB  openpyxl {before:6.2f} s  here {after:6.2f} s  {before / after:4.1f} times as fast")  # fmt: skip


if __name__ == "__main__":
    main()
