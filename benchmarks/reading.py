"""What reading a table costs beside openpyxl in read-only mode: time, memory, and what each says of a hostile or half-done file.

Run with ``python benchmarks/reading.py [FIRMS] [COLUMNS]``; every ratio is of one run. Memory is the most that Python
holds while the file is read (tracemalloc), in a run of its own.
"""

import io
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import xlsxwriter

from zjtx_alloc.facts.grid import read_sheets

Read = Callable[[Path], int]


def write(path: Path, rows: int, columns: int, *, blank: int = 0) -> Path:
    """A sheet of texts and numbers, and rows that are only formatted."""
    with xlsxwriter.Workbook(path) as book:
        sheet, formatted = book.add_worksheet(), book.add_format({"bold": True})
        for row in range(rows):
            for column in range(columns):
                number = row * column + 0.5 * (column % 2)
                sheet.write(row, column, {0: f"企业{row}之{column}", 1: "是"}.get(column % 4, number))
        for row in range(rows, rows + blank):
            for column in range(1000):
                sheet.write_blank(row, column, None, formatted)
    return path


def with_openpyxl(path: Path) -> int:
    """One pass for values, as a workbook without formulas would be read; rows are kept, as ours are."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    grids = [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    return sum(cell is not None for rows in grids for row in rows for cell in row)


def ours(path: Path) -> int:
    return sum(cell is not None for grid in read_sheets(path, 50_000) for row in grid.rows.values() for cell in row)


def seconds(work: Read, path: Path) -> tuple[float, int]:
    """The least of three runs."""
    taken, found = [], 0
    for _ in range(3):
        begun = time.process_time()
        found = work(path)
        taken.append(time.process_time() - begun)
    return min(taken), found


def held(work: Read, path: Path) -> float:
    """The most that is held, MB."""
    tracemalloc.start()
    work(path)
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return most


def half_done(path: Path) -> Path:
    """A hidden row, a hidden column, and a formula that no program has calculated."""
    book = openpyxl.Workbook()
    book.active.append(["单位", "数"])
    book.active.append(["北京", "=1+1"])
    book.active.row_dimensions[2].hidden = book.active.column_dimensions["B"].hidden = True
    book.save(path)
    return path


def bomb(path: Path, source: Path, rows: int = 1_000_000) -> Path:
    """A small file whose sheet unfolds to a million blank rows."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            text = old.read(part).replace(b'ref="A1:B2"', b'ref="A1:B1048576"')
            new.writestr(part, text.replace(b"</sheetData>", b"<row/>" * rows + b"</sheetData>"))
    return path


def main() -> None:
    firms, columns = (int(word) for word in (sys.argv[1:] + ["2000", "40"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as folder:
        sizes = {
            f"{firms:,} firms × {columns}": (firms, columns, 0),
            "37 rows × 3": (38, 3, 0),
            "37 rows, 150 × 1000 blank cells": (38, 3, 150),
        }
        made = Path(folder) / "made.xlsx"
        for name, (rows, wide, blank) in sizes.items():
            write(made, rows, wide, blank=blank)
            (before, count), (after, same) = seconds(with_openpyxl, made), seconds(ours, made)
            assert count == same
            more, less = held(with_openpyxl, made), held(ours, made)
            print(f"{name:<34}{made.stat().st_size / 2**20:5.1f} MB  openpyxl {before:6.2f} s {more:6.1f} MB  here {after:6.2f} s {less:6.1f} MB  {before / after:4.1f} times as fast")  # fmt: skip
        file = half_done(Path(folder) / "half.xlsx")
        (grid,) = read_sheets(file)
        sheet = openpyxl.load_workbook(io.BytesIO(file.read_bytes()), read_only=True, data_only=True).active
        knows = {name: hasattr(sheet, name) for name in ("row_dimensions", "column_dimensions")}
        print(f"hidden, uncalculated              openpyxl {knows}, the formula as {[*sheet.values][1][1]!r}; here rows {set(grid.hidden_rows)}, columns {set(grid.hidden_places)}, the formula as {grid.rows[2][1]!r}")  # fmt: skip
        hostile = bomb(Path(folder) / "bomb.xlsx", file)
        (before, _), (after, _) = (seconds(work, hostile) for work in (with_openpyxl, ours))
        more, less = held(with_openpyxl, hostile), held(ours, hostile)
        print(f"{hostile.stat().st_size / 2**10:.0f} kB of 1,000,000 blank rows   openpyxl {before:6.2f} s {more:6.1f} MB  here {after:6.2f} s {less:6.1f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
