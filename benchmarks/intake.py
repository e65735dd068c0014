"""How long a wrong table takes to be refused: 37 rows, and 100,000 rows given by mistake, in Excel and CSV."""

import csv
import io
import tempfile
import time
from pathlib import Path

import openpyxl

import zjtx_alloc as za

HEADER = ["单位", "规模以上工业中小企业数（家）", "“小巨人”企业数（家）", *(f"其他{n}" for n in range(20))]


def rows(count: int) -> list[list[object]]:
    names = list(za.load_panel().units["short_name"])
    return [[names[i % 37], "约200", 100, *range(20)] for i in range(count)]


def write(path: Path, table: list[list[object]]) -> Path:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("因素表")
        for row in (HEADER, *table):
            sheet.append(row)
        book.save(path)
    else:
        text = io.StringIO()
        csv.writer(text).writerows([HEADER, *table])
        path.write_bytes(text.getvalue().encode("gbk"))
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for count in (37, 100_000):
            for ending in ("xlsx", "csv"):
                path = write(Path(folder) / f"{count}.{ending}", rows(count))
                start, worked = time.perf_counter(), time.process_time()
                try:
                    za.load_panel(path)
                except za.DataError as error:
                    seconds, work = time.perf_counter() - start, time.process_time() - worked
                    told = str(error).splitlines()[0][:40]
                    print(f"{count:>7,} rows  {ending:<4} {seconds:6.3f} s, {work:6.3f} s of work  {told}")


if __name__ == "__main__":
    main()
