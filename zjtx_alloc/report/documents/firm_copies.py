"""From file to file: a firm workbook, or a plain firm table made one, carried a stage further into a copy."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.base.errors import DataError, InfeasibleError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.cells import plain, unit_of
from zjtx_alloc.facts.credit_codes import valid_code
from zjtx_alloc.firms.book import FirmBook, NoBookError, firm_forms, read_book
from zjtx_alloc.firms.stages import STAGES, Stage, carried
from zjtx_alloc.firms.table.lists import load_list
from zjtx_alloc.firms.table.reading import load_firms
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.documents.firm_workbook import write_stage, write_table_as_workbook
from zjtx_alloc.rules.programme.programme import load_programme


@dataclass(frozen=True)
class Given:
    """What is given beside the file: of a plain table its unit and batch; of either a list and the conditions switched on."""

    unit: str | None = None  #: Name or code.
    batch: int | None = None
    #: The list of firms supported in the first round; its entries follow those of the sheet 上一轮名单.
    first_round: Path | None = None
    on: tuple[str, ...] = ()  #: Cells of 基本情况 that are to say 是: earlier, rd.
    recommended: bool = False  #: Whether the firms of a plain table are those that the unit recommends.


@contextmanager
def as_workbook(file: Path, given: Given) -> Iterator[tuple[Path, FirmBook]]:
    """The workbook that a file is, or makes with what is given beside it, and what it says; a temporary one where it makes one.

    Raises
    ------
    DataError, TableError
        As ``read_book`` and ``load_firms`` do; if a workbook is of another unit or batch than is given.
    """
    with TemporaryDirectory(prefix="zjtx-") as folder:
        path = file
        try:
            book = read_book(path)
        except NoBookError:
            firms = load_firms(file, given.unit)
            path = _made(file, Path(folder), given, firms)
            book = _as_given(read_book(path, file.name), firms)
        wanted = {"province": given.unit and (unit_of(given.unit) or given.unit), "batch": given.batch}
        if any(value is not None and book.basics[name] != value for name, value in wanted.items()):
            raise DataError(say("firm_book.other", file=file, sheet=firm_forms()["basics"].title))
        if given.first_round is not None or given.on:
            path = write_stage(path, Path(folder) / f"{file.stem}-.xlsx", _options(book, given))
            book = _as_given(read_book(path, file.name), book.firms)
        yield path, book


def carry(stage: str, file: Path, out: Path, day: date | None = None, **given: Any) -> Stage:
    """Carry the workbook of a file one stage further into a copy.

    Parameters
    ----------
    stage : str
        review, select, amounts, evaluate or settle.
    file, out : Path
    day : date, optional
        In place of the sheet's.
    given :
        ``quota`` (for select: places, or a programme's workbook), and those of ``Given``.

    Raises
    ------
    DataError, ReportError
        As ``as_workbook``, ``carried`` and ``write_stage`` do.
    """
    quota = given.pop("quota", None)
    with as_workbook(file, Given(**given)) as (path, book):
        done = carried(stage, book, day, None if quota is None else places(quota, book))
        write_stage(path, out, done)
        return replace(done, notes=(*book.firms.notes, *done.notes))


@dataclass(frozen=True)
class Played:
    """A workbook carried through its stages: what it says at last, what each stage said, and why it went no further."""

    book: FirmBook
    said: Mapping[str, tuple[str, ...]]  #: The result and the notes of each stage done.
    stopped: str  #: What the next stage asks for; blank if all are done.


def played(file: Path, folder: Path, day: date | None = None, **given: Any) -> Played:
    """Carry the workbook of a file through all stages, as far as it is filled in; a copy of each stage in the folder.

    Parameters
    ----------
    file, folder : Path
    day : date, optional
        In place of the sheet's.
    given :
        As of ``carry``.

    Raises
    ------
    DataError, ReportError
        If not even the review can be carried out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    quota, said = given.pop("quota", None), dict[str, tuple[str, ...]]()
    for number, stage in enumerate(STAGES, start=1):
        copy = folder / f"{number}{say(f'stage.{stage}')}.xlsx"
        options = given if stage == "review" else {"quota": quota} if stage == "select" else {}
        try:
            done = carry(stage, file, copy, day, **options)
        except (DataError, InfeasibleError) as error:
            if not said:
                raise
            return Played(read_book(file), said, str(error))
        said[stage], file = (done.result, *done.notes), copy
    return Played(read_book(file), said, "")


def places(quota: str | int | Path, book: FirmBook) -> int:
    """A whole number of places as it is; else those of the book's unit and batch in a programme's workbook: what was granted, else what is computed.

    Raises
    ------
    DataError
        If it is another number, or as the programme's reader.
    """
    if str(quota).isdecimal():
        return int(str(quota))
    if re.fullmatch(r"[-+]?[\d.,，]+", str(quota)):
        raise DataError(say("firm_book.quota", value=shown(quota)))
    found = load_programme(str(quota))
    batch = found.batch(book.batch)
    if batch.granted is not None and book.unit in batch.granted.index:
        return int(batch.granted[book.unit])
    return int(allocate_batch(found.panel, batch.scenario).quota[book.unit])


def _as_given(book: FirmBook, firms: Firms) -> FirmBook:
    """A workbook that was made of a file, with the rows that its firms have there, and what was said of reading it."""
    rows = firms.table["given_row" if "given_row" in firms.table else "row"].to_numpy()
    return replace(book, firms=replace(book.firms, table=book.firms.table.assign(given_row=rows), notes=firms.notes))


def _made(table: Path, folder: Path, given: Given, firms: Firms) -> Path:
    """A plain firm table as a firm workbook."""
    columns = {"selected": next(iter(firm_forms()["firms"].fields["selected"].choices))} if given.recommended else {}
    return write_table_as_workbook(folder / f"{table.stem}.xlsx", firms, given.batch or 1, columns)


def _options(book: FirmBook, given: Given) -> Stage:
    """The list and the switches as cells of the workbook."""
    cells = {"basics": pd.DataFrame([dict.fromkeys(given.on, "yes")], index=[book.basics.row])}
    if given.first_round is not None:
        entries = load_list(given.first_round)
        first = max(book.grids["first_round"].rows, default=0) + 1
        codes = [valid_code(plain(entry)) for entry in entries]
        names = [None if code else entry for code, entry in zip(codes, entries, strict=True)]
        rows = range(first, first + len(entries))
        cells["first_round"] = pd.DataFrame({"credit_code": codes, "name": names}, index=rows, dtype=object)
    return Stage({name: frame for name, frame in cells.items() if frame.size}, "")
