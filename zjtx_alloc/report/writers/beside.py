"""A copy of a user's workbook with results beside the inputs: the package's other parts are copied as they are.

Only cells are written: whole workbooks would be read and written anew ten times as slowly, and lose what no library
knows, such as pictures and the values of the user's own formulas. The only module that imports lxml.
"""

import io
import posixpath
import re
import zipfile
import zlib
from bisect import bisect, bisect_left
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lxml import etree

from zjtx_alloc.base.errors import DataError, ReportError
from zjtx_alloc.base.files import check_absent, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import header_of, plain
from zjtx_alloc.facts.grid import column_letters, refuse_vast
from zjtx_alloc.facts.xlsx.cells import place_of
from zjtx_alloc.facts.xlsx.package import NoWorkbookError
from zjtx_alloc.report.writers.sheet import Cell, cell_of

_FILL = '<fill xmlns="{}"><patternFill patternType="solid"><fgColor rgb="FFEEF4F9"/></patternFill></fill>'
_SIDE = '<{0} style="thin"><color rgb="FFBFBFBF"/></{0}>'
_BORDER = '<border xmlns="{}">' + "".join(map(_SIDE.format, ("left", "right", "top", "bottom"))) + "</border>"
_THOUSANDS = {int: "3", float: "4"}  # the number formats #,##0 and #,##0.00, built in
_HEADER_WITHIN = 15  # rows in which a header is looked for
_MONEY = "万元"  # thousands are set apart in columns that are headed so
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML can hold them
_COMPRESSION = 3  # of 1 to 9: a tenth larger than 6, in half the time
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def write_beside(file: Path, copy: Path, *cells: Mapping[str, pd.DataFrame]) -> Path:
    """Write a copy of a workbook with these cells.

    Parameters
    ----------
    file, copy : Path
        The copy does not exist yet.
    *cells : mapping of sheet to DataFrame
        Written one after the other. Index: rows as Excel counts them; columns: headers, added at the right where the sheet lacks one; None: blank.
        A ``Cell`` with a formula is written with it, references as Excel has them.

    Raises
    ------
    ReportError
        If the copy exists or is no ``.xlsx``.
    DataError
        If a part of the workbook that must be changed is broken, or there are more cells than memory holds.
    """
    if copy.suffix.lower() != ".xlsx":
        raise ReportError(say("file.not_xlsx", file=copy))
    check_absent(copy)
    refuse_vast(file)
    frames = [(title, frame) for layer in cells for title, frame in layer.items() if len(frame)]
    try:
        content = _copied(file, frames)
    except (
        etree.LxmlError,
        zipfile.BadZipFile,
        zlib.error,
        AttributeError,
        LookupError,
        NoWorkbookError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(say("intake.not_a_workbook", file=file.name)) from error
    return write_whole(copy, content)


def _copied(file: Path, frames: Sequence[tuple[str, pd.DataFrame]]) -> bytes:
    """The package with these cells."""
    content = io.BytesIO()
    with zipfile.ZipFile(file) as package, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as out:  # fmt: skip
        changed = _changed_parts(package, frames)
        for part in package.infolist():
            if (data := changed.get(part.filename, b"")) is not None:
                out.writestr(part, package.read(part) if part.filename not in changed else data)
    return content.getvalue()


def _changed_parts(package: zipfile.ZipFile, frames: Sequence[tuple[str, pd.DataFrame]]) -> dict[str, bytes | None]:
    """The parts that differ in the copy; None: left out."""
    book = _Book(package)
    trees = {part: _parsed(package.read(part)) for part in {book.sheets[title] for title, _ in frames}}
    texts = _texts(package, book.strings, trees.values())
    styles = _Styles(_parsed(package.read(book.styles)))
    written = {part: _SheetCells(tree, texts, styles) for part, tree in trees.items()}
    for title, frame in frames:
        written[book.sheets[title]].write(frame)
    return {**{part: _bytes(tree) for part, tree in trees.items()}, book.styles: _bytes(styles.root), **book.changed()}


def _parsed(data: bytes) -> Any:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _bytes(tree: Any) -> bytes:
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True))


def _space(tree: Any) -> str:
    """The namespace of a tree's names, in braces."""
    return "{" + str(etree.QName(tree).namespace) + "}"


class _Book:
    """Where the parts of a package are."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        (first,) = (rel.get("Target") for rel in _parsed(package.read("_rels/.rels")) if _kind(rel) == "officeDocument")
        self.name = first.lstrip("/")
        folder, base = posixpath.split(self.name)
        self.links_name = posixpath.join(folder, "_rels", f"{base}.rels")
        self.tree, self.links = _parsed(package.read(self.name)), _parsed(package.read(self.links_name))
        self.types = _parsed(package.read("[Content_Types].xml"))
        targets = {rel: posixpath.normpath(posixpath.join("/" + folder, rel.get("Target")))[1:] for rel in self.links}
        by_kind = {_kind(rel): target for rel, target in targets.items()}
        self.styles, self.strings = by_kind["styles"], by_kind.get("sharedStrings", "")
        self.chain = by_kind.get("calcChain", "")
        by_id = {rel.get("Id"): target for rel, target in targets.items()}
        sheets = self.tree.find(f"{_space(self.tree)}sheets")
        ids = ((sheet, sheet.get(f"{{{_RELATION}}}id") or sheet.get(f"{{{_STRICT}}}id")) for sheet in sheets)
        self.sheets = {plain(sheet.get("name")): by_id[number] for sheet, number in ids}

    def changed(self) -> dict[str, bytes | None]:
        """The parts about the whole: every formula is computed when the copy is opened; no list of them, which might not hold."""
        space = _space(self.tree)
        computed = self.tree.find(f"{space}calcPr")
        if computed is None:
            computed = etree.Element(f"{space}calcPr")
            before = [self.tree.find(space + name) for name in ("definedNames", "externalReferences", "sheets")]
            next(one for one in before if one is not None).addnext(computed)
        computed.set("fullCalcOnLoad", "1")
        if not self.chain:
            return {self.name: _bytes(self.tree)}
        for tree, name in ((self.links, "calcChain"), (self.types, "/" + self.chain)):
            for one in [one for one in tree if _kind(one) == name or one.get("PartName") == name]:
                tree.remove(one)
        about = {self.name: self.tree, self.links_name: self.links, "[Content_Types].xml": self.types}
        return {self.chain: None, **{name: _bytes(tree) for name, tree in about.items()}}


def _kind(relation: Any) -> str:
    """What a relation points at."""
    return str(relation.get("Type", "")).rpartition("/")[2]


def _texts(package: zipfile.ZipFile, part: str, trees: Iterable[Any]) -> dict[str, str]:
    """The shared texts, by number, of the rows in which headers may stand."""
    wanted = {
        cell.findtext(f"{_space(tree)}v")
        for tree in trees
        for row in list(tree.iterfind(f"{_space(tree)}sheetData/{_space(tree)}row"))[:_HEADER_WITHIN]
        for cell in row
        if cell.get("t") == "s"
    }
    if not wanted:
        return {}
    found, numbers = {}, count()
    with package.open(part) as stream:
        for _, item in etree.iterparse(stream, tag="{*}si", resolve_entities=False, huge_tree=True):
            if (number := str(next(numbers))) in wanted:
                found[number] = _text(item)
            item.clear()
    return found


def _text(item: Any) -> str:
    """The text of an item, in one piece or in runs; without how it is pronounced."""
    return "".join(t.text or "" for t in item.iterfind("{*}t")) + "".join(
        t.text or "" for t in item.iterfind("{*}r/{*}t")
    )


class _Styles:
    """Styles of cells, and those of results made from them."""

    def __init__(self, root: Any) -> None:
        self.root, space = root, _space(root)
        parts = (("fills", _FILL), ("borders", _BORDER))
        self.fill, self.border = (self._added(space + name, form.format(space[1:-1])) for name, form in parts)
        self.formats = root.find(f"{space}cellXfs")
        self.of_result = cache(self._of_result)

    def _added(self, name: str, form: str) -> str:
        held = self.root.find(name)
        held.append(etree.fromstring(form))
        held.set("count", f"{len(held)}")
        return f"{len(held) - 1}"

    def _of_result(self, base: str, kind: type | None) -> str:
        """The number of a style like another, shaded and framed; ``kind``: str stands off the frame, numbers of money have their format."""
        made = deepcopy(self.formats[int(base)])
        made.attrib.update({"fillId": self.fill, "borderId": self.border, "applyFill": "1", "applyBorder": "1"})
        if kind in _THOUSANDS:
            made.attrib.update({"numFmtId": _THOUSANDS[kind], "applyNumberFormat": "1"})
        if kind is str:
            space = _space(self.root)
            aligned = made.find(f"{space}alignment")
            if aligned is None:
                made.insert(0, aligned := etree.Element(f"{space}alignment"))
            aligned.attrib.update({"horizontal": "left", "indent": "1"})
            made.set("applyAlignment", "1")
        self.formats.append(made)
        self.formats.set("count", f"{len(self.formats)}")
        return f"{len(self.formats) - 1}"


class _SheetCells:
    """The cells of a sheet, found and written."""

    def __init__(self, tree: Any, texts: Mapping[str, str], styles: _Styles) -> None:
        self.tree, self.space, self.texts, self.styles = tree, _space(tree), texts, styles
        self.data = tree.find(f"{self.space}sheetData")
        self.rows: dict[int, Any] = {}
        for row in self.data:
            number = int(row.get("r") or max(self.rows, default=0) + 1)
            row.set("r", f"{number}")
            self.rows[number] = row
        self.numbers = sorted(self.rows)
        columns = tree.iterfind(f"{self.space}cols/{self.space}col")
        self.of_columns = [(int(c.get("min")), int(c.get("max")), c.get("style", "0")) for c in columns]

    def write(self, frame: pd.DataFrame) -> None:
        """Write a frame under its headers."""
        places = self._places([str(header) for header in frame])
        ordered = sorted(frame, key=lambda header: places[str(header)])
        columns = [(places[str(header)], _MONEY in str(header), _written(frame[header])) for header in ordered]
        self._part(sorted(map(int, frame.index)), list(places.values()))
        for at, number in enumerate(frame.index):
            held = self._cells(self._row(int(number)), columns[0][0])
            for place, has_money, values in columns:
                self._set(held, int(number), place, values[at], has_money)
        self._stretch(int(max(frame.index)), columns[-1][0])

    def _places(self, headers: list[str]) -> dict[str, int]:
        """The column of each header."""
        wanted = {header_of(header)[0]: header for header in headers}
        rows = [self._shown(self.rows[number]) for number in self.numbers[:_HEADER_WITHIN]]
        named = [
            {wanted[n]: at for at, text in row.items() if (n := header_of(plain(text))[0]) in wanted} for row in rows
        ]
        best = max(range(len(rows)), key=lambda number: len(named[number]))
        places, last, number = dict(named[best]), max(rows[best]), self.numbers[best]
        style = next(iter(self.rows[number])).get("s", "0")
        for header in headers:
            if header not in places:
                last += 1
                places[header] = last
                self._part([number], [last])
                _fill(self._cell(self._cells(self._row(number), last), number, last), header, self.space)
                self._cells(self._row(number), last)[last].set("s", style)
        return places

    def _part(self, rows: Sequence[int], places: Sequence[int]) -> None:
        """Take merged cells apart where one of them other than the first is written (rows in order)."""
        merged = self.tree.find(f"{self.space}mergeCells")
        for area in () if merged is None else list(merged):
            ends = [re.fullmatch(r"([A-Z]+)(\d+)", end).groups() for end in area.get("ref").split(":")]  # type: ignore[union-attr]
            (left, top), (right, bottom) = (
                (_number_of(letters), int(number)) for letters, number in (ends[0], ends[-1])
            )
            within = rows[bisect_left(rows, top) : bisect(rows, bottom)]
            across = [place for place in places if left <= place <= right]
            if within and across and (within, across) != ([top], [left]):
                merged.remove(area)
                merged.set("count", f"{len(merged)}")
        if merged is not None and not len(merged):
            self.tree.remove(merged)

    def _shown(self, row: Any) -> dict[int, str]:
        """The texts of a row by column."""
        found = {}
        for place, cell in self._cells(row, 1).items():
            value, inline = cell.findtext(f"{self.space}v"), cell.find(f"{self.space}is")
            text = (
                _text(inline)
                if inline is not None
                else self.texts.get(value or "", "")
                if cell.get("t") == "s"
                else value
            )
            if text:
                found[place] = text
        return found

    def _row(self, number: int) -> Any:
        """A row, made where there is none."""
        if number not in self.rows:
            row = etree.Element(f"{self.space}row", r=f"{number}")
            at = bisect(self.numbers, number)
            if at < len(self.numbers):  # not by its place, which lxml would count from the first row
                self.rows[self.numbers[at]].addprevious(row)
            else:
                self.data.append(row)
            self.numbers.insert(at, number)
            self.rows[number] = row
        return self.rows[number]

    def _cells(self, row: Any, first: int) -> dict[int, Any]:
        """The cells of a row by column, from a column on."""
        found = {}
        if len(row) and row[0].get("r") is None:  # then none says where it stands
            for place, cell in enumerate(row, start=1):
                cell.set("r", f"{column_letters(place)}{row.get('r')}")
        row.attrib.pop("spans", None)
        for cell in row.iterchildren(f"{self.space}c", reversed=True):
            place = _number_of(cell.get("r").rstrip("0123456789"))
            if place < first:
                break
            found[place] = cell
        return found

    def _cell(self, held: dict[int, Any], number: int, place: int) -> Any:
        """A cell among those of its row, made where there is none."""
        if place not in held:
            row, after = self.rows[number], [at for at in held if at > place]
            cell = etree.Element(f"{self.space}c", r=f"{column_letters(place)}{number}", s=self._style(row, place))
            if after:
                held[min(after)].addprevious(cell)
            else:
                row.append(cell)
            held[place] = cell
        return held[place]

    def _style(self, row: Any, place: int) -> str:
        """The style of a cell that is not there: its row's, else its column's."""
        by_column = (style for first, last, style in self.of_columns if first <= place <= last)
        return str(row.get("s", "0") if row.get("customFormat") == "1" else next(by_column, "0"))

    def _set(self, held: dict[int, Any], number: int, place: int, value: Cell, has_money: bool) -> None:
        cell = self._cell(held, number, place)
        kind: Any = str if isinstance(value.value, str) else type(value.value) if has_money else None
        cell.set("s", self.styles.of_result(cell.get("s", "0"), kind))
        _fill(cell, value, self.space)

    def _stretch(self, row: int, column: int) -> None:
        """The size that the sheet states, with what was written."""
        stated = self.tree.find(f"{self.space}dimension")
        if stated is not None:
            first, _, last = stated.get("ref").partition(":")
            letters, number = re.fullmatch(r"([A-Z]+)(\d+)", last or first).groups()  # type: ignore[union-attr]
            end = f"{column_letters(max(_number_of(letters), column))}{max(int(number), row)}"
            stated.set("ref", f"{first}:{end}")


def _written(values: pd.Series) -> list[Cell]:
    """Values as cells; whole numbers without a fraction where the column has no other."""
    plainly = (value.item() if isinstance(value, np.generic) else value for value in values.tolist())
    cells = [cell_of(None if value is pd.NaT or value is pd.NA else value) for value in plainly]
    numbers = [cell.value for cell in cells if isinstance(cell.value, float | int)]
    is_whole = all(float(number).is_integer() for number in numbers if not pd.isna(number))
    return [_shortened(cell, is_whole) for cell in cells]


def _shortened(cell: Cell, is_whole: bool) -> Cell:
    if isinstance(cell.value, float) and (is_whole or pd.isna(cell.value)):
        return Cell(None if pd.isna(cell.value) else int(cell.value), cell.formula)
    return cell


def _fill(cell: Any, content: Cell | str, space: str) -> None:
    """Put a value, or a formula with its value, into a cell; a text that begins with = is no formula."""
    held = cell_of(content)
    for child in list(cell):
        cell.remove(child)
    for name in ("t", "cm", "vm"):
        cell.attrib.pop(name, None)
    if held.formula:
        etree.SubElement(cell, f"{space}f").text = held.formula
    if isinstance(held.value, str):
        text = _ILLEGAL.sub("", held.value)
        cell.set("t", "str" if held.formula else "inlineStr")
        inner = cell if held.formula else etree.SubElement(cell, f"{space}is")
        made = etree.SubElement(inner, f"{space}{'v' if held.formula else 't'}")
        made.text = text
        if text != text.strip():
            made.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    elif held.value is not None:
        etree.SubElement(cell, f"{space}v").text = repr(held.value)


def _number_of(letters: str) -> int:
    """The number of a column by its letters, 1 for A."""
    return place_of(letters) + 1
